// Errors that programs make: `stack` as V8 has it, a header and the program's own frames, made when it is
// first read. Before all files that extend Error. https://v8.dev/docs/stack-trace-api
//
//   platform.engineStack(error)       the engine's own text, with all frames; undefined for errors that the
//                                     engine made itself, and once the program has set another stack
//   platform.stackText(header, stack) the engine's text in V8's form, with Error.stackTraceLimit frames
//   platform.isError(value)           whether it is an Error, or a DOMException
//   platform.userFrames(stack)        its lines without the platform's own frames and what only they called
(function (platform) {
  "use strict";
  const { apply, construct, defineProperty, getOwnPropertyDescriptor } = Reflect;
  const Native = Error;
  const ErrorText = Error.prototype.toString;
  const hasOwn = Object.hasOwn;
  const traces = platform.slot();

  class Trace {
    constructor(engines, message) {
      this.engines = engines;
      this.message = message; // undefined: there was none when the error was made
      this.shown = undefined;
    }
  }

  platform.userFrames = (stack) => {
    const frames = stack.split("\n").filter((line) => line.trim() !== "" && !line.includes("cfw-emu:"));
    while (frames.length > 0 && frames[frames.length - 1].endsWith("(native)")) frames.pop();
    return frames;
  };
  const LONG = 20000;
  const FEW = 20;
  const frameText = (line) =>
    line.replace(/^    at <anonymous> \((.*)\)$/, "    at $1").replace(/ \(native\)$/, " (<anonymous>)");
  platform.stackText = (header, stack) => {
    const limit = typeof Error.stackTraceLimit === "number" ? Error.stackTraceLimit : 10;
    // Of a deep recursion only the beginning is looked at, where it has all frames that are shown.
    const begin = stack.length > LONG && limit <= FEW ? stack.slice(0, stack.lastIndexOf("\n", LONG)) : stack;
    const frames = platform.userFrames(begin).slice(0, Math.max(0, limit)).map(frameText);
    return [header, ...frames].join("\n");
  };

  const headerOf = (error, trace) => {
    try {
      const inherited = trace.message === undefined && !hasOwn(error, "message");
      return apply(ErrorText, { name: error.name, message: inherited ? error.message : trace.message ?? "" }, []);
    } catch {
      return "Error"; // a getter of the program's own threw
    }
  };
  const accessor = {
    get() {
      const trace = traces.get(this);
      if (trace === undefined || trace.engines === undefined) return trace?.shown;
      return (trace.shown ??= platform.prepared(
        this, trace.engines, () => platform.stackText(headerOf(this, trace), trace.engines)));
    },
    set(value) {
      const trace = traces.get(this);
      if (trace === undefined) return;
      trace.shown = value;
      trace.engines = undefined;
    },
  };
  for (const name of ["get", "set"]) {
    platform.wasmFunctions.set(accessor[name], "");
    defineProperty(accessor[name], "name", { value: "", configurable: true });
  }
  const traced = (error) => {
    const made = getOwnPropertyDescriptor(error, "stack")?.value;
    if (typeof made !== "string") return error;
    // Without the frames of the wrapper and of what it calls.
    const engines = made.slice(made.indexOf("\n", made.indexOf("cfw-emu:stacks.js")) + 1);
    traces.set(error, new Trace(engines, getOwnPropertyDescriptor(error, "message")?.value));
    defineProperty(error, "stack", { get: accessor.get, set: accessor.set, enumerable: false, configurable: true });
    return error;
  };
  platform.engineStack = (error) => {
    const trace = traces.get(error);
    return trace && getOwnPropertyDescriptor(error, "stack")?.get === accessor.get ? trace.engines : undefined;
  };

  const Errors = Error.prototype;
  const wrap = (name) => {
    const Plain = globalThis[name];
    const Class = {
      [name]: function () {
        return traced(construct(Plain, arguments, new.target ?? Class));
      },
    }[name];
    defineProperty(Class, "length", { value: Plain.length, configurable: true });
    defineProperty(Class, "prototype", { value: Plain.prototype, writable: false, enumerable: false, configurable: false });
    defineProperty(Plain.prototype, "constructor", { value: Class, writable: true, configurable: true });
    if (Plain.prototype !== Errors) Object.setPrototypeOf(Class, Error);
    platform.wasmFunctions.set(Class, name);
    defineProperty(globalThis, name, { value: Class, writable: true, configurable: true });
  };
  for (const name of ["Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError"]) {
    wrap(name);
  }
  wrap("AggregateError");

  const { isError } = Native;
  platform.isError = isError;
  const { isError: replacement } = {
    isError(value) {
      return isError(value) && !platform.isDOMException(value);
    },
  };
  defineProperty(Error, "isError", { value: replacement, writable: true, configurable: true });
});
