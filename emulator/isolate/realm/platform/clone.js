// structuredClone. https://html.spec.whatwg.org/#safe-passing-of-structured-data
//
//   platform.clone(value, transfer = []) -> the copy; transferList(options) -> array
//   platform.serializers: Map from a platform class's brand check to the function that copies its instances
(function (platform) {
  "use strict";
  const { makeDOMException } = platform;
  const { getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Object;
  const { apply } = Reflect;
  const transferBuffer = ArrayBuffer.prototype.transfer;
  const typedTag = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
  const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const serializers = new Map();
  platform.serializers = serializers;

  const fail = (value) => {
    let text;
    if (typeof value === "function" || typeof value === "symbol") text = String(value);
    else if (Array.isArray(value)) text = "[object Object]"; // only proxies come here
    else text = `#<${getPrototypeOf(value)?.constructor?.name ?? "Object"}>`;
    throw makeDOMException(`${text} could not be cloned.`, "DataCloneError");
  };

  // What a Worker makes with `new Proxy`: nothing else tells a proxy from its target.
  const proxies = platform.slot();
  const PlainProxy = Proxy;
  const { revocable } = Proxy;
  const marked = (proxy) => {
    proxies.set(proxy, true);
    return proxy;
  };
  const MarkedProxy = new PlainProxy(PlainProxy, {
    construct: (_, args) => marked(new PlainProxy(args[0], args[1])),
  });
  const { revocable: markedRevocable } = {
    revocable(target, handler) {
      const made = apply(revocable, PlainProxy, [target, handler]);
      marked(made.proxy);
      return made;
    },
  };
  defineProperty(PlainProxy, "revocable", { value: markedRevocable, writable: true, configurable: true });
  platform.wasmFunctions.set(MarkedProxy, "Proxy");
  defineProperty(globalThis, "Proxy", { value: MarkedProxy, writable: true, configurable: true });

  // The class whose internal slots `value` has; a method that reads the slot tells, a tag could lie.
  const brands = [
    ["Map", getOwnPropertyDescriptor(Map.prototype, "size").get],
    ["Set", getOwnPropertyDescriptor(Set.prototype, "size").get],
    ["Date", Date.prototype.getTime],
    ["Boolean", Boolean.prototype.valueOf],
    ["Number", Number.prototype.valueOf],
    ["String", String.prototype.valueOf],
    ["BigInt", BigInt.prototype.valueOf],
  ];
  const regexpFlags = getOwnPropertyDescriptor(RegExp.prototype, "flags").get;
  const uncloneable = [
    WeakMap.prototype.has,
    WeakSet.prototype.has,
    WeakRef.prototype.deref,
    Symbol.prototype.valueOf,
  ];
  const slotOf = (value, read) => {
    try {
      return [apply(read, value, [])];
    } catch {
      return null;
    }
  };

  class Cloner {
    constructor() {
      this.seen = new Map();
    }
    copy(value) {
      if (typeof value === "symbol" || typeof value === "function") fail(value);
      if (typeof value !== "object" || value === null) return value;
      const known = this.seen.get(value);
      if (known !== undefined) return known;
      if (proxies.get(value) !== undefined || platform.isPyProxy?.(value)) fail(value);
      if (Array.isArray(value)) return this.#properties(value, this.#keep(value, new Array(value.length)));
      const prototype = getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) return this.#properties(value, this.#keep(value, {}));
      return this.#special(value);
    }
    #keep(value, copy) {
      this.seen.set(value, copy);
      return copy;
    }
    #properties(value, copy) {
      for (const key of Object.keys(value)) {
        if (!Object.hasOwn(value, key)) continue;
        const item = this.copy(value[key]);
        defineProperty(copy, key, { value: item, writable: true, enumerable: true, configurable: true });
      }
      return copy;
    }
    #special(value) {
      if (platform.isBuffer(value)) return this.#buffer(value);
      if (ArrayBuffer.isView(value)) return this.#view(value);
      if (platform.isError(value)) return this.#error(value);
      for (const [is, copy] of serializers) if (is(value)) return this.#keep(value, copy(value));
      if (platform.isInterface(value)) {
        const type = value[Symbol.toStringTag];
        throw makeDOMException(
          `Could not serialize object of type "${type}". This type does not support serialization.`,
          "DataCloneError",
        );
      }
      if (value instanceof Promise) fail(value);
      for (const [name, read] of brands) {
        const slot = slotOf(value, read);
        if (slot !== null) return this.#slotted(value, name, slot[0]);
      }
      if (value instanceof RegExp && value !== RegExp.prototype) {
        return this.#keep(value, new RegExp(value.source, apply(regexpFlags, value, [])));
      }
      if (uncloneable.some((read) => slotOf(value, read) !== null)) fail(value);
      return this.#properties(value, this.#keep(value, {}));
    }
    #slotted(value, name, slot) {
      if (name === "Date") return this.#keep(value, new Date(slot));
      if (name === "Map") {
        const copy = this.#keep(value, new Map());
        for (const [key, item] of [...value]) copy.set(this.copy(key), this.copy(item));
        return copy;
      }
      if (name === "Set") {
        const copy = this.#keep(value, new Set());
        for (const item of [...value]) copy.add(this.copy(item));
        return copy;
      }
      return this.#keep(value, Object(slot));
    }
    #buffer(buffer) {
      if (buffer.detached) {
        throw makeDOMException("An ArrayBuffer is detached and could not be cloned.", "DataCloneError");
      }
      if (buffer instanceof SharedArrayBuffer) return this.#keep(buffer, buffer);
      if (!buffer.resizable) return this.#keep(buffer, buffer.slice(0));
      const copy = new ArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength });
      new Uint8Array(copy).set(new Uint8Array(buffer));
      return this.#keep(buffer, copy);
    }
    #view(view) {
      const kind = apply(typedTag, view, []) ?? "DataView";
      const buffer = this.copy(view.buffer);
      return this.#keep(view, new globalThis[kind](buffer, view.byteOffset, view.length ?? view.byteLength));
    }
    #error(error) {
      if (platform.isDOMException(error)) {
        const copy = this.#keep(error, makeDOMException(error.message, error.name));
        defineProperty(copy, "stack", { value: error.stack, writable: true, configurable: true });
        return copy;
      }
      const name = `${error.name}`;
      const older = platform.older.enhanced_error_serialization;
      const classes = Object.hasOwn(ERRORS, name) ? ERRORS : platform.wasm.errors;
      const Class = Object.hasOwn(classes, name) ? classes[name] : Error;
      const several = !older && error instanceof AggregateError && Array.isArray(error.errors);
      const copy = this.#keep(error, several ? new AggregateError(this.copy(error.errors)) : new Class());
      for (const key of ["message", "stack", "cause"]) {
        const property = getOwnPropertyDescriptor(error, key);
        if (property === undefined || (key !== "stack" && !("value" in property))) continue;
        const value = key === "cause" ? this.copy(property.value) : `${error[key]}`;
        defineProperty(copy, key, { value, writable: true, enumerable: false, configurable: true });
      }
      if (older) return copy;
      this.#properties(error, copy);
      if (!Object.hasOwn(error, "name")) return copy;
      if (Object.hasOwn(ERRORS, name)) delete copy.name; // the class says it
      else defineProperty(copy, "name", { value: name, writable: true, configurable: true });
      return copy;
    }
  }

  const transferable = (item) => {
    if (platform.isPort(item)) return true;
    return platform.isBuffer(item) && item.detached === false;
  };
  const clone = (value, transfer = []) => {
    if (transfer.length === 0) return new Cloner().copy(value);
    if (new Set(transfer).size !== transfer.length) {
      throw makeDOMException("Value occurs in the transfer list more than once.", "DataCloneError");
    }
    if (transfer.some((item) => platform.wasmBuffers.get(item) !== undefined)) {
      throw makeDOMException("Object is not transferable.", "DataCloneError");
    }
    if (!transfer.every(transferable)) {
      throw new TypeError("Object is not transferable");
    }
    // What is given away is detached last, so that a value that cannot be cloned leaves it whole.
    const cloner = new Cloner();
    for (const item of transfer) cloner.seen.set(item, platform.isPort(item) ? platform.newPort() : item.slice(0));
    const copy = cloner.copy(value);
    for (const item of transfer) {
      if (platform.isPort(item)) platform.movePort(item, cloner.seen.get(item));
      else apply(transferBuffer, item, []);
    }
    return copy;
  };
  platform.clone = clone;
  platform.transferList = (options) => {
    const list = Object(options) === options && options[Symbol.iterator] === undefined ? options.transfer : options;
    return list === undefined || list === null ? [] : platform.list(list, "The transfer list");
  };

  platform.expose("structuredClone", function structuredClone(value, options = undefined) {
    if (arguments.length === 0) {
      platform.wrongParameter(1, "Value", "structuredClone", "ServiceWorkerGlobalScope");
    }
    if (options !== undefined && options !== null && Object(options) !== options) {
      platform.wrongParameter(2, "StructuredCloneOptions", "structuredClone", "ServiceWorkerGlobalScope");
    }
    return clone(value, platform.transferList(options));
  });
});
