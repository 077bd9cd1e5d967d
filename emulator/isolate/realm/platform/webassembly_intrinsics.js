// What WebAssembly changes of JavaScript's own functions. Before all files that use
// `ArrayBuffer.prototype.transfer`: on a buffer over wasm memory, the engine's own would free memory
// that is not its own.
//
//   platform.slot()         a class that keeps a hidden value on objects: set(object, value), get(object)
//   platform.weak(object), platform.weakTarget(reference)   WeakRefs that keep nothing until the job's end
//   platform.wasmBuffers    such a class: set on buffers over wasm memory, which no Worker may detach
//   platform.wasmFunctions  such a class: the name of each function that calls wasm, shown as native code,
//                           as are all functions of the platform files
(function (platform) {
  "use strict";
  const { apply } = Reflect;
  const PlainWeakRef = WeakRef;
  const { deref } = WeakRef.prototype;
  platform.weak = (object) => new PlainWeakRef(object);
  platform.weakTarget = (reference) => apply(deref, reference, []);

  // A private field on any object: nothing that a Worker patches can see or break it.
  class Same {
    constructor(object) {
      return object;
    }
  }
  platform.slot = () =>
    class Slot extends Same {
      #value;
      static set(object, value) {
        new Slot(object).#value = value;
      }
      static get(object) {
        const has = (typeof object === "object" || typeof object === "function") && object !== null;
        return has && #value in object ? object.#value : undefined;
      }
    };

  const replace = (target, name, length, value) => {
    Object.defineProperty(value, "length", { value: length, configurable: true });
    Object.defineProperty(target, name, { value, writable: true, configurable: true });
  };

  // What isolate/javascript/catches.py inserts is none of the program's text.
  const INSERTED =
    /\(\$cfwNone\) (?=\{)|\(\$cfwError\) \{let ([^]*?)=\$cfwCaught\(\$cfwError\);|\$cfwCaught\([^()]*\);/g;
  const { includes, replace: replaceAll } = String.prototype;
  const asWritten = (text) => {
    if (!apply(includes, text, ["$cfwCaught("])) return text;
    return apply(replaceAll, text, [INSERTED, (_, pattern) => (pattern === undefined ? "" : `(${pattern}) {`)]);
  };

  const functions = platform.slot();
  platform.wasmFunctions = functions;
  const plainText = Function.prototype.toString;
  const fileName = Object.getOwnPropertyDescriptor(Function.prototype, "fileName").get;
  const nativeText = (name) => `function ${name}() { [native code] }`;
  const { toString } = {
    toString() {
      const name = functions.get(this);
      if (name !== undefined) return nativeText(name);
      const text = apply(plainText, this, []);
      const file = apply(fileName, this, []);
      // The platform's own functions, those of the engine, and the user's.
      if (typeof file === "string" && file.startsWith("cfw-emu:")) return nativeText(this.name);
      return text.endsWith("() {\n    [native code]\n}") ? nativeText(text.slice(9, -24)) : asWritten(text);
    },
  };
  functions.set(toString, "toString");
  replace(Function.prototype, "toString", 0, toString);

  const buffers = platform.slot();
  platform.wasmBuffers = buffers;
  for (const name of ["transfer", "transferToFixedLength"]) {
    const plain = ArrayBuffer.prototype[name];
    const guarded = {
      [name](...args) {
        if (buffers.get(this) !== undefined) {
          throw new TypeError(`Cannot perform ArrayBuffer.prototype.${name} on a WebAssembly.Memory's buffer`);
        }
        return apply(plain, this, args);
      },
    }[name];
    replace(ArrayBuffer.prototype, name, 0, guarded);
    functions.set(guarded, name);
  }
});
