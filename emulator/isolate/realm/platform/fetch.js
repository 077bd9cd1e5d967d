// fetch(), https://fetch.spec.whatwg.org/#fetch-method, over the host's network.
(function (platform) {
  "use strict";

  const { resolved, rejected, noop } = platform.async;
  const { host, streamOfHost } = platform;
  const { FixedList, listOver } = platform.headers;
  const { recordOf, usableError, takeSource, streamOf, announcedLength, lengthOf } = platform.body;
  const { ResponseRecord, wrap } = platform.responses;
  const { Request, isRequest } = platform.requests;
  const { utf8Encode, usv } = platform;
  const { streams, older } = platform;
  const Bytes = Uint8Array;
  const apply = Reflect.apply;
  const URLClass = URL;
  const startsWith = String.prototype.startsWith;
  const indexOf = String.prototype.indexOf;
  const slice = String.prototype.slice;
  const lower = String.prototype.toLowerCase;

  const lost = (message) => {
    if (message && apply(startsWith, message, ["Too many subrequests"])) return new Error(message);
    const why = message ? message.replace(/^Network connection lost: /, "") : "";
    return new Error(why ? `Network connection lost. (${why})` : "Network connection lost.");
  };

  // The body for the wire: null, bytes, or the id of a stream that is pumped from now on.
  const sendBody = (record) => {
    const error = usableError(record);
    if (error !== null) throw error;
    const source = takeSource(record);
    if (source === null) return { body: null, stop: noop };
    if (typeof source === "string") return { body: utf8Encode(usv(source)), stop: noop };
    if (source !== undefined) return { body: source, stop: noop };
    const stream = streams.objectOf(streamOf(record));
    record.used = true;
    const id = host.ioOpenStream();
    let open = true;
    let cancel = noop;
    const close = (failure) => {
      if (!open) return;
      open = false;
      host.ioCloseStream(id, failure);
    };
    const stop = (reason) => {
      cancel(reason);
      close(`${reason}`);
    };
    const write = (chunk, resume) => {
      if (chunk.byteLength === 0) return resume();
      host.ioWriteStream(id, chunk, (failure) => {
        if (failure === null || failure === undefined) resume();
        else stop(lost(failure));
      });
    };
    cancel = platform.pumpBody(stream, write, () => close(null), (failure) => close(`${failure}`));
    if (!open) cancel();
    return { body: id, stop };
  };

  // The flat headers of a request. Host is that of the URL and the length that of the body, whatever the headers say.
  const headersFor = (record) => {
    const flat = record.headerList().toFlat();
    const sent = [];
    for (let i = 0; i < flat.length; i += 2) {
      const name = apply(lower, flat[i], []);
      if (name === "host" || name === "content-length") continue;
      sent[sent.length] = flat[i];
      sent[sent.length] = flat[i + 1];
    }
    const length = lengthOf(record);
    if (length >= 0) {
      sent[sent.length] = "Content-Length";
      sent[sent.length] = `${length}`;
    }
    return sent;
  };

  // Without `hasBody` its length is that of a body which does not come.
  const responseFrom = (answer, requestUrl, hasBody, onDone) => {
    const record = new ResponseRecord();
    record.encodeBody = "manual"; // its body is encoded already, where it says so
    record.status = answer[0];
    record.statusText = answer[1];
    record.list = new FixedList(answer[2]);
    record.url = answer[3] || requestUrl;
    record.redirected = Boolean(answer[4]);
    const body = answer[5];
    if (typeof body === "number") {
      if (hasBody) record.length = announcedLength(record);
      record.stream = streamOfHost(body, undefined, onDone, record.length);
      return record;
    }
    if (body !== null && body !== undefined) record.source = new Bytes(body);
    onDone?.();
    return record;
  };

  const withoutFragment = (url) => {
    const at = apply(indexOf, url, ["#"]);
    return at < 0 ? url : apply(slice, url, [0, at]);
  };

  // Requests of older Workers keep their URL as it was written.
  const parsed = (url) => {
    try {
      return new URLClass(url).href;
    } catch {
      return "";
    }
  };

  // https://fetch.spec.whatwg.org/#scheme-fetch, "data"
  const answerData = (record, url) => {
    const found = apply(startsWith, url, ["data:"]) ? host.dataUrl(url) : null;
    if (found === null) throw new TypeError(`Fetch API cannot load: ${record.url}`);
    const response = new ResponseRecord();
    response.statusText = "OK";
    response.list = listOver(["Content-Type", found[0]]);
    if (record.method === "GET") response.source = new Bytes(found[1]);
    return response;
  };

  const send = (record) =>
    new Promise((resolve, reject) => {
      const url = withoutFragment(older.fetch_standard_url ? parsed(record.url) : record.url);
      if (!apply(startsWith, url, ["http:"]) && !apply(startsWith, url, ["https:"])) {
        return void resolve(wrap(answerData(record, url)));
      }
      const signal = record.signal;
      if (signal !== null && signal.aborted) throw signal.reason;
      if (record.abortReason !== null) throw record.signalObject().reason;
      const headers = headersFor(record);
      const { body, stop } = sendBody(record);
      let forget = noop;
      let response = null;
      const call = host.ioFetch(record.method, url, headers, body, record.redirect, (failure, answer) => {
        if (failure !== null && failure !== undefined) {
          forget();
          const error = answer === "TypeError" ? new TypeError(failure) : lost(failure);
          stop(error);
          reject(error);
          return;
        }
        const hasBody = record.method !== "HEAD" && answer[0] !== 204 && answer[0] !== 205 && answer[0] !== 304;
        response = responseFrom(answer, url, hasBody, signal === null ? undefined : () => forget());
        resolve(wrap(response));
      });
      if (signal === null) return;
      forget = platform.onAbort(signal, (reason) => {
        stop(reason);
        if (response === null) {
          host.ioCancelFetch(call);
          reject(reason);
        } else {
          abortBody(response, reason);
        }
      });
    });

  // The signal aborted after the response had come: what is left of its body fails.
  const abortBody = (response, reason) => {
    const stream = response.stream;
    if (stream === null || stream.state !== "readable") return;
    const cancel = stream.controller.cancel;
    stream.controller.fail(reason);
    if (cancel) cancel(reason);
  };

  const fetch = function fetch(input, init) {
    try {
      if (arguments.length === 0) {
        platform.wrongParameter(1, "Request or string", "fetch", "ServiceWorkerGlobalScope");
      }
      const request = init === undefined && isRequest(input) ? input : new Request(input, init);
      const record = recordOf(request);
      if (record.fetcher !== null && record.fetcher !== undefined) return resolved(record.fetcher.fetch(request));
      return send(record);
    } catch (error) {
      return rejected(error);
    }
  };
  platform.expose("fetch", fetch);
  platform.fetch = fetch;
});
