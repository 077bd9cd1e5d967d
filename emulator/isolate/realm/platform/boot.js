// First platform file. A platform file is a classic script whose value is a function of
// `platform`, the object through which the files share what Workers must not see:
//
//   platform.host.NAME(...)       a Python host function; what it throws is a real JS error
//   platform.expose(name, value)  defines a global of Workers
//   platform.uncurried(method)    `method` as a function of its `this` and its arguments
//   platform.NAME = ...           anything that later files or Python need
//
// Files capture the intrinsics that they rely on, so that a Worker that patches
// `Array.prototype` breaks only itself.
(function (platform, rawHost, direct) {
  "use strict";

  const { apply } = Reflect;

  // `method` of some prototype as a function whose first parameter is `this`: five times as fast as
  // Reflect.apply, which makes an array of the arguments, and as safe from what Workers patch.
  const { call, bind } = Function.prototype;
  platform.uncurried = (method) => apply(bind, call, [method]);

  class HostFailure {
    constructor(error) {
      this.error = error;
    }
  }

  // Python calls this to answer with an error instead of a value.
  platform.hostFailure = (className, message) => {
    const Constructor = globalThis[className];
    let error;
    if (className !== "DOMException" && typeof Constructor === "function") {
      error = new Constructor(message);
    } else if (platform.makeDOMException) {
      error = platform.makeDOMException(message, className);
    } else {
      error = new Error(message);
      error.name = className;
    }
    return new HostFailure(error);
  };

  platform.guardHost = (call) => (...args) => {
    const answer = apply(call, undefined, args);
    if (answer instanceof HostFailure) throw answer.error;
    return answer;
  };
  const host = Object.create(null);
  for (const name of Object.keys(rawHost)) host[name] = platform.guardHost(rawHost[name]);
  for (const name of Object.keys(direct)) host[name] = direct[name]; // these never throw
  platform.host = host;

  class WorkerGlobalScope {
    constructor() {
      throw new TypeError("Illegal constructor");
    }
  }
  class ServiceWorkerGlobalScope extends WorkerGlobalScope {}
  const scope = ServiceWorkerGlobalScope.prototype;
  Object.setPrototypeOf(globalThis, scope);
  const define = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
  define(globalThis, "WorkerGlobalScope", WorkerGlobalScope);
  define(globalThis, "ServiceWorkerGlobalScope", ServiceWorkerGlobalScope);

  // Functions are on the scope's prototype, other values are the global object's own.
  platform.expose = (name, value) =>
    Object.defineProperty(typeof value === "function" ? scope : globalThis, name, {
      value, writable: true, enumerable: true, configurable: true,
    });
  Object.defineProperty(globalThis, Symbol.toStringTag, { value: "ServiceWorkerGlobalScope", configurable: true });
  platform.expose("self", globalThis);
});
