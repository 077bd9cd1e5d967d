// WebAssembly.Instance: imports, calls in both directions, exports.
//
// A call's values travel through slots that wasmtime and JavaScript both see: 16 bytes each, one for
// each parameter and result. signature.py writes the functions that fill and read them.
(function (platform) {
  "use strict";
  const { defineProperty, freeze, create } = Object;
  const { wasm } = platform;
  const { apply } = Reflect;

  // ---- values -----------------------------------------------------------------

  const MAX_RESULTS = 1000;
  const OVERFLOW = "Maximum call stack size exceeded";
  const { incompatible, conversionError, toI64, notNull } = wasm;

  // JS values behind externrefs, by key; 0 is null.
  wasm.externKey = (group, value) => {
    if (value === null) return 0;
    group.externs.set(++group.lastExtern, value);
    return group.lastExtern;
  };
  wasm.externOf = (group, key) => (key === 0 ? null : group.externs.get(key));
  wasm.dropExterns = ({ externs }, dropped) => {
    if (dropped !== null) for (let i = 0; i < dropped.length; i++) externs.delete(dropped[i]);
  };

  // ---- functions ----------------------------------------------------------------

  const records = wasm.slot();
  const makers = new Map();
  let env;
  wasm.isFunction = (value) => records.get(value) !== undefined;
  const maker = (kind, signature) => {
    const key = `${kind} ${signature}`;
    let made = makers.get(key);
    if (made === undefined) {
      made = wasm.host[kind](signature)(environment());
      makers.set(key, made);
    }
    return made;
  };
  const NOTHING = freeze([]);
  // After a call of a leaf, which grows no memory, there is nothing to refresh.
  const makeFunction = (group, number, signature, name, leaf) => {
    const call = wasm.host.callable(group.number, number, signature);
    const made = maker("exportMaker", signature)(call, group, leaf ? NOTHING : group.live);
    defineProperty(made, "name", { value: name, configurable: true });
    platform.wasmFunctions.set(made, name);
    records.set(made, { group, number, signature });
    return made;
  };
  // The one JS function of a wasm function. An exported one is kept by the exports, another by the group.
  const functionOf = (group, number) => {
    if (number < 0) return null;
    const known = group.kept.get(number) ?? wasm.targetOf(group.functions.get(number));
    if (known !== undefined) return known;
    const [signature, name] = wasm.host.signature(group.number, number);
    const made = makeFunction(group, number, signature, name, false);
    group.kept.set(number, made);
    return made;
  };
  wasm.functionOf = functionOf;
  const exportedFunction = (group, number, signature, name, leaf) => {
    const known = group.kept.get(number) ?? wasm.targetOf(group.functions.get(number));
    if (known !== undefined) return known;
    const made = makeFunction(group, number, signature, name, leaf);
    group.functions.set(number, platform.weak(made));
    return made;
  };
  const addImport = (group, f, signature) => {
    group.imports.push(maker("importMaker", signature)(f));
    return group.imports.length - 1;
  };
  // The number in `group` of a wasm function of any group: in another it is an import.
  const numberIn = (group, f) => {
    const record = records.get(f);
    if (record === undefined || record.group === group) return record?.number;
    let number = group.foreign.get(f);
    if (number === undefined) {
      const place = addImport(group, f, record.signature);
      number = wasm.host.foreignFunction(group.number, record.group.number, record.number, place);
      group.foreign.set(f, number);
      group.kept.set(number, f);
    }
    return number;
  };
  wasm.functionNumber = numberIn;
  const checkFunction = (value) => {
    if (value !== null && records.get(value) === undefined) incompatible();
  };

  // Traps, which wasm cannot catch, not even after JavaScript has thrown them again.
  const traps = wasm.slot();
  let thrown = null;
  // What stopped a call: the value that an import threw, or a trap.
  const raise = (group, failure) => {
    const [className, message, frames] = failure;
    const cause = thrown;
    thrown = null;
    if (className === "Exception") throw wasm.exceptionOf(group, message);
    if (className === "") throw cause.value;
    const error = new wasm.errors[className](message);
    const lines = platform.engineStack(error).split("\n");
    // The files of WebAssembly are on top of the stack; Workers must not see them.
    const outer = lines.slice(lines.findLastIndex((line) => line.includes("(cfw-emu:webassembly")) + 1);
    const value = [`${error.name}: ${message}`, ...frames, ...outer].join("\n").trimEnd();
    defineProperty(error, "stack", { value, writable: true, enumerable: false, configurable: true });
    if (className === "RuntimeError") traps.set(error, true);
    throw error;
  };
  const failed = (group, error) => {
    const failure = wasm.host.takeFailure(group.number, error);
    wasm.refresh(group);
    raise(group, failure);
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
      refresh: wasm.refresh,
      failed,
      fail(group, value) {
        if (value instanceof RangeError && value.message === "stack overflow") value.message = OVERFLOW;
        thrown = { value };
        if (wasm.hasTags && traps.get(value) === undefined) wasm.stage(group, value);
        return false;
      },
      toI64,
      conversionError,
      notNull,
      checkFunction,
      pushExtern: (group, slot, value) => host.pushExtern(group.number, slot, wasm.externKey(group, value)),
      pushFunction(group, slot, value) {
        host.pushFunction(group.number, slot, value === null ? -1 : numberIn(group, value));
      },
      flushReferences: (group) => wasm.dropExterns(group, host.flush(group.number)),
      loadExtern: (group, slot) => wasm.externOf(group, host.loadExtern(group.number, slot)),
      loadFunction: (group, slot) => functionOf(group, host.loadFunction(group.number, slot)),
      list,
      incompatible,
    });
  };
  wasm.environment = environment;

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
  linkers.function = (value, [, , , signature], fail, module, index, prefix, group) => {
    if (typeof value !== "function") fail("function import requires a callable");
    const known = records.get(value);
    if (known === undefined) {
      const place = addImport(group, value, signature);
      return { number: wasm.host.importFunction(group.number, module.number, index, place) };
    }
    if (known.signature !== signature) fail("imported function does not match the expected type");
    return { number: numberIn(group, value) };
  };

  const instances = wasm.slot();
  const exporters = { ...wasm.exporters, function: exportedFunction };
  const groupOf = (module, values) => {
    for (let index = 0; index < values.length; index++) {
      const [, , kind, type, , , mutable] = module.imports[index];
      const record = wasm.isBound(kind, type, mutable) ? wasm.bound[kind](values[index]) : undefined;
      if (record !== undefined) return record.group;
    }
    return wasm.openGroup(module.exports.map(([, kind]) => kind));
  };
  const link = (prefix, module, values, group) => {
    const items = [];
    for (let index = 0; index < values.length; index++) {
      const described = module.imports[index];
      const [from, name, kind] = described;
      const fail = (why) => {
        throw new wasm.LinkError(`${prefix}: Import #${index} "${from}" "${name}": ${why}`);
      };
      const record = linkers[kind](values[index], described, fail, module, index, prefix, group);
      if (record.group !== undefined && record.group !== group) {
        fail("it is from before the module was loaded that imports it together with other items");
      }
      items[2 * index] = kind;
      items[2 * index + 1] = record.number;
    }
    return items;
  };
  wasm.instantiate = (prefix, module, importObject, newTarget) => {
    const values = imported(prefix, module, importObject);
    const group = groupOf(module, values);
    const items = link(prefix, module, values, group);
    if (module.hasTags) wasm.hasTags = true;
    const made = wasm.host.instantiate(group.number, module.number, items);
    wasm.refresh(group);
    if (made.length === 1) {
      const [failure] = made;
      if (failure.length === 3 && failure[0] !== "" && failure[2].length === 0) failure[1] = `${prefix}: ${failure[1]}`;
      raise(group, failure);
    }
    const exports = create(null);
    for (let index = 0; index < module.exports.length; index++) {
      const [kind, number, signature, name, leaf] = made.slice(5 * index, 5 * index + 5);
      const value = exporters[kind](group, number, signature, name, leaf);
      defineProperty(exports, module.exports[index][0], { value, enumerable: true });
    }
    const instance = wasm.allocate(newTarget);
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
