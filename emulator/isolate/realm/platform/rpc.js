// Stubs of RPC. https://developers.cloudflare.com/workers/runtime-apis/rpc/
// Here both ends are in one isolate; values still cross as copies, functions and targets as stubs.
//
//   platform.rpc   the classes that `cloudflare:workers` exports
(function (platform) {
  "use strict";
  const { apply, get } = Reflect;
  const { defineProperty, getPrototypeOf } = Object;
  const { wrongParameter, shapeClass, makeDOMException, isError } = platform;
  const ObjectPrototype = Object.prototype;
  const ArrayPrototype = Array.prototype;
  const { isArray } = Array;
  const clone = globalThis.structuredClone;
  const PromiseClass = Promise;
  const DISPOSED = "RPC stub used after being disposed.";
  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

  const tagged = (Class, tag) => {
    shapeClass(Class);
    defineProperty(Class.prototype, Symbol.toStringTag, { value: tag, configurable: true });
    return Class;
  };
  const RpcTarget = tagged(class RpcTarget {}, "JsRpcTarget");

  // ---- how long stubs live -----------------------------------------------------------------

  // What stubs stand for. Its own disposer is called, a little later, when the last of them is gone.
  class Held {
    constructor(target) {
      this.target = target;
      this.stubs = 0;
    }
    async release() {
      if (--this.stubs > 0 || typeof this.target === "function") return;
      await null;
      await this.target[Symbol.dispose]?.();
    }
  }
  class Stub {
    constructor(held) {
      this.held = held;
      held.stubs++;
    }
    get target() {
      if (this.held === null) throw new Error(DISPOSED);
      return this.held.target;
    }
    dispose() {
      const { held } = this;
      this.held = null;
      held?.release().catch(platform.tellUncaught);
    }
  }
  const stubs = platform.slot(); // by the proxy that a program has
  const disposeAll = (made) => {
    for (const stub of made) stub.dispose();
  };

  // ---- what crosses ----------------------------------------------------------------------

  const isPlain = (value) => {
    const prototype = getPrototypeOf(value);
    return prototype === ObjectPrototype || prototype === null || prototype === ArrayPrototype;
  };
  const NATIVE_PROTOTYPES = new Set(
    [
      Array, ArrayBuffer, BigInt, Boolean, DataView, Date, Error, Map, Number, Promise, Proxy, RegExp, Set, SharedArrayBuffer,
      String, Symbol, WeakMap, WeakRef, WeakSet, getPrototypeOf(Uint8Array),
    ].map((Class) => Class.prototype),
  );
  // Instances of the program's own classes do not cross; what else there is, structuredClone judges.
  const refuseClass = (value) => {
    if (platform.isInterface(value)) return;
    for (let p = getPrototypeOf(value); p !== null; p = getPrototypeOf(p)) if (NATIVE_PROTOTYPES.has(p)) return;
    const { constructor } = value;
    const text = typeof constructor === "function"
      ? `Could not serialize object of type "${constructor.name}". This type does not support serialization.`
      : `${apply(ObjectPrototype.toString, value, [])} could not be cloned.`;
    throw makeDOMException(text, "DataCloneError");
  };
  const isHandedOver = (value) =>
    value instanceof Request || value instanceof Response || value instanceof ReadableStream || value instanceof WritableStream;
  // A copy of `value`; the stubs that it needs go to `made`.
  const carried = (value, made) => {
    if (typeof value === "symbol") return clone(value);
    if (!isObject(value)) return value;
    const stub = stubs.get(value);
    if (stub !== undefined) return show(new Stub(heldOf(stub)), made);
    if (typeof value === "function" || value instanceof RpcTarget) return show(new Stub(new Held(value)), made);
    if (isHandedOver(value)) return value;
    if (!isPlain(value)) {
      refuseClass(value);
      return clone(value);
    }
    const copy = isArray(value) ? [] : {};
    for (const key of Object.keys(value)) {
      defineProperty(copy, key, { value: carried(value[key], made), writable: true, enumerable: true, configurable: true });
    }
    return copy;
  };
  const heldOf = (stub) => {
    if (stub.held === null) throw new Error(DISPOSED);
    return stub.held;
  };
  // The result of a call: to dispose of it is to dispose of the stubs in it.
  const result = (value) => {
    const made = [];
    const copy = carried(value, made);
    if (isObject(copy) && stubs.get(copy) === undefined && isPlain(copy)) {
      defineProperty(copy, Symbol.dispose, { value: () => disposeAll(made), writable: true, configurable: true });
    }
    return copy;
  };

  // An error as the caller sees it.
  const NATIVE = new Set(["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"]);
  const remote = (thrown) => {
    let error;
    const enhanced = !platform.older.enhanced_error_serialization;
    try {
      if (isError(thrown)) {
        const known = enhanced || platform.isDOMException(thrown) || NATIVE.has(thrown.name);
        error = known ? clone(thrown) : new Error(`${thrown.name}: ${thrown.message}`);
      } else if (enhanced && isObject(thrown)) error = clone(thrown);
      else error = new Error(isObject(thrown) ? `#<${thrown.constructor?.name ?? "Object"}>` : String(thrown));
    } catch {
      error = new Error(isError(thrown) ? `${thrown.message}` : "#<Object>"); // something in it cannot be copied
    }
    defineProperty(error, "remote", { value: true, writable: true, enumerable: true, configurable: true });
    return error;
  };

  const missing = (key) => new TypeError(`The RPC receiver does not implement the method "${String(key)}".`);
  // A target shows what its class defines; a plain object its own properties.
  const member = (target, key) => {
    if (stubs.get(target) !== undefined) return target[key];
    if (!isObject(target) || typeof key === "symbol") throw missing(key);
    if (target instanceof RpcTarget) {
      for (let p = getPrototypeOf(target); p !== null && p !== RpcTarget.prototype; p = getPrototypeOf(p)) {
        if (key !== "constructor" && Object.hasOwn(p, key)) return get(p, key, target);
      }
      throw missing(key);
    }
    if (!Object.hasOwn(target, key)) throw missing(key);
    return target[key];
  };

  // ---- what programs hold ----------------------------------------------------------------

  const illegalClass = (name) =>
    ({
      [name]: class {
        constructor() {
          throw new TypeError("Illegal constructor");
        }
      },
    })[name];
  const RpcPromise = tagged(illegalClass("RpcPromise"), "JsRpcPromise");
  const RpcProperty = tagged(illegalClass("RpcProperty"), "JsRpcProperty");
  const ServiceStub = tagged(illegalClass("ServiceStub"), "Fetcher");

  // Calls `run` with copies of `args`; the stubs among them live as long as the call.
  const calling = async (run, args) => {
    const made = [];
    try {
      const copies = args.map((arg) => carried(arg, made));
      let value;
      try {
        value = await run(copies);
      } catch (error) {
        throw error instanceof Refusal ? error.error : remote(error);
      }
      return result(value);
    } finally {
      disposeAll(made);
    }
  };
  class Refusal {
    constructor(error) {
      this.error = error; // of the call itself, not of what was called
    }
  }
  const refused = (find) => {
    try {
      return find();
    } catch (error) {
      throw new Refusal(error);
    }
  };

  // A value that is on its way: awaited, or used at once for the next call (pipelining).
  const pending = (Class, owner, value, key) => {
    const settled = () => (value ??= owner().then((target) => member(target, key)).then(result));
    return new Proxy(function () {}, {
      getPrototypeOf: () => Class.prototype,
      get(_, name) {
        if (name === "then" || name === "catch" || name === "finally") {
          const promise = settled();
          return (...callbacks) => apply(PromiseClass.prototype[name], promise, callbacks);
        }
        if (name === Symbol.dispose) return () => void settled().then((got) => got?.[Symbol.dispose]?.(), () => {});
        if (typeof name === "symbol") return Class.prototype[name];
        return pending(RpcProperty, settled, undefined, name);
      },
      apply(_, __, args) {
        if (key === undefined) return pending(RpcPromise, undefined, settled().then((f) => f(...args)));
        const target = owner();
        target.catch(() => {});
        const call = calling(async (copies) => {
          const found = await target.catch((error) => refused(() => { throw error; }));
          const method = refused(() => member(found, key));
          if (typeof method !== "function") throw new Refusal(new TypeError(`"${String(key)}" is not a function.`));
          return apply(method, found, copies);
        }, args);
        return pending(RpcPromise, undefined, call);
      },
    });
  };

  const RpcStub = class RpcStub {
    constructor(target) {
      if (!isObject(target)) wrongParameter(1, "Object", null, "JsRpcStub");
      return show(new Stub(new Held(target)));
    }
  };
  tagged(RpcStub, "JsRpcStub");
  const show = (stub, made) => {
    made?.push(stub);
    const owner = async () => stub.target;
    const proxy = new Proxy(function () {}, {
      getPrototypeOf: () => RpcStub.prototype,
      get(_, name) {
        if (name === "then") return undefined;
        if (name === "dup") return () => show(new Stub(heldOf(stub)));
        if (name === Symbol.dispose) return () => stub.dispose();
        if (typeof name === "symbol") return RpcStub.prototype[name];
        return pending(RpcProperty, owner, undefined, name);
      },
      apply(_, __, args) {
        return pending(RpcPromise, undefined, calling(async (copies) => {
          const target = refused(() => stub.target);
          if (typeof target !== "function") throw new Refusal(new TypeError("The RPC receiver is not a function."));
          return target(...copies);
        }, args));
      },
    });
    stubs.set(proxy, stub);
    return proxy;
  };

  platform.rpc = { RpcPromise, RpcProperty, RpcStub, RpcTarget, ServiceStub, tagged, isObject };
});
