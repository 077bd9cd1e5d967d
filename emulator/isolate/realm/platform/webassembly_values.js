// WebAssembly.Table and Global.
(function (platform) {
  "use strict";
  const { wasm } = platform;
  const { toAddress, isWide, text, limits, family } = wasm;
  const MAX_TABLE = 10000000;
  const MAX_LENGTH = { false: 4294967295, true: 2n ** 64n - 1n };
  const BAD_FUNCTION = "function-typed object must be null (if nullable) or a Wasm function object";

  // ---- values of tables and globals ---------------------------------------------------

  const REFERENCES = { externref: "x", anyfunc: "r" };
  // The host's key for a JS value that a reference type takes; undefined if it takes none like it.
  const keyOf = (group, code, value) => {
    if (code === "x" || (code === "y" && value !== null)) return wasm.externKey(group, value);
    if (value === null) return code === "r" ? -1 : undefined;
    return code === "r" || code === "s" ? wasm.functionNumber(group, value) : undefined;
  };
  const valueOf = (group, code, key) =>
    code === "x" || code === "y" ? wasm.externOf(group, key) : wasm.functionOf(group, key);
  const settleDropped = (group) => wasm.dropExterns(group, wasm.host.flush(group.number));

  // ---- Table ---------------------------------------------------------------------------

  const tables = family("Table", (prefix, descriptor, args) => {
    const { element } = descriptor;
    const code = REFERENCES[text(element)];
    if (code === undefined) {
      throw new TypeError(`${prefix}: Descriptor property 'element' must be a WebAssembly reference type`);
    }
    const wide = isWide(prefix, descriptor);
    const [initial, maximum] = limits(prefix, descriptor, wide, MAX_TABLE, MAX_LENGTH[wide]);
    const value = args.length > 1 && args[1] !== undefined ? args[1] : code === "x" ? undefined : null;
    const group = wasm.openGroup(["table"]);
    const key = keyOf(group, code, value);
    if (key === undefined) {
      throw new TypeError(
        `${prefix}: Argument 2 must be undefined or a value of type compatible with the type of the new table: ` +
          `${BAD_FUNCTION}.`,
      );
    }
    const number = wasm.host.newTable(group.number, code, initial, maximum, key, wide);
    if (number < 0) throw new RangeError(`${prefix}: could not allocate table`);
    return { group, number, code, maximum, wide };
  });
  const tableRecord = (group, number, type) => {
    const [code, , maximum] = wasm.host.tableType(group.number, number);
    return { group, number, code, maximum, wide: type === "i64" };
  };
  const sizeOf = ({ group, number }) => wasm.host.tableSize(group.number, number);
  wasm.exporters.table = tables.exporter(tableRecord);
  wasm.linkers.table = (value, [, , , type, minimum, maximum, , wide], fail, module, index, prefix) => {
    const record = tables.find(value);
    if (record === undefined) fail("table import requires a WebAssembly.Table");
    const size = sizeOf(record);
    const place = `table import ${index}`;
    const refuse = (why) => {
      throw new wasm.LinkError(`${prefix}: ${place} ${why}`);
    };
    if (size < minimum) refuse(`is smaller than initial ${minimum}, got ${size}`);
    if (maximum !== null) {
      if (record.maximum < 0) refuse(`has no maximum length; required: ${maximum}`);
      if (record.maximum > maximum) {
        refuse(`has a larger maximum size ${record.maximum.toString(16)} than the module's declared maximum ${maximum}`);
      }
    }
    tables.sameWidth(record, wide, prefix);
    if (record.code !== type) fail("imported table does not match the expected type");
    return record;
  };
  const element = (record, index, prefix) => {
    const at = toAddress(record.wide, index, `${prefix}: Argument 0`);
    const size = sizeOf(record);
    if (at >= size) {
      const type = record.code === "x" || record.code === "y" ? "externref" : "funcref";
      throw new RangeError(`${prefix}: invalid address ${at} in ${type} table of size ${size}`);
    }
    return Number(at);
  };
  const fill = (record, args, prefix) => {
    const value = args.length > 1 ? args[1] : record.code === "x" ? undefined : null;
    const key = keyOf(record.group, record.code, value);
    if (key === undefined) throw new TypeError(`${prefix}: ${BAD_FUNCTION}`);
    return key;
  };
  wasm.shape(tables.Class.prototype, {
    get length() {
      const record = tables.receiver(this, "WebAssembly.Table.length()");
      return record.wide ? BigInt(sizeOf(record)) : sizeOf(record);
    },
    grow(delta) {
      const prefix = "WebAssembly.Table.grow()";
      const record = tables.receiver(this, prefix);
      const count = Number(toAddress(record.wide, delta, `${prefix}: Argument 0`));
      const key = fill(record, arguments, `${prefix}: Argument 1 is invalid`);
      const size = sizeOf(record);
      const maximum = Math.min(record.maximum < 0 ? MAX_TABLE : record.maximum, MAX_TABLE);
      const before = size + count > maximum ? -1 : wasm.host.tableGrow(record.group.number, record.number, record.code, count, key);
      settleDropped(record.group);
      if (before < 0) throw new RangeError(`${prefix}: failed to grow table by ${count}`);
      return record.wide ? BigInt(before) : before;
    },
    set(index) {
      const prefix = "WebAssembly.Table.set()";
      const record = tables.receiver(this, prefix);
      const at = element(record, index, prefix);
      const key = fill(record, arguments, `${prefix}: Argument 1 is invalid for table`);
      wasm.host.tableSet(record.group.number, record.number, record.code, at, key);
      settleDropped(record.group);
    },
    get(index) {
      const prefix = "WebAssembly.Table.get()";
      const record = tables.receiver(this, prefix);
      const at = element(record, index, prefix);
      if (record.code === "o") throw new TypeError(`${prefix}: type incompatibility when transforming from/to JS`);
      return valueOf(record.group, record.code, wasm.host.tableGet(record.group.number, record.number, record.code, at));
    },
  });

  Object.assign(wasm, { keyOf, valueOf, BAD_FUNCTION });

  // ---- Global ------------------------------------------------------------------------------

  const TYPES = { i32: "i", i64: "l", f32: "f", f64: "d", v128: "v", ...REFERENCES };
  const DEFAULTS = { i: 0, l: 0n, f: 0, d: 0, x: undefined, r: null };
  // Converts and leaves a number in the first slot; gives the key of a reference.
  const put = (group, code, value, prefix) => {
    const env = wasm.environment();
    if (code === "l") env.i64[0] = env.toI64(value);
    else if (code === "i" || code === "f" || code === "d") {
      try {
        const number = +value;
        if (code === "i") env.i32[0] = number;
        else if (code === "f") env.f32[0] = number;
        else env.f64[0] = number;
      } catch (error) {
        throw wasm.conversionError(error);
      }
    } else {
      const key = keyOf(group, code, value);
      if (key === undefined) throw new TypeError(`${prefix}: ${BAD_FUNCTION}`);
      return key;
    }
    return 0;
  };
  const take = (record, prefix) => {
    const { group, code, number } = record;
    if (code === "v") throw new TypeError(`${prefix}: Can't get the value of s128 WebAssembly.Global`);
    if (code === "o") throw new TypeError(`${prefix}: type incompatibility when transforming from/to JS`);
    const key = wasm.host.globalGet(group.number, number, code);
    const env = wasm.environment();
    if (code === "i") return env.i32[0];
    if (code === "l") return env.i64[0];
    if (code === "f") return env.f32[0];
    if (code === "d") return env.f64[0];
    return valueOf(group, code, key);
  };
  const globals = family("Global", (prefix, descriptor, args) => {
    const mutable = Boolean(descriptor.mutable);
    const { value: type } = descriptor;
    const code = TYPES[text(type)];
    if (code === undefined) throw new TypeError(`${prefix}: Descriptor property 'value' must be a WebAssembly type`);
    if (code === "v") throw new TypeError(`${prefix}: A global of type 'v128' cannot be created in JavaScript`);
    const initial = args.length < 2 || (args[1] === undefined && code !== "r") ? DEFAULTS[code] : args[1];
    const group = wasm.openGroup(["global"]);
    const key = put(group, code, initial, prefix);
    return { group, number: wasm.host.newGlobal(group.number, code, mutable, key), code, mutable };
  });
  wasm.exporters.global = globals.exporter((group, number) => {
    const [code, mutable] = wasm.host.globalType(group.number, number);
    return { group, number, code, mutable };
  });
  // A constant is the same in another group.
  const constantIn = (group, code, value) => ({
    group,
    number: wasm.host.newGlobal(group.number, code, false, put(group, code, value, "")),
  });
  wasm.linkers.global = (value, [, , , type, , , mutable], fail, module, index, prefix, group) => {
    const record = globals.find(value);
    if (record !== undefined) {
      if (record.mutable !== mutable) fail("imported global does not match the expected mutability");
      if (record.code !== type) fail("imported global does not match the expected type");
      if (group === record.group || wasm.isBound("global", type, mutable)) return record;
      const copy = constantIn(group, type, take(record, prefix));
      wasm.keepObject(group, "global", copy.number, value);
      return copy;
    }
    if (mutable) fail("imported mutable global must be a WebAssembly.Global object");
    if (type === "v") fail("global import of type v128 must be a WebAssembly.Global");
    const isNumber = typeof value === "number" && (type === "i" || type === "f" || type === "d");
    if (isNumber || (typeof value === "bigint" && type === "l")) return constantIn(group, type, value);
    if (type === "x") return constantIn(group, type, value);
    if (type === "r") {
      if (keyOf(group, type, value) === undefined) fail(BAD_FUNCTION);
      return constantIn(group, type, value);
    }
    fail("global import must be a number, valid Wasm reference, or WebAssembly.Global object");
  };
  wasm.bound.table = tables.find;
  wasm.bound.global = globals.find;
  wasm.shape(globals.Class.prototype, {
    valueOf() {
      const prefix = "WebAssembly.Global.valueOf()";
      return take(globals.receiver(this, prefix), prefix);
    },
    get value() {
      const prefix = "get WebAssembly.Global.value)";
      return take(globals.receiver(this, prefix), prefix);
    },
    set value(value) {
      const prefix = "set WebAssembly.Global.value)";
      const record = globals.receiver(this, prefix);
      if (!record.mutable) throw new TypeError(`${prefix}: Can't set the value of an immutable global.`);
      wasm.host.globalSet(record.group.number, record.number, record.code, put(record.group, record.code, value, prefix));
      settleDropped(record.group);
    },
  });
});
