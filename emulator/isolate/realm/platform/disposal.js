// SuppressedError, DisposableStack and AsyncDisposableStack.
// https://tc39.es/proposal-explicit-resource-management/
(function (platform) {
  "use strict";
  const { defineProperty } = Object;
  const { illegal } = platform;
  const define = (name, value) => defineProperty(globalThis, name, { value, writable: true, configurable: true });
  for (const name of ["dispose", "asyncDispose"]) {
    if (Symbol[name] === undefined) defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) });
  }
  const { dispose, asyncDispose } = Symbol;

  // Iterators are disposed of by `return`.
  const { getPrototypeOf } = Object;
  const AsyncIteratorPrototype = getPrototypeOf(getPrototypeOf((async function* () {}).prototype));
  const disposers = [
    [globalThis.Iterator.prototype, dispose, { [dispose]() { this.return?.(); } }],
    [AsyncIteratorPrototype, asyncDispose, { async [asyncDispose]() { await this.return?.(); } }],
  ];
  for (const [prototype, key, { [key]: value }] of disposers) {
    if (prototype[key] === undefined) defineProperty(prototype, key, { value, writable: true, configurable: true });
  }

  class SuppressedError extends Error {
    constructor(error, suppressed, message) {
      super(...(message === undefined ? [] : [message]));
      for (const [key, value] of [["error", error], ["suppressed", suppressed]]) {
        defineProperty(this, key, { value, writable: true, configurable: true });
      }
    }
  }
  for (const [key, value] of [["name", "SuppressedError"], ["message", ""]]) {
    defineProperty(SuppressedError.prototype, key, { value, writable: true, configurable: true });
  }
  if (globalThis.SuppressedError === undefined) define("SuppressedError", SuppressedError);

  const SUPPRESSED = "An error was suppressed during disposal";
  const methodOf = (value, isAsync) => {
    if (value === null || value === undefined) return undefined;
    if (Object(value) !== value) throw new TypeError("An object is expected with `using` declarations");
    const method = (isAsync ? value[asyncDispose] : undefined) ?? value[dispose];
    if (typeof method !== "function") {
      throw new TypeError(isAsync ? "Symbol(Symbol.asyncDispose) is not a function" : "Symbol(Symbol.dispose) is not a function");
    }
    return () => Reflect.apply(method, value, []);
  };

  const stackClass = (name, isAsync) => {
    const Stack = {
      [name]: class {
        #steps = [];
        #disposed = false;
        get disposed() {
          return #steps in this ? this.#disposed : illegal();
        }
        #open(method) {
          if (!(#steps in this)) illegal();
          if (this.#disposed) {
            throw new ReferenceError(`Cannot call ${name}.prototype.${method} on an already-disposed ${name}`);
          }
        }
        use(value) {
          this.#open("use");
          const step = methodOf(value, isAsync);
          if (step !== undefined) this.#steps.push(step);
          return value;
        }
        adopt(value, onDispose) {
          this.#open("adopt");
          if (typeof onDispose !== "function") throw new TypeError(`${onDispose} is not a function`);
          this.#steps.push(() => onDispose(value));
          return value;
        }
        defer(onDispose) {
          this.#open("defer");
          if (typeof onDispose !== "function") throw new TypeError(`${onDispose} is not a function`);
          this.#steps.push(() => onDispose());
        }
        move() {
          this.#open("move");
          const stack = new Stack();
          stack.#steps = this.#steps;
          this.#steps = [];
          this.#disposed = true;
          return stack;
        }
        take() {
          if (!(#steps in this)) illegal();
          this.#disposed = true;
          const steps = this.#steps;
          this.#steps = [];
          return steps.reverse();
        }
      },
    }[name];
    const { take } = Stack.prototype;
    delete Stack.prototype.take;
    const merge = (failure, error) => ({ error: failure === null ? error : new SuppressedError(error, failure.error, SUPPRESSED) });
    const run = isAsync
      ? {
          async disposeAsync() {
            let failure = null;
            for (const step of Reflect.apply(take, this, [])) {
              try {
                await step();
              } catch (error) {
                failure = merge(failure, error);
              }
            }
            if (failure !== null) throw failure.error;
          },
        }.disposeAsync
      : {
          dispose() {
            let failure = null;
            for (const step of Reflect.apply(take, this, [])) {
              try {
                step();
              } catch (error) {
                failure = merge(failure, error);
              }
            }
            if (failure !== null) throw failure.error;
          },
        }.dispose;
    for (const key of [run.name, isAsync ? asyncDispose : dispose]) {
      defineProperty(Stack.prototype, key, { value: run, writable: true, configurable: true });
    }
    defineProperty(Stack.prototype, Symbol.toStringTag, { value: name, configurable: true });
    if (globalThis[name] === undefined) define(name, Stack);
  };
  stackClass("DisposableStack", false);
  stackClass("AsyncDisposableStack", true);
});
