// What all streams share: promise helpers on captured intrinsics, queues, queuing strategies.
// Streams follow the WHATWG Streams standard, https://streams.spec.whatwg.org/; the names of
// its abstract operations are kept (in camel case). Public objects are thin: every one has a
// private record, and the functions work on records.
(function (platform) {
  "use strict";

  const PromiseClass = Promise;
  const promiseThen = platform.uncurried(Promise.prototype.then);
  const apply = Reflect.apply;
  const isView = ArrayBuffer.isView;
  const Bytes = Uint8Array;
  const typedArrayTag = platform.uncurried(Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get);
  const bufferByteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get;
  const bytesSet = platform.uncurried(Uint8Array.prototype.set);
  const bytesSlice = platform.uncurried(Uint8Array.prototype.slice);

  const noop = () => undefined;
  const then = (promise, ok, fail) => promiseThen(promise, ok, fail);
  const resolved = (value) => new PromiseClass((resolve) => resolve(value));
  const rejected = (reason) => new PromiseClass((_, reject) => reject(reason));
  const handled = (promise) => {
    promiseThen(promise, undefined, noop);
    return promise;
  };

  class Deferred {
    constructor() {
      this.settled = false;
      this.promise = new PromiseClass((resolve, reject) => {
        this.settleOk = resolve;
        this.settleFail = reject;
      });
    }
    resolve(value) {
      this.settled = true;
      this.settleOk(value);
    }
    // A rejection that nobody waits for is not an unhandled one: the stream reports it too.
    reject(reason) {
      this.settled = true;
      handled(this.promise);
      this.settleFail(reason);
    }
  }

  // Calls a user's callback; what it throws becomes a rejection.
  const promiseCall = (method, target, args) => {
    try {
      return resolved(apply(method, target, args));
    } catch (error) {
      return rejected(error);
    }
  };

  class Queue {
    constructor() {
      this.items = [];
      this.head = 0;
    }
    get length() {
      return this.items.length - this.head;
    }
    push(item) {
      this.items[this.items.length] = item;
    }
    peek() {
      return this.items[this.head];
    }
    shift() {
      const item = this.items[this.head];
      this.items[this.head++] = undefined;
      if (this.head === this.items.length) {
        this.items = [];
        this.head = 0;
      } else if (this.head > 64 && this.head * 2 > this.items.length) {
        const rest = [];
        for (let i = this.head; i < this.items.length; i++) rest[rest.length] = this.items[i];
        this.items = rest;
        this.head = 0;
      }
      return item;
    }
    clear() {
      this.items = [];
      this.head = 0;
    }
  }

  // A queue whose entries have sizes (standard, section 8.1).
  class SizedQueue extends Queue {
    constructor() {
      super();
      this.total = 0;
    }
    enqueue(value, size) {
      const number = Number(size);
      if (!(number >= 0) || number === Infinity) {
        throw new RangeError("The size of a chunk must be a finite, non-negative number.");
      }
      this.push({ value, size: number });
      this.total += number;
    }
    dequeue() {
      const entry = this.shift();
      this.total = Math.max(0, this.total - entry.size);
      return entry.value;
    }
    reset() {
      this.clear();
      this.total = 0;
    }
  }

  const illegal = () => new TypeError(platform.ILLEGAL);
  const illegalConstructor = () => new TypeError("Illegal constructor");

  // Checks that the first `count` parameters were given, each of a type that undefined cannot be.
  const need = (count, given, method, name, type = "string") => {
    if (given < count) platform.wrongParameter(given + 1, type, method, name);
  };

  const wrongField = (dictionary, name, type) =>
    new TypeError(
      `Incorrect type for the '${name}' field on '${dictionary}': the provided value is not of type '${type}'.`);

  // A callback that a dictionary may have; `what` is the dictionary's type.
  const callbackOf = (dictionary, name, what) => {
    const method = dictionary[name];
    if (method === undefined || method === null) return undefined;
    if (typeof method !== "function") throw wrongField(what, name, "function");
    return method;
  };

  // An argument that is a dictionary of type `type`. Without `method` it is a constructor's.
  const dictionaryOf = (value, position, type, method, name) => {
    if (value === undefined || value === null) return {};
    if (typeof value !== "object" && typeof value !== "function") {
      platform.wrongParameter(position, type, method, name);
    }
    return value;
  };

  // A whole number of bytes or chunks, as an unsigned 64 bit integer is converted.
  const notInteger = () => new TypeError("The value cannot be converted because it is not an integer.");
  const wholeNumber = (value) => {
    const number = Number(value);
    if (Number.isNaN(number)) throw notInteger();
    if (number < 0) {
      throw new TypeError(
        "The value cannot be converted because it is negative and this API expects a positive bigint.");
    }
    return Math.trunc(number);
  };
  const highWaterMarkOf = (strategy, fallback) => {
    const mark = strategy.highWaterMark;
    if (mark === undefined) return fallback;
    if (mark === Infinity) throw notInteger();
    return wholeNumber(mark);
  };

  const one = () => 1;
  const sizeOf = (strategy) => {
    const size = callbackOf(strategy, "size", "StreamQueuingStrategy");
    return size === undefined ? one : (chunk) => apply(size, undefined, [chunk]);
  };

  // The bytes of an ArrayBuffer or view without a copy; null for anything else.
  const bytesView = (value) => {
    if (isView(value)) {
      return typedArrayTag(value) === "Uint8Array"
        ? value
        : new Bytes(value.buffer, value.byteOffset, value.byteLength);
    }
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return null;
    if (platform.pyBytes !== undefined) {
      const copy = platform.pyBytes(value);
      if (copy !== null && copy !== undefined) return copy;
    }
    try {
      apply(bufferByteLength, value, []);
    } catch {
      return null;
    }
    return new Bytes(value);
  };
  const copyBytes = (view) => bytesSlice(view);
  const concatBytes = (parts, total) => {
    const whole = new Bytes(total);
    let at = 0;
    for (let i = 0; i < parts.length; i++) {
      bytesSet(whole, parts[i], at);
      at += parts[i].length;
    }
    return whole;
  };
  // An ArrayBuffer with exactly the bytes of a view that the caller owns.
  const exactBuffer = (view) =>
    view.byteOffset === 0 && view.byteLength === view.buffer.byteLength
      ? view.buffer
      : copyBytes(view).buffer;

  // Gives the class its tag, and its methods the enumerability that Web IDL asks for.
  const finishClass = (Class, name) => {
    platform.shapeClass(Class);
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: name, configurable: true });
    return Class;
  };
  const exposeClass = (name, Class) => platform.expose(name, finishClass(Class, name));

  const makeStrategy = (name, size) => {
    const Strategy = class {
      #mark;
      constructor(init) {
        if (init === null || (typeof init !== "object" && typeof init !== "function")) {
          platform.wrongParameter(1, "QueuingStrategyInit", null, name);
        }
        this.#mark = Number(init.highWaterMark);
      }
      get highWaterMark() {
        if (!(#mark in this)) throw illegal();
        return this.#mark;
      }
      get size() {
        if (!(#mark in this)) throw illegal();
        return size;
      }
    };
    Object.defineProperty(Strategy, "name", { value: name, configurable: true });
    exposeClass(name, Strategy);
  };
  makeStrategy("CountQueuingStrategy", function size() {
    return 1;
  });
  makeStrategy("ByteLengthQueuingStrategy", function size(chunk) {
    return chunk.byteLength;
  });

  platform.async = { then, resolved, rejected, handled, Deferred, promiseCall, noop };
  platform.bytes = { bytesView, copyBytes, concatBytes, exactBuffer };
  platform.idl = {
    illegal, illegalConstructor, need, wrongField, callbackOf, dictionaryOf, wholeNumber, highWaterMarkOf, sizeOf,
    finishClass, exposeClass,
  };
  platform.streams = { Queue, SizedQueue, secret: Symbol("constructor key") };
});
