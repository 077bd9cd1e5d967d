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
  platform.expose("origin", "null");

  // The Worker's compatibility flags, each true; the isolate fills them in.
  const compatibilityFlags = Object.create(null);
  platform.compatibilityFlags = compatibilityFlags;
  const Cloudflare = Object.create({}, { compatibilityFlags: { value: compatibilityFlags, enumerable: true } });
  defineProperty(globalThis, "Cloudflare", { value: Cloudflare, writable: true, configurable: true });

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
});
