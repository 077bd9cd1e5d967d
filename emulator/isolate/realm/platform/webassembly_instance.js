// WebAssembly.Instance: imports, calls in both directions, exports.
//
// A call's values travel through slots that wasmtime and JavaScript both see: 16 bytes each, one for
// each parameter and result. signature.py writes the functions that fill and read them.
(function (platform) {
  "use strict";
  const { defineProperty, freeze, create } = Object;
  const { wasm } = platform;
  const { asIntN } = BigInt;
  const toText = Symbol.prototype.toString;
  const { apply } = Reflect;

  // ---- values -----------------------------------------------------------------

  const MAX_RESULTS = 1000;
  const INCOMPATIBLE = "type incompatibility when transforming from/to JS";
  const incompatible = () => {
    throw new TypeError(INCOMPATIBLE);
  };
  const engineText = (run) => {
    try {
      run();
    } catch (error) {
      return error.message;
    }
  };
  // The engine's own texts for conversions that fail, and V8's.
  const texts = new Map([
    [engineText(() => 1n | 0), "Cannot convert a BigInt value to a number"],
    [engineText(() => +1n), "Cannot convert a BigInt value to a number"],
    [engineText(() => Symbol() | 0), "Cannot convert a Symbol value to a number"],
    [engineText(() => +Symbol()), "Cannot convert a Symbol value to a number"],
    [engineText(() => +{ valueOf: () => ({}), toString: () => ({}) }), "Cannot convert object to primitive value"],
  ]);
  const conversionError = (error) => {
    if (!(error instanceof TypeError)) return error;
    const text = texts.get(error.message);
    return text === undefined ? error : new TypeError(text);
  };
  const primitive = (value) => {
    const exotic = value[Symbol.toPrimitive];
    if (exotic !== undefined && exotic !== null) {
      const answer = apply(exotic, value, ["number"]);
      if (Object(answer) !== answer) return answer;
      throw new TypeError("Cannot convert object to primitive value");
    }
    for (const name of ["valueOf", "toString"]) {
      const method = value[name];
      const answer = typeof method === "function" ? apply(method, value, []) : value;
      if (Object(answer) !== answer) return answer;
    }
    throw new TypeError("Cannot convert object to primitive value");
  };
  const toI64 = (given) => {
    if (typeof given === "bigint") return asIntN(64, given);
    const value = Object(given) === given ? primitive(given) : given;
    if (typeof value === "bigint") return asIntN(64, value);
    if (typeof value === "boolean") {
      return value ? 1n : 0n;
    } else if (typeof value === "string") {
      try {
        return asIntN(64, BigInt(value));
      } catch {
        throw new SyntaxError(`Cannot convert ${value} to a BigInt`);
      }
    }
    const shown = typeof value === "symbol" ? apply(toText, value, []) : `${value}`;
    throw new TypeError(`Cannot convert ${shown} to a BigInt`);
  };
  const notNull = (value) => {
    if (value === null) incompatible();
  };

  // JS values behind externrefs, by key; 0 is null.
  const externs = new Map();
  let lastExtern = 0;
  wasm.externKey = (value) => {
    if (value === null) return 0;
    externs.set(++lastExtern, value);
    return lastExtern;
  };
  wasm.externOf = (key) => (key === 0 ? null : externs.get(key));
  wasm.dropExterns = (dropped) => {
    if (dropped !== null) for (let i = 0; i < dropped.length; i++) externs.delete(dropped[i]);
  };

  // ---- functions ----------------------------------------------------------------

  const functions = new Map();
  const numbers = wasm.slot();
  const signatures = new Map();
  const makers = new Map();
  let env;
  wasm.functionNumber = (value) => numbers.get(value);
  const signatureOf = (number) => {
    if (!signatures.has(number)) wasm.functionOf(number);
    return signatures.get(number);
  };
  const maker = (kind, signature) => {
    const key = `${kind} ${signature}`;
    let made = makers.get(key);
    if (made === undefined) {
      made = wasm.host[kind](signature)(environment());
      makers.set(key, made);
    }
    return made;
  };
  // The one JS function of a wasm function.
  wasm.functionOf = (number) => {
    if (number < 0) return null;
    let made = functions.get(number);
    if (made === undefined) {
      const [signature, name, call] = wasm.host.functionParts(number);
      made = maker("exportMaker", signature)(call);
      defineProperty(made, "name", { value: name, configurable: true });
      platform.wasmFunctions.set(made, name);
      functions.set(number, made);
      signatures.set(number, signature);
      numbers.set(made, number);
    }
    return made;
  };
  const checkFunction = (value) => {
    if (value !== null && numbers.get(value) === undefined) incompatible();
  };

  let thrown = null;
  // What stopped a call: the value that an import threw, or a trap.
  const raise = (failure) => {
    const [className, message, frames] = failure;
    const cause = thrown;
    thrown = null;
    if (className === "Exception") throw wasm.exceptionOf(message, cause);
    if (className === "") throw cause.value;
    const error = new wasm.errors[className](message);
    const lines = `${error.stack}`.split("\n");
    // The files of WebAssembly are on top of the stack; Workers must not see them.
    const outer = lines.slice(lines.findLastIndex((line) => line.includes("(cfw-emu:webassembly")) + 1);
    const value = [`${error.name}: ${message}`, ...frames, ...outer].join("\n").trimEnd();
    defineProperty(error, "stack", { value, writable: true, enumerable: false, configurable: true });
    throw error;
  };
  const failed = (error) => {
    const failure = wasm.host.takeFailure(error);
    wasm.refresh();
    raise(failure);
  };
  // The results of an import that has several: https://webassembly.github.io/spec/js-api/#run-a-host-function
  const list = (value, count) => {
    const method = value === null || value === undefined ? undefined : value[Symbol.iterator];
    if (typeof method !== "function") {
      const type = typeof value;
      const full = value === null || type === "number" || type === "string" || type === "boolean";
      throw new TypeError(`${full ? `${type} ${value}` : type} is not iterable (cannot read property Symbol(Symbol.iterator))`);
    }
    const iterator = apply(method, value, []);
    if (Object(iterator) !== iterator) throw new TypeError("Result of the Symbol.iterator method is not an object");
    const { next } = iterator;
    const items = [];
    for (;;) {
      const step = apply(next, iterator, []);
      if (Object(step) !== step) throw new TypeError(`Iterator result ${String(step)} is not an object`);
      if (step.done) break;
      items[items.length] = step.value;
      if (items.length > MAX_RESULTS) break;
    }
    if (items.length !== count) throw new TypeError("multi-return length mismatch");
    return items;
  };
  const environment = () => {
    if (env !== undefined) return env;
    const { host } = wasm;
    const { scratch } = host;
    return (env = {
      i32: new Int32Array(scratch),
      i64: new BigInt64Array(scratch),
      f32: new Float32Array(scratch),
      f64: new Float64Array(scratch),
      live: wasm.live,
      refresh: wasm.refresh,
      failed,
      fail(value) {
        thrown = { value };
        if (wasm.hasTags) wasm.stage(value);
        return false;
      },
      toI64,
      conversionError,
      notNull,
      checkFunction,
      pushExtern: (slot, value) => host.pushExtern(slot, wasm.externKey(value)),
      pushFunction: (slot, value) => host.pushFunction(slot, value === null ? -1 : numbers.get(value)),
      flushReferences: () => wasm.dropExterns(host.flush()),
      loadExtern: (slot) => wasm.externOf(host.loadExtern(slot)),
      loadFunction: (slot) => wasm.functionOf(host.loadFunction(slot)),
      list,
      incompatible,
    });
  };
  wasm.environment = environment;
  wasm.conversionError = conversionError;

  // ---- instances ------------------------------------------------------------------

  const imported = (prefix, module, importObject) => {
    if (importObject !== undefined && Object(importObject) !== importObject) {
      throw new TypeError(`${prefix}: Argument 1 must be an object`);
    }
    if (module.imports.length > 0 && importObject === undefined) {
      throw new TypeError(`${prefix}: Imports argument must be present and must be an object`);
    }
    const values = [];
    for (let index = 0; index < module.imports.length; index++) {
      const described = module.imports[index];
      const source = importObject[described[0]];
      if (Object(source) !== source) {
        throw new TypeError(`${prefix}: Import #${index} "${described[0]}": module is not an object or function`);
      }
      values[index] = source[described[1]];
    }
    return values;
  };
  const linkers = wasm.linkers;
  linkers.function = (value, [, , , signature], fail, module, index) => {
    if (typeof value !== "function") fail("function import requires a callable");
    const known = numbers.get(value);
    if (known === undefined) {
      const run = maker("importMaker", signature)(value);
      return wasm.host.importFunction(module.number, index, signature, run);
    }
    if (signatureOf(known) !== signature) fail("imported function does not match the expected type");
    return known;
  };

  const instances = wasm.slot();
  const exporters = { ...wasm.exporters, function: wasm.functionOf };
  wasm.instantiate = (prefix, module, importObject, newTarget) => {
    const values = imported(prefix, module, importObject);
    const items = [];
    for (let index = 0; index < values.length; index++) {
      const described = module.imports[index];
      const [from, name, kind] = described;
      const fail = (why) => {
        throw new wasm.LinkError(`${prefix}: Import #${index} "${from}" "${name}": ${why}`);
      };
      items[2 * index] = kind;
      items[2 * index + 1] = linkers[kind](values[index], described, fail, module, index, prefix);
    }
    if (module.hasTags) wasm.hasTags = true;
    const made = wasm.host.instantiate(module.number, items);
    wasm.refresh();
    if (made.length === 1) {
      const [failure] = made;
      if (failure.length === 3 && failure[0] !== "" && failure[2].length === 0) failure[1] = `${prefix}: ${failure[1]}`;
      raise(failure);
    }
    const exports = create(null);
    for (let index = 0; index < module.exports.length; index++) {
      const value = exporters[made[2 * index]](made[2 * index + 1]);
      defineProperty(exports, module.exports[index][0], { value, enumerable: true });
    }
    const instance = wasm.allocate(wasm.Instance, newTarget);
    instances.set(instance, freeze(exports));
    return instance;
  };

  const Instance = wasm.construct("Instance", 1, (prefix, newTarget, [source, importObject]) => {
    const module = wasm.moduleOf(source);
    if (module === undefined) throw new TypeError(`${prefix}: Argument 0 must be a WebAssembly.Module`);
    return wasm.instantiate(prefix, module, importObject, newTarget);
  });
  wasm.Instance = Instance;
  wasm.shape(Instance.prototype, {
    get exports() {
      const exports = instances.get(this);
      if (exports === undefined) {
        throw new TypeError("WebAssembly.Instance.exports(): Receiver is not a WebAssembly.Instance");
      }
      return exports;
    },
  });
  wasm.unserializable("Instance", (value) => instances.get(value) !== undefined);
  wasm.expose();
});
