// Timers, microtasks and the clock.
// https://developers.cloudflare.com/workers/runtime-apis/web-standards/
(function (platform) {
  "use strict";
  const { host, illegal } = platform;
  const { apply } = Reflect;

  // A timer's error is no "error" event on the scope; one of a microtask is.
  platform.guarded = (callback) => () => {
    try {
      callback();
    } catch (error) {
      platform.tellUncaught(error);
    }
  };

  const LONGEST = 3153600000000; // a hundred years
  const delayOf = (value) => {
    const ms = Math.trunc(Number(value));
    return ms > 0 ? (ms < LONGEST ? ms : LONGEST) : 0;
  };
  const start = (name, repeat) => (args) => {
    const [callback, delay, ...rest] = args;
    if (typeof callback !== "function") {
      throw new TypeError(
        `Failed to execute '${name}' on 'ServiceWorkerGlobalScope': parameter 1 is not of type 'function'.`,
      );
    }
    platform.refuseAtTopLevel();
    return host.setTimer(delayOf(delay), repeat, platform.guarded(() => void apply(callback, globalThis, rest)));
  };
  const clear = (timer) => {
    if (typeof timer !== "number") timer = Number(timer);
    if (timer >= 1 && timer < 2 ** 53) host.clearTimer(Math.trunc(timer));
  };
  const once = start("setTimeout", false);
  const often = start("setInterval", true);
  platform.expose("setTimeout", function setTimeout(callback, delay = 0, ...args) {
    return once([callback, delay, ...args]);
  });
  platform.expose("setInterval", function setInterval(callback, delay = 0, ...args) {
    return often([callback, delay, ...args]);
  });
  platform.expose("clearTimeout", function clearTimeout(timer) {
    if (arguments.length === 0) platform.wrongParameter(1, "Number", "clearTimeout", "ServiceWorkerGlobalScope");
    clear(timer);
  });
  platform.expose("clearInterval", function clearInterval(timer) {
    if (arguments.length === 0) platform.wrongParameter(1, "Number", "clearInterval", "ServiceWorkerGlobalScope");
    clear(timer);
  });

  const resolved = Promise.resolve();
  const then = Promise.prototype.then;
  platform.expose("queueMicrotask", function queueMicrotask(callback) {
    if (typeof callback !== "function") {
      throw new TypeError(
        "Failed to execute 'queueMicrotask' on 'ServiceWorkerGlobalScope': parameter 1 is not of type 'function'.",
      );
    }
    const run = () => {
      try {
        callback();
      } catch (error) {
        platform.reportUncaught(error);
      }
    };
    apply(then, resolved, [run]);
  });

  class Scheduler {
    #brand;
    wait(delay, options = undefined) {
      if (!(#brand in this)) illegal();
      if (arguments.length === 0) platform.wrongParameter(1, "number", "wait", "Scheduler");
      if (options !== undefined && options !== null && Object(options) !== options) {
        platform.wrongParameter(2, "WaitOptions", "wait", "Scheduler");
      }
      const signal = options?.signal;
      if (signal !== undefined && !platform.isAbortSignal(signal)) {
        throw new TypeError(
          "Incorrect type for the 'signal' field on 'WaitOptions': the provided value is not of type 'AbortSignal'.",
        );
      }
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        let forget = () => {};
        const timer = host.setTimer(delayOf(delay), false, () => {
          forget();
          resolve(undefined);
        });
        if (signal === undefined) return;
        forget = platform.onAbort(signal, (reason) => {
          host.clearTimer(timer);
          reject(reason);
        });
      });
    }
  }
  platform.tag(Scheduler);
  platform.expose("scheduler", new Scheduler());

  // The platform's clock counts from the epoch, so that timeOrigin is 0.
  class Performance extends platform.EventTarget {
    #brand;
    constructor(key) {
      if (key !== platform.internal) throw new TypeError("Illegal constructor");
      super();
    }
    get timeOrigin() {
      return #brand in this ? 0 : illegal();
    }
    now() {
      return #brand in this ? Date.now() : illegal();
    }
  }
  platform.interface(Performance);
  platform.expose("performance", new Performance(platform.internal));
});
