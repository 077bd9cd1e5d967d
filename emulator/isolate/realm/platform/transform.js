// TransformStream (standard, section 6) and the platform's own byte-wise ones:
// https://developers.cloudflare.com/workers/runtime-apis/streams/transformstream/
(function (platform) {
  "use strict";

  const { then, resolved, rejected, Deferred, promiseCall } = platform.async;
  const { illegal, illegalConstructor, callbackOf, dictionaryOf, wholeNumber, highWaterMarkOf, sizeOf, exposeClass } = platform.idl;
  const { bytesView, copyBytes } = platform.bytes;
  const streams = platform.streams;
  const { secret } = streams;
  const apply = Reflect.apply;

  // Byte transforms of the platform fail with errors only.
  const errorFrom = (reason, unknown) => {
    if (Object(reason) === reason) return reason;
    return new Error(reason === undefined ? unknown : `${String(reason)}`);
  };

  const MOST_WAITING = 1024 * 1024; // bytes of output

  class TransformRecord {
    constructor() {
      this.readable = null;
      this.writable = null;
      this.backpressure = false;
      this.change = null; // Deferred for the next change of backpressure
      this.transform = null; // (chunk) => promise
      this.flush = null; // () => promise
      this.cancel = null; // (reason) => promise
      this.eager = false; // whether it takes what a writer writes though nobody reads: its output waits in memory
      this.check = null; // what a chunk must be, checked when it is written
      this.finishing = null; // promise of a close, abort or cancel under way
      this.object = null;
    }
    clearAlgorithms() {
      this.transform = this.flush = this.cancel = null;
    }
    get canEnqueue() {
      return this.readable.controller.canCloseOrEnqueue;
    }
    get desiredSize() {
      return this.readable.controller.desiredSize;
    }
    setBackpressure(backpressure) {
      if (this.change !== null) this.change.resolve(undefined);
      this.change = new Deferred();
      this.backpressure = backpressure;
    }
    // Whether what is written has to wait. A pipe, unlike a writer, can: the flow of a big body stays bounded.
    get full() {
      if (!this.backpressure) return false;
      return !this.eager || (this.writable.piped && this.readable.controller.total >= MOST_WAITING);
    }
    enqueue(chunk) {
      const { controller } = this.readable;
      if (!controller.canCloseOrEnqueue) throw new TypeError("The readable side of this TransformStream is not open.");
      try {
        controller.enqueue(chunk);
      } catch (error) {
        this.failWritable(error);
        throw this.readable.error;
      }
      const backpressure = !controller.shouldPull;
      if (backpressure !== this.backpressure) this.setBackpressure(backpressure);
    }
    fail(error) {
      this.readable.controller.fail(error);
      this.failWritable(error);
    }
    failWritable(error) {
      this.clearAlgorithms();
      this.writable.controller.errorIfNeeded(error);
      this.unblock();
    }
    unblock() {
      if (this.backpressure) this.setBackpressure(false);
    }
    terminate() {
      if (this.canEnqueue) this.readable.controller.finish();
      this.failWritable(new TypeError("The transform stream has been terminated"));
    }
    perform(chunk) {
      return then(this.transform(chunk), undefined, (error) => {
        this.fail(error);
        throw error;
      });
    }
    write(chunk) {
      if (this.check !== null) {
        try {
          this.check(chunk);
        } catch (error) {
          this.fail(error);
          return rejected(error);
        }
      }
      if (!this.full) return this.perform(chunk);
      return then(this.change.promise, () => {
        if (this.writable.state === "erroring") throw this.writable.error;
        return this.perform(chunk);
      });
    }
    // Runs one of the ending algorithms, once; `settle` tells the other side.
    finish(algorithm, settle, refuse) {
      if (this.finishing !== null) return this.finishing;
      const done = new Deferred();
      this.finishing = done.promise;
      const work = algorithm === null ? resolved(undefined) : algorithm();
      this.clearAlgorithms();
      then(work, () => {
        const stored = settle();
        if (stored === null) done.resolve(undefined);
        else done.reject(stored[0]);
      }, (error) => {
        refuse(error);
        done.reject(error);
      });
      return done.promise;
    }
    abort(given) {
      const { cancel, readable, writable } = this;
      const reason = writable.takesBytes ? errorFrom(given, "undefined") : given;
      return this.finish(cancel && (() => cancel(reason)), () => {
        if (readable.state === "errored") return [readable.error];
        readable.controller.fail(reason);
        return null;
      }, (error) => readable.controller.fail(error));
    }
    close() {
      const { flush, readable } = this;
      return this.finish(flush, () => {
        if (readable.state === "errored") return [readable.error];
        if (this.canEnqueue) readable.controller.finish();
        return null;
      }, (error) => readable.controller.fail(error));
    }
    cancelled(given) {
      const { cancel, writable } = this;
      const reason = writable.takesBytes ? errorFrom(given, "Stream was cancelled.") : given;
      return this.finish(cancel && (() => cancel(reason)), () => {
        if (writable.state === "errored") return [writable.error];
        writable.controller.errorIfNeeded(reason);
        this.unblock();
        return null;
      }, (error) => {
        writable.controller.errorIfNeeded(error);
        this.unblock();
      });
    }
    pull() {
      this.setBackpressure(false);
      return this.change.promise;
    }
    // `make`: gives the readable side for its {pull, cancel}.
    connect(make, writableMark, writableSize, started) {
      this.writable = streams.makeWritable({
        write: (chunk) => this.write(chunk),
        close: () => this.close(),
        abort: (reason) => this.abort(reason),
      }, writableMark, writableSize, started);
      this.readable = make({
        pull: () => this.pull(),
        cancel: (reason) => this.cancelled(reason),
      });
      this.setBackpressure(true);
      this.readable.controller.start(started);
    }
  }

  class TransformStreamDefaultController {
    #record;
    constructor(key, record) {
      if (key !== secret) throw illegalConstructor();
      this.#record = record;
    }
    get desiredSize() {
      if (!(#record in this)) throw illegal();
      return this.#record.desiredSize;
    }
    enqueue(chunk) {
      if (!(#record in this)) throw illegal();
      this.#record.enqueue(chunk);
    }
    error(reason) {
      if (!(#record in this)) throw illegal();
      this.#record.fail(reason);
    }
    terminate() {
      if (!(#record in this)) throw illegal();
      this.#record.terminate();
    }
  }
  exposeClass("TransformStreamDefaultController", TransformStreamDefaultController);

  const fromTransformer = (given, writableStrategy, readableStrategy) => {
    const transformer = dictionaryOf(given, 1, "Transformer", null, "TransformStream");
    for (const side of ["readableType", "writableType"]) {
      const type = transformer[side];
      if (type === undefined || type === null) continue;
      throw new TypeError(`transformer.${side} must be undefined.`);
    }
    const writing = dictionaryOf(writableStrategy, 2, "StreamQueuingStrategy", null, "TransformStream");
    const reading = dictionaryOf(readableStrategy, 3, "StreamQueuingStrategy", null, "TransformStream");
    const start = callbackOf(transformer, "start", "Transformer");
    const transform = callbackOf(transformer, "transform", "Transformer");
    const flush = callbackOf(transformer, "flush", "Transformer");
    const cancel = callbackOf(transformer, "cancel", "Transformer");
    const record = new TransformRecord();
    const controller = new TransformStreamDefaultController(secret, record);
    record.transform = transform
      ? (chunk) => promiseCall(transform, transformer, [chunk, controller])
      : (chunk) => promiseCall(record.enqueue, record, [chunk]);
    if (flush) record.flush = () => promiseCall(flush, transformer, [controller]);
    if (cancel) record.cancel = (reason) => promiseCall(cancel, transformer, [reason]);
    const started = new Deferred();
    record.connect(
      (source) => streams.makeDefault(source, highWaterMarkOf(reading, 0), sizeOf(reading)),
      highWaterMarkOf(writing, 1), sizeOf(writing), started.promise);
    record.writable.dropsOnRelease = true;
    started.resolve(start ? promiseCall(start, transformer, [controller]) : undefined);
    return record;
  };

  // A transform of the platform: `transform(chunk, record)` and `flush(record)` give a promise or
  // nothing, `check(chunk)` throws; `bytes`: the readable side is a byte stream.
  const makeTransform = ({ transform, flush, cancel, check = null, eager = false }, { bytes = true, mark = 1, size = null } = {}) => {
    const record = new TransformRecord();
    record.transform = (chunk) => promiseCall(transform, undefined, [chunk, record]);
    if (flush) record.flush = () => promiseCall(flush, undefined, [record]);
    if (cancel) record.cancel = (reason) => promiseCall(cancel, undefined, [reason]);
    record.check = check;
    record.eager = eager;
    const make = bytes ? (source) => streams.makeBytes(source, 0) : (source) => streams.makeDefault(source, 0);
    record.connect(make, mark, size, resolved(undefined));
    record.writable.dropsOnRelease = !bytes;
    record.writable.takesBytes = bytes;
    return record;
  };

  class TransformStream {
    #record;
    constructor(transformer, writableStrategy, readableStrategy) {
      this.#record = transformer === secret
        ? writableStrategy
        : fromTransformer(transformer, writableStrategy, readableStrategy);
    }
    get readable() {
      if (!(#record in this)) throw illegal();
      return streams.objectOf(this.#record.readable);
    }
    get writable() {
      if (!(#record in this)) throw illegal();
      return streams.writableObject(this.#record.writable);
    }
  }
  exposeClass("TransformStream", TransformStream);

  // ---- byte streams of the platform ----------------------------------------------------

  const NOT_BYTES = "This TransformStream is being used as a byte stream, but received ";
  const toBytes = (chunk) => {
    if (typeof chunk === "string") {
      throw new TypeError(`${NOT_BYTES}a string on its writable side. If you wish to write a string, you'll probably `
        + "want to explicitly UTF-8-encode it with TextEncoder.");
    }
    const view = bytesView(chunk);
    if (view === null) {
      throw new TypeError(`${NOT_BYTES}an object of non-ArrayBuffer/ArrayBufferView type on its writable side.`);
    }
    return view;
  };
  const passOn = (chunk, record) => {
    const view = toBytes(chunk);
    if (view.length > 0) record.enqueue(copyBytes(view));
    return view.length;
  };
  const byteStrategy = (strategy) => {
    const given = dictionaryOf(strategy, 1, "QueuingStrategyInit", null, "IdentityTransformStream");
    if (given.highWaterMark === undefined) return { mark: 1, size: null };
    const size = (chunk) => {
      const view = bytesView(chunk);
      return view === null ? 0 : view.length;
    };
    return { mark: highWaterMarkOf(given, 1), size };
  };

  class IdentityTransformStream extends TransformStream {
    constructor(queuingStrategy, record) {
      platform.refuseAtTopLevel();
      super(secret, queuingStrategy === secret
        ? record
        : makeTransform(
          { check: toBytes, transform: (chunk, own) => void passOn(chunk, own) }, byteStrategy(queuingStrategy)));
    }
  }
  exposeClass("IdentityTransformStream", IdentityTransformStream);

  const makeFixedLength = (expectedLength, strategy) => {
    if (expectedLength === undefined) platform.wrongParameter(1, "bigint", null, "FixedLengthStream");
    const expected = wholeNumber(expectedLength);
    if (!Number.isSafeInteger(expected)) {
      throw new TypeError("FixedLengthStream requires an integer expected length less than 2^53.");
    };
    let left = expected;
    const record = makeTransform({
      check: toBytes,
      transform: (chunk, own) => {
        if (toBytes(chunk).length > left) {
          throw new TypeError("Attempt to write too many bytes through a FixedLengthStream.");
        }
        left -= passOn(chunk, own);
      },
      flush: () => {
        if (left > 0) throw new TypeError("FixedLengthStream did not see all expected bytes before close().");
      },
    }, byteStrategy(strategy));
    record.readable.length = left;
    return record;
  };
  class FixedLengthStream extends IdentityTransformStream {
    constructor(expectedLength, queuingStrategy) {
      super(secret, makeFixedLength(expectedLength, queuingStrategy));
    }
  }
  exposeClass("FixedLengthStream", FixedLengthStream);

  Object.assign(streams, { makeTransform, TransformStream, toBytes });
});
