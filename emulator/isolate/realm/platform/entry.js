// What Python calls: requests in, responses out, the context of an event.
(function (platform) {
  "use strict";

  const { resolved } = platform.async;
  const { illegal, illegalConstructor, finishClass } = platform.idl;
  const { bytesView, exactBuffer, concatBytes } = platform.bytes;
  const { listOver, joined } = platform.headers;
  const { findRecord, usableError, takeSource, takeNative, streamOf, announcedLength, lengthOf } = platform.body;
  const { ResponseRecord, reasonOf } = platform.responses;
  const { IncomingRecord, requestOf, wrap } = platform.requests;
  const { usv, utf8Encode, bufferOf, host } = platform;
  const streams = platform.streams;
  const Compression = CompressionStream;
  const Bytes = Uint8Array;

  // A request that came in. `flatHeaders` is [name, value, name, value...] or text
  // with a line for each; `cfJson` a JSON text
  // or null; `body` null, an ArrayBuffer or the id of a stream to read. `onBodyRead` is called
  // once, when the Worker starts to read the stream.
  platform.makeRequest = (method, url, flatHeaders, cfJson, body, onBodyRead) => {
    platform.workersModule.overrides = null;
    const record = new IncomingRecord(method, url, flatHeaders, cfJson);
    if (typeof body === "number") {
      record.incoming = body;
      record.length = announcedLength(record);
      if (onBodyRead) record.onRead = onBodyRead;
    } else if (body !== null && body !== undefined) {
      record.source = new Bytes(body);
    }
    return wrap(record);
  };

  platform.abortRequest = (request, reason) => requestOf(request).abort(reason);

  // The platform compresses a body as its Content-Encoding says, unless `encodeBody` is "manual".
  // There is no Brotli encoder here: such a body goes as it is, without the header.
  const encodeBody = (record) => {
    if (record.list === null || record.encodeBody !== "automatic" || record.empty) return;
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

  // Of a stream only the length that it promises goes out. What the Worker says counts where no body goes out: it
  // comes last, under the name that respond.py looks for.
  const withLength = (flat, length) => {
    const headers = [];
    let said = "";
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i].length === 14 && flat[i].toLowerCase() === "content-length") said = flat[i + 1];
      else headers.push(flat[i], flat[i + 1]);
    }
    if (length >= 0) headers.push("Content-Length", String(length));
    else if (said !== "") headers.push(":content-length", said);
    return headers;
  };

  // The record of a Response that can go out, its body encoded.
  const answerOf = (value) => {
    const record = findRecord(value);
    if (!(record instanceof ResponseRecord)) {
      throw new TypeError("Incorrect type for Promise: the Promise did not resolve to 'Response'.");
    }
    const error = record.used || record.stream !== null ? usableError(record) : null;
    if (error !== null) throw error;
    if (record.type === "error") {
      throw new TypeError("Return value from serve handler must not be an error response (like Response.error())");
    }
    encodeBody(record);
    return record;
  };
  const streamHeaders = (record, length) => withLength(joined(record.headerList().toFlat()), length);

  // Kinds of bodies, as javascript/program.py names them.
  const NO_BODY = 0, TEXT = 1, BYTES = 2, STREAM = 3, NATIVE = 4;

  // Takes a Response apart and its body with it: [status, statusText, header lines, body], `body` null,
  // a string, maybe with lone surrogates, an ArrayBuffer, a ReadableStream, or the number of a stream that came in and
  // that nobody has touched. A header is two lines.
  platform.takeLines = (value) => {
    const parts = [0, "", "", null];
    tellResponse(value, parts, collect);
    return parts;
  };
  const collect = (parts, status, reason, lines, kind, body) => {
    parts[0] = status;
    parts[1] = reason;
    parts[2] = lines;
    parts[3] = body;
  };

  // The same, told by `tell(id, status, statusText, header lines, kind of body, body)`. Throws before it tells.
  const tellResponse = (value, id, tell) => {
    const record = answerOf(value);
    const source = takeSource(record);
    if (source === undefined) {
      const lines = listOver(streamHeaders(record, lengthOf(record))).toLines();
      const native = takeNative(record);
      record.used = true;
      if (native >= 0) return void tell(id, record.status, reasonOf(record), lines, NATIVE, native);
      const stream = streamOf(record);
      return void tell(id, record.status, reasonOf(record), lines, STREAM, streams.objectOf(stream));
    }
    const { list } = record;
    const lines = list !== null ? list.toLines() : record.implied;
    if (source === null) tell(id, record.status, reasonOf(record), lines, NO_BODY, null);
    else if (typeof source === "string") tell(id, record.status, reasonOf(record), lines, TEXT, source);
    else tell(id, record.status, reasonOf(record), lines, BYTES, bufferOf(source));
  };
  platform.tellResponse = tellResponse;

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
      // On its way out text is encoded; only Response.text() and the like insist on bytes.
      const bytes = typeof value === "string" ? utf8Encode(usv(value)) : bytesView(value);
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
