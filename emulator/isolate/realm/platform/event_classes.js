// The events of the platform that carry something, and those that it dispatches on the scope itself.
//
//   platform.dispatchGlobalError(error)            "error"; false when a listener prevented the default
//   platform.dispatchRejection(type, promise, reason)   "unhandledrejection" or "rejectionhandled", likewise
(function (platform) {
  "use strict";
  const { illegal, eventDictionary, trusted, internal: KEY } = platform;

  // Read-only attributes that come from the init dictionary, with their defaults and conversions.
  const eventClass = (name, initName, attributes) => {
    const state = new WeakMap();
    const Class = {
      [name]: class extends Event {
        constructor(type, init) {
          if (arguments.length === 0) platform.wrongParameter(1, "string", null, name);
          init = eventDictionary(init, name, initName);
          super(type, init);
          const values = Object.create(null);
          for (const key of Object.keys(attributes)) values[key] = attributes[key](init[key]);
          state.set(this, values);
        }
      },
    }[name];
    for (const key of Object.keys(attributes)) {
      Object.defineProperty(Class.prototype, key, {
        get() {
          return (state.get(this) ?? illegal())[key];
        },
        enumerable: true,
        configurable: true,
      });
    }
    platform.interface(Class);
    return Class;
  };
  const any = (fallback) => (value) => (value === undefined ? fallback : value);
  const text = (value) => (value === undefined ? "" : `${value}`);
  const number = (value) => (value === undefined ? 0 : Number(value));

  eventClass("CustomEvent", "CustomEventInit", { detail: any(undefined) });
  const ErrorEvent = eventClass("ErrorEvent", "ErrorEventInit", {
    message: text,
    filename: text,
    lineno: number,
    colno: number,
    error: any(undefined),
  });
  const MessageEvent = eventClass("MessageEvent", "Initializer", {
    data: any(null),
    origin: (value) => (value === null ? null : text(value)),
    lastEventId: text,
    source: any(null),
    ports: (value) => {
      if (value === undefined) return [];
      if (Array.isArray(value)) return [...value];
      throw new TypeError(
        "Incorrect type for the 'ports' field on 'Initializer': the provided value is not of type 'Array'.",
      );
    },
  });
  eventClass("CloseEvent", "Initializer", { code: number, reason: text, wasClean: Boolean });

  class PromiseRejectionEvent extends Event {
    #promise;
    #reason;
    constructor(key, type, promise, reason) {
      if (key !== KEY) throw new TypeError("Illegal constructor");
      super(type);
      this.#promise = promise;
      this.#reason = reason;
    }
    get promise() {
      return #promise in this ? this.#promise : illegal();
    }
    get reason() {
      return #promise in this ? this.#reason : illegal();
    }
  }
  platform.interface(PromiseRejectionEvent);

  platform.messageEvent = (data) => trusted(new MessageEvent("message", { data, origin: null }));
  platform.dispatchRejection = (type, promise, reason) => {
    try {
      return platform.dispatchGlobal(new PromiseRejectionEvent(KEY, type, promise, reason));
    } catch (error) {
      platform.tellUncaught(error);
      return true;
    }
  };

  // Where the error was made, else where it was reported, and what it says, as the platform words it.
  const FRAME = /(?:\(|at )([^()]*):(\d+):(\d+)\)?$/;
  const placeOf = (error) => {
    const made = platform.isError(error) ? platform.engineStack(error) ?? `${error.stack}` : "";
    const frame = FRAME.exec(platform.userFrames(made)[0] ?? platform.userFrames(platform.engineStack(new Error()))[0] ?? "");
    return frame === null ? {} : { filename: frame[1], lineno: Number(frame[2]), colno: Number(frame[3]) };
  };
  const textOf = (error) => {
    if (platform.isError(error)) return Error.prototype.toString.call(error);
    if (Array.isArray(error)) return "[object Array]";
    return typeof error === "object" && error !== null ? `#<${error.constructor?.name ?? "Object"}>` : String(error);
  };
  platform.dispatchGlobalError = (error) => {
    const event = new ErrorEvent("error", { error, message: `Uncaught ${textOf(error)}`, ...placeOf(error) });
    return platform.dispatchGlobal(event);
  };
});
