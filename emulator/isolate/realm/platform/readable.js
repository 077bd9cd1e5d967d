// Behind ReadableStream: the stream's operations, the default controller and the default reader
// (standard, sections 4.3, 4.5 and 4.9).
(function (platform) {
  "use strict";

  const { then, resolved, rejected, Deferred, noop } = platform.async;
  const { illegal, illegalConstructor, exposeClass } = platform.idl;
  const streams = platform.streams;
  const { Queue, SizedQueue, secret } = streams;

  const RELEASED = "This ReadableStream reader has been released.";
  const LOCKED = "This ReadableStream is currently locked to a reader.";
  const LOCKED_TEE = "This ReadableStream is currently locked to a reader,"; // the comma is the platform's

  class StreamRecord {
    constructor() {
      this.state = "readable";
      this.error = undefined;
      this.reader = null;
      this.controller = null;
      this.disturbed = false;
      this.object = null;
      this.internal = false; // the platform's own, with the limits that such streams have for Workers
      this.native = null; // how the host goes on reading, where it alone has done so
      this.length = -1; // bytes in all, where a FixedLengthStream promised them
    }
  }

  // ---- stream operations ---------------------------------------------------------------

  const closeStream = (stream) => {
    stream.state = "closed";
    const reader = stream.reader;
    if (reader === null) return;
    if (reader.closed !== null) reader.closed.resolve(undefined);
    if (!reader.byob) {
      const requests = reader.requests;
      reader.requests = new Queue();
      while (requests.length > 0) requests.shift().close();
    }
  };

  const errorStream = (stream, error) => {
    stream.state = "errored";
    stream.error = error;
    const reader = stream.reader;
    if (reader === null) return;
    if (reader.closed !== null) reader.closed.reject(error);
    failRequests(reader, error);
  };

  const failRequests = (reader, error) => {
    const requests = reader.requests;
    reader.requests = new Queue();
    while (requests.length > 0) requests.shift().fail(error);
  };

  const cancelStream = (stream, reason) => {
    stream.disturbed = true;
    if (stream.state === "closed") return resolved(undefined);
    if (stream.state === "errored") return rejected(stream.error);
    closeStream(stream);
    const reader = stream.reader;
    if (reader !== null && reader.byob) {
      const requests = reader.requests;
      reader.requests = new Queue();
      while (requests.length > 0) requests.shift().close(undefined);
    }
    return then(stream.controller.cancelSteps(reason), noop);
  };

  // ---- default controller --------------------------------------------------------------

  class DefaultControllerRecord {
    constructor(stream, highWaterMark, size) {
      this.stream = stream;
      this.queue = new SizedQueue();
      this.highWaterMark = highWaterMark;
      this.size = size;
      this.started = false;
      this.closeRequested = false;
      this.pulling = false;
      this.pullAgain = false;
      this.pull = null; // () => promise or undefined
      this.cancel = null; // (reason) => promise or undefined
      this.object = null;
      stream.controller = this;
    }
    clearAlgorithms() {
      this.pull = this.cancel = null;
      this.size = null;
    }
    get canCloseOrEnqueue() {
      return !this.closeRequested && this.stream.state === "readable";
    }
    get desiredSize() {
      const state = this.stream.state;
      if (state === "errored") return null;
      return state === "closed" ? 0 : this.highWaterMark - this.queue.total;
    }
    get shouldPull() {
      if (!this.canCloseOrEnqueue || !this.started) return false;
      const reader = this.stream.reader;
      if (reader !== null && reader.requests.length > 0) return true;
      return this.highWaterMark - this.queue.total > 0;
    }
    callPullIfNeeded() {
      while (this.shouldPull) {
        if (this.pulling) {
          this.pullAgain = true;
          return;
        }
        this.pulling = true;
        const answer = this.pull === null ? undefined : this.pull();
        if (answer !== undefined) {
          then(answer, () => {
            this.pulling = false;
            if (this.pullAgain) {
              this.pullAgain = false;
              this.callPullIfNeeded();
            }
          }, (error) => this.fail(error));
          return;
        }
        this.pulling = false;
        if (!this.pullAgain) return;
        this.pullAgain = false;
      }
    }
    close() {
      this.closeRequested = true;
      if (this.queue.length === 0) {
        this.clearAlgorithms();
        closeStream(this.stream);
      }
    }
    finish() {
      this.close();
    }
    enqueue(chunk) {
      const reader = this.stream.reader;
      if (reader !== null && reader.requests.length > 0) {
        reader.requests.shift().chunk(chunk);
      } else {
        try {
          this.queue.enqueue(chunk, this.size(chunk));
        } catch (error) {
          this.fail(error);
          throw error;
        }
      }
      this.callPullIfNeeded();
    }
    fail(error) {
      if (this.stream.state !== "readable") return;
      this.queue.reset();
      this.clearAlgorithms();
      errorStream(this.stream, error);
    }
    cancelSteps(reason) {
      this.queue.reset();
      const cancel = this.cancel;
      this.clearAlgorithms();
      const answer = cancel === null ? undefined : cancel(reason);
      return answer === undefined ? resolved(undefined) : answer;
    }
    pullSteps(request) {
      if (this.queue.length > 0) {
        const chunk = this.queue.dequeue();
        if (this.closeRequested && this.queue.length === 0) {
          this.clearAlgorithms();
          closeStream(this.stream);
        } else {
          this.callPullIfNeeded();
        }
        request.chunk(chunk);
      } else {
        this.stream.reader.requests.push(request);
        this.callPullIfNeeded();
      }
    }
    releaseSteps() {}
    start(promise) {
      then(promise, () => {
        this.started = true;
        this.callPullIfNeeded();
      }, (error) => this.fail(error));
    }
  }

  class ReadableStreamDefaultController {
    #record;
    constructor(key, record) {
      if (key !== secret) throw illegalConstructor();
      this.#record = record;
    }
    get desiredSize() {
      if (!(#record in this)) throw illegal();
      return this.#record.desiredSize;
    }
    close() {
      if (!(#record in this)) throw illegal();
      if (!this.#record.canCloseOrEnqueue) throw new TypeError("This ReadableStream is closed.");
      this.#record.close();
    }
    enqueue(chunk) {
      if (!(#record in this)) throw illegal();
      if (!this.#record.canCloseOrEnqueue) throw new TypeError("Unable to enqueue");
      this.#record.enqueue(chunk);
    }
    error(reason) {
      if (!(#record in this)) throw illegal();
      this.#record.fail(reason);
    }
  }
  exposeClass("ReadableStreamDefaultController", ReadableStreamDefaultController);

  const controllerObject = (controller) =>
    (controller.object ??= new ReadableStreamDefaultController(secret, controller));

  // A default stream made by the platform. `source`: {pull, cancel}, functions that may give
  // a promise or nothing, called with the controller's record.
  const makeDefault = (source, highWaterMark = 1, size = () => 1) => {
    const stream = new StreamRecord();
    const controller = new DefaultControllerRecord(stream, highWaterMark, size);
    if (source.pull) controller.pull = () => source.pull(controller);
    if (source.cancel) controller.cancel = (reason) => source.cancel(reason, controller);
    return stream;
  };
  const startNow = (stream) => {
    stream.controller.started = true;
    stream.controller.callPullIfNeeded();
    return stream;
  };

  // ---- reading -------------------------------------------------------------------------

  class ReaderRecord {
    constructor(stream, byob) {
      this.stream = stream;
      this.byob = byob;
      this.requests = new Queue();
      this.closed = null; // Deferred, made when somebody asks
      this.limited = false; // a Worker's reader of an internal stream
      this.busy = false; // a read has begun whose promise has not settled: known of limited readers only
    }
    get closedPromise() {
      if (this.closed === null) {
        const deferred = (this.closed = new Deferred());
        if (this.stream === null) deferred.reject(new TypeError(RELEASED));
        else if (this.stream.state === "closed") deferred.resolve(undefined);
        else if (this.stream.state === "errored") deferred.reject(this.stream.error);
      }
      return this.closed.promise;
    }
    cancel(reason) {
      return this.stream === null ? rejected(new TypeError(RELEASED)) : cancelStream(this.stream, reason);
    }
    release() {
      const stream = this.stream;
      if (stream === null) return;
      const error = new TypeError(RELEASED);
      stream.controller.releaseSteps();
      stream.reader = null;
      this.stream = null;
      if (this.closed !== null && !this.closed.settled) this.closed.reject(error);
      else this.closed = null;
      failRequests(this, error);
    }
    // `request`: {chunk(value), close(), fail(error)}; exactly one of them is called, once.
    read(request) {
      const stream = this.stream;
      stream.disturbed = true;
      if (stream.state === "closed") request.close();
      else if (stream.state === "errored") request.fail(stream.error);
      else stream.controller.pullSteps(request);
    }
  }

  const acquireReader = (stream, byob = false) => {
    if (stream.reader !== null) throw new TypeError(LOCKED);
    return (stream.reader = new ReaderRecord(stream, byob));
  };

  // A Worker's reader. Of an internal stream it takes one read at a time, of CHUNK bytes at most.
  const acquireLimited = (stream, byob = false) => {
    const reader = acquireReader(stream, byob);
    reader.limited = stream.internal;
    return reader;
  };
  const SINGLE = "This ReadableStream only supports a single pending read request at a time.";
  const OUTSTANDING = "Cannot call releaseLock() on a reader with outstanding read promises.";
  // Calls `read`, which gives a promise, unless another one is under way.
  const readAlone = (reader, read) => {
    if (reader.busy) return rejected(new TypeError(SINGLE));
    reader.busy = true;
    const promise = read();
    const done = () => {
      reader.busy = false;
    };
    then(promise, done, done);
    return promise;
  };
  const releaseByWorker = (reader) => {
    if (reader.busy) throw new TypeError(OUTSTANDING);
    reader.release();
  };

  const readPromise = (reader) =>
    new Promise((resolve, reject) => {
      reader.read({
        chunk: (value) => resolve({ value, done: false }),
        close: () => resolve({ value: undefined, done: true }),
        fail: reject,
      });
    });

  class ReadableStreamDefaultReader {
    #record;
    constructor(stream, record) {
      if (stream === secret) this.#record = record;
      else this.#record = acquireLimited(streams.recordOf(stream, "ReadableStreamDefaultReader"));
    }
    get closed() {
      if (!(#record in this)) return rejected(illegal());
      return this.#record.closedPromise;
    }
    cancel(reason) {
      if (!(#record in this)) return rejected(illegal());
      return this.#record.cancel(reason);
    }
    read() {
      if (!(#record in this)) return rejected(illegal());
      if (this.#record.stream === null) return rejected(new TypeError(RELEASED));
      if (!this.#record.limited) return readPromise(this.#record);
      return readAlone(this.#record, () => readPromise(this.#record));
    }
    releaseLock() {
      if (!(#record in this)) throw illegal();
      releaseByWorker(this.#record);
    }
  }
  exposeClass("ReadableStreamDefaultReader", ReadableStreamDefaultReader);

  Object.assign(streams, {
    StreamRecord, ReaderRecord, DefaultControllerRecord, ReadableStreamDefaultReader, controllerObject, closeStream,
    errorStream, cancelStream, makeDefault, startNow, acquireReader, acquireLimited, readAlone, releaseByWorker, LOCKED, LOCKED_TEE, RELEASED,
  });
});
