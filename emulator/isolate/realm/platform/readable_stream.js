// ReadableStream: the class, its async iteration, ReadableStream.from and tee (standard, section 4.2).
(function (platform) {
  "use strict";

  const { then, resolved, rejected, Deferred, promiseCall } = platform.async;
  const { illegal, callbackOf, dictionaryOf, highWaterMarkOf, sizeOf, exposeClass } = platform.idl;
  const streams = platform.streams;
  const {
    secret, StreamRecord, DefaultControllerRecord, ReadableStreamDefaultReader, controllerObject, acquireReader, acquireLimited,
    cancelStream, makeDefault, startNow, LOCKED,
  } = streams;
  const apply = Reflect.apply;
  const asyncIterator = Symbol.asyncIterator;
  const iterator = Symbol.iterator;

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
    value: "ReadableStreamAsyncIterator", configurable: true,
  });

  // ---- the class -----------------------------------------------------------------------

  const startFrom = (stream, source, strategy) => {
    const start = callbackOf(source, "start", "UnderlyingSource");
    const pull = callbackOf(source, "pull", "UnderlyingSource");
    const cancel = callbackOf(source, "cancel", "UnderlyingSource");
    const controller = new DefaultControllerRecord(stream, highWaterMarkOf(strategy, 1), sizeOf(strategy));
    const object = controllerObject(controller);
    if (pull) controller.pull = () => promiseCall(pull, source, [object]);
    if (cancel) controller.cancel = (reason) => promiseCall(cancel, source, [reason]);
    controller.start(start ? promiseCall(start, source, [object]) : resolved(undefined));
  };

  class ReadableStream {
    #record;
    constructor(underlyingSource, queuingStrategy) {
      if (underlyingSource === secret) {
        this.#record = queuingStrategy;
        queuingStrategy.object = this;
        return;
      }
      const source = dictionaryOf(underlyingSource, 1, "UnderlyingSource", null, "ReadableStream");
      const strategy = dictionaryOf(queuingStrategy, 2, "StreamQueuingStrategy", null, "ReadableStream");
      const record = (this.#record = new StreamRecord());
      record.object = this;
      const type = source.type;
      if (type === undefined || type === null) startFrom(record, source, strategy);
      else if (String(type) === "bytes") streams.startBytesFrom(record, source, strategy);
      else throw new TypeError(`"${String(type)}" is not a valid type of ReadableStream.`);
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
      const mode = dictionaryOf(options, 1, "GetReaderOptions", "getReader", "ReadableStream").mode;
      if (mode === undefined || mode === null) {
        return new ReadableStreamDefaultReader(secret, acquireLimited(this.#record));
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
      if (this.#record.reader !== null) throw new TypeError(streams.LOCKED_TEE);
      const [one, two] = streams.tee(this.#record);
      return [objectOf(one), objectOf(two)];
    }
    values(options) {
      if (!(#record in this)) throw illegal();
      const preventCancel = Boolean(dictionaryOf(options, 1, "ValuesOptions", "values", "ReadableStream").preventCancel);
      const object = Object.create(iteratorPrototype);
      iterators.set(object, new IteratorRecord(acquireLimited(this.#record), preventCancel));
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
    const method = iterable === undefined || iterable === null
      ? undefined
      : iterable[asyncIterator] ?? iterable[iterator];
    if (typeof method !== "function") platform.wrongParameter(1, "AsyncGenerator", "from", "ReadableStream");
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
      if (!gone[0] || !gone[1]) return undefined; // unlike the standard's, does not wait for the other branch
      cancelled.resolve(cancelStream(stream, [reasons[0], reasons[1]]));
      return cancelled.promise;
    };
    for (const index of [0, 1]) branches[index] = make({ pull, cancel: cancelBranch(index) });
    then(reader.closedPromise, undefined, (error) => {
      for (const branch of branches) branch.controller.fail(error);
      if (!gone[0] || !gone[1]) cancelled.resolve(undefined);
    });
    for (const branch of branches) {
      branch.length = stream.length;
      branch.internal = stream.internal;
      startNow(branch);
    }
    return branches;
  };

  Object.assign(streams, { objectOf, recordOf, teeWith, fromIterable });
});
