// Errors of the engine as Workers see them: in V8's words, with V8's stacks.
//
//   platform.describeError(thrown)  -> [kind, name, class, message, stack, text, causes] for Python's reports
//   platform.globalNames()          -> the names of all globals
//   platform.showCaught(words)      -> from now on, what programs catch reads as on the platform: catch
//                                      clauses call $cfwCaught (isolate/javascript/catches.py)
(function (platform) {
  "use strict";
  const { apply, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const own = (object, key) => getOwnPropertyDescriptor(object, key)?.value;

  // ---- errors that programs catch: those that programs make have V8's stack already ----

  const NATIVE = new Set(["TypeError", "ReferenceError", "RangeError", "SyntaxError", "EvalError", "URIError"]);
  const { isError } = platform;
  const { startsWith } = String.prototype;
  const classNameOf = (error) => {
    const constructor = getPrototypeOf(error)?.constructor;
    return typeof constructor === "function" && typeof constructor.name === "string" ? constructor.name : "";
  };
  const put = (object, key, value) =>
    Reflect.defineProperty(object, key, { value, writable: true, enumerable: false, configurable: true });

  // What became of the errors of a place that throws again and again, by the engine's stack.
  const PLACES = 500;
  const LONGEST = 4000;
  let places = { __proto__: null };
  let count = 0;

  class Told {
    constructor(error, message, stack) {
      this.engines = stack;
      this.message = message;
      this.better = message;
      const name = classNameOf(error);
      if (NATIVE.has(name) && typeof message === "string") {
        const better = words(name, message, stack.length > LONGEST ? stack.slice(0, LONGEST) : stack);
        if (typeof better === "string") this.better = better;
      }
      const shown = { name: error.name, message: this.better };
      this.stack = platform.stackText(apply(Error.prototype.toString, shown, []), stack);
    }
  }
  const toldOf = (error, message, stack) => {
    const known = places[stack];
    if (known !== undefined && known.message === message) return known;
    const told = new Told(error, message, stack);
    if (stack.length > LONGEST) return told;
    if (known === undefined && ++count > PLACES) {
      places = { __proto__: null };
      count = 1;
    }
    places[stack] = told;
    return told;
  };

  let words = null;
  const reworded = platform.slot();
  platform.tellFull = () => {}; // set by worker.py: JavaScript caught an error for want of memory
  const caught = (error) => {
    if (words === null || typeof error !== "object") return error;
    if (error === null) {
      platform.tellFull(""); // the engine throws it when there is no memory for an error either
      return error;
    }
    if (!isError(error)) return error;
    try {
      const said = own(error, "message");
      if (typeof said === "string" && apply(startsWith, said, ["out of memory"])) platform.tellFull(said);
      const stack = own(error, "stack");
      // Behind a header, or none: it was caught before, or the program made it.
      if (typeof stack !== "string" || stack[0] !== " ") return error;
      const message = own(error, "message");
      const told = toldOf(error, message, stack);
      if (told.better !== message) error.message = told.better;
      error.stack = platform.prepared(error, stack, () => told.stack);
      reworded.set(error, told);
    } catch {
      // It is frozen, or has a getter of the program's own: it stays as it is.
    }
    return error;
  };
  put(getPrototypeOf(globalThis), "$cfwCaught", caught);
  platform.showCaught = (v8Words) => {
    words = v8Words;
    // catch(), race(), allSettled()... and a promise that another one waits for call it too.
    const plainThen = Promise.prototype.then;
    const { then } = {
      then(onFulfilled, onRejected) {
        const handler = typeof onRejected === "function" ? (error) => onRejected(caught(error)) : onRejected;
        return apply(plainThen, this, [onFulfilled, handler]);
      },
    };
    put(Promise.prototype, "then", then);
  };

  // ---- for reports --------------------------------------------------------------------

  const textOf = (read) => {
    try {
      const value = read();
      return typeof value === "string" ? value : "";
    } catch {
      return "";
    }
  };
  platform.globalNames = () => {
    const names = [];
    for (let o = globalThis; o !== null && o !== Object.prototype; o = getPrototypeOf(o)) {
      names.push(...Object.getOwnPropertyNames(o));
    }
    return names.filter((name) => name !== "$cfwCaught");
  };
  const CAUSES = 4;
  // "[cause]: Error: why", a line for each cause of a cause.
  const causesOf = (error) => {
    const lines = [];
    for (let at = error; lines.length < CAUSES && isError(at); ) {
      const found = getOwnPropertyDescriptor(at, "cause");
      if (found === undefined || !("value" in found)) break;
      at = found.value;
      const text = textOf(() => (isError(at) ? apply(Error.prototype.toString, at, []) : platform.inspect(at)));
      lines.push(`[cause]: ${text}`);
    }
    return lines.join("\n");
  };
  platform.describeError = (thrown) => {
    if (Object(thrown) !== thrown || !isError(thrown)) {
      return ["value", "", "", "", "", textOf(() => platform.inspect(thrown)), ""];
    }
    const name = textOf(() => thrown.name);
    let message = textOf(() => `${thrown.message}`);
    let stack = textOf(() => platform.engineStack(thrown) ?? thrown.stack);
    const told = reworded.get(thrown);
    if (told !== undefined && message === told.better && stack === told.stack) ({ message, engines: stack } = told);
    return ["error", name, textOf(() => classNameOf(thrown)), message, stack, "", textOf(() => causesOf(thrown))];
  };
});
