// navigator, Cloudflare, code generation, and what V8's globals have and the engine's lack.
(function (platform) {
  "use strict";
  const { defineProperty, getPrototypeOf } = Object;
  const { illegal, internal: KEY } = platform;

  class Navigator {
    #brand;
    constructor(key) {
      if (key !== KEY) throw new TypeError("Illegal constructor");
    }
    get userAgent() {
      return #brand in this ? "Cloudflare-Workers" : illegal();
    }
    get hardwareConcurrency() {
      return #brand in this ? 1 : illegal();
    }
    get language() {
      return #brand in this ? "en" : illegal();
    }
    get languages() {
      return #brand in this ? ["en"] : illegal();
    }
    get platform() {
      return #brand in this ? "" : illegal();
    }
  }
  platform.interface(Navigator);
  platform.expose("navigator", new Navigator(KEY));
  defineProperty(globalThis, "origin", { value: "null", enumerable: true, configurable: true });

  // The Worker's compatibility flags, each true; the isolate fills them in.
  const compatibilityFlags = Object.create(null);
  platform.compatibilityFlags = compatibilityFlags;
  // By name, true for a flag that changes the realm and that the Worker's date is too old for (compat_flags.py).
  platform.older = Object.create(null);
  const Cloudflare = Object.create({}, { compatibilityFlags: { value: compatibilityFlags, enumerable: true } });
  platform.expose("Cloudflare", Cloudflare);

  // Workers may not make code from strings. https://developers.cloudflare.com/workers/runtime-apis/web-standards/
  const refuse = () => {
    throw new EvalError("Code generation from strings disallowed for this context");
  };
  const functions = [
    function () {},
    async function () {},
    function* () {},
    async function* () {},
  ];
  const constructors = functions.map((sample) => {
    const prototype = getPrototypeOf(sample);
    const original = prototype.constructor;
    const replacement = function () {
      refuse();
    };
    defineProperty(replacement, "name", { value: original.name, configurable: true });
    defineProperty(replacement, "length", { value: 1, configurable: true });
    defineProperty(replacement, "prototype", { value: prototype, writable: false });
    if (original !== Function) Object.setPrototypeOf(replacement, globalThis.Function);
    const own = Object.getOwnPropertyDescriptor(prototype, "constructor");
    defineProperty(prototype, "constructor", { ...own, value: replacement });
    if (original === Function) {
      defineProperty(globalThis, "Function", { value: replacement, writable: true, configurable: true });
    }
    return replacement;
  });
  platform.functionConstructors = constructors;
  const refusingEval = {
    eval(source) {
      if (typeof source !== "string") return source;
      refuse();
    },
  }.eval;
  defineProperty(globalThis, "eval", { value: refusingEval, writable: true, configurable: true });

  // https://tc39.es/proposal-array-from-async/
  const fromAsync = {
    async fromAsync(items, map = undefined, thisArg = undefined) {
      if (map !== undefined && typeof map !== "function") throw new TypeError(`${String(map)} is not a function`);
      const result = typeof this === "function" ? new this() : [];
      let index = 0;
      const add = async (item) => {
        const value = map === undefined ? item : await Reflect.apply(map, thisArg, [item, index]);
        defineProperty(result, index++, { value, writable: true, enumerable: true, configurable: true });
      };
      if (items[Symbol.asyncIterator] !== undefined && items[Symbol.asyncIterator] !== null) {
        for await (const item of items) await add(item);
      } else if (items[Symbol.iterator] !== undefined && items[Symbol.iterator] !== null) {
        for (const item of items) await add(await item);
      } else {
        for (let i = 0; i < Math.trunc(Number(items.length) || 0); i++) await add(await items[i]);
      }
      result.length = index;
      return result;
    },
  }.fromAsync;
  if (Array.fromAsync === undefined) {
    defineProperty(Array, "fromAsync", { value: fromAsync, writable: true, configurable: true });
  }
});
