// WritableStream (standard, section 5).
(function (platform) {
  "use strict";

  const { then, resolved, rejected, Deferred, promiseCall } = platform.async;
  const { illegal, illegalConstructor, callbackOf, dictionaryOf, highWaterMarkOf, sizeOf, exposeClass } = platform.idl;
  const streams = platform.streams;
  const { Queue, SizedQueue, secret } = streams;
  const apply = Reflect.apply;

  const CLOSE = Symbol("close");
  const LOCKED = "This WritableStream is currently locked to a writer.";
  const RELEASED = "This WritableStream writer has been released.";
  const CLOSED = "This WritableStream has been closed.";

  class WritableRecord {
    constructor() {
      this.state = "writable"; // "erroring", "errored", "closed"
      this.error = undefined;
      this.writer = null;
      this.controller = null;
      this.requests = new Queue(); // Deferred per write that waits
      this.inFlightWrite = null;
      this.closeRequest = null;
      this.inFlightClose = null;
      this.pendingAbort = null; // {deferred, reason, wasErroring}
      this.backpressure = false;
      this.dropsOnRelease = false; // as streams of Workers' own sinks and transforms do on the platform
      this.piped = false; // whether its writer is a pipe
      this.takesBytes = false; // the writable side of one of the platform's byte transforms
      this.object = null;
    }
    get closing() {
      return this.closeRequest !== null || this.inFlightClose !== null;
    }
    get inFlight() {
      return this.inFlightWrite !== null || this.inFlightClose !== null;
    }

    abort(reason) {
      if (this.state === "closed" || this.state === "errored") return resolved(undefined);
      this.controller.signalAbort(reason);
      if (this.state === "closed" || this.state === "errored") return resolved(undefined);
      if (this.pendingAbort !== null) return this.pendingAbort.deferred.promise;
      const wasErroring = this.state === "erroring";
      this.pendingAbort = { deferred: new Deferred(), reason: wasErroring ? undefined : reason, wasErroring };
      const { promise } = this.pendingAbort.deferred;
      if (!wasErroring) this.startErroring(reason);
      return promise;
    }
    close() {
      if (this.state === "errored" && !this.takesBytes) return rejected(this.error);
      if (this.state === "closed" || this.state === "errored") return rejected(new TypeError(CLOSED));
      if (this.closing) return rejected(new TypeError(CLOSED));
      this.closeRequest = new Deferred();
      const { promise } = this.closeRequest;
      if (this.writer !== null && this.backpressure && this.state === "writable") this.writer.ready.resolve(undefined);
      this.controller.close();
      return promise;
    }
    dealWithRejection(error) {
      if (this.state === "writable") this.startErroring(error);
      else this.finishErroring();
    }
    startErroring(reason) {
      this.state = "erroring";
      this.error = reason;
      if (this.writer !== null) this.writer.failReady(reason);
      if (!this.inFlight && this.controller.started) this.finishErroring();
    }
    finishErroring() {
      this.state = "errored";
      this.controller.queue.reset();
      while (this.requests.length > 0) this.requests.shift().reject(this.error);
      const abort = this.pendingAbort;
      if (abort === null) {
        this.rejectClosed();
        return;
      }
      this.pendingAbort = null;
      if (abort.wasErroring) {
        abort.deferred.reject(this.error);
        this.rejectClosed();
        return;
      }
      then(this.controller.abortSteps(abort.reason), () => {
        abort.deferred.resolve(undefined);
        this.rejectClosed();
      }, (error) => {
        abort.deferred.reject(error);
        this.rejectClosed();
      });
    }
    dropWrites(error) {
      const { queue } = this.controller;
      const running = this.inFlightWrite === null ? null : queue.peek();
      queue.reset();
      if (running !== null) queue.enqueue(running.value, running.size);
      while (this.requests.length > 0) this.requests.shift().reject(error);
      if (this.closeRequest !== null) queue.enqueue(CLOSE, 0);
      else this.updateBackpressure(this.controller.desiredSize <= 0);
    }
    rejectClosed() {
      if (this.closeRequest !== null) {
        this.closeRequest.reject(this.error);
        this.closeRequest = null;
      }
      if (this.writer !== null) this.writer.failClosed(this.error);
    }
    finishWrite() {
      this.inFlightWrite.resolve(undefined);
      this.inFlightWrite = null;
    }
    failWrite(error) {
      this.inFlightWrite.reject(error);
      this.inFlightWrite = null;
      this.dealWithRejection(error);
    }
    finishClose() {
      this.inFlightClose.resolve(undefined);
      this.inFlightClose = null;
      if (this.state === "erroring") {
        this.error = undefined;
        if (this.pendingAbort !== null) {
          this.pendingAbort.deferred.resolve(undefined);
          this.pendingAbort = null;
        }
      }
      this.state = "closed";
      if (this.writer !== null) this.writer.closed.resolve(undefined);
    }
    failClose(error) {
      this.inFlightClose.reject(error);
      this.inFlightClose = null;
      if (this.pendingAbort !== null) {
        this.pendingAbort.deferred.reject(error);
        this.pendingAbort = null;
      }
      this.dealWithRejection(error);
    }
    updateBackpressure(backpressure) {
      if (this.writer !== null && backpressure !== this.backpressure) {
        if (backpressure) this.writer.ready = new Deferred();
        else this.writer.ready.resolve(undefined);
      }
      this.backpressure = backpressure;
    }
  }

  // ---- controller ----------------------------------------------------------------------

  class ControllerRecord {
    constructor(stream, highWaterMark, size) {
      this.stream = stream;
      this.queue = new SizedQueue();
      this.highWaterMark = highWaterMark;
      this.size = size;
      this.started = false;
      this.signal = null;
      this.abortReason = null; // [reason] once aborted
      this.write = null; // (chunk) => promise
      this.closeSink = null; // () => promise
      this.abortSink = null; // (reason) => promise
      this.object = null;
      stream.controller = this;
    }
    clearAlgorithms() {
      this.write = this.closeSink = this.abortSink = null;
      this.size = null;
    }
    get desiredSize() {
      return this.highWaterMark - this.queue.total;
    }
    // `promise`: of what has to be done first; null for nothing.
    start(promise) {
      this.stream.updateBackpressure(this.desiredSize <= 0);
      if (promise === null) {
        this.started = true;
        return;
      }
      then(promise, () => {
        this.started = true;
        this.advance();
      }, (error) => {
        this.started = true;
        this.stream.dealWithRejection(error);
      });
    }
    signalObject() {
      if (this.signal === null) {
        this.signal = platform.newAbortSignal();
        if (this.abortReason !== null) platform.signalAbort(this.signal, this.abortReason[0]);
      }
      return this.signal;
    }
    signalAbort(reason) {
      this.abortReason ??= [reason];
      if (this.signal !== null) platform.signalAbort(this.signal, reason);
    }
    abortSteps(reason) {
      const abort = this.abortSink;
      this.clearAlgorithms();
      return abort === null ? resolved(undefined) : abort(reason);
    }
    chunkSize(chunk) {
      if (this.size === null) return 1;
      try {
        return this.size(chunk);
      } catch (error) {
        this.errorIfNeeded(error);
        return 1;
      }
    }
    enqueue(chunk, size) {
      const stream = this.stream;
      try {
        this.queue.enqueue(chunk, size);
      } catch (error) {
        this.errorIfNeeded(error);
        return;
      }
      if (!stream.closing && stream.state === "writable") stream.updateBackpressure(this.desiredSize <= 0);
      this.advance();
    }
    close() {
      this.queue.enqueue(CLOSE, 0);
      this.advance();
    }
    errorIfNeeded(error) {
      if (this.stream.state === "writable") this.fail(error);
    }
    fail(error) {
      this.clearAlgorithms();
      this.stream.startErroring(error);
    }
    advance() {
      const stream = this.stream;
      if (!this.started || stream.inFlightWrite !== null) return;
      if (stream.state === "erroring") {
        stream.finishErroring();
        return;
      }
      if (stream.state !== "writable" || this.queue.length === 0) return;
      const chunk = this.queue.peek().value;
      if (chunk === CLOSE) this.processClose();
      else this.processWrite(chunk);
    }
    processClose() {
      const stream = this.stream;
      stream.inFlightClose = stream.closeRequest;
      stream.closeRequest = null;
      this.queue.dequeue();
      const close = this.closeSink;
      this.clearAlgorithms();
      then(close === null ? resolved(undefined) : close(),
        () => stream.finishClose(), (error) => stream.failClose(error));
    }
    processWrite(chunk) {
      const stream = this.stream;
      stream.inFlightWrite = stream.requests.shift();
      then(this.write === null ? resolved(undefined) : this.write(chunk), () => {
        stream.finishWrite();
        const state = stream.state;
        this.queue.dequeue();
        if (!stream.closing && state === "writable") stream.updateBackpressure(this.desiredSize <= 0);
        this.advance();
      }, (error) => {
        if (stream.state === "writable") this.clearAlgorithms();
        stream.failWrite(error);
      });
    }
  }

  class WritableStreamDefaultController {
    #record;
    constructor(key, record) {
      if (key !== secret) throw illegalConstructor();
      this.#record = record;
    }
    get signal() {
      if (!(#record in this)) throw illegal();
      return this.#record.signalObject();
    }
    error(reason) {
      if (!(#record in this)) throw illegal();
      this.#record.errorIfNeeded(reason);
    }
  }
  exposeClass("WritableStreamDefaultController", WritableStreamDefaultController);

  // ---- writer --------------------------------------------------------------------------

  class WriterRecord {
    constructor(stream) {
      if (stream.writer !== null) throw new TypeError(LOCKED);
      this.stream = stream;
      this.ready = new Deferred();
      this.closed = new Deferred();
      stream.writer = this;
      const { state } = stream;
      if (state === "writable") {
        if (stream.closing || !stream.backpressure) this.ready.resolve(undefined);
      } else if (state === "closed") {
        this.ready.resolve(undefined);
        this.closed.resolve(undefined);
      } else {
        this.ready.reject(stream.error);
        if (state === "errored") this.closed.reject(stream.error);
      }
    }
    failReady(error) {
      if (this.ready.settled) this.ready = new Deferred();
      this.ready.reject(error);
    }
    failClosed(error) {
      if (this.closed.settled) this.closed = new Deferred();
      this.closed.reject(error);
    }
    get desiredSize() {
      const { state } = this.stream;
      if (state === "errored" || state === "erroring") return null;
      return state === "closed" ? 0 : this.stream.controller.desiredSize;
    }
    write(chunk) {
      const stream = this.stream;
      const size = stream.controller.chunkSize(chunk);
      if (stream !== this.stream) return rejected(new TypeError(RELEASED));
      if (stream.state === "errored") return rejected(stream.error);
      if (stream.closing || stream.state === "closed") return rejected(new TypeError(CLOSED));
      if (stream.state === "erroring") return rejected(stream.error);
      const request = new Deferred();
      stream.requests.push(request);
      stream.controller.enqueue(chunk, size);
      return request.promise;
    }
    closeWithErrorPropagation() {
      const stream = this.stream;
      if (stream.closing || stream.state === "closed") return resolved(undefined);
      if (stream.state === "errored") return rejected(stream.error);
      return stream.close();
    }
    release() {
      const error = new TypeError(RELEASED);
      this.failReady(error);
      this.failClosed(error);
      this.stream.writer = null;
      this.stream = null;
    }
    // What a Worker does. On the platform writes that the sink has not been given yet are lost then.
    releaseByWorker() {
      const { stream } = this;
      if (stream === null) return;
      if (stream.dropsOnRelease && stream.state === "writable") stream.dropWrites(new TypeError(RELEASED));
      this.release();
    }
  }

  class WritableStreamDefaultWriter {
    #record;
    constructor(stream) {
      if (!isWritable(stream)) {
        throw new TypeError(
          "Failed to construct 'WritableStreamDefaultWriter': constructor parameter 1 is not of type 'WritableStream'.");
      }
      this.#record = new WriterRecord(writableRecord(stream));
    }
    get closed() {
      if (!(#record in this)) return rejected(illegal());
      return this.#record.closed.promise;
    }
    get desiredSize() {
      if (!(#record in this)) throw illegal();
      if (this.#record.stream === null) throw new TypeError(RELEASED);
      return this.#record.desiredSize;
    }
    get ready() {
      if (!(#record in this)) return rejected(illegal());
      return this.#record.ready.promise;
    }
    abort(reason) {
      if (!(#record in this)) return rejected(illegal());
      if (this.#record.stream === null) return rejected(new TypeError(RELEASED));
      return this.#record.stream.abort(reason);
    }
    close() {
      if (!(#record in this)) return rejected(illegal());
      const { stream } = this.#record;
      if (stream === null) return rejected(new TypeError(RELEASED));
      return stream.closing ? rejected(new TypeError(CLOSED)) : stream.close();
    }
    releaseLock() {
      if (!(#record in this)) throw illegal();
      this.#record.releaseByWorker();
    }
    write(chunk) {
      if (!(#record in this)) return rejected(illegal());
      if (this.#record.stream === null) return rejected(new TypeError(RELEASED));
      return this.#record.write(chunk);
    }
  }
  exposeClass("WritableStreamDefaultWriter", WritableStreamDefaultWriter);

  // ---- the class -----------------------------------------------------------------------

  const startFrom = (stream, sink, strategy) => {
    const start = callbackOf(sink, "start", "UnderlyingSink");
    const write = callbackOf(sink, "write", "UnderlyingSink");
    const close = callbackOf(sink, "close", "UnderlyingSink");
    const abort = callbackOf(sink, "abort", "UnderlyingSink");
    const controller = new ControllerRecord(stream, highWaterMarkOf(strategy, 1), sizeOf(strategy));
    const object = (controller.object = new WritableStreamDefaultController(secret, controller));
    if (write) controller.write = (chunk) => promiseCall(write, sink, [chunk, object]);
    if (close) controller.closeSink = () => promiseCall(close, sink, []);
    if (abort) controller.abortSink = (reason) => promiseCall(abort, sink, [reason]);
    stream.dropsOnRelease = true;
    controller.start(start ? promiseCall(start, sink, [object]) : null);
  };

  let isWritable;
  let writableRecord;
  class WritableStream {
    #record;
    constructor(underlyingSink, queuingStrategy) {
      if (underlyingSink === secret) {
        this.#record = queuingStrategy;
        queuingStrategy.object = this;
        return;
      }
      const sink = dictionaryOf(underlyingSink, 1, "UnderlyingSink", null, "WritableStream");
      const strategy = dictionaryOf(queuingStrategy, 2, "StreamQueuingStrategy", null, "WritableStream");
      this.#record = new WritableRecord();
      this.#record.object = this;
      startFrom(this.#record, sink, strategy);
    }
    static {
      isWritable = (value) => typeof value === "object" && value !== null && #record in value;
      writableRecord = (stream) => stream.#record;
    }
    get locked() {
      if (!(#record in this)) throw illegal();
      return this.#record.writer !== null;
    }
    abort(reason) {
      if (!(#record in this)) return rejected(illegal());
      if (this.#record.writer !== null) return rejected(new TypeError(LOCKED));
      return this.#record.abort(reason);
    }
    close() {
      if (!(#record in this)) return rejected(illegal());
      if (this.#record.writer !== null) return rejected(new TypeError(LOCKED));
      return this.#record.close();
    }
    getWriter() {
      if (!(#record in this)) throw illegal();
      return new WritableStreamDefaultWriter(this);
    }
  }
  exposeClass("WritableStream", WritableStream);

  // A stream made by the platform; `sink`: {write, close, abort}, each gives a promise.
  const makeWritable = (sink, highWaterMark = 1, size = null, started = resolved(undefined)) => {
    const stream = new WritableRecord();
    const controller = new ControllerRecord(stream, highWaterMark, size);
    controller.write = sink.write;
    controller.closeSink = sink.close;
    controller.abortSink = sink.abort;
    controller.start(started);
    return stream;
  };

  Object.assign(streams, {
    isWritable, writableRecord, makeWritable, WriterRecord,
    writableObject: (record) => (record.object ??= new WritableStream(secret, record)),
    WRITABLE_LOCKED: LOCKED,
  });
});
