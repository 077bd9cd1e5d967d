// Error.prepareStackTrace(error, sites): a program makes `error.stack` itself. https://v8.dev/docs/stack-trace-api
//
//   platform.prepared(error, stack, otherwise)   what it made of the engine's text, else otherwise()
(function (platform) {
  "use strict";
  const { apply } = Reflect;
  const { userFrames } = platform;

  // "    at new K (file:1:2)", "    at async f (file:1:2)", "    at file:1:2", "    at map (native)"
  const FRAME = /^\s*at (?:(async |new )?(.*?) \()?([^()]*?)(?::(\d+)(?::(\d+))?)?\)?$/;
  const nothing = () => undefined;
  const no = () => false;
  const none = () => null;

  class CallSite {
    #text;
    #kind;
    #name;
    #file;
    #line;
    #column;
    constructor(frame) {
      const [, kind = "", name = "", file = "", line, column] = FRAME.exec(frame) ?? [];
      this.#text = frame.replace(/^\s*at /, "");
      this.#kind = kind;
      this.#name = name === "<anonymous>" || name === "<eval>" ? "" : name;
      this.#file = file;
      this.#line = line === undefined ? null : Number(line);
      this.#column = column === undefined ? null : Number(column);
    }
    getFunctionName() {
      return this.#name === "" ? null : this.#name;
    }
    getMethodName() {
      return null; // the engine does not tell what a function was called on
    }
    getTypeName() {
      return null;
    }
    getFileName() {
      return this.isNative() ? undefined : this.#file;
    }
    getScriptNameOrSourceURL() {
      return this.getFileName();
    }
    getLineNumber() {
      return this.#line;
    }
    getColumnNumber() {
      return this.#column;
    }
    getEnclosingLineNumber() {
      return this.#line;
    }
    getEnclosingColumnNumber() {
      return this.#column;
    }
    isNative() {
      return this.#line === null;
    }
    isConstructor() {
      return this.#kind === "new ";
    }
    isAsync() {
      return this.#kind === "async ";
    }
    isToplevel() {
      return this.#kind === "";
    }
    toString() {
      return this.#text;
    }
  }
  const constants = [
    [nothing, "getThis", "getFunction", "getEvalOrigin"],
    [no, "isEval", "isPromiseAll"],
    [none, "getPromiseIndex"],
    [() => 0, "getPosition"],
    [() => "", "getScriptHash"],
  ];
  for (const [value, ...names] of constants) {
    for (const name of names) {
      Object.defineProperty(CallSite.prototype, name, { value, writable: true, configurable: true });
    }
  }

  const limit = () => (typeof Error.stackTraceLimit === "number" ? Math.max(0, Error.stackTraceLimit) : 10);
  let preparing = false;
  platform.prepared = (error, stack, otherwise) => {
    const prepare = Error.prepareStackTrace;
    // An error made while it runs has the usual stack, or this would never end.
    if (typeof prepare !== "function" || preparing) return otherwise();
    preparing = true;
    try {
      const sites = userFrames(stack).slice(0, limit()).map((frame) => new CallSite(frame));
      return apply(prepare, Error, [error, sites]);
    } finally {
      preparing = false;
    }
  };
});
