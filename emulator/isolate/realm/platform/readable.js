// ReadableStream with the default controller and reader (standard, sections 4.2-4.5 and 4.9).
(function (platform) {
  "use strict";

  const { then, resolved, rejected, handled, Deferred, promiseCall, noop } = platform.async;
  const { illegal, illegalConstructor, callbackOf, dictionaryOf, highWaterMarkOf, sizeOf, exposeClass } =
    platform.idl;
  const streams = platform.streams;
  const { Queue, SizedQueue, secret } = streams;
  const apply = Reflect.apply;
  const asyncIterator = Symbol.asyncIterator;
  const iterator = Symbol.iterator;

  const RELEASED = "This ReadableStream reader has been released.";
  const LOCKED = "This ReadableStream is currently locked to a reader.";

  class StreamRecord {
    constructor() {
      this.state = "readable";
      this.error = undefined;
      this.reader = null;
      this.controller = null;
      this.disturbed = false;
      this.object = null;
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
      if (!this.#record.canCloseOrEnqueue) throw new TypeError("Unable to close: the stream is already closed.");
      this.#record.close();
    }
    enqueue(chunk) {
      if (!(#record in this)) throw illegal();
      if (!this.#record.canCloseOrEnqueue) throw new TypeError("Unable to enqueue: the stream is already closed.");
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
      else this.#record = acquireReader(recordOf(stream, "ReadableStreamDefaultReader"));
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
      return readPromise(this.#record);
    }
    releaseLock() {
      if (!(#record in this)) throw illegal();
      this.#record.release();
    }
  }
  exposeClass("ReadableStreamDefaultReader", ReadableStreamDefaultReader);

  // ---- async iteration -----------------------------------------------------------------

  class IteratorRecord {
    constructor(reader, preventCancel) {
      this.reader = reader;
      this.preventCancel = preventCancel;
      this.finished = false;
      this.ongoing = null; // the last call's promise, until it has settled
    }
    next() {
      if (this.finished) return resolved({ value: undefined, done: true });
      return new Promise((resolve, reject) => {
        this.reader.read({
          chunk: (value) => resolve({ value, done: false }),
          close: () => {
            this.finish();
            resolve({ value: undefined, done: true });
          },
          fail: (error) => {
            this.finish();
            reject(error);
          },
        });
      });
    }
    finish() {
      this.finished = true;
      this.reader.release();
    }
    return(value) {
      if (this.finished) return resolved({ value, done: true });
      const cancelled = this.preventCancel ? resolved(undefined) : this.reader.cancel(value);
      this.finish();
      return then(cancelled, () => ({ value, done: true }));
    }
    inOrder(step) {
      const answer = this.ongoing === null ? step() : then(this.ongoing, step, step);
      this.ongoing = answer;
      const settled = () => {
        if (this.ongoing === answer) this.ongoing = null;
      };
      then(answer, settled, settled);
      return answer;
    }
  }

  const asyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype);
  const iterators = new WeakMap();
  const iteratorPrototype = Object.setPrototypeOf(
    {
      next() {
        const record = iterators.get(this);
        return record === undefined ? rejected(illegal()) : record.inOrder(() => record.next());
      },
      return(value) {
        const record = iterators.get(this);
        return record === undefined ? rejected(illegal()) : record.inOrder(() => record.return(value));
      },
    },
    asyncIteratorPrototype,
  );
  Object.defineProperty(iteratorPrototype, Symbol.toStringTag, {
    value: "ReadableStream AsyncIterator", configurable: true,
  });

  // ---- the class -----------------------------------------------------------------------

  const startFrom = (stream, source, strategy) => {
    const start = callbackOf(source, "start");
    const pull = callbackOf(source, "pull");
    const cancel = callbackOf(source, "cancel");
    const controller = new DefaultControllerRecord(stream, highWaterMarkOf(strategy, 1), sizeOf(strategy));
    const object = controllerObject(controller);
    if (pull) controller.pull = () => promiseCall(pull, source, [object]);
    if (cancel) controller.cancel = (reason) => promiseCall(cancel, source, [reason]);
    controller.start(resolved(start ? apply(start, source, [object]) : undefined));
  };

  class ReadableStream {
    #record;
    constructor(underlyingSource, queuingStrategy) {
      if (underlyingSource === secret) {
        this.#record = queuingStrategy;
        queuingStrategy.object = this;
        return;
      }
      const source = dictionaryOf(underlyingSource, "The underlying source of a ReadableStream");
      const strategy = dictionaryOf(queuingStrategy, "The strategy of a ReadableStream");
      const record = (this.#record = new StreamRecord());
      record.object = this;
      const type = source.type;
      if (type === undefined || type === null) startFrom(record, source, strategy);
      else if (String(type) === "bytes") streams.startBytesFrom(record, source, strategy);
      else throw new TypeError(`"${String(type)}" is not a type of underlying source; only "bytes" is.`);
    }
    static {
      streams.isReadable = (value) => typeof value === "object" && value !== null && #record in value;
      streams.readableRecord = (stream) => stream.#record;
      streams.replaceRecord = (stream, record) => {
        stream.#record = record;
        record.object = stream;
      };
    }
    get locked() {
      if (!(#record in this)) throw illegal();
      return this.#record.reader !== null;
    }
    cancel(reason) {
      if (!(#record in this)) return rejected(illegal());
      if (this.#record.reader !== null) {
        return rejected(new TypeError(LOCKED));
      }
      return cancelStream(this.#record, reason);
    }
    getReader(options) {
      if (!(#record in this)) throw illegal();
      const mode = dictionaryOf(options, "The options of getReader()").mode;
      if (mode === undefined || mode === null) {
        return new ReadableStreamDefaultReader(secret, acquireReader(this.#record));
      }
      if (String(mode) !== "byob") throw new TypeError(`mode must be undefined or 'byob' in call to getReader().`);
      return streams.byobReader(this.#record);
    }
    pipeThrough(transform, options) {
      if (!(#record in this)) throw illegal();
      return streams.pipeThrough(this.#record, transform, options);
    }
    pipeTo(destination, options) {
      if (!(#record in this)) return rejected(illegal());
      return streams.pipeTo(this.#record, destination, options);
    }
    tee() {
      if (!(#record in this)) throw illegal();
      const [one, two] = streams.tee(this.#record);
      return [objectOf(one), objectOf(two)];
    }
    values(options) {
      if (!(#record in this)) throw illegal();
      const preventCancel = Boolean(dictionaryOf(options, "The options of values()").preventCancel);
      const object = Object.create(iteratorPrototype);
      iterators.set(object, new IteratorRecord(acquireReader(this.#record), preventCancel));
      return object;
    }
    static from(asyncIterable) {
      return objectOf(fromIterable(asyncIterable));
    }
  }
  exposeClass("ReadableStream", ReadableStream);
  Object.defineProperty(ReadableStream.prototype, asyncIterator, {
    value: ReadableStream.prototype.values, writable: true, configurable: true,
  });

  const objectOf = (record) => (record.object ??= new ReadableStream(secret, record));

  function recordOf(value, what) {
    if (!streams.isReadable(value)) {
      throw new TypeError(`Failed to construct '${what}': constructor parameter 1 is not of type 'ReadableStream'.`);
    }
    return streams.readableRecord(value);
  }

  // ---- ReadableStream.from -------------------------------------------------------------

  const iteratorOf = (iterable) => {
    if (iterable === undefined || iterable === null) throw new TypeError("The value is not iterable.");
    const method = iterable[asyncIterator] ?? iterable[iterator];
    if (typeof method !== "function") throw new TypeError("The value is not iterable.");
    const made = apply(method, iterable, []);
    if ((typeof made !== "object" && typeof made !== "function") || made === null) {
      throw new TypeError("The iterator is not an object.");
    }
    return { made, isAsync: typeof iterable[asyncIterator] === "function" };
  };

  function fromIterable(iterable) {
    const { made, isAsync } = iteratorOf(iterable);
    const next = made.next;
    const step = (answer, controller) => {
      if ((typeof answer !== "object" && typeof answer !== "function") || answer === null) {
        throw new TypeError("The iterator's answer is not an object.");
      }
      if (answer.done) return void controller.close();
      if (isAsync) return void controller.enqueue(answer.value);
      return then(resolved(answer.value), (value) => {
        if (controller.canCloseOrEnqueue) controller.enqueue(value);
      });
    };
    const pull = (controller) => then(promiseCall(next, made, []), (answer) => step(answer, controller));
    const cancel = (reason) => {
      const method = made.return;
      if (method === undefined || method === null) return undefined;
      return then(promiseCall(method, made, [reason]), (answer) => {
        if (typeof answer !== "object" || answer === null) throw new TypeError("return() gave no object.");
      });
    };
    return startNow(makeDefault({ pull, cancel }, 0));
  }

  // ---- tee -----------------------------------------------------------------------------

  // `make` makes a branch; `clone` copies a chunk for the second one (undefined: both get the same object).
  const teeWith = (stream, make, clone) => {
    const reader = acquireReader(stream);
    const cancelled = new Deferred();
    const branches = [];
    const reasons = [undefined, undefined];
    const gone = [false, false];
    let reading = false;
    let readAgain = false;

    const deliver = (chunk) => {
      readAgain = false;
      const second = !gone[1] && clone !== undefined ? clone(chunk) : chunk;
      if (!gone[0]) branches[0].controller.enqueue(chunk);
      if (!gone[1]) branches[1].controller.enqueue(second);
      reading = false;
      if (readAgain) pull();
    };
    const request = {
      chunk: (chunk) => then(resolved(undefined), () => {
        try {
          deliver(chunk);
        } catch (error) {
          for (const branch of branches) branch.controller.fail(error);
          cancelled.resolve(cancelStream(stream, error));
        }
      }),
      close: () => {
        reading = false;
        for (let i = 0; i < 2; i++) if (!gone[i]) branches[i].controller.finish();
        if (!gone[0] || !gone[1]) cancelled.resolve(undefined);
      },
      fail: () => {
        reading = false;
      },
    };
    function pull() {
      if (reading) {
        readAgain = true;
        return undefined;
      }
      reading = true;
      reader.read(request);
      return undefined;
    }
    const cancelBranch = (index) => (reason) => {
      gone[index] = true;
      reasons[index] = reason;
      if (gone[0] && gone[1]) cancelled.resolve(cancelStream(stream, [reasons[0], reasons[1]]));
      return cancelled.promise;
    };
    for (const index of [0, 1]) branches[index] = make({ pull, cancel: cancelBranch(index) });
    then(reader.closedPromise, undefined, (error) => {
      for (const branch of branches) branch.controller.fail(error);
      if (!gone[0] || !gone[1]) cancelled.resolve(undefined);
    });
    for (const branch of branches) {
      branch.length = stream.length;
      startNow(branch);
    }
    return branches;
  };

  Object.assign(streams, {
    StreamRecord, ReaderRecord, closeStream, errorStream, cancelStream, makeDefault, startNow, acquireReader,
    objectOf, recordOf, teeWith, LOCKED, RELEASED, secret,
  });
})
