// The module `cloudflare:workers`. https://developers.cloudflare.com/workers/runtime-apis/bindings/#importing-env-as-a-global
//
//   platform.workersModule    what the isolate fills in: `env`, `waitUntil`; and `overrides` of `withEnv`, which
//                             each event begins without: no `finally` runs in one that was cut
//   platform.workersExports   what `import ... from "cloudflare:workers"` gives
(function (platform) {
  "use strict";
  const { apply, construct, get } = Reflect;
  const { defineProperty, getPrototypeOf, getOwnPropertyNames } = Object;
  const { wrongParameter, shapeClass } = platform;
  const { then } = platform.async;
  const ObjectPrototype = Object.prototype;
  const ArrayPrototype = Array.prototype;
  const { isArray } = Array;
  const clone = globalThis.structuredClone;
  const PromiseClass = Promise;

  const state = { overrides: null };
  platform.workersModule = state;
  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

  // Own, writable properties, so that a Worker may overwrite them, as on the platform.
  const entrypoint = (name, tag, contextType) => {
    const Class = {
      [name]: class {
        constructor(ctx, env) {
          if (!isObject(ctx)) wrongParameter(1, contextType, null, tag);
          if (!isObject(env)) wrongParameter(2, "Object", null, tag);
          this.ctx = ctx;
          this.env = env;
        }
      },
    }[name];
    return tagged(Class, tag);
  };
  const tagged = (Class, tag) => {
    shapeClass(Class);
    defineProperty(Class.prototype, Symbol.toStringTag, { value: tag, configurable: true });
    return Class;
  };
  const WorkerEntrypoint = entrypoint("WorkerEntrypoint", "WorkerEntrypoint", "Object");
  const WorkflowEntrypoint = entrypoint("WorkflowEntrypoint", "WorkflowEntrypoint", "Object");
  const DurableObject = entrypoint("DurableObject", "DurableObjectBase", "DurableObjectState");
  const RpcTarget = tagged(class RpcTarget {}, "JsRpcTarget");

  // ---- stubs: https://developers.cloudflare.com/workers/runtime-apis/rpc/ ----
  // Here both ends are in one isolate; values still cross as copies, functions and targets as stubs.

  const isPlain = (value) => {
    const prototype = getPrototypeOf(value);
    return prototype === ObjectPrototype || prototype === null || prototype === ArrayPrototype;
  };
  const carried = (value) => {
    if (!isObject(value) || value instanceof RpcStub) return value;
    if (typeof value === "function" || value instanceof RpcTarget) return new RpcStub(value);
    if (!isPlain(value)) return clone(value);
    const copy = isArray(value) ? [] : {};
    for (const key of Object.keys(value)) {
      defineProperty(copy, key, { value: carried(value[key]), writable: true, enumerable: true, configurable: true });
    }
    return copy;
  };

  const missing = (key) => new TypeError(`The RPC receiver does not implement the method "${String(key)}".`);
  // A target shows what its class defines; a plain object its own properties.
  const member = (target, key) => {
    if (target instanceof RpcStub) return target[key];
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

  // A value that is on its way: awaited, or used at once for the next call (pipelining).
  const pending = (Class, owner, value, key) => {
    const settled = () => (value ??= owner().then((target) => member(target, key)).then(carried));
    return new Proxy(function () {}, {
      getPrototypeOf: () => Class.prototype,
      get(_, name) {
        if (name === "then" || name === "catch" || name === "finally") {
          const promise = settled();
          return (...callbacks) => apply(PromiseClass.prototype[name], promise, callbacks);
        }
        if (typeof name === "symbol") return Class.prototype[name];
        return pending(RpcProperty, settled, undefined, name);
      },
      apply(_, __, args) {
        if (key === undefined) return pending(RpcPromise, undefined, settled().then((f) => f(...args)));
        const sent = carried(args);
        const result = owner().then(async (target) => {
          const method = member(target, key);
          if (typeof method !== "function") throw new TypeError(`"${String(key)}" is not a function.`);
          return carried(await apply(method, target, sent));
        });
        return pending(RpcPromise, undefined, result);
      },
    });
  };

  const RpcStub = class RpcStub {
    constructor(target) {
      if (!isObject(target)) wrongParameter(1, "Object", null, "JsRpcStub");
      const owner = () => PromiseClass.resolve({ target }).then((box) => box.target);
      return new Proxy(function () {}, {
        getPrototypeOf: () => RpcStub.prototype,
        get(_, name) {
          if (name === "then") return undefined;
          if (name === "dup") return () => new RpcStub(target);
          if (name === Symbol.dispose) return () => undefined;
          if (typeof name === "symbol") return RpcStub.prototype[name];
          return pending(RpcProperty, owner, undefined, name);
        },
        apply(_, __, args) {
          const sent = carried(args);
          const call = async () => {
            if (typeof target !== "function") throw new TypeError("The RPC receiver is not a function.");
            return carried(await target(...sent));
          };
          return pending(RpcPromise, undefined, call());
        },
      });
    }
  };
  tagged(RpcStub, "JsRpcStub");

  // ---- env: the bindings of the Worker, seen from anywhere ----

  const current = () => state.overrides ?? state.env ?? {};
  const env = new Proxy(
    {},
    {
      get: (_, name) => get(current(), name),
      set: (_, name, value) => Reflect.set(current(), name, value),
      has: (_, name) => Reflect.has(current(), name),
      ownKeys: () => Reflect.ownKeys(current()),
      deleteProperty: (_, name) => Reflect.deleteProperty(current(), name),
      defineProperty: (_, name, attributes) => Reflect.defineProperty(current(), name, attributes),
      getOwnPropertyDescriptor: (_, name) => {
        const found = Reflect.getOwnPropertyDescriptor(current(), name);
        // A proxy may not say that its target has a fixed property which it lacks.
        return found && { ...found, configurable: true };
      },
    },
  );
  // For the synchronous part of `call`: the engine knows no async context to carry it further.
  const withEnv = (replacement, call) => {
    if (typeof call !== "function") wrongParameter(2, "function", "withEnv", "EnvModule");
    const before = state.overrides;
    if (isObject(replacement)) state.overrides = replacement;
    try {
      return call();
    } finally {
      state.overrides = before;
    }
  };
  const withExports = (_, call) => {
    if (typeof call !== "function") wrongParameter(2, "function", "withExports", "EnvModule");
    return call();
  };
  const withEnvAndExports = (replacement, _, call) => {
    if (typeof call !== "function") wrongParameter(3, "function", "withEnvAndExports", "EnvModule");
    return withEnv(replacement, call);
  };
  const waitUntil = (...args) => {
    if (args.length === 0) wrongParameter(1, "Promise", "waitUntil", "EntrypointsModule");
    state.waitUntil?.(platform.isPyProxy?.(args[0]) ? args[0] : platform.async.resolved(args[0]));
  };

  platform.workersExports = {
    DurableObject,
    RpcPromise,
    RpcProperty,
    RpcStub,
    RpcTarget,
    ServiceStub,
    WorkerEntrypoint,
    WorkflowEntrypoint,
    cache: {},
    env,
    exports: (platform.exports ??= {}),
    waitUntil,
    withEnv,
    withEnvAndExports,
    withExports,
  };

  // What a main module exports, for Python: [its names, kind of the default export, the handlers it has].
  const chain = (object) => {
    const names = [];
    for (let p = object; p !== null && p !== ObjectPrototype && p !== WorkerEntrypoint.prototype; p = getPrototypeOf(p)) {
      for (const name of getOwnPropertyNames(p)) if (name !== "constructor") names.push(name);
    }
    return names;
  };
  const source = Function.prototype.toString;
  const kindOf = (value) => {
    if (typeof value !== "function") return isObject(value) ? "object" : value === null ? "null" : typeof value;
    if (value.prototype instanceof WorkerEntrypoint) return "entrypoint";
    return /^class\b/.test(apply(source, value, [])) ? "class" : "function";
  };
  platform.describeExports = (namespace) => {
    const names = Object.keys(namespace);
    if (!Object.hasOwn(namespace, "default")) return [names, "", []];
    const value = namespace.default;
    const kind = kindOf(value);
    const from = kind === "object" ? value : kind === "entrypoint" || kind === "class" ? value.prototype : null;
    let handlers = [];
    if (from !== null) handlers = chain(from).filter((name) => typeof from[name] === "function");
    return [names, kind, handlers];
  };
});
