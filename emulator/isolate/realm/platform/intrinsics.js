// Where the engine's own built-ins differ from what the platform's have or answer.
(function (platform) {
  "use strict";
  const { apply } = Reflect;
  const { defineProperty, getPrototypeOf } = Object;
  const put = (target, methods) => {
    for (const name of Reflect.ownKeys(methods)) {
      platform.wasmFunctions.set(methods[name], typeof name === "symbol" ? `[${name.description}]` : name);
      defineProperty(target, name, { value: methods[name], writable: true, configurable: true });
    }
  };

  // Names that only the engine has.
  delete Set.groupBy;
  for (const name of ["fileName", "lineNumber", "columnNumber"]) delete Function.prototype[name];

  // The engine gives negative numbers for 64 bits and more. https://tc39.es/ecma262/#sec-bigint.asuintn
  const nativeUintN = BigInt.asUintN;
  put(BigInt, {
    asUintN(bits, bigint) {
      const size = Math.trunc(Number(bits)) || 0;
      const value = nativeUintN(size, bigint);
      return value < 0n ? value & ((1n << BigInt(size)) - 1n) : value;
    },
  });

  // The C library's cube root is off by a bit: one more step of Newton's method, from a slightly
  // larger root of few bits, whose square is exact (as V8's own: its last bit is then the same).
  const nativeRoot = Math.cbrt;
  const cell = new Float64Array(1);
  const halves = new Uint32Array(cell.buffer);
  put(Math, {
    cbrt(x) {
      const number = +x;
      const near = nativeRoot(number);
      if (near === 0 || near - near !== 0) return near;
      cell[0] = near;
      if (halves[0] >= 0x80000000) halves[1]++;
      halves[0] = (halves[0] + 0x80000000) & 0xc0000000;
      const root = cell[0];
      const quotient = number / (root * root);
      return root + root * ((quotient - root) / (root + root + quotient));
    },
  });

  // Workers live in UTC, which V8 spells out.
  const { toString: dateText, toTimeString: timeText } = Date.prototype;
  const zoned = (text) => (text.endsWith("GMT+0000") ? `${text} (Coordinated Universal Time)` : text);
  put(Date.prototype, {
    toString() {
      return zoned(apply(dateText, this, []));
    },
    toTimeString() {
      return zoned(apply(timeText, this, []));
    },
  });

  // https://tc39.es/ecma262/#sec-promise.any with V8's message
  const callable = (value, words) => {
    if (typeof value !== "function") throw new TypeError(words);
  };
  const capability = (Constructor) => {
    const made = { resolve: undefined, reject: undefined };
    made.promise = new Constructor((resolve, reject) => {
      if (made.resolve !== undefined || made.reject !== undefined) {
        throw new TypeError("Promise executor has already been invoked with non-undefined arguments");
      }
      made.resolve = resolve;
      made.reject = reject;
    });
    callable(made.resolve, "Promise resolve or reject function is not callable");
    callable(made.reject, "Promise resolve or reject function is not callable");
    return made;
  };
  put(Promise, {
    any(iterable) {
      if (Object(this) !== this) throw new TypeError("Promise.any called on non-object");
      const { promise, resolve, reject } = capability(this);
      const errors = [];
      let remaining = 1;
      const finish = () => {
        if (--remaining === 0) apply(reject, undefined, [new AggregateError(errors, "All promises were rejected")]);
      };
      const add = (item, index, resolveItem) => {
        let settled = false;
        errors[index] = undefined;
        remaining++;
        apply(resolveItem, this, [item]).then(resolve, (error) => {
          if (settled) return;
          settled = true;
          errors[index] = error;
          finish();
        });
      };
      try {
        const resolveItem = this.resolve;
        callable(resolveItem, "Promise resolve or reject function is not callable");
        let index = 0;
        for (const item of iterable) add(item, index++, resolveItem);
        finish();
      } catch (error) {
        apply(reject, undefined, [error]);
      }
      return promise;
    },
  });

  // A helper over an iterator without `return` cannot be closed in the engine: take(), break and
  // destructuring fail. https://tc39.es/ecma262/#sec-%iteratorhelperprototype%.return
  const sources = platform.slot();
  const Iterators = Iterator.prototype;
  const helpers = {};
  for (const name of ["map", "filter", "take", "drop", "flatMap"]) {
    const native = Iterators[name];
    helpers[name] = {
      [name](argument) {
        const helper = apply(native, this, [argument]);
        sources.set(helper, this);
        return helper;
      },
    }[name];
  }
  put(Iterators, helpers);
  const HelperPrototype = getPrototypeOf([].values().map((x) => x));
  const nativeReturn = HelperPrototype.return;
  put(HelperPrototype, {
    return() {
      const source = sources.get(this);
      if (source === undefined || (source.return !== undefined && source.return !== null)) {
        return apply(nativeReturn, this, []);
      }
      try {
        apply(nativeReturn, this, []);
      } catch (error) {
        // The helper is finished all the same; only a call from inside itself is a mistake.
        if (!(error instanceof TypeError) || error.message !== "not a function") throw error;
      }
      return { value: undefined, done: true };
    },
  });

  // What a WeakRef was made of or gave stays until the job is over; the engine counts references and
  // frees at once. https://tc39.es/ecma262/#sec-addtokeptobjects
  const PlainWeakRef = WeakRef;
  const { then } = Promise.prototype;
  const settled = Promise.resolve();
  let kept = null;
  const keep = (target) => {
    if (kept === null) {
      kept = new Set();
      apply(then, settled, [() => void (kept = null)]);
    }
    kept.add(target);
  };
  const KeepingWeakRef = {
    WeakRef: function (target) {
      if (new.target === undefined) throw new TypeError("Constructor WeakRef requires 'new'");
      const reference = Reflect.construct(PlainWeakRef, [target], new.target);
      keep(target);
      return reference;
    },
  }.WeakRef;
  const { deref } = PlainWeakRef.prototype;
  put(PlainWeakRef.prototype, {
    deref() {
      const target = apply(deref, this, []);
      if (target !== undefined) keep(target);
      return target;
    },
  });
  defineProperty(KeepingWeakRef, "prototype", { value: PlainWeakRef.prototype, writable: false });
  defineProperty(PlainWeakRef.prototype, "constructor", { value: KeepingWeakRef, configurable: true });
  put(globalThis, { WeakRef: KeepingWeakRef });
});
