// Body: what Request and Response share (https://fetch.spec.whatwg.org/#body-mixin). On Workers it
// is a class that both inherit from. A message's body stays what it was made of (a string,
// bytes, an incoming stream's id) until somebody asks for its stream.
(function (platform) {
  "use strict";

  const { assign } = Object;
  const { then, resolved, rejected, noop } = platform.async;
  const { illegal, illegalConstructor, exposeClass } = platform.idl;
  const { bytesView, copyBytes, concatBytes, exactBuffer } = platform.bytes;
  const { utf8Encode, utf8Decode, bufferOf, usv, host } = platform;
  const { listOver, wrap } = platform.headers;
  const { older } = platform;
  const streams = platform.streams;
  const apply = Reflect.apply;
  const parseJson = JSON.parse;
  const Bytes = Uint8Array;
  const MAX_LENGTH = Number.MAX_SAFE_INTEGER;
  const StringClass = String;
  const secret = Symbol("body key");

  const USED = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice.";

  // The state of a Request or a Response.
  class MessageRecord {
    get empty() {
      return this.source === null && this.stream === null && this.incoming < 0;
    }
    get isUsed() {
      return this.used || (this.stream !== null && this.stream.disturbed);
    }
    get untouched() {
      return this.stream === null || (!this.stream.disturbed && this.stream.reader === null);
    }
    headerList() {
      return (this.list ??= this.makeList());
    }
    makeList() {
      return listOver(this.implied);
    }
    headersObject() {
      return (this.headers ??= wrap(this.headerList()));
    }
    mimeType() {
      return this.headerList().get("content-type");
    }
  }
  // On the prototype: a record owns only what differs, so that making one is cheap.
  assign(MessageRecord.prototype, {
    source: null, // string, Uint8Array that nobody may change, or null
    incoming: -1, // id of a stream that the host reads
    stream: null, // StreamRecord, once somebody asked for it
    used: false,
    length: -1, // bytes of the body, where known beforehand (Content-Length)
    onRead: undefined,
    list: null, // HeaderList, once somebody asked for it; headerList() makes it
    implied: "", // lines of the headers that the list begins with
    typed: false, // whether a Content-Type is among these
    headers: null, // Headers, once somebody asked for them
  });

  // ---- making a body -------------------------------------------------------------------

  // All of these give the Content-Type that the body asks for, or null.
  let refuse = null; // while the modules' top level runs
  platform.onTopLevel((refuses) => {
    refuse = refuses;
  });

  const setBytes = (record, bytes, contentType) => {
    if (refuse !== null) refuse();
    record.source = bytes;
    return contentType;
  };

  const setStream = (record, stream) => {
    const inner = streams.readableRecord(stream);
    if (inner.disturbed || inner.reader !== null) {
      throw new TypeError(
        inner.disturbed
          ? "This ReadableStream is disturbed (has already been read from), and cannot be used as a body."
          : "This ReadableStream is locked to a reader, and cannot be used as a body.");
    }
    record.stream = inner;
    record.length = inner.length;
    return null;
  };

  const isIterable = (value) =>
    !(value instanceof StringClass)
    && (typeof value[Symbol.asyncIterator] === "function" || typeof value[Symbol.iterator] === "function");

  // Takes a BodyInit (https://fetch.spec.whatwg.org/#concept-bodyinit-extract); null means none.
  const setBody = (record, body) => {
    if (typeof body === "string") {
      if (refuse !== null) refuse();
      record.source = body;
      return "text/plain;charset=UTF-8";
    }
    if (body === null || body === undefined) return null;
    if (typeof body === "object" || typeof body === "function") {
      if (streams.isReadable(body)) return setStream(record, body);
      if (platform.isBlob(body)) {
        const type = platform.blobType(body);
        return setBytes(record, platform.blobBytes(body), type === "" ? null : type);
      }
      if (platform.isFormData(body)) {
        const { bytes, boundary } = platform.encodeMultipart(body);
        return setBytes(record, bytes, `multipart/form-data; boundary=${boundary}`);
      }
      const query = platform.formText(body);
      if (query !== null) return setBytes(record, query, "application/x-www-form-urlencoded;charset=UTF-8");
      const bytes = bytesView(body);
      if (bytes !== null) return setBytes(record, copyBytes(bytes), null);
      if (platform.compatibilityFlags.fetch_iterable_type_support && isIterable(body)) {
        return setStream(record, streams.objectOf(streams.fromIterable(body)));
      }
    }
    return setBody(record, `${body}`);
  };

  // The Content-Type that the body asks for, unless the headers have one.
  const addContentType = (record, type) => {
    if (type === null) return;
    const { list } = record;
    if (list === null) {
      if (record.typed) return;
      const line = "Content-Type\n" + type;
      record.implied = record.implied === "" ? line : record.implied + "\n" + line;
      record.typed = true;
    } else if (!list.typed && !list.has("content-type")) list.add("Content-Type", type);
  };

  // ---- streams of bodies ---------------------------------------------------------------

  const sourceBytes = (source) => (typeof source === "string" ? utf8Encode(usv(source)) : source);

  const streamOfBytes = (source) => {
    let own = typeof source === "string" ? sourceBytes(source) : null;
    const stream = streams.makeBytes({
      pull: (controller) => {
        const bytes = own ?? copyBytes(source);
        source = own = null;
        if (bytes.length > 0) controller.enqueue(bytes);
        controller.finish();
      },
      cancel: () => {
        source = own = null;
      },
    });
    stream.length = (own ?? source).length;
    return streams.startNow(stream);
  };

  // A byte stream whose chunks the host reads: one read at a time, when somebody wants a chunk.
  // `onRead` is called before the first read, `onDone` once nothing more will come; `length` is as that of a record.
  const streamOfHost = (id, onRead, onDone = noop, length = -1) => {
    const failed = (message) => {
      onDone();
      return new Error(message);
    };
    const take = (controller, chunk) => {
      if (chunk !== null && chunk !== undefined) return void controller.enqueue(new Bytes(chunk));
      onDone();
      controller.finish();
    };
    const pull = (controller) => {
      record.native = null;
      if (onRead !== undefined) {
        const notify = onRead;
        onRead = undefined;
        notify();
      }
      return new Promise((resolve, reject) => {
        host.ioReadStream(id, (error, chunk) => {
          if (error !== null && error !== undefined) return reject(failed(error));
          if (chunk && chunk.byteLength === 0) return resolve(pull(controller));
          take(controller, chunk);
          resolve(undefined);
        });
      });
    };
    const cancel = (reason) => {
      record.native = null;
      onDone();
      host.ioCancelStream(id, reason === undefined ? "" : `${reason}`);
    };
    const record = streams.startNow(streams.makeBytes({ pull, cancel }));
    if (onDone === noop) record.native = { id, onRead };
    record.length = length;
    return record;
  };

  // Bytes of a body that is not in memory, -1 where they are not known.
  const lengthOf = (record) => {
    if (record.source !== null) return -1;
    return record.stream === null ? record.length : record.stream.length;
  };

  // The length that the headers of a message announce: the one that its body has when it comes from the network.
  const announcedLength = (record) => {
    const text = record.headerList().get("content-length");
    const length = text === null || text === "" ? NaN : +text;
    return length >= 0 && length <= MAX_LENGTH ? length : -1;
  };

  // The id of a body that only the host has touched, which then goes on by itself; -1 for any other.
  const takeNative = (record) => {
    const { stream } = record;
    if (stream === null) {
      if (record.incoming >= 0) record.onRead?.();
      return record.incoming;
    }
    const { native } = stream;
    if (native === null || stream.disturbed || stream.reader !== null || stream.state !== "readable") return -1;
    native.onRead?.();
    stream.native = null;
    drain(stream);
    return native.id;
  };
  platform.streamOfHost = streamOfHost;

  const streamOf = (record) => {
    if (record.stream === null && !record.empty) {
      record.stream = record.incoming >= 0
        ? streamOfHost(record.incoming, record.onRead, undefined, record.length)
        : streamOfBytes(record.source);
      if (record.used) drain(record.stream);
    }
    return record.stream;
  };
  const drain = (stream) => {
    stream.disturbed = true;
    if (stream.state === "readable") streams.closeStream(stream);
    if (stream.reader === null) streams.acquireReader(stream); // a body that was used stays locked
  };

  // ---- using a body up -----------------------------------------------------------------

  const usableError = (record) => {
    if (record.isUsed) return new TypeError(USED);
    if (record.stream !== null && record.stream.reader !== null) return new TypeError(streams.LOCKED);
    return null;
  };

  // Takes what is in memory: string or bytes; undefined where it has to be read from the stream.
  const takeSource = (record) => {
    const { source } = record;
    if (source === null) return record.empty ? null : undefined;
    record.used = true;
    if (record.stream !== null) drain(record.stream);
    return source;
  };

  const readAll = (stream) =>
    new Promise((resolve, reject) => {
      const reader = streams.acquireReader(stream);
      const parts = [];
      let total = 0;
      let depth = 0;
      const request = {
        chunk: (value) => {
          const bytes = bytesView(value);
          if (bytes === null) {
            const error = new TypeError("This ReadableStream did not return bytes.");
            reader.cancel(error);
            return reject(error);
          }
          parts[parts.length] = bytes;
          total += bytes.length;
          // A long queue is read without growing the stack.
          if (++depth < 100) return reader.read(request);
          depth = 0;
          then(resolved(undefined), () => reader.read(request));
        },
        close: () => resolve(parts.length === 1 ? parts[0] : concatBytes(parts, total)),
        fail: reject,
      };
      reader.read(request);
    });

  // Gives `finish(source)` with all of the body: null, a string or bytes.
  const consume = (record, finish) => {
    const error = usableError(record);
    if (error !== null) return rejected(error);
    const source = takeSource(record);
    try {
      if (source !== undefined) return resolved(finish(source, true));
      const stream = streamOf(record);
      record.used = true;
      return then(readAll(stream), (bytes) => finish(bytes, false));
    } catch (failure) {
      return rejected(failure);
    }
  };
  const BOM = 0xfeff;
  const KEEP_BOM = 4;
  const toText = (source) => {
    if (source === null) return "";
    const keep = older.strip_bom_in_read_all_text;
    if (typeof source !== "string") return keep ? host.utf8Decode(bufferOf(source), KEEP_BOM) : utf8Decode(source);
    return usv(!keep && source.charCodeAt(0) === BOM ? source.slice(1) : source);
  };
  // `shared`: whether the bytes are the message's own, which a clone may have too.
  const toOwnBytes = (source, shared) => {
    if (source === null) return new Bytes(0);
    if (typeof source === "string") return sourceBytes(source);
    return shared ? copyBytes(source) : source;
  };

  const toFormData = (type, source) => {
    if (type === null) throw new TypeError("Parsing a Body as FormData requires a Content-Type header.");
    return platform.parseFormData(type, source === null ? new Bytes(0) : sourceBytes(source));
  };

  let recordOf;
  let isBody;
  let findRecord; // the record of a Body, null for all else
  class Body {
    #record;
    constructor(key, record) {
      if (key !== secret) throw illegalConstructor();
      this.#record = record;
    }
    static {
      isBody = (value) => typeof value === "object" && value !== null && #record in value;
      recordOf = (body) => body.#record;
      findRecord = (value) =>
        (typeof value === "object" && value !== null && #record in value ? value.#record : null);
    }
    get body() {
      if (!(#record in this)) throw illegal();
      const stream = streamOf(this.#record);
      return stream === null ? null : streams.objectOf(stream);
    }
    get bodyUsed() {
      if (!(#record in this)) throw illegal();
      return this.#record.isUsed;
    }
    arrayBuffer() {
      if (!(#record in this)) return rejected(illegal());
      return consume(this.#record, (source, shared) => exactBuffer(toOwnBytes(source, shared)));
    }
    bytes() {
      if (!(#record in this)) return rejected(illegal());
      return consume(this.#record, toOwnBytes);
    }
    text() {
      if (!(#record in this)) return rejected(illegal());
      return consume(this.#record, toText);
    }
    json() {
      if (!(#record in this)) return rejected(illegal());
      return consume(this.#record, (source) => parseJson(toText(source)));
    }
    formData() {
      if (!(#record in this)) return rejected(illegal());
      const record = this.#record;
      return consume(record, (source) => toFormData(record.mimeType(), source));
    }
    blob() {
      if (!(#record in this)) return rejected(illegal());
      const record = this.#record;
      return consume(record, (source) => {
        const type = record.mimeType();
        const bytes = source === null ? new Bytes(0) : sourceBytes(source);
        return platform.makeBlob(bytes, type === null ? "" : host.mimeType(type));
      });
    }
  }
  exposeClass("Body", Body);

  // ---- moving and copying --------------------------------------------------------------

  // Moves the body into another record; the first message's body counts as used then.
  const moveBody = (from, to) => {
    const error = usableError(from);
    if (error !== null) throw error;
    to.source = from.source;
    to.length = from.length;
    if (from.source !== null) takeSource(from);
    else if (from.stream !== null) {
      const inner = from.stream;
      const left = new streams.StreamRecord();
      left.state = "closed";
      left.disturbed = true;
      streams.acquireReader(left);
      if (inner.object !== null) streams.replaceRecord(inner.object, left);
      inner.object = null;
      to.stream = inner;
      from.stream = left;
    } else if (from.incoming >= 0) {
      to.incoming = from.incoming;
      to.onRead = from.onRead;
      from.incoming = -1;
      from.source = "";
    } else {
      return;
    }
    from.used = true;
  };

  // Copies the body: what is in memory is shared, a stream is teed.
  const cloneBody = (from, to) => {
    if (from.used || (from.stream !== null && from.stream.reader !== null)) throw new TypeError(streams.LOCKED_TEE);
    to.length = from.length;
    if (from.source !== null || from.empty) {
      to.source = from.source;
      return;
    }
    const inner = streamOf(from);
    const object = inner.object;
    const [one, two] = streams.tee(inner);
    // The message's own stream stays the same object and reads the first branch.
    if (object !== null) {
      inner.object = null;
      streams.replaceRecord(object, one);
    }
    from.stream = one;
    to.stream = two;
  };

  platform.body = {
    Body, MessageRecord, secret, takeNative, setBody, addContentType, streamOf, usableError, takeSource, moveBody, cloneBody,
    recordOf, isBody, findRecord, announcedLength, lengthOf,
  };
});
