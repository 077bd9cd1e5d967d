// ReadableStreamBYOBReader (standard, section 4.6), with readAtLeast() as Workers have it.
(function (platform) {
  "use strict";

  const { rejected } = platform.async;
  const { illegal, dictionaryOf, exposeClass } = platform.idl;
  const streams = platform.streams;
  const { secret, ByteControllerRecord, viewClassOf } = streams;
  const isView = ArrayBuffer.isView;
  const transfer = ArrayBuffer.prototype.transfer;
  const apply = Reflect.apply;

  // The view's bytes in a buffer of the stream's own: the reader's is detached.
  const takeView = (view) => {
    const { byteOffset } = view;
    const Class = viewClassOf(view);
    const length = Class === DataView ? view.byteLength : view.length;
    return new Class(apply(transfer, view.buffer, []), byteOffset, length);
  };

  const readInto = (reader, view, minimum) => {
    if (!isView(view)) {
      return rejected(new TypeError(
        "Failed to execute 'read' on 'ReadableStreamBYOBReader': parameter 1 is not of type 'ArrayBufferView'."));
    }
    if (view.byteLength === 0) {
      const message = 'You must call read() on a "byob" reader with a positive-sized TypedArray object.';
      return rejected(new TypeError(message));
    }
    const length = viewClassOf(view) === DataView ? view.byteLength : view.length;
    if (!(minimum > 0)) return rejected(new TypeError(`Requested invalid minimum number of bytes to read (${minimum}).`));
    if (minimum > length) {
      return rejected(new TypeError(`Minimum bytes to read (${minimum}) exceeds size of buffer (${length}).`));
    }
    if (reader.stream === null) return rejected(new TypeError(streams.RELEASED));
    return reader.limited ? streams.readAlone(reader, () => fillView(reader, view, minimum)) : fillView(reader, view, minimum);
  };

  const fillView = (reader, view, minimum) =>
    new Promise((resolve, reject) => {
      const stream = reader.stream;
      stream.disturbed = true;
      if (stream.state === "errored") return reject(stream.error);
      stream.controller.pullInto(takeView(view), minimum, {
        chunk: (value) => resolve({ value, done: false }),
        close: (value) => resolve({ value, done: true }),
        fail: reject,
      });
    });

  const acquireByob = (stream) => {
    if (!(stream.controller instanceof ByteControllerRecord)) {
      throw new TypeError("This ReadableStream does not support BYOB reads.");
    }
    return streams.acquireLimited(stream, true);
  };

  class ReadableStreamBYOBReader {
    #record;
    constructor(stream, record) {
      this.#record = stream === secret
        ? record
        : acquireByob(streams.recordOf(stream, "ReadableStreamBYOBReader"));
    }
    get closed() {
      if (!(#record in this)) return rejected(illegal());
      return this.#record.closedPromise;
    }
    cancel(reason) {
      if (!(#record in this)) return rejected(illegal());
      return this.#record.cancel(reason);
    }
    read(view, options) {
      if (!(#record in this)) return rejected(illegal());
      let minimum;
      try {
        minimum = dictionaryOf(options, 2, "ReadableStreamBYOBReaderReadOptions", "read", "ReadableStreamBYOBReader").min;
        minimum = minimum === undefined ? 1 : Number(minimum);
      } catch (error) {
        return rejected(error);
      }
      return readInto(this.#record, view, minimum);
    }
    readAtLeast(minElements, view) {
      if (!(#record in this)) return rejected(illegal());
      return readInto(this.#record, view, Number(minElements));
    }
    releaseLock() {
      if (!(#record in this)) throw illegal();
      streams.releaseByWorker(this.#record);
    }
  }
  exposeClass("ReadableStreamBYOBReader", ReadableStreamBYOBReader);

  streams.byobReader = (stream) => new ReadableStreamBYOBReader(secret, acquireByob(stream));
});
