// AbortController and AbortSignal. https://dom.spec.whatwg.org/#aborting-ongoing-activities
//
//   platform.isAbortSignal(value)
//   platform.newAbortSignal()            a signal that only the platform can abort
//   platform.signalAbort(signal, reason) aborts it; without a reason it is an AbortError
//   platform.onAbort(signal, steps)      steps(reason) runs before any event; gives a function that forgets it
(function (platform) {
  "use strict";
  const { EventTarget, illegal, makeDOMException, host, internal: KEY } = platform;
  const abortError = () => makeDOMException("The operation was aborted", "AbortError");

  let isSignal, abort, onAbort, follow;
  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    #steps = null;
    #onabort = null;
    static {
      isSignal = (value) => value !== null && typeof value === "object" && #aborted in value;
      // All that follow a signal are aborted before the first of their listeners runs.
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        reason = reason === undefined ? abortError() : reason;
        const aborted = [];
        mark(signal, reason, aborted);
        for (const each of aborted) platform.dispatch(each, platform.trustedEvent("abort"));
      };
      const mark = (signal, reason, aborted) => {
        if (signal.#aborted) return;
        signal.#aborted = true;
        signal.#reason = reason;
        aborted.push(signal);
        const steps = signal.#steps;
        signal.#steps = null;
        if (steps) for (const step of steps) step(reason, aborted);
      };
      onAbort = (signal, step) => {
        if (signal.#aborted) {
          step(signal.#reason);
          return () => {};
        }
        (signal.#steps ??= new Set()).add(step);
        return () => signal.#steps?.delete(step);
      };
      follow = (sources) => {
        const result = new AbortSignal(KEY);
        const aborted = sources.find((source) => source.#aborted);
        if (aborted) {
          result.#aborted = true;
          result.#reason = aborted.#reason;
          return result;
        }
        const forget = sources.map((source) =>
          onAbort(source, (reason, aborted) => {
            for (const each of forget) each();
            mark(result, reason, aborted);
          }),
        );
        return result;
      };
    }
    constructor(key) {
      if (key !== KEY) throw new TypeError("Illegal constructor");
      super();
    }
    get aborted() {
      return #aborted in this ? this.#aborted : illegal();
    }
    get reason() {
      return #aborted in this ? this.#reason : illegal();
    }
    get onabort() {
      return #aborted in this ? this.#onabort : illegal();
    }
    set onabort(handler) {
      if (!(#aborted in this)) illegal();
      this.#onabort = typeof handler === "function" || typeof handler === "object" ? handler : null;
      platform.setHandler(this, "abort", handler);
    }
    throwIfAborted() {
      if (!(#aborted in this)) illegal();
      if (this.#aborted) throw this.#reason;
    }
    static abort(reason) {
      const signal = new AbortSignal(KEY);
      abort(signal, reason);
      return signal;
    }
    static timeout(delay) {
      if (arguments.length === 0) platform.wrongParameter(1, "number", "timeout", "AbortSignal");
      const ms = Math.max(0, Number(delay)) || 0;
      const signal = new AbortSignal(KEY);
      host.setTimer(ms, false, () => {
        try {
          abort(signal, makeDOMException("The operation was aborted due to timeout", "TimeoutError"));
        } catch (error) {
          platform.reportUncaught(error);
        }
      });
      return signal;
    }
    static any(signals) {
      if (!Array.isArray(signals)) platform.wrongParameter(1, "Array", "any", "AbortSignal");
      const list = [...signals];
      const wrong = list.findIndex((signal) => !isSignal(signal));
      if (wrong >= 0) {
        throw new TypeError(
          `Incorrect type for array element ${wrong}: the provided value is not of type 'AbortSignal'.`,
        );
      }
      return follow(list);
    }
  }

  class AbortController {
    #signal = null;
    get signal() {
      if (!(#signal in this)) illegal();
      return (this.#signal ??= new AbortSignal(KEY));
    }
    abort(reason) {
      if (!(#signal in this)) illegal();
      abort((this.#signal ??= new AbortSignal(KEY)), reason);
    }
  }

  platform.interface(AbortSignal);
  platform.interface(AbortController);
  platform.isAbortSignal = isSignal;
  platform.newAbortSignal = () => new AbortSignal(KEY);
  platform.signalAbort = abort;
  platform.onAbort = onAbort;
});
