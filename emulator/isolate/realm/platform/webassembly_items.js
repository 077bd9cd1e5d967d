// WebAssembly.Memory, and what the classes of a host's things share:
//
//   wasm.family(name, make)   a class whose objects stand for one thing each
//   wasm.limits(...)    the sizes in a descriptor, with V8's texts
(function (platform) {
  "use strict";
  const { defineProperty, create } = Object;
  const { wasm } = platform;
  const { toAddress, isWide } = wasm;
  const PAGE = 65536;
  const MAX_PAGES = 65536;
  const MAX_PAGES_64 = 262144;

  wasm.linkers = create(null);
  wasm.exporters = create(null);
  wasm.bound = create(null);

  const limit = (prefix, descriptor, wide, name, lower, upper) => {
    const value = descriptor[name];
    if (value === undefined) return undefined;
    const number = toAddress(wide, value, `${prefix}: Property '${name}'`);
    const bound = (side, limit) => {
      throw new RangeError(`${prefix}: Property '${name}': value ${number} is ${side} bound ${limit}`);
    };
    if (number < lower) bound("below the lower", lower);
    if (number > upper) bound("above the upper", upper);
    return Number(number);
  };
  const limits = (prefix, descriptor, wide, upper, maximumUpper) => {
    const initial = limit(prefix, descriptor, wide, "initial", 0, upper);
    if (initial === undefined) throw new TypeError(`${prefix}: Property 'initial' is required`);
    return [initial, limit(prefix, descriptor, wide, "maximum", initial, maximumUpper) ?? -1];
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
      return adopt(make(prefix, descriptor, args), wasm.allocate(newTarget));
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
      exporter: (record) => (group, number, type) =>
        wasm.objectOf(group, kind, number) ?? adopt(record(group, number, type), create(Class.prototype)),
      sameWidth(record, wide, prefix) {
        if (record.wide === wide) return;
        const [own, wanted] = wide ? ["i32", "i64"] : ["i64", "i32"];
        throw new wasm.LinkError(`${prefix}: cannot import ${own} ${kind} as ${wanted}`);
      },
    };
  };

  Object.assign(wasm, { limits, family });

  // ---- Memory -----------------------------------------------------------------------

  // What a group watches may not hold anything that holds the group.
  const memoryRecord = (group, number) => {
    const [minimum, maximum, wide] = wasm.host.memoryLimits(group.number, number);
    const size = wasm.host.memorySizer(group.number, number);
    return { group, number, minimum, maximum, wide, view: { size, bytes: 0, buffer: null }, buffer: null };
  };
  const memories = family("Memory", (prefix, descriptor) => {
    const wide = isWide(prefix, descriptor);
    const pages = wide ? MAX_PAGES_64 : MAX_PAGES;
    const [initial, maximum] = limits(prefix, descriptor, wide, pages, pages);
    if (descriptor.shared) {
      if (maximum < 0) throw new TypeError(`${prefix}: If shared is true, maximum property should be defined.`);
      throw new RangeError(`${prefix}: shared memory is not available`);
    }
    const group = wasm.openGroup(["memory"]);
    const number = wasm.host.newMemory(group.number, initial, maximum, wide);
    if (number < 0) throw new RangeError(`${prefix}: could not allocate memory`);
    return memoryRecord(group, number);
  });
  wasm.bound.memory = memories.find;
  const buffers = platform.wasmBuffers;
  wasm.exporters.memory = memories.exporter(memoryRecord);
  wasm.linkers.memory = (value, [, , , , minimum, maximum, , wide], fail, module, index, prefix) => {
    const record = memories.find(value);
    if (record === undefined) fail("memory import must be a WebAssembly.Memory object");
    memories.sameWidth(record, wide, prefix);
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
      const pages = Number(toAddress(record.wide, delta, `${prefix}: Argument 0`));
      const before = record.view.size() / PAGE;
      const maximum = record.maximum < 0 ? Infinity : record.maximum;
      if (before + pages > maximum) throw new RangeError(`${prefix}: Maximum memory size exceeded`);
      if (wasm.host.growMemory(record.group.number, record.number, pages) < 0) {
        throw new RangeError(`${prefix}: Unable to grow instance memory`);
      }
      if (record.view.buffer !== null) wasm.unwatch(record.group, record.view);
      wasm.refresh(record.group);
      return record.wide ? BigInt(before) : before;
    },
    get buffer() {
      const record = memories.receiver(this, "WebAssembly.Memory.buffer");
      const { view } = record;
      if (view.buffer === null) {
        view.bytes = view.size();
        record.buffer = wasm.host.memoryBuffer(record.group.number, record.number);
        buffers.set(record.buffer, record.group);
        view.buffer = platform.weak(record.buffer);
        wasm.watch(record.group, view);
      }
      return record.buffer;
    },
  });
});
