// WebAssembly: the namespace, errors, Module and what all of its files share.
// https://webassembly.github.io/spec/js-api/ ; texts and shapes are those of V8 as workerd prints them.
//
//   platform.wasmModuleFrom(buffer, name) -> Module     for the module loader; throws CompileError
//   platform.wasm   what the files of WebAssembly share:
//     host          functions of the Python half, opened at the first use
//     slot()        as platform.slot of webassembly_intrinsics.js
//     construct(name, make)   a constructor as V8's: (prefix, newTarget, args) -> object
(function (platform) {
  "use strict";
  const { defineProperty, create } = Object;
  const { apply } = Reflect;
  const { guardHost } = platform;
  const wasm = create(null);
  platform.wasm = wasm;

  // The Python half is opened once; afterwards `wasm.host` is a plain property.
  const DIRECT = new Set([
    "takeFailure",
    "callable",
    "detach",
    "pushExtern",
    "pushFunction",
    "flush",
    "loadExtern",
    "loadFunction",
  ]);
  defineProperty(wasm, "host", {
    configurable: true,
    get() {
      const raw = platform.host.openWebAssembly();
      const host = create(null);
      for (const name of Object.keys(raw)) {
        const plain = DIRECT.has(name) || typeof raw[name] !== "function";
        host[name] = plain ? raw[name] : guardHost(raw[name]);
      }
      defineProperty(wasm, "host", { value: host });
      host.start(wasm.dispatch);
      return host;
    },
  });

  const { slot } = platform;
  wasm.slot = slot;

  const namespace = create(Object.prototype, {
    [Symbol.toStringTag]: { value: "WebAssembly", configurable: true },
  });
  wasm.classes = create(null);
  wasm.method = (target, name, value) => {
    defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  };
  wasm.hidden = (target, name, value) => {
    defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
  };
  // Methods and accessors of an object literal, as Web IDL puts them on a prototype.
  wasm.shape = (target, members) => {
    for (const key of Object.keys(members)) {
      const member = Object.getOwnPropertyDescriptor(members, key);
      defineProperty(target, key, { ...member, enumerable: true, configurable: true });
    }
  };

  wasm.construct = (name, length, make) => {
    const Class = {
      [name]: function (...args) {
        if (new.target === undefined) {
          const prefix = name === "Instance" ? "" : `WebAssembly.${name}(): `;
          throw new TypeError(`${prefix}WebAssembly.${name} must be invoked with 'new'`);
        }
        return make(`WebAssembly.${name}()`, new.target, args);
      },
    }[name];
    defineProperty(Class, "length", { value: length, configurable: true });
    defineProperty(Class, "prototype", { writable: false });
    defineProperty(Class.prototype, Symbol.toStringTag, { value: `WebAssembly.${name}`, configurable: true });
    wasm.classes[name] = Class;
    return Class;
  };
  // An object for `new.target`, whose prototype may come from a subclass; without one V8 takes Object's.
  wasm.allocate = ({ prototype }) => {
    return create(Object(prototype) === prototype ? prototype : Object.prototype);
  };
  const errorClass = (name) => {
    const Class = {
      [name]: function (message, options) {
        const error = Reflect.construct(Error, arguments, new.target ?? Class);
        return error;
      },
    }[name];
    defineProperty(Class, "length", { value: 1, configurable: true });
    Object.setPrototypeOf(Class, Error);
    defineProperty(Class, "prototype", {
      value: create(Error.prototype, {
        constructor: { value: Class, writable: true, configurable: true },
        name: { value: name, writable: true, configurable: true },
        message: { value: "", writable: true, configurable: true },
      }),
      writable: false,
    });
    return Class;
  };
  const CompileError = errorClass("CompileError");
  const LinkError = errorClass("LinkError");
  const RuntimeError = errorClass("RuntimeError");
  wasm.LinkError = LinkError;
  wasm.errors = { RuntimeError, RangeError, TypeError, LinkError, CompileError };

  // ---- Module ---------------------------------------------------------------

  const modules = wasm.slot();
  wasm.moduleOf = (object) => modules.get(object);
  const REFUSED = "Wasm code generation disallowed by embedder";
  const refuse = (prefix) => new CompileError(`${prefix}: ${REFUSED}`);
  const Module = wasm.construct("Module", 1, (prefix) => {
    throw refuse(prefix);
  });

  // What all kinds of module sources share: https://tc39.es/proposal-source-phase-imports/#sec-abstractmodulesource
  const AbstractModuleSource = function AbstractModuleSource() {
    platform.illegal();
  };
  defineProperty(AbstractModuleSource, "prototype", { writable: false });
  const sourceTag = {
    get [Symbol.toStringTag]() {
      return modules.get(this) === undefined ? undefined : "WebAssembly.Module";
    },
  };
  defineProperty(AbstractModuleSource.prototype, Symbol.toStringTag, {
    ...Object.getOwnPropertyDescriptor(sourceTag, Symbol.toStringTag),
    enumerable: false,
  });
  Object.setPrototypeOf(Module, AbstractModuleSource);
  Object.setPrototypeOf(Module.prototype, AbstractModuleSource.prototype);

  platform.wasmModuleFrom = (buffer, name) => {
    const made = wasm.host.compile(buffer);
    if (typeof made === "string") throw new CompileError(`WebAssembly.Module(): ${made}`);
    const module = create(Module.prototype);
    const [imports, exports, hasTags] = wasm.host.describe(made);
    const record = { number: made, name, imports, exports, hasTags };
    modules.set(module, record);
    wasm.addModule(record);
    return module;
  };

  const given = (value, what) => {
    const module = modules.get(value);
    if (module === undefined) {
      throw new TypeError(`WebAssembly.Module.${what}(): Argument 0 must be a WebAssembly.Module`);
    }
    return module;
  };
  wasm.shape(Module, {
    imports(module) {
      return given(module, "imports").imports.map(([module, name, kind]) => ({ module, name, kind }));
    },
    exports(module) {
      return given(module, "exports").exports.map(([name, kind]) => ({ name, kind }));
    },
    customSections(module, sectionName) {
      const { number } = given(module, "customSections");
      if (sectionName === undefined) {
        throw new TypeError("WebAssembly.Module.customSections(): Argument 1 is required");
      }
      return wasm.host.custom(number, wasm.text(sectionName));
    },
  });

  // ---- the namespace's functions ----------------------------------------------

  const detached = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "detached").get;
  const isDetached = (value) => {
    try {
      return apply(detached, value, []);
    } catch {
      return false;
    }
  };
  const isSource = (value) => isDetached(value) || (platform.view(value) !== null && !isDataView(value));
  const dataViewBuffer = Object.getOwnPropertyDescriptor(DataView.prototype, "buffer").get;
  const isDataView = (value) => {
    try {
      return apply(dataViewBuffer, value, []) !== undefined;
    } catch {
      return false;
    }
  };
  const settle = (work) => {
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(error);
    }
  };
  wasm.shape(namespace, {
    compile(bytes) {
      return settle(() => {
        throw refuse("WebAssembly.compile()");
      });
    },
    validate(bytes) {
      if (!isSource(bytes)) throw new TypeError("WebAssembly.validate(): Argument 0 must be a buffer source");
      const { length } = isDetached(bytes) ? [] : platform.view(bytes);
      return length > 0 && wasm.host.validate(platform.view(bytes));
    },
    instantiate(source, importObject) {
      const prefix = "WebAssembly.instantiate()";
      return settle(() => {
        const module = modules.get(source);
        if (module === undefined) {
          if (isSource(source)) throw refuse(prefix);
          const other = Object(source) === source ? "" : " or a WebAssembly.Module object";
          throw new TypeError(`${prefix}: Argument 0 must be a buffer source${other}`);
        }
        return wasm.instantiate(prefix, module, importObject, wasm.Instance);
      });
    },
  });
  defineProperty(namespace.instantiate, "length", { value: 1, configurable: true });

  // Only a Module can be cloned: all it is are its bytes.
  platform.serializers.set((value) => modules.get(value) !== undefined, (value) => {
    const copy = create(Module.prototype);
    modules.set(copy, modules.get(value));
    return copy;
  });
  wasm.unserializable = (name, is) =>
    platform.serializers.set(is, () => {
      throw platform.makeDOMException(`#<${name}> could not be cloned.`, "DataCloneError");
    });

  // Last, when all classes are made: in V8's order.
  wasm.expose = () => {
    for (const name of ["Module", "Instance", "Table", "Memory", "Global", "Tag"]) {
      wasm.hidden(namespace, name, wasm.classes[name]);
    }
    defineProperty(namespace, "JSTag", { value: wasm.JSTag, configurable: true });
    wasm.hidden(namespace, "Exception", wasm.classes.Exception);
    for (const Class of [CompileError, LinkError, RuntimeError]) wasm.hidden(namespace, Class.name, Class);
    wasm.hidden(globalThis, "WebAssembly", namespace);
  };
});
