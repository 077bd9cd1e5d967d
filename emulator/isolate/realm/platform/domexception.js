// DOMException and the parts of Error that V8 has and the engine lacks.
// https://webidl.spec.whatwg.org/#idl-DOMException
(function (platform) {
  "use strict";
  const { defineProperty } = Object;
  const NAMES = (
    "IndexSize DOMStringSize HierarchyRequest WrongDocument InvalidCharacter NoDataAllowed " +
    "NoModificationAllowed NotFound NotSupported InUseAttribute InvalidState Syntax InvalidModification " +
    "Namespace InvalidAccess Validation TypeMismatch Security Network Abort URLMismatch QuotaExceeded " +
    "Timeout InvalidNodeType DataClone"
  ).split(" ");
  const WITHOUT_CODE = ["DOMStringSize", "NoDataAllowed", "Validation"];
  const codes = Object.create(null);
  const constants = Object.create(null);
  NAMES.forEach((name, index) => {
    if (!WITHOUT_CODE.includes(name)) codes[`${name}Error`] = index + 1;
    const words = name.replace("InUse", "Inuse").replace("URL", "Url").replace("DOMString", "Domstring");
    constants[`${words.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()}_ERR`] = index + 1;
  });

  class DOMException extends Error {
    #name;
    #message;
    constructor(message = "", options = "Error") {
      super();
      const dictionary = options !== null && typeof options === "object";
      this.#message = `${message}`;
      this.#name = `${(dictionary ? options.name : options) ?? "Error"}`;
      if (dictionary && options.cause !== undefined) {
        defineProperty(this, "cause", { value: options.cause, writable: true, configurable: true });
      }
    }
    get name() {
      if (!(#name in this)) platform.illegal();
      return this.#name;
    }
    get message() {
      if (!(#name in this)) platform.illegal();
      return this.#message;
    }
    get code() {
      if (!(#name in this)) platform.illegal();
      return codes[this.#name] ?? 0;
    }
    static is(value) {
      return #name in value;
    }
  }
  platform.isDOMException = DOMException.is;
  delete DOMException.is;
  for (const name of Object.keys(constants)) {
    for (const target of [DOMException, DOMException.prototype]) {
      defineProperty(target, name, { value: constants[name], enumerable: true });
    }
  }
  platform.interface(DOMException);
  platform.makeDOMException = (message, name) => new DOMException(message, name);

  defineProperty(Error, "stackTraceLimit", { value: 10, writable: true, enumerable: true, configurable: true });
  defineProperty(Error, "captureStackTrace", {
    value: function captureStackTrace(target, above) {
      if (target === null || (typeof target !== "object" && typeof target !== "function")) {
        throw new TypeError("Invalid argument");
      }
      const lines = platform.userFrames(platform.engineStack(new Error()));
      if (typeof above === "function" && above.name) {
        const cut = lines.findIndex((line) => line.includes(` ${above.name} (`));
        if (cut >= 0) lines.splice(0, cut + 1);
      }
      const stack = lines.join("\n");
      const plain = () => platform.stackText(Error.prototype.toString.call(target), stack);
      const value = platform.prepared(target, stack, plain);
      defineProperty(target, "stack", { value, writable: true, enumerable: false, configurable: true });
    },
    writable: true,
    configurable: true,
  });

  // The engine's own InternalError (stack overflow, out of memory) is a RangeError in V8.
  const { InternalError } = globalThis;
  Object.setPrototypeOf(InternalError.prototype, RangeError.prototype);
  delete InternalError.prototype.name;
  delete InternalError.prototype.message;
  InternalError.prototype.constructor = RangeError;
  delete globalThis.InternalError;
});
