// What Web IDL asks of every interface: brand checks, string and buffer conversions, iterables.
//
//   platform.interface(Class)       exposes a class with its Symbol.toStringTag; platform.tag does not expose it
//   platform.internal               what only the platform can give to a constructor that is illegal for Workers
//   platform.illegal()              throws what a method throws on a wrong receiver
//   platform.wrongParameter(n, type, method, name)   throws what a wrong or missing argument throws
//   platform.shapeClass(Class)      gives its members the attributes that they have on the platform
//   platform.usv(value)             USVString
//   platform.view(value)            Uint8Array over a BufferSource, without a copy; null for anything else
//   platform.list(value, what, convert)  array of any iterable, converted; TypeError otherwise
//   platform.isInterface(object)    whether it is an instance of an exposed class
(function (platform) {
  "use strict";
  const { defineProperty, getPrototypeOf } = Object;
  const { apply } = Reflect;
  const { isView } = ArrayBuffer;
  const getter = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name).get;
  const bufferLength = getter(ArrayBuffer.prototype, "byteLength");
  const sharedLength = getter(SharedArrayBuffer.prototype, "byteLength");
  const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype);
  const typedTag = platform.uncurried(getter(TypedArrayPrototype, Symbol.toStringTag));
  const parts = (prototype) => ["buffer", "byteOffset", "byteLength"].map((name) => getter(prototype, name));
  const typedParts = parts(TypedArrayPrototype);
  const viewParts = parts(DataView.prototype);
  const toWellFormed = platform.uncurried(String.prototype.toWellFormed);

  platform.internal = Symbol("internal");

  platform.ILLEGAL =
    "Illegal invocation: function called with incorrect `this` reference. " +
    "See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.";
  platform.illegal = () => {
    throw new TypeError(platform.ILLEGAL);
  };

  // Without `method` it is a constructor's parameter.
  platform.wrongParameter = (position, type, method, name) => {
    const doing = method === null ? `construct '${name}': constructor` : `execute '${method}' on '${name}':`;
    throw new TypeError(`Failed to ${doing} parameter ${position} is not of type '${type}'.`);
  };

  // V8's templates: every member enumerable, every function with `length` 0.
  const noLength = (member) => {
    if (typeof member === "function") defineProperty(member, "length", { value: 0, configurable: true });
  };
  platform.shapeClass = (Class) => {
    for (const target of [Class.prototype, Class]) {
      for (const key of Object.getOwnPropertyNames(target)) {
        if (target === Class && (key === "prototype" || key === "name" || key === "length")) continue;
        if (key === "constructor") continue;
        const member = Object.getOwnPropertyDescriptor(target, key);
        if (member.configurable) defineProperty(target, key, { enumerable: true });
        noLength(member.value);
      }
    }
    noLength(Class);
  };

  platform.usv = (value) => toWellFormed(typeof value === "string" ? value : `${value}`);

  const isBuffer = (value) => {
    if (value === null || typeof value !== "object") return false;
    try {
      apply(bufferLength, value, []);
      return true;
    } catch {
      try {
        apply(sharedLength, value, []);
        return true;
      } catch {
        return false;
      }
    }
  };
  platform.isBuffer = isBuffer;

  platform.view = (value) => {
    if (isView(value)) {
      const kind = typedTag(value);
      if (kind === "Uint8Array") return value;
      const get = kind === undefined ? viewParts : typedParts;
      return new Uint8Array(apply(get[0], value, []), apply(get[1], value, []), apply(get[2], value, []));
    }
    return isBuffer(value) ? new Uint8Array(value) : null;
  };

  platform.list = (value, what, convert = (item) => item) => {
    const method = value === null || value === undefined ? undefined : value[Symbol.iterator];
    if (typeof method !== "function") throw new TypeError(`${what} is not iterable.`);
    const iterator = apply(method, value, []);
    if (Object(iterator) !== iterator) throw new TypeError(`${what} is not iterable.`);
    const { next } = iterator;
    const items = [];
    for (;;) {
      const step = apply(next, iterator, []);
      if (Object(step) !== step) throw new TypeError(`Iterator result ${String(step)} is not an object`);
      if (step.done) return items;
      items[items.length] = convert(step.value); // at once: what a Python iterator gives ends with it
    }
  };

  const interfaces = new WeakMap();
  const expose = platform.expose;
  platform.expose = (name, value) => {
    if (typeof value === "function" && value.prototype) interfaces.set(value.prototype, name);
    if (typeof value === "function") noLength(value);
    expose(name, value);
  };
  platform.isInterface = (object) => {
    for (let p = getPrototypeOf(object); p !== null; p = getPrototypeOf(p)) {
      if (interfaces.has(p)) return true;
    }
    return false;
  };

  platform.tag = (Class) => {
    interfaces.set(Class.prototype, Class.name);
    platform.shapeClass(Class);
    defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
  };
  platform.interface = (Class) => {
    platform.tag(Class);
    platform.expose(Class.name, Class);
  };

  // An iterator class like those of Web IDL: `next` on a prototype of its own, below Iterator.prototype.
  const IteratorPrototype = getPrototypeOf(getPrototypeOf([][Symbol.iterator]()));
  platform.iteratorClass = (name) => {
    class PairIterator {
      #read;
      #index = 0;
      constructor(read) {
        this.#read = read;
      }
      next() {
        if (!(#read in this)) platform.illegal();
        const value = this.#read(this.#index++);
        return value === undefined ? { value: undefined, done: true } : { value, done: false };
      }
    }
    const { prototype } = PairIterator;
    Object.setPrototypeOf(prototype, IteratorPrototype);
    delete prototype.constructor;
    defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
    return PairIterator;
  };
});
