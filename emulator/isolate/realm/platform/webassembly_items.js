// WebAssembly.Memory, and what the classes of a host's things share:
//
//   wasm.family(name, make)   a class whose objects stand for one thing each
//   wasm.limits, wasm.toU32, wasm.text   conversions of descriptors and arguments, with V8's texts
(function (platform) {
  "use strict";
  const { defineProperty, create } = Object;
  const { wasm } = platform;
  const PAGE = 65536;
  const MAX_PAGES = 65536;
  const MAX_U32 = 4294967295;

  wasm.linkers = create(null);
  wasm.exporters = create(null);
  wasm.bound = create(null);

  // [EnforceRange] unsigned long, with V8's texts.
  const toU32 = (value, what) => {
    let number;
    try {
      number = +value;
    } catch (error) {
      throw wasm.conversionError(error);
    }
    if (!Number.isFinite(number)) throw new TypeError(`${what} must be convertible to a valid number`);
    if (number <= -1) throw new TypeError(`${what} must be non-negative`);
    number = Math.trunc(number) + 0;
    if (number > MAX_U32) throw new TypeError(`${what} must be in the unsigned long range`);
    return number;
  };
  const text = (value) => {
    if (typeof value === "symbol") throw new TypeError("Cannot convert a Symbol value to a string");
    return `${value}`;
  };
  const limit = (prefix, descriptor, name, lower, upper) => {
    const value = descriptor[name];
    if (value === undefined) return undefined;
    const number = toU32(value, `${prefix}: Property '${name}'`);
    const bound = (side, limit) => {
      throw new RangeError(`${prefix}: Property '${name}': value ${number} is ${side} bound ${limit}`);
    };
    if (number < lower) bound("below the lower", lower);
    if (number > upper) bound("above the upper", upper);
    return number;
  };
  const limits = (prefix, descriptor, upper, maximumUpper) => {
    const initial = limit(prefix, descriptor, "initial", 0, upper);
    if (initial === undefined) throw new TypeError(`${prefix}: Property 'initial' is required`);
    return [initial, limit(prefix, descriptor, "maximum", initial, maximumUpper) ?? -1];
  };
  // Classes whose objects stand for one thing of a group: the same number is the same object.
  const family = (name, make) => {
    const slot = wasm.slot();
    const kind = name.toLowerCase();
    const Class = wasm.construct(name, 1, (prefix, newTarget, args) => {
      const descriptor = args[0];
      if (Object(descriptor) !== descriptor) {
        throw new TypeError(`${prefix}: Argument 0 must be a ${kind} descriptor`);
      }
      return adopt(make(prefix, descriptor, args), wasm.allocate(Class, newTarget));
    });
    const adopt = (record, object) => {
      slot.set(object, record);
      wasm.keepObject(record.group, kind, record.number, object);
      return object;
    };
    wasm.unserializable(name, (value) => slot.get(value) !== undefined);
    return {
      Class,
      find: (value) => slot.get(value),
      receiver(value, method) {
        const record = slot.get(value);
        if (record === undefined) {
          throw new TypeError(`${method}: Receiver is not a WebAssembly.${name}`);
        }
        return record;
      },
      exporter: (record) => (group, number) =>
        wasm.objectOf(group, kind, number) ?? adopt(record(group, number), create(Class.prototype)),
    };
  };

  Object.assign(wasm, { toU32, text, limits, family });

  // ---- Memory -----------------------------------------------------------------------

  // What a group watches may not hold anything that holds the group.
  const memoryRecord = (group, number) => {
    const [minimum, maximum] = wasm.host.memoryLimits(group.number, number);
    const size = wasm.host.memorySizer(group.number, number);
    return { group, number, minimum, maximum, view: { size, bytes: 0, buffer: null }, buffer: null };
  };
  const memories = family("Memory", (prefix, descriptor) => {
    const [initial, maximum] = limits(prefix, descriptor, MAX_PAGES, MAX_PAGES);
    if (descriptor.shared) {
      if (maximum < 0) throw new TypeError(`${prefix}: If shared is true, maximum property should be defined.`);
      throw new RangeError(`${prefix}: shared memory is not available`);
    }
    const group = wasm.openGroup(["memory"]);
    const number = wasm.host.newMemory(group.number, initial, maximum);
    if (number < 0) throw new RangeError(`${prefix}: could not allocate memory`);
    return memoryRecord(group, number);
  });
  wasm.bound.memory = memories.find;
  const buffers = platform.wasmBuffers;
  wasm.exporters.memory = memories.exporter(memoryRecord);
  wasm.linkers.memory = (value, [, , , , minimum, maximum], fail) => {
    const record = memories.find(value);
    if (record === undefined) fail("memory import must be a WebAssembly.Memory object");
    const pages = record.view.size() / PAGE;
    if (pages < minimum) {
      fail(`memory import has ${pages} pages which is smaller than the declared initial of ${minimum}`);
    }
    if (maximum !== null) {
      if (record.maximum < 0) fail("memory import has no maximum limit, expected at most 4294967295");
      if (record.maximum > maximum) {
        fail(
          `memory import has a larger maximum size ${record.maximum} than the module's declared maximum ${maximum}`,
        );
      }
    }
    return record;
  };
  wasm.shape(memories.Class.prototype, {
    grow(delta) {
      const prefix = "WebAssembly.Memory.grow()";
      const record = memories.receiver(this, prefix);
      const pages = toU32(delta, `${prefix}: Argument 0`);
      const before = record.view.size() / PAGE;
      const maximum = record.maximum < 0 ? Infinity : record.maximum;
      if (before + pages > maximum) throw new RangeError(`${prefix}: Maximum memory size exceeded`);
      if (wasm.host.growMemory(record.group.number, record.number, pages) < 0) {
        throw new RangeError(`${prefix}: Unable to grow instance memory`);
      }
      if (record.view.buffer !== null) wasm.unwatch(record.group, record.view);
      wasm.refresh(record.group);
      return before;
    },
    get buffer() {
      const record = memories.receiver(this, "WebAssembly.Memory.buffer");
      const { view } = record;
      if (view.buffer === null) {
        view.bytes = view.size();
        record.buffer = wasm.host.memoryBuffer(record.group.number, record.number);
        buffers.set(record.buffer, record.group);
        view.buffer = new WeakRef(record.buffer);
        wasm.watch(record.group, view);
      }
      return record.buffer;
    },
  });
});
