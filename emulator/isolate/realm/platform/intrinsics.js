// Where the engine's own built-ins differ from what the platform's have or answer.
(function (platform) {
  "use strict";
  const { apply, construct, getOwnPropertyDescriptor } = Reflect;
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

  // One step of Newton's method behind the C library's cube root, which is off by a bit.
  const nativeRoot = Math.cbrt;
  put(Math, {
    cbrt(x) {
      const number = +x;
      const root = nativeRoot(number);
      const square = root * root;
      const step = (square * root - number) / (3 * square);
      return step === 0 || step !== step || square === Infinity ? root : root - step;
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

  // ---- newer than the engine ----------------------------------------------------------

  const record = (iterator) => ({ iterator, next: iterator.next });
  const iteratorOf = (value, strings) => {
    if (Object(value) !== value && !(strings && typeof value === "string")) {
      throw new TypeError(`${String(value)} is not an object`);
    }
    const method = value[Symbol.iterator];
    const iterator = method === undefined || method === null ? value : apply(method, value, []);
    if (Object(iterator) !== iterator) throw new TypeError(`${String(iterator)} is not an object`);
    return record(iterator);
  };
  const step = (source) => {
    const result = apply(source.next, source.iterator, []);
    if (Object(result) !== result) throw new TypeError(`Iterator result ${String(result)} is not an object`);
    return result;
  };
  // Closes `open` from the last to the first; what the first failing one throws counts, unless
  // `failure` has come before.
  const closeAll = (open, failure) => {
    for (const { iterator } of open.reverse()) {
      try {
        const method = iterator.return;
        if (method !== undefined && method !== null) apply(method, iterator, []);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== null) throw failure.error;
  };
  const modeOf = (options) => {
    if (options !== undefined && Object(options) !== options) throw new TypeError(`${String(options)} is not an object`);
    const mode = options?.mode ?? "shortest";
    if (!["shortest", "longest", "strict"].includes(mode)) throw new TypeError(`${String(mode)} is not a valid mode`);
    const padding = mode === "longest" ? options.padding : undefined;
    if (padding !== undefined && Object(padding) !== padding) throw new TypeError("padding is not an object");
    return { mode, padding };
  };
  const uneven = () => new TypeError("Iterator.zip: the iterators have different lengths");

  // https://tc39.es/proposal-joint-iteration/#sec-iteratorzip
  function* joint(sources, mode, padding, finish) {
    let open = [...sources];
    let failure = null;
    const drop = (source) => {
      open = open.filter((other) => other !== source);
    };
    const take = (source, index) => {
      if (!open.includes(source)) return padding[index];
      const result = (() => {
        try {
          const answer = step(source);
          return answer.done ? null : { value: answer.value };
        } catch (error) {
          drop(source);
          throw error;
        }
      })();
      if (result !== null) return result.value;
      drop(source);
      return mode === "longest" ? padding[index] : ended;
    };
    const ended = {};
    let normal = false;
    try {
      while (sources.length > 0) {
        const results = [];
        for (let i = 0; i < sources.length; i++) {
          const value = take(sources[i], i);
          if (value === ended) {
            if (mode === "shortest") return;
            if (i > 0) throw uneven();
            for (let k = 1; k < sources.length; k++) if (take(sources[k], k) !== ended) throw uneven();
            return;
          }
          results.push(value);
        }
        if (mode === "longest" && open.length === 0) return;
        normal = true;
        yield finish(results);
        normal = false;
      }
    } catch (error) {
      failure = { error };
    } finally {
      void normal;
      closeAll(open, failure);
    }
  }
  const asHelper = (generator) => {
    const helper = Iterators.map.call({ next: () => generator.next(), return: () => generator.return() }, (x) => x);
    return helper;
  };
  const collect = (open, add) => {
    try {
      add();
    } catch (error) {
      closeAll(open, { error });
    }
  };
  put(Iterator, {
    zip(iterables, options = undefined) {
      if (Object(iterables) !== iterables) throw new TypeError(`${String(iterables)} is not an object`);
      const { mode, padding } = modeOf(options);
      const open = [];
      const fill = [];
      collect(open, () => {
        for (const item of iterables) open.push(iteratorOf(item, false));
      });
      if (padding !== undefined) {
        collect(open, () => {
          if (open.length === 0) return;
          for (const value of padding) if (fill.push(value) === open.length) break;
        });
      }
      return asHelper(joint(open, mode, fill, (results) => results));
    },
    zipKeyed(iterables, options = undefined) {
      if (Object(iterables) !== iterables) throw new TypeError(`${String(iterables)} is not an object`);
      const { mode, padding } = modeOf(options);
      const open = [];
      const keys = [];
      collect(open, () => {
        for (const key of Reflect.ownKeys(iterables)) {
          if (!getOwnPropertyDescriptor(iterables, key)?.enumerable) continue;
          const value = iterables[key];
          if (value === undefined) continue;
          keys.push(key);
          open.push(iteratorOf(value, false));
        }
      });
      const fill = [];
      if (padding !== undefined) collect(open, () => fill.push(...keys.map((key) => padding[key])));
      const finish = (results) => {
        const object = Object.create(null);
        keys.forEach((key, index) => {
          object[key] = results[index];
        });
        return object;
      };
      return asHelper(joint(open, mode, fill, finish));
    },
  });
  for (const name of ["zip", "zipKeyed"]) defineProperty(Iterator[name], "length", { value: 1, configurable: true });
  void construct;
});
