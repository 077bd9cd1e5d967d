// crypto. https://w3c.github.io/webcrypto/  https://developers.cloudflare.com/workers/runtime-apis/web-crypto/
//
// The host does the mathematics; this file checks, normalises and copies as Web Crypto says.
//
//   platform.subtle   object of the operations that SubtleCrypto's methods run; subtle.js fills it
(function (platform) {
  "use strict";
  const { host, illegal, makeDOMException, internal: KEY } = platform;
  const MOST_RANDOM_BYTES = 65536;
  const INTEGERS = new Set(
    ["Int8", "Uint8", "Uint8Clamped", "Int16", "Uint16", "Int32", "Uint32", "BigInt64", "BigUint64"].map(
      (name) => `${name}Array`,
    ),
  );
  const typedTag = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype),
    Symbol.toStringTag,
  ).get;

  let keyState;
  class CryptoKey {
    #state;
    static {
      keyState = (value) => (Object(value) === value && #state in value ? value.#state : undefined);
    }
    constructor(key, state) {
      if (key !== KEY) throw new TypeError("Illegal constructor");
      this.#state = state;
    }
    get type() {
      return #state in this ? this.#state.type : illegal();
    }
    get extractable() {
      return #state in this ? this.#state.extractable : illegal();
    }
    get algorithm() {
      return #state in this ? this.#state.algorithm : illegal();
    }
    get usages() {
      return #state in this ? this.#state.usages.slice() : illegal();
    }
  }
  platform.makeKey = (state) => new CryptoKey(KEY, state);
  platform.keyState = keyState;

  const operations = Object.create(null);
  platform.subtle = operations;
  class SubtleCrypto {
    #brand;
    static {
      for (const name of [
        "encrypt", "decrypt", "sign", "verify", "digest", "generateKey", "deriveKey", "deriveBits",
        "importKey", "exportKey", "wrapKey", "unwrapKey",
      ]) {
        const run = async (args) => operations[name](...args);
        const method = {
          [name](...args) {
            if (Object(this) !== this || !(#brand in this)) illegal();
            return run(args);
          },
        }[name];
        Object.defineProperty(SubtleCrypto.prototype, name, { value: method, writable: true, configurable: true });
      }
    }
    constructor(key) {
      if (key !== KEY) throw new TypeError("Illegal constructor");
    }
    timingSafeEqual(a, b) {
      if (!(#brand in this)) illegal();
      const left = platform.view(a);
      const right = platform.view(b);
      if (left === null || right === null) {
        platform.wrongParameter(left === null ? 1 : 2, "BufferSource", "timingSafeEqual", "SubtleCrypto");
      }
      if (left.length !== right.length) throw new TypeError("Input buffers must have the same byte length.");
      return host.timingSafeEqual(left, right);
    }
  }

  class Crypto {
    #subtle;
    constructor(key) {
      if (key !== KEY) throw new TypeError("Illegal constructor");
      this.#subtle = new SubtleCrypto(KEY);
    }
    get subtle() {
      return #subtle in this ? this.#subtle : illegal();
    }
    getRandomValues(array) {
      if (!(#subtle in this)) illegal();
      const kind = ArrayBuffer.isView(array) ? Reflect.apply(typedTag, array, []) : null;
      if (kind === null) {
        throw new TypeError(
          "Failed to execute 'getRandomValues' on 'Crypto': parameter 1 is not of type 'ArrayBufferView'.",
        );
      }
      if (!INTEGERS.has(kind)) {
        throw makeDOMException(
          "ArrayBufferView argument to getRandomValues() must be an integer-typed view.",
          "TypeMismatchError",
        );
      }
      const view = platform.view(array);
      if (view.length > MOST_RANDOM_BYTES) {
        throw makeDOMException(
          `getRandomValues() only accepts buffers of size <= 64K but provided ${view.length} bytes.`,
          "QuotaExceededError",
        );
      }
      if (view.length > 0) view.set(new Uint8Array(host.randomBytes(view.length)));
      return array;
    }
    randomUUID() {
      return #subtle in this ? host.randomUUID() : illegal();
    }
  }

  platform.interface(CryptoKey);
  platform.interface(SubtleCrypto);
  platform.interface(Crypto);
  platform.expose("crypto", new Crypto(KEY));
});
