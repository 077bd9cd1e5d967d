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
  // Classes whose objects stand for one thing of the host: the same number is the same object.
  const family = (name, make) => {
    const slot = wasm.slot();
    const objects = new Map();
    const Class = wasm.construct(name, 1, (prefix, newTarget, args) => {
      const descriptor = args[0];
      if (Object(descriptor) !== descriptor) {
        throw new TypeError(`${prefix}: Argument 0 must be a ${name.toLowerCase()} descriptor`);
      }
      return adopt(make(prefix, descriptor, args), wasm.allocate(Class, newTarget));
    });
    const adopt = (record, object) => {
      slot.set(object, record);
      objects.set(record.number, object);
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
      exporter: (record) => (number) => objects.get(number) ?? adopt(record(number), create(Class.prototype)),
    };
  };

  Object.assign(wasm, { toU32, text, limits, family });

  // ---- Memory -----------------------------------------------------------------------

  // Memories whose buffer JavaScript has: wasm may grow them at any time.
  const live = [];
  wasm.live = live;
  const drop = (record) => {
    let at = 0;
    while (live[at] !== record) at++;
    live[at] = live[live.length - 1];
    live.length--;
    wasm.host.detach(record.buffer);
    record.buffer = null;
  };
  wasm.refresh = () => {
    for (let i = live.length - 1; i >= 0; i--) {
      const record = live[i];
      if (record.size() !== record.bytes) drop(record);
    }
  };
  const memoryRecord = (number) => {
    const [minimum, maximum] = wasm.host.memoryLimits(number);
    return { number, minimum, maximum, size: wasm.host.memorySizer(number), bytes: 0, buffer: null };
  };
  const memories = family("Memory", (prefix, descriptor) => {
    const [initial, maximum] = limits(prefix, descriptor, MAX_PAGES, MAX_PAGES);
    if (descriptor.shared) {
      if (maximum < 0) throw new TypeError(`${prefix}: If shared is true, maximum property should be defined.`);
      throw new RangeError(`${prefix}: shared memory is not available`);
    }
    const number = wasm.host.newMemory(initial, maximum);
    if (number < 0) throw new RangeError(`${prefix}: could not allocate memory`);
    return memoryRecord(number);
  });
  const buffers = platform.wasmBuffers;
  wasm.exporters.memory = memories.exporter(memoryRecord);
  wasm.linkers.memory = (value, [, , , , minimum, maximum], fail) => {
    const record = memories.find(value);
    if (record === undefined) fail("memory import must be a WebAssembly.Memory object");
    const pages = record.size() / PAGE;
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
    return record.number;
  };
  wasm.shape(memories.Class.prototype, {
    grow(delta) {
      const prefix = "WebAssembly.Memory.grow()";
      const record = memories.receiver(this, prefix);
      const pages = toU32(delta, `${prefix}: Argument 0`);
      const before = record.size() / PAGE;
      const maximum = record.maximum < 0 ? Infinity : record.maximum;
      if (before + pages > maximum) throw new RangeError(`${prefix}: Maximum memory size exceeded`);
      if (wasm.host.growMemory(record.number, pages) < 0) {
        throw new RangeError(`${prefix}: Unable to grow instance memory`);
      }
      if (record.buffer !== null) drop(record);
      return before;
    },
    get buffer() {
      const record = memories.receiver(this, "WebAssembly.Memory.buffer");
      if (record.buffer === null) {
        record.bytes = record.size();
        record.buffer = wasm.host.memoryBuffer(record.number);
        buffers.set(record.buffer, true);
        live[live.length] = record;
      }
      return record.buffer;
    },
  });
});
