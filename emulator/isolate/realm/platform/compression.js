// Transforms whose work the host does: CompressionStream and DecompressionStream
// (https://compression.spec.whatwg.org/), TextEncoderStream and TextDecoderStream
// (https://encoding.spec.whatwg.org/#interface-textencoderstream).
(function (platform) {
  "use strict";

  const { then } = platform.async;
  const { illegal, exposeClass } = platform.idl;
  const { host, utf8Encode, usv } = platform;
  const { bytesView } = platform.bytes;
  const streams = platform.streams;
  const { secret, makeTransform, TransformStream, toBytes } = streams;
  const Bytes = Uint8Array;
  const apply = Reflect.apply;
  const slice = String.prototype.slice;
  const Decoder = TextDecoder;
  const decode = TextDecoder.prototype.decode;

  const toFormat = (value, what) => {
    if (value === undefined) platform.wrongParameter(1, "string", null, what);
    const format = `${value}`;
    if (format !== "gzip" && format !== "deflate" && format !== "deflate-raw") {
      throw new TypeError(
        "The compression format must be either 'deflate', 'deflate-raw' or 'gzip'.");
    }
    return format;
  };
  const give = (record, buffer) => {
    if (buffer.byteLength > 0) record.enqueue(new Bytes(buffer));
  };

  const makeCompression = (format) => {
    const codec = host.zlibOpen(format, false, {});
    return makeTransform({
      check: toBytes,
      eager: true,
      transform: (chunk, record) => give(record, host.zlibStep(codec, toBytes(chunk))),
      flush: (record) => give(record, host.zlibFinish(codec)),
    });
  };

  const makeDecompression = (format) => {
    const codec = host.zlibOpen(format, true, {});
    // The host gives a bounded piece at a time.
    const more = (record) => {
      while (host.zlibHasMore(codec) && record.canEnqueue) {
        if (record.full) return then(record.change.promise, () => more(record));
        give(record, host.zlibStep(codec, null));
      }
      return undefined;
    };
    return makeTransform({
      check: toBytes,
      eager: true,
      transform: (chunk, record) => {
        give(record, host.zlibStep(codec, toBytes(chunk)));
        return more(record);
      },
      flush: (record) => give(record, host.zlibFinish(codec)),
    });
  };

  class CompressionStream extends TransformStream {
    constructor(format) {
      platform.refuseAtTopLevel();
      super(secret, makeCompression(toFormat(format, "CompressionStream")));
    }
  }
  exposeClass("CompressionStream", CompressionStream);

  class DecompressionStream extends TransformStream {
    constructor(format) {
      platform.refuseAtTopLevel();
      super(secret, makeDecompression(toFormat(format, "DecompressionStream")));
    }
  }
  exposeClass("DecompressionStream", DecompressionStream);

  // ---- text ----------------------------------------------------------------------------

  // A high surrogate at the end of a chunk waits for the next one.
  const makeTextEncoder = () => {
    let waiting = "";
    return makeTransform({
      transform: (chunk, record) => {
        let text = waiting + `${chunk}`;
        waiting = "";
        const last = text.charCodeAt(text.length - 1);
        if (last >= 0xd800 && last <= 0xdbff) {
          waiting = apply(slice, text, [-1]);
          text = apply(slice, text, [0, -1]);
        }
        if (text !== "") record.enqueue(utf8Encode(usv(text)));
      },
      flush: (record) => {
        if (waiting !== "") record.enqueue(utf8Encode("\ufffd"));
      },
    }, { bytes: false });
  };

  class TextEncoderStream extends TransformStream {
    #brand;
    constructor() {
      super(secret, makeTextEncoder());
    }
    get encoding() {
      if (!(#brand in this)) throw illegal();
      return "utf-8";
    }
  }
  exposeClass("TextEncoderStream", TextEncoderStream);

  const NOT_BYTES =
    "This TransformStream is being used as a byte stream, but received a value that is not a BufferSource.";
  const STREAMING = { stream: true };
  const makeTextDecoder = (decoder) =>
    makeTransform({
      transform: (chunk, record) => {
        const view = bytesView(chunk);
        if (view === null) throw new TypeError(NOT_BYTES);
        const text = apply(decode, decoder, [view, STREAMING]);
        if (text !== "") record.enqueue(text);
      },
      flush: (record) => {
        const text = apply(decode, decoder, []);
        if (text !== "") record.enqueue(text);
      },
    }, { bytes: false });

  class TextDecoderStream extends TransformStream {
    #decoder;
    constructor(label = "utf-8", options = undefined) {
      const decoder = new Decoder(label, options);
      super(secret, makeTextDecoder(decoder));
      this.#decoder = decoder;
    }
    get encoding() {
      if (!(#decoder in this)) throw illegal();
      return this.#decoder.encoding;
    }
    get fatal() {
      if (!(#decoder in this)) throw illegal();
      return this.#decoder.fatal;
    }
    get ignoreBOM() {
      if (!(#decoder in this)) throw illegal();
      return this.#decoder.ignoreBOM;
    }
  }
  exposeClass("TextDecoderStream", TextDecoderStream);
});
