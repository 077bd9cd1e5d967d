// The JavaScript half of the bridge: what Python needs to handle JS values quickly, and
// PyProxy, the face that a Python object shows to JavaScript.
//
// Evaluated after the platform files; its value is a function of `platform`, `host` (Python
// functions, see pyproxy.py) and `FLAGS` (bits of what a JS value can do, see flags.py).
(function (platform, host, FLAGS, KIND) {
  "use strict";

  const { apply, construct, ownKeys } = Reflect;
  const { getPrototypeOf, prototype: ObjectPrototype } = Object;
  const objectToString = ObjectPrototype.toString;
  const isArray = Array.isArray;
  const isView = ArrayBuffer.isView;
  const iterator = Symbol.iterator;
  const asyncIterator = Symbol.asyncIterator;
  const TypedArray = getPrototypeOf(Uint8Array);
  const tagOf = (value) => apply(objectToString, value, []);

  // ---- errors ---------------------------------------------------------------

  let pending; // the error of the call that just failed
  const keep = (error) => {
    pending = error;
    return error;
  };
  const takeError = () => {
    const error = pending;
    pending = undefined;
    return error;
  };

  // A host function answers `new Raise(error)` to throw: an exception of its own would
  // arrive as text only.
  class Raise {
    constructor(error) {
      this.error = error;
    }
  }
  // A BigInt would come back to Python as an int at once, so it travels in a box.
  class BigBox {
    constructor(digits) {
      this.value = BigInt(digits);
    }
  }
  const unbox = (value) => (value instanceof BigBox ? value.value : value);
  const settled = (answer) => {
    if (answer instanceof Raise) throw answer.error;
    return unbox(answer);
  };

  class PythonError extends Error {
    #handle;
    constructor(type, message, handle) {
      super(message);
      this.type = type;
      this.#handle = handle;
    }
    static exceptionOf(error) {
      return typeof error === "object" && error !== null && #handle in error ? error.#handle : undefined;
    }
  }
  Object.defineProperty(PythonError.prototype, "name", { value: "PythonError", writable: true, configurable: true });

  // ---- calls from Python ----------------------------------------------------

  const call = (fn, self, ...args) => {
    try {
      return apply(fn, self, args);
    } catch (error) {
      throw keep(error);
    }
  };
  const make = (constructor, ...args) => {
    try {
      return construct(constructor, args);
    } catch (error) {
      throw keep(error);
    }
  };
  // The value of a property, or MISSING: undefined is a value.
  const MISSING = host.missing;
  // Python knows the methods of prototypes and the globals: those live as long as the realm.
  const knownFunctions = new WeakMap(); // function -> host object of a FunctionInfo
  const isLasting = (object, key) => object === globalThis || !Object.prototype.hasOwnProperty.call(object, key);
  const remember = (object, key, fn, info) => {
    if (isLasting(object, key)) knownFunctions.set(fn, info);
  };
  const getAttribute = (object, key) => {
    try {
      const value = object[key];
      if (typeof value === "function") {
        const info = knownFunctions.get(value);
        return info === undefined ? value : info;
      }
      return value === undefined && !(key in object) ? MISSING : value;
    } catch (error) {
      throw keep(error);
    }
  };
  const get = (object, key) => {
    try {
      const value = object[key];
      return value === undefined && !(key in object) ? MISSING : value;
    } catch (error) {
      throw keep(error);
    }
  };
  const set = (object, key, value) => {
    try {
      object[key] = unbox(value);
    } catch (error) {
      throw keep(error);
    }
  };
  const remove = (object, key) => {
    try {
      return delete object[key];
    } catch (error) {
      throw keep(error);
    }
  };

  const unboxDeep = (value) => {
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof BigBox) return value.value;
    if (getPrototypeOf(value) === ObjectPrototype && !handles.has(value)) {
      for (const key of Object.keys(value)) if (value[key] instanceof BigBox) value[key] = value[key].value;
    }
    return value;
  };

  // ---- what a value can do --------------------------------------------------

  const handles = new WeakMap(); // PyProxy -> host object that stands for a PyHandle
  const flagsOfPrototype = new WeakMap();
  flagsOfPrototype.set(ObjectPrototype, 0);

  const flagsOf = (value) => {
    if (typeof value === "symbol") return 0;
    const isFunction = typeof value === "function";
    let flags = isFunction ? FLAGS.IS_CALLABLE : 0;
    const tag = tagOf(value);
    const iterable = typeof value[iterator] === "function";
    const asyncIterable = typeof value[asyncIterator] === "function";
    const hasNext = typeof value.next === "function";
    if (typeof value.then === "function") flags |= FLAGS.IS_AWAITABLE;
    if (iterable) flags |= FLAGS.IS_ITERABLE;
    if (asyncIterable) flags |= FLAGS.IS_ASYNC_ITERABLE;
    if (hasNext && (iterable || !asyncIterable)) flags |= FLAGS.IS_ITERATOR;
    if (hasNext && (!iterable || asyncIterable)) flags |= FLAGS.IS_ASYNC_ITERATOR;
    if ("size" in value || ("length" in value && !isFunction)) flags |= FLAGS.HAS_LENGTH;
    if (typeof value.get === "function") flags |= FLAGS.HAS_GET;
    if (typeof value.set === "function") flags |= FLAGS.HAS_SET;
    if (typeof value.has === "function") flags |= FLAGS.HAS_HAS;
    if (typeof value.includes === "function") flags |= FLAGS.HAS_INCLUDES;
    if (isArray(value)) flags |= FLAGS.IS_ARRAY;
    if (isView(value)) flags |= value instanceof TypedArray ? FLAGS.IS_BUFFER | FLAGS.IS_TYPEDARRAY : FLAGS.IS_BUFFER;
    else if (tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]") flags |= FLAGS.IS_BUFFER;
    if (tag === "[object Generator]") flags |= FLAGS.IS_GENERATOR;
    if (tag === "[object AsyncGenerator]") flags |= FLAGS.IS_ASYNC_GENERATOR;
    if (value instanceof Error || tag === "[object DOMException]" ||
        (!isFunction && typeof value.name === "string" && typeof value.message === "string" &&
         typeof value.stack === "string")) {
      flags |= FLAGS.IS_ERROR;
    }
    return flags;
  };

  // Gives the PyHandle of a Python object, or the flags of a JS value. Instances of a class
  // have the abilities of their prototype, unless they carry properties of their own.
  const flagsOfFunction = new WeakMap();
  const classify = (value) => {
    const handle = handles.get(value);
    if (handle !== undefined) return handle;
    if (typeof value === "function") {
      let flags = flagsOfFunction.get(value);
      if (flags === undefined) {
        try {
          flags = flagsOf(value);
        } catch {
          flags = FLAGS.IS_CALLABLE; // a hostile Proxy
        }
        flagsOfFunction.set(value, flags);
      }
      return flags;
    }
    // A long concatenated string, which the engine keeps in pieces, arrives here as well.
    if (typeof value !== "object") return typeof value === "string" ? -1 : 0;
    try {
      const prototype = getPrototypeOf(value);
      if (prototype === null || isArray(value) || isView(value)) return flagsOf(value);
      const known = flagsOfPrototype.get(prototype);
      if (ownKeys(value).length === 0) {
        if (known !== undefined) return known;
        const flags = flagsOf(value);
        flagsOfPrototype.set(prototype, flags);
        return flags;
      }
      return flagsOf(value);
    } catch {
      return 0; // a hostile accessor or Proxy: a plain object then
    }
  };
  const flagsOfPyProxy = (value) => flagsOf(value) | FLAGS.IS_DOUBLE_PROXY;

  const MANY = 10000;

  // ---- odds and ends that Python asks for -----------------------------------

  const ids = new WeakMap();
  let lastId = 0;
  const idOf = (value) => {
    if (typeof value === "symbol") return 0;
    let id = ids.get(value);
    if (id === undefined) ids.set(value, (id = ++lastId));
    return id;
  };
  const truthy = (value) => {
    if (typeof value === "function") return true;
    if (typeof value === "symbol") return true;
    if (typeof value.size === "number") return value.size !== 0;
    if (isArray(value) || value instanceof TypedArray) return value.length !== 0;
    if (tagOf(value) === "[object ArrayBuffer]") return value.byteLength !== 0;
    return true;
  };
  // As Python's str() shows it: what `toString` throws is Python's to see.
  const shown = (value) =>
    typeof value.toString === "function" ? String(value.toString()) : apply(objectToString, value, []);
  const compare = (a, b, operator) =>
    operator === "<" ? a < b : operator === "<=" ? a <= b : operator === ">" ? a > b : a >= b;
  const text = (value) => {
    try {
      return String(value);
    } catch {
      return `[object ${typeof value === "function" ? "Function" : "Object"}]`;
    }
  };
  const lengthOf = (value) => {
    const length = typeof value.size === "number" ? value.size : value.length;
    return typeof length === "number" ? length : MISSING;
  };
  // One step of an iterator: the value, or MISSING at the end (Python then asks for the
  // return value by `lastReturn`).
  let lastReturned;
  const step = (result) => {
    if (result.done) {
      lastReturned = result.value;
      return MISSING;
    }
    return result.value;
  };
  const next = (it, argument) => {
    try {
      return step(argument === undefined ? it.next() : it.next(unbox(argument)));
    } catch (error) {
      throw keep(error);
    }
  };
  const propertyNames = (value) => {
    const names = new Set();
    for (let object = value; object !== null && object !== undefined; object = getPrototypeOf(object)) {
      for (const key of ownKeys(object)) {
        if (typeof key === "string" && !/^[0-9]+$/.test(key)) names.add(key);
      }
    }
    return [...names];
  };
  const fill = (array, items) => {
    for (let i = 0; i < items.length; i++) array[i] = unbox(items[i]);
    return array;
  };
  const viewOf = (buffer, kind) => {
    const Constructor = globalThis[kind];
    return new Constructor(buffer);
  };
  const bytesOf = (value) => {
    if (!isView(value)) return value;
    return value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength);
  };
  const overwrite = (target, buffer) => {
    const view = isView(target)
      ? new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
      : new Uint8Array(target);
    view.set(new Uint8Array(buffer));
  };
  const bufferKind = (value) => (isView(value) && !(value instanceof DataView) ? value.constructor.name : "Uint8Array");
  const constructorName = (value) => {
    try {
      return String(value?.constructor?.name ?? "");
    } catch {
      return "";
    }
  };

  // What Python's dict becomes on the platform: a Map whose string keys are also properties.
  class LiteralMap extends Map {
    constructor(entries) {
      super();
      for (const [key, value] of entries ?? []) this.set(key, value);
    }
    set(key, value) {
      super.set(key, value);
      if (typeof key === "string" && !(key in Map.prototype)) {
        Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true });
      }
      return this;
    }
    delete(key) {
      if (typeof key === "string" && !(key in Map.prototype)) Reflect.deleteProperty(this, key);
      return super.delete(key);
    }
    clear() {
      for (const key of [...this.keys()]) this.delete(key);
    }
  }
  const pairsOf = (keys, values) => keys.map((key, i) => [unbox(key), unbox(values[i])]);
  // Also where the key is "__proto__", which an assignment would take for the prototype.
  const putOwn = (object, key, value) =>
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  const newDict = (kind) => (kind === "Object" ? {} : kind === "Map" ? new Map() : new LiteralMap());
  const fillDict = (dict, keys, values) => {
    const put = dict instanceof Map ? (key, value) => dict.set(key, value) : (key, value) => putOwn(dict, key, value);
    for (let i = 0; i < keys.length; i++) put(unbox(keys[i]), unbox(values[i]));
  };
  const newSet = (items) => new Set(items.map(unbox));

  // A JS value as a tree that crosses in one piece: primitives as they are, containers as
  // [kind, ...items], all else as [OTHER, index into others].
  const toTree = (root, depth) => {
    const others = [];
    const seen = new Map();
    let count = 0;
    const other = (value) => [KIND.OTHER, others.push(value) - 1];
    const keyOf = (key) => {
      if (typeof key === "object" && key !== null ? true : typeof key === "function" || typeof key === "symbol") {
        throw new Error(`Cannot use key of type ${constructorName(key)} as a key to a Python dict`);
      }
      return key;
    };
    const elementOf = (item) => {
      const converted = visit(item, -1);
      if (isArray(converted) && converted[0] !== KIND.OTHER) {
        throw new Error(`Cannot use key of type ${constructorName(item)} as a key to a Python set`);
      }
      return converted;
    };
    const visit = (value, left) => {
      if (typeof value === "function" || typeof value === "symbol") return other(value);
      if (typeof value !== "object" || value === null) return value;
      if (left === 0 || handles.has(value)) return other(value);
      const before = seen.get(value);
      if (before !== undefined) return [KIND.SEEN, before];
      const tag = tagOf(value);
      const items = [];
      if (isArray(value)) {
        seen.set(value, count++);
        for (let i = 0; i < value.length; i++) items.push(visit(value[i], left - 1));
        return [KIND.LIST, items];
      }
      if (tag === "[object Map]") {
        seen.set(value, count++);
        for (const [key, item] of value) items.push(keyOf(key), visit(item, left - 1));
        return [KIND.DICT, items];
      }
      if (tag === "[object Set]") {
        seen.set(value, count++);
        for (const item of value) items.push(elementOf(item));
        return [KIND.SET, items];
      }
      if (isView(value) || tag === "[object ArrayBuffer]") return [KIND.BUFFER, others.push(value) - 1];
      if (tag !== "[object Object]") return other(value);
      const prototype = getPrototypeOf(value);
      if (prototype !== null && prototype !== ObjectPrototype && constructorName(value) !== "Object") return other(value);
      seen.set(value, count++);
      for (const key of Object.keys(value)) items.push(key, visit(value[key], left - 1));
      return [KIND.DICT, items];
    };
    try {
      return [visit(root, depth), others];
    } catch (error) {
      throw keep(error);
    }
  };

  const settle = (promise, resolved, rejected) => {
    apply(Promise.prototype.then, Promise.resolve(promise), [resolved, rejected]);
  };
  // A response in one crossing: [status, reason, header lines, body]; a body that is no string
  // stays behind, as undefined, for `takenBody`.
  let takenBody;
  const take = (response) => {
    try {
      const parts = platform.takeLines(response);
      takenBody = parts[3];
      if (typeof takenBody === "object" && takenBody !== null) parts[3] = undefined;
      return parts;
    } catch (error) {
      throw keep(error);
    }
  };
  const isPromise = (value) => {
    if (typeof value !== "object" || value === null || handles.has(value)) return false;
    try {
      return typeof value.then === "function";
    } catch {
      return false; // a hostile accessor or a revoked Proxy
    }
  };
  const deferred = () => {
    const parts = {};
    parts.promise = new Promise((resolve, reject) => {
      parts.resolve = resolve;
      parts.reject = reject;
    });
    return parts;
  };
  const onceCallable = (handle) => {
    let live = true;
    const once = (...args) => {
      if (!live) throw new Error("OnceProxy can only be called once");
      live = false;
      return settled(host.callOnce(handle, undefined, args));
    };
    once.destroy = () => {
      if (live) host.destroy(handle);
      live = false;
    };
    return once;
  };

  // ---- PyProxy: Python objects seen from JavaScript --------------------------

  const HANDLE = Symbol("handle");
  const INDEXED = Symbol("indexed");
  const handleOf = (proxy) => {
    const handle = handles.get(proxy);
    if (handle === undefined) throw new TypeError("Expected a PyProxy");
    return handle;
  };

  class PyProxy {
    constructor() {
      throw new TypeError("PyProxy is not a constructor");
    }
    get type() {
      return settled(host.typeName(handleOf(this)));
    }
    toString() {
      return settled(host.text(handleOf(this)));
    }
    destroy() {
      host.destroy(handleOf(this));
    }
    copy() {
      return settled(host.copy(handleOf(this)));
    }
    toJs(options = {}) {
      return settled(host.toJs(handleOf(this), options));
    }
  }
  Object.defineProperty(PyProxy.prototype, Symbol.toStringTag, { value: "PyProxy", configurable: true });

  const callWith = (proxy, name, { relaxed = false, kwargs = false, promising = false }, args) => {
    let named = {};
    if (kwargs) {
      if (args.length === 0) {
        throw new TypeError(`${name} requires at least one argument (the key word argument object)`);
      }
      named = args.pop();
      if (named.constructor !== undefined && named.constructor.name !== "Object") {
        throw new TypeError("kwargs argument is not an object");
      }
    }
    const [names, values] = [Object.keys(named), Object.values(named)];
    const result = settled(host.callWith(handleOf(proxy), args, names, values, Boolean(relaxed), Boolean(promising)));
    return promising ? Promise.resolve(result) : result;
  };

  // Abilities beyond the basic ones, by the Python type of the object.
  const abilities = {
    callable: {
      apply(self, args) {
        return settled(host.call(handleOf(this), self, [...args]));
      },
      call(self, ...args) {
        return settled(host.call(handleOf(this), self, args));
      },
      callKwargs(...args) {
        return callWith(this, "callKwargs", { kwargs: true }, args);
      },
      callRelaxed(...args) {
        return callWith(this, "callRelaxed", { relaxed: true }, args);
      },
      callKwargsRelaxed(...args) {
        return callWith(this, "callKwargsRelaxed", { kwargs: true, relaxed: true }, args);
      },
      callPromising(...args) {
        return callWith(this, "callPromising", { promising: true }, args);
      },
      callPromisingKwargs(...args) {
        return callWith(this, "callPromisingKwargs", { promising: true, kwargs: true }, args);
      },
      callWithOptions(options, ...args) {
        return callWith(this, "callWithOptions with 'kwargs: true'", options, args);
      },
      captureThis() {
        return settled(host.captureThis(handleOf(this)));
      },
      bind(self, ...bound) {
        const proxy = this;
        return (...args) => settled(host.call(handleOf(proxy), self, [...bound, ...args]));
      },
    },
    awaitable: {
      then(resolve, reject) {
        const promise = new Promise((yes, no) => settled(host.schedule(handleOf(this), yes, no)));
        return promise.then(resolve, reject);
      },
      catch(reject) {
        return this.then(undefined, reject);
      },
      finally(callback) {
        return new Promise((resolve, reject) => this.then(resolve, reject)).finally(callback);
      },
    },
    length: {
      get length() {
        return settled(host.length(handleOf(this)));
      },
    },
    item: {
      get(key) {
        return settled(host.getItem(handleOf(this), key));
      },
      has(key) {
        return settled(host.contains(handleOf(this), key));
      },
    },
    contains: {
      has(key) {
        return settled(host.contains(handleOf(this), key));
      },
    },
    mutableItem: {
      set(key, value) {
        settled(host.setItem(handleOf(this), key, value));
      },
      delete(key) {
        settled(host.deleteItem(handleOf(this), key));
      },
    },
    iterable: {
      *[iterator]() {
        const it = settled(host.iterate(handleOf(this)));
        try {
          for (;;) {
            const value = settled(host.next(it, undefined));
            if (value === MISSING) return;
            yield value;
          }
        } finally {
          host.destroy(it);
        }
      },
    },
    iterator: {
      [iterator]() {
        return this;
      },
      next(argument) {
        const value = settled(host.next(handleOf(this), argument));
        return value === MISSING ? { done: true, value: settled(host.returned(handleOf(this))) } : { done: false, value };
      },
    },
    generator: {
      throw(error) {
        const value = settled(host.throwInto(handleOf(this), error));
        return value === MISSING ? { done: true, value: settled(host.returned(handleOf(this))) } : { done: false, value };
      },
      return(value) {
        settled(host.close(handleOf(this)));
        return { done: true, value };
      },
    },
    asyncIterable: {
      [asyncIterator]() {
        const it = settled(host.asyncIterate(handleOf(this)));
        return {
          next: () => settled(host.asyncNext(it)),
          return: async (value) => {
            await settled(host.asyncClose(it));
            return { done: true, value };
          },
          [asyncIterator]() {
            return this;
          },
        };
      },
    },
    buffer: {
      getBuffer(kind) {
        const [name, data, shape, readonly, itemsize, format] = settled(host.buffer(handleOf(this), kind));
        return {
          data: viewOf(data, name), shape, readonly, itemsize, format, ndim: shape.length, offset: 0,
          nbytes: data.byteLength, c_contiguous: true, f_contiguous: shape.length <= 1, strides: [],
          release() {},
        };
      },
    },
    sequence: {
      get [Symbol.isConcatSpreadable]() {
        return true;
      },
      toJSON() {
        return Array.from(this);
      },
    },
    dict: {
      toJSON() {
        return Object.fromEntries(Array.from(this, (key) => [key, this.get(key)]));
      },
    },
  };
  // Sequences lend themselves to the array methods that need only `length` and items.
  for (const name of ["at", "concat", "entries", "every", "filter", "find", "findIndex", "forEach", "includes",
    "indexOf", "join", "keys", "lastIndexOf", "map", "reduce", "reduceRight", "slice", "some", "values"]) {
    const method = Array.prototype[name];
    abilities.sequence[name] = function (...args) {
      return name === "concat" ? apply(method, [], [this, ...args]) : apply(method, this, args);
    };
  }

  const prototypes = new Map(); // names of abilities, joined -> prototype of the target
  const prototypeFor = (names) => {
    let prototype = prototypes.get(names);
    if (prototype === undefined) {
      prototype = Object.create(PyProxy.prototype);
      for (const name of names === "" ? [] : names.split(",")) {
        const descriptors = Object.getOwnPropertyDescriptors(abilities[name]);
        for (const key of ownKeys(descriptors)) descriptors[key].enumerable = false;
        Object.defineProperties(prototype, descriptors);
      }
      prototypes.set(names, prototype);
    }
    return prototype;
  };

  const isIndex = (key) => /^(0|[1-9][0-9]*)$/.test(key);
  const own = (target, key) => typeof key === "symbol" || (key in target && key !== "name" && key !== "prototype");
  const traps = {
    get(target, key, receiver) {
      if (own(target, key)) return Reflect.get(target, key, receiver);
      const value = settled(host.getAttribute(target[HANDLE], key, target[INDEXED] && isIndex(key)));
      return value === MISSING ? undefined : value;
    },
    has(target, key) {
      if (own(target, key)) return true;
      return settled(host.hasAttribute(target[HANDLE], key, target[INDEXED] && isIndex(key)));
    },
    set(target, key, value) {
      if (typeof key === "symbol") return Reflect.set(target, key, value);
      const index = target[INDEXED] && isIndex(key);
      if (!settled(host.setAttribute(target[HANDLE], key, value, index))) {
        throw new TypeError(`'set' on proxy: trap returned falsish for property '${key}'`);
      }
      return true;
    },
    deleteProperty(target, key) {
      if (typeof key === "symbol") return Reflect.deleteProperty(target, key);
      return settled(host.deleteAttribute(target[HANDLE], key, target[INDEXED] && isIndex(key)));
    },
    ownKeys(target) {
      const names = settled(host.keys(target[HANDLE]));
      const fixed = ownKeys(target).filter((key) => !Object.getOwnPropertyDescriptor(target, key).configurable);
      return [...new Set([...names, ...fixed])];
    },
    getOwnPropertyDescriptor(target, key) {
      const fixed = Object.getOwnPropertyDescriptor(target, key);
      if (fixed !== undefined && !fixed.configurable) return fixed;
      if (typeof key === "symbol") return undefined;
      const value = settled(host.getAttribute(target[HANDLE], key, target[INDEXED] && isIndex(key)));
      if (value === MISSING) return undefined;
      return { value, writable: true, enumerable: settled(host.enumerable(target[HANDLE], key)), configurable: true };
    },
    apply(target, self, args) {
      return settled(host.call(target[HANDLE], self, args));
    },
  };

  const pyProxy = (handle, names, callable, indexed) => {
    let target;
    if (callable) {
      target = () => {};
      Object.setPrototypeOf(target, prototypeFor(names));
      delete target.length;
      delete target.name;
    } else {
      target = Object.create(prototypeFor(names));
    }
    Object.defineProperty(target, HANDLE, { value: handle, configurable: true });
    Object.defineProperty(target, INDEXED, { value: indexed, configurable: true });
    const proxy = new Proxy(target, traps);
    handles.set(proxy, handle);
    return proxy;
  };

  platform.isPyProxy = (value) =>
    (typeof value === "object" || typeof value === "function") && value !== null && handles.has(value);
  // The strings of a Python iterable of pairs, flat, when it has nothing else; else null.
  platform.pyPairs = (value) => {
    const handle = handles.get(value);
    return handle === undefined ? null : settled(host.pairs(handle));
  };
  // A Uint8Array with a copy of the bytes of a Python buffer, else null.
  platform.pyBytes = (value) => {
    const handle = handles.get(value);
    if (handle === undefined) return null;
    const data = settled(host.bytes(handle));
    return data === null ? null : new Uint8Array(data);
  };

  // These may meet accessors and Proxies that throw: their error is kept for Python as well.
  const careful = {
    flagsOfPyProxy, idOf, truthy, shown, compare, lengthOf, propertyNames, fill, viewOf, bytesOf, overwrite, bufferKind,
    pairsOf, newDict, fillDict, newSet, settle, deferred, onceCallable,
    raise: (error) => new Raise(error),
    pythonError: (type, message, handle) => new PythonError(type, message, handle),
    isTypeOf: (value) => typeof value,
    keys: (value) => Object.keys(value), values: (value) => Object.values(value), entries: (value) => Object.entries(value),
    iterate: (value) => call(value[iterator], value), asyncIterate: (value) => call(value[asyncIterator], value),
    iterateKeys: (value) => call(value.keys ?? value[iterator], value),
    method: (value, name, ...args) => call(value[name], value, ...args.map(unbox)),
    bigInt: (digits) => new BigBox(digits),
    // The same as call and make, for arguments among which are boxes (also in the options object).
    callUnboxed: (fn, self, ...args) => call(fn, self, ...args.map(unboxDeep)),
    makeUnboxed: (fn, ...args) => make(fn, ...args.map(unboxDeep)),
    resolveUnboxed: (resolve, value) => resolve(unbox(value)),
    guarded: (fn, ...args) => call(fn, undefined, ...args),
    slice: (array, start, stop, by) => {
      const picked = [];
      for (let i = start; by > 0 ? i < stop : i > stop; i += by) picked.push(array[i]);
      return picked;
    },
    splice: (array, start, count, items) => {
      // An engine takes only so many arguments at once.
      array.splice(start, count, ...items.slice(0, MANY).map(unbox));
      for (let i = MANY; i < items.length; i += MANY) {
        array.splice(start + i, 0, ...items.slice(i, i + MANY).map(unbox));
      }
    },
    reversed: (array) => [...array].reverse()[iterator](),
    indexOf: (array, value, start, stop) => {
      for (let i = start; i < stop && i < array.length; i++) if (array[i] === unbox(value)) return i;
      return -1;
    },
    // The text, or undefined where the bytes are none.
    decode: (value, label) => {
      const decoder = new TextDecoder(label, { fatal: true });
      try {
        return decoder.decode(value);
      } catch {
        return undefined;
      }
    },
    repeat: (array, times) => [].concat(...Array(Math.max(0, times)).fill(array)),
    concat: (array, items) => [...array, ...items.map(unbox)],
  };
  for (const name of Object.keys(careful)) {
    const inner = careful[name];
    careful[name] = (...args) => {
      try {
        return inner(...args);
      } catch (error) {
        throw keep(error);
      }
    };
  }

  return {
    ...careful,
    call, make, get, getAttribute, set, remove, classify, isPromise, pyProxy, takeError, text, constructorName, next,
    toTree, remember, take,
    takenBody: () => takenBody,
    lastReturn: () => lastReturned,
    exceptionOf: PythonError.exceptionOf,
  };
});
