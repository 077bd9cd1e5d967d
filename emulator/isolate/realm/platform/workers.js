// The module `cloudflare:workers`. https://developers.cloudflare.com/workers/runtime-apis/bindings/#importing-env-as-a-global
//
//   platform.workersModule    what the isolate fills in: `env`, `waitUntil`; and `overrides` of `withEnv`, which
//                             each event begins without: no `finally` runs in one that was cut
//   platform.workersExports   what `import ... from "cloudflare:workers"` gives
(function (platform) {
  "use strict";
  const { apply, get } = Reflect;
  const { defineProperty, getPrototypeOf, getOwnPropertyNames } = Object;
  const { wrongParameter } = platform;
  const ObjectPrototype = Object.prototype;

  const state = { overrides: null };
  platform.workersModule = state;
  const { RpcPromise, RpcProperty, RpcStub, RpcTarget, ServiceStub, tagged, isObject } = platform.rpc;

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
  const WorkerEntrypoint = entrypoint("WorkerEntrypoint", "WorkerEntrypoint", "Object");
  const WorkflowEntrypoint = entrypoint("WorkflowEntrypoint", "WorkflowEntrypoint", "Object");
  const DurableObject = entrypoint("DurableObject", "DurableObjectBase", "DurableObjectState");

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
