// What Python calls: requests in, responses out, the context of an event.
(function (platform) {
  "use strict";

  const { resolved } = platform.async;
  const { illegal, illegalConstructor, finishClass } = platform.idl;
  const { bytesView, exactBuffer, concatBytes } = platform.bytes;
  const { HeaderList } = platform.headers;
  const { recordOf, usableError, takeSource, streamOf } = platform.body;
  const { isResponse } = platform.responses;
  const { RequestRecord, requestOf, wrap } = platform.requests;
  const { usv, utf8Encode, host } = platform;
  const streams = platform.streams;
  const Compression = CompressionStream;
  const Bytes = Uint8Array;
  const { apply } = Reflect;

  const { includes, startsWith } = String.prototype;
  // Text is searched as it is: unpacking the headers of every request would cost 4 us.
  const announcesBody = (flatHeaders) => {
    if (typeof flatHeaders !== "string") return new HeaderList(flatHeaders, true).has("content-length");
    const line = "content-length\n";
    return apply(startsWith, flatHeaders, [line]) || apply(includes, flatHeaders, [`\n${line}`]);
  };

  // A request that came in. `flatHeaders` is [name, value, name, value...] or text
  // with a line for each; `cfJson` a JSON text
  // or null; `body` null, an ArrayBuffer or the id of a stream to read. `onBodyRead` is called
  // once, when the Worker starts to read the stream.
  platform.makeRequest = (method, url, flatHeaders, cfJson, body, onBodyRead) => {
    const record = new RequestRecord(method, url);
    record.list = new HeaderList(flatHeaders, true);
    record.redirect = "manual";
    record.cfJson = cfJson;
    if (typeof body === "number") {
      record.incoming = body;
      if (onBodyRead) record.onRead = onBodyRead;
    } else if (body !== null && body !== undefined) {
      record.source = new Bytes(body);
    } else if (announcesBody(flatHeaders)) {
      record.source = new Bytes(0); // `Content-Length: 0` is a body, an empty one
    }
    return wrap(record);
  };

  platform.abortRequest = (request, reason) => requestOf(request).abort(reason);

  const fixedLength = (record) => {
    if (record.source !== null) return -1;
    return record.stream === null ? record.length : record.stream.length;
  };

  // The platform compresses a body as its Content-Encoding says, unless `encodeBody` is "manual".
  // There is no Brotli encoder here: such a body goes as it is, without the header.
  const encodeBody = (record) => {
    if (record.encodeBody !== "automatic" || record.empty || record.list === null) return;
    const coding = record.list.get("content-encoding");
    if (coding !== "gzip" && coding !== "br") return;
    record.list = record.list.copy();
    if (coding === "br") return void record.list.delete("content-encoding");
    record.list.delete("content-length");
    if (record.source === null) {
      const { readable, writable } = new Compression("gzip");
      streams.pipeThrough(streamOf(record), { readable, writable }, undefined);
      record.stream = streams.readableRecord(readable);
      return;
    }
    const codec = host.zlibOpen("gzip", false, {});
    const { source } = record;
    const bytes = typeof source === "string" ? utf8Encode(usv(source)) : source;
    const parts = [new Bytes(host.zlibStep(codec, bytes)), new Bytes(host.zlibFinish(codec))];
    record.source = concatBytes(parts, parts[0].length + parts[1].length);
  };

  // Of a stream only the length that it promises goes out, whatever the Worker says.
  const withLength = (flat, length) => {
    const headers = [];
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i].length === 14 && flat[i].toLowerCase() === "content-length") continue;
      headers.push(flat[i], flat[i + 1]);
    }
    if (length >= 0) headers.push("Content-Length", String(length));
    return headers;
  };

  // Headers that go out as one line, however often they were appended; others as one line each.
  const JOINED = new Set(
    ("accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-origin age allow " +
      "authorization cache-control cf-cache-status cf-ray content-disposition content-language content-location " +
      "content-range content-type cookie date etag expect expires from host if-match if-modified-since " +
      "if-none-match if-range if-unmodified-since last-modified link location max-forwards origin pragma " +
      "proxy-authenticate proxy-authorization range referer refresh retry-after sec-websocket-protocol server " +
      "strict-transport-security user-agent vary via www-authenticate").split(" "),
  );
  const joined = (flat) => {
    if (flat.length < 4) return flat;
    const places = new Map();
    const headers = [];
    for (let i = 0; i < flat.length; i += 2) {
      const name = flat[i].toLowerCase();
      const place = places.get(name);
      if (place !== undefined && JOINED.has(name)) {
        headers[place] += `, ${flat[i + 1]}`;
      } else {
        places.set(name, headers.length + 1);
        headers.push(flat[i], flat[i + 1]);
      }
    }
    return headers;
  };

  // Takes a Response apart and its body with it: [status, statusText, flatHeaders, body], `body`
  // null, a string, a Uint8Array or a ReadableStream.
  platform.takeResponse = (value) => {
    if (!isResponse(value)) {
      throw new TypeError("Incorrect type for Promise: the Promise did not resolve to 'Response'.");
    }
    const record = recordOf(value);
    const error = usableError(record);
    if (error !== null) throw error;
    if (record.type === "error") {
      throw new TypeError("Return value from serve handler must not be an error response (like Response.error())");
    }
    encodeBody(record);
    const flat = record.list === null ? [] : joined(record.list.toFlat());
    const source = takeSource(record);
    if (source !== undefined) {
      return [record.status, record.reason, flat, typeof source === "string" ? usv(source) : source];
    }
    const stream = streamOf(record);
    const length = fixedLength(record);
    const headers = withLength(flat, length);
    record.used = true;
    return [record.status, record.reason, headers, streams.objectOf(stream)];
  };

  // Reads a stream to its end: `onChunk(ArrayBuffer, resume)` for each chunk, the next one only
  // after `resume()`; then `onEnd()` or `onError(error)`. Gives `cancel(reason)`.
  platform.pumpBody = (stream, onChunk, onEnd, onError) => {
    const reader = streams.acquireReader(streams.readableRecord(stream));
    let over = false;
    let reading = false;
    let wanted = false;
    // `resume()` may come before onChunk() has returned: the loop keeps the stack flat.
    const next = () => {
      wanted = true;
      if (reading) return;
      reading = true;
      while (wanted && !over) {
        wanted = false;
        reader.read(request);
      }
      reading = false;
    };
    const end = (report, ...args) => {
      if (over) return;
      over = true;
      reader.release();
      report(...args);
    };
    const deliver = (value) => {
      const bytes = bytesView(value);
      if (bytes === null) {
        const error = new TypeError("This ReadableStream did not return bytes.");
        reader.cancel(error);
        end(onError, error);
        return;
      }
      let waiting = true;
      onChunk(exactBuffer(bytes), () => {
        if (!waiting || over) return;
        waiting = false;
        next();
      });
    };
    const request = {
      chunk: (value) => {
        if (!over) deliver(value);
      },
      close: () => end(onEnd),
      fail: (error) => end(onError, error),
    };
    next();
    return (reason) => {
      if (over) return;
      over = true;
      reader.cancel(reason);
      reader.release();
    };
  };

  class ExecutionContext {
    #onWaitUntil;
    #passThrough = false;
    #props;
    constructor(key, onWaitUntil, props) {
      if (key !== streams.secret) throw illegalConstructor();
      this.#onWaitUntil = onWaitUntil;
      this.#props = props;
    }
    static {
      platform.passesThrough = (context) => context.#passThrough;
    }
    waitUntil(promise) {
      if (!(#onWaitUntil in this)) throw illegal();
      // A PyProxy given by Python dies when this call returns: it is taken as it is.
      this.#onWaitUntil(platform.isPyProxy?.(promise) ? promise : resolved(promise));
    }
    passThroughOnException() {
      if (!(#onWaitUntil in this)) throw illegal();
      this.#passThrough = true;
    }
    get props() {
      if (!(#onWaitUntil in this)) throw illegal();
      return (this.#props ??= {});
    }
    get exports() {
      if (!(#onWaitUntil in this)) throw illegal();
      return (platform.exports ??= {});
    }
  }
  finishClass(ExecutionContext, "ExecutionContext");
  platform.ExecutionContext = ExecutionContext;

  // The `ctx` of an event. `onWaitUntil(promise)` is called with a promise of the realm.
  platform.makeContext = (onWaitUntil, props) => new ExecutionContext(streams.secret, onWaitUntil, props);
});
