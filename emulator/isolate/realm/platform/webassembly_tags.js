// WebAssembly.Tag, JSTag and Exception: exceptions that wasm throws and catches.
//
//   wasm.stage(group, value)      the running import ends with `value`, which wasm may catch
//   wasm.exceptionOf(group, parts)  what JavaScript catches of an exception that left wasm
(function (platform) {
  "use strict";
  const { create } = Object;
  const MAX_PARAMETERS = 1000;
  const { wasm } = platform;
  const TYPES = { i32: "i", i64: "l", f32: "f", f64: "d", externref: "x", anyfunc: "r" };
  wasm.hasTags = false;
  // As in V8, a subclass has no part in what its constructor makes.
  const allocate = (Class, newTarget) => {
    Reflect.get(newTarget, "prototype");
    return create(Class.prototype);
  };

  // ---- Tag --------------------------------------------------------------------

  const slots = wasm.slot();
  const adopt = (record, object) => {
    record.object = platform.weak(object);
    slots.set(object, record);
    return object;
  };
  const Tag = wasm.construct("Tag", 1, (prefix, newTarget, [type]) => {
    if (Object(type) !== type) throw new TypeError(`${prefix}: Argument 0 must be a tag type`);
    const { parameters } = type;
    if (Object(parameters) !== parameters) {
      throw new TypeError(`${prefix}: Argument 0 must be a tag type with 'parameters'`);
    }
    const length = wasm.lengthOf(parameters);
    if (length === undefined) throw new TypeError(`${prefix}: Argument 0 contains parameters without 'length'`);
    if (length > MAX_PARAMETERS) throw new TypeError(`${prefix}: Argument 0 contains too many parameters`);
    let codes = "";
    for (let index = 0; index < length; index++) {
      const code = TYPES[wasm.text(parameters[index])];
      if (code === undefined) {
        throw new TypeError(`${prefix}: Argument 0 parameter type at index #${index} must be a value type`);
      }
      codes += code;
    }
    return adopt({ codes }, allocate(Tag, newTarget));
  });
  wasm.unserializable("Tag", (value) => slots.get(value) !== undefined);
  // A tag is only an identity: each group in which it is used has one of its own for it.
  const recordOf = (group, number) => {
    for (const [record, own] of group.tags) if (own === number) return record;
    const record = { codes: wasm.host.tagType(group.number, number) };
    group.tags.set(record, number);
    return record;
  };
  const numberIn = (group, record) => {
    let number = group.tags.get(record);
    if (number === undefined) {
      number = wasm.host.newTag(group.number, record.codes);
      group.tags.set(record, number);
    }
    return number;
  };
  wasm.exporters.tag = (group, number) => {
    const record = recordOf(group, number);
    return wasm.targetOf(record.object) ?? adopt(record, create(Tag.prototype));
  };

  // The tag of what JavaScript throws.
  wasm.JSTag = adopt({ codes: "x" }, create(Tag.prototype));
  const jsRecord = slots.get(wasm.JSTag);
  wasm.linkers.tag = (value, [, , , type], fail, module, index, prefix, group) => {
    const record = slots.get(value);
    if (record === undefined) fail("tag import requires a WebAssembly.Tag");
    if (`${record.codes}:` !== type) fail("imported tag does not match the expected type");
    return { number: numberIn(group, record) };
  };

  // ---- Exception ------------------------------------------------------------------

  const exceptions = wasm.slot();
  const convert = (code, value, prefix) => {
    const env = wasm.environment();
    if (code === "x") return value;
    if (code === "l") return value === undefined ? 0n : env.toI64(value);
    if (code === "r") {
      if (value !== null && !wasm.isFunction(value)) throw new TypeError(`${prefix}: ${wasm.BAD_FUNCTION}`);
      return value;
    }
    try {
      const number = value === undefined ? 0 : +value;
      return code === "i" ? number | 0 : code === "f" ? Math.fround(number) : number;
    } catch (error) {
      throw wasm.conversionError(error);
    }
  };
  const Exception = wasm.construct("Exception", 2, (prefix, newTarget, [tag, payload, options]) => {
    const record = slots.get(tag);
    if (record === undefined) throw new TypeError(`${prefix}: Argument 0 must be a WebAssembly tag`);
    if (tag === wasm.JSTag) throw new TypeError(`${prefix}: Argument 0 cannot be WebAssembly.JSTag`);
    if (Object(payload) !== payload) {
      throw new TypeError(`${prefix}: Exception values must be an iterable object`);
    }
    const length = wasm.lengthOf(payload);
    if (length === undefined) throw new TypeError(`${prefix}: Exception values argument has no length`);
    if (length !== record.codes.length) {
      throw new TypeError(`${prefix}: Number of exception values does not match signature length`);
    }
    const values = [];
    for (let i = 0; i < length; i++) values[i] = convert(record.codes[i], payload[i], prefix);
    if (Object(options) !== options && options !== undefined && options !== null) {
      throw new TypeError(`${prefix}: Argument 2 is not an object`);
    }
    const trace = Object(options) === options && Boolean(options.traceStack);
    const object = allocate(Exception, newTarget);
    exceptions.set(object, { record, values, stack: trace ? new Error().stack : undefined });
    return object;
  });
  wasm.unserializable("Exception", (value) => exceptions.get(value) !== undefined);
  const receiver = (value, method) => {
    const found = exceptions.get(value);
    if (found === undefined) throw new TypeError(`${method}: Receiver is not a WebAssembly.Exception`);
    return found;
  };
  wasm.shape(Exception.prototype, {
    getArg(tag, index) {
      const prefix = "WebAssembly.Exception.getArg()";
      const { record, values } = receiver(this, prefix);
      const given = slots.get(tag);
      if (given === undefined) throw new TypeError(`${prefix}: Argument 0 must be a WebAssembly.Tag`);
      const at = wasm.toU32(index, `${prefix}: Index`);
      if (given !== record) throw new TypeError(`${prefix}: First argument does not match the exception tag`);
      if (at >= values.length) throw new RangeError(`${prefix}: Index out of range`);
      return values[at];
    },
    is(tag) {
      const prefix = "WebAssembly.Exception.is()";
      const { record } = receiver(this, prefix);
      const given = slots.get(tag);
      if (given === undefined) throw new TypeError(`${prefix}: Argument 0 must be a WebAssembly.Tag`);
      return given === record;
    },
    get stack() {
      return receiver(this, "WebAssembly.Exception.stack()").stack;
    },
  });

  // ---- crossing -------------------------------------------------------------------

  const put = (group, code, value, slot) => {
    const env = wasm.environment();
    if (code === "i") env.i32[4 * slot] = value;
    else if (code === "l") env.i64[2 * slot] = value;
    else if (code === "f") env.f32[4 * slot] = value;
    else if (code === "d") env.f64[2 * slot] = value;
    else return wasm.keyOf(group, code, value);
    return 0;
  };
  wasm.stage = (group, value) => {
    const exception = exceptions.get(value);
    const record = exception === undefined ? jsRecord : exception.record;
    const values = exception === undefined ? [value] : exception.values;
    const keys = [];
    for (let slot = 0; slot < values.length; slot++) keys[slot] = put(group, record.codes[slot], values[slot], slot);
    const place = wasm.host.stageException(group.number, numberIn(group, record), record.codes, keys);
    group.staged[place] = value;
  };
  const take = (group, code, key, slot) => {
    const env = wasm.environment();
    if (code === "i") return env.i32[4 * slot];
    if (code === "l") return env.i64[2 * slot];
    if (code === "f") return env.f32[4 * slot];
    if (code === "d") return env.f64[2 * slot];
    return wasm.valueOf(group, code, key);
  };
  wasm.exceptionOf = (group, [number, codes, keys, place]) => {
    if (place >= 0) return group.staged[place];
    const record = recordOf(group, number);
    const values = [];
    for (let slot = 0; slot < codes.length; slot++) values[slot] = take(group, codes[slot], keys[slot], slot);
    if (record === jsRecord) return values[0];
    const object = create(Exception.prototype);
    exceptions.set(object, { record, values, stack: undefined });
    return object;
  };
});
