// Event, EventTarget and the common event classes. https://dom.spec.whatwg.org/#events
//
// As on Workers, a listener that throws ends the dispatch and the error reaches the caller of
// dispatchEvent; `target.on<type>` is called before the listeners; capture and passive are refused.
(function (platform) {
  "use strict";
  const { illegal } = platform;
  const { apply } = Reflect;
  const dictionary = (init, what, type) => {
    if (init === undefined || init === null) return {};
    if (typeof init !== "object" && typeof init !== "function") platform.wrongParameter(2, type, null, what);
    return init;
  };

  let begin, finish, stopped, trust;
  class Event {
    #type;
    #bubbles = false;
    #cancelable = false;
    #composed = false;
    #target = undefined;
    #dispatching = false;
    #trusted = false;
    #propagationStopped = false;
    #stopped = false;
    #prevented = false;
    static {
      begin = (event, target) => {
        if (!(#type in event)) illegal();
        if (event.#dispatching) {
          throw platform.makeDOMException("The event is already being dispatched.", "InvalidStateError");
        }
        event.#dispatching = true;
        event.#target = target;
        event.#prevented = false;
      };
      finish = (event) => {
        event.#dispatching = event.#propagationStopped = event.#stopped = false;
        return !event.#prevented;
      };
      stopped = (event) => event.#stopped;
      trust = (event) => {
        event.#trusted = true;
        return event;
      };
    }
    constructor(type, init) {
      if (arguments.length === 0) platform.wrongParameter(1, "string", null, "Event");
      this.#type = `${type}`;
      if (init !== undefined) {
        init = dictionary(init, "Event", "Init");
        this.#bubbles = !!init.bubbles;
        this.#cancelable = !!init.cancelable;
        this.#composed = !!init.composed;
      }
    }
    get type() {
      return #type in this ? this.#type : illegal();
    }
    get eventPhase() {
      if (!(#type in this)) illegal();
      return this.#dispatching ? 2 : 0;
    }
    get composed() {
      return #type in this ? this.#composed : illegal();
    }
    get bubbles() {
      return #type in this ? this.#bubbles : illegal();
    }
    get cancelable() {
      return #type in this ? this.#cancelable : illegal();
    }
    get defaultPrevented() {
      return #type in this ? this.#cancelable && this.#prevented : illegal();
    }
    get returnValue() {
      return !this.defaultPrevented;
    }
    get currentTarget() {
      return #type in this ? this.#target : illegal();
    }
    get target() {
      return #type in this ? this.#target : illegal();
    }
    get srcElement() {
      return #type in this ? this.#target : illegal();
    }
    get timeStamp() {
      return #type in this ? 0 : illegal();
    }
    get isTrusted() {
      return #type in this ? this.#trusted : illegal();
    }
    get cancelBubble() {
      return #type in this ? this.#propagationStopped : illegal();
    }
    set cancelBubble(value) {
      if (value) this.stopPropagation();
    }
    composedPath() {
      if (!(#type in this)) illegal();
      return this.#dispatching ? [this.#target] : [];
    }
    preventDefault() {
      if (!(#type in this)) illegal();
      this.#prevented = true; // dispatchEvent() tells it even of an event that is not cancelable
    }
    stopPropagation() {
      if (!(#type in this)) illegal();
      this.#propagationStopped = true;
    }
    stopImmediatePropagation() {
      if (!(#type in this)) illegal();
      this.#propagationStopped = this.#stopped = true;
    }
  }
  for (const [index, name] of ["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"].entries()) {
    for (const target of [Event, Event.prototype]) {
      Object.defineProperty(target, name, { value: index, enumerable: true, configurable: true });
    }
  }

  const AT_GLOBAL = new WeakMap();
  let dispatch, setHandler;
  class EventTarget {
    #listeners = null;
    #warned = false;
    #attributes = null; // by type, the listener that an attribute like `onabort` is
    static {
      // What an `on...` attribute of the platform's classes is set to is a listener; another one takes its turn.
      setHandler = (target, type, handler) => {
        const attributes = (target.#attributes ??= new Map());
        let listener = attributes.get(type) ?? null;
        if (typeof handler !== "function") {
          if (listener !== null) target.#remove(type, listener);
          attributes.set(type, null);
        } else if (listener !== null) {
          listener.handler = handler;
        } else {
          listener = { callback: (event) => apply(listener.handler, target, [event]), handler, once: false, removed: false };
          attributes.set(type, listener);
          target.#add(type, listener);
        }
      };
      dispatch = (self, event, target = self) => {
        if (!(#listeners in self)) illegal();
        begin(event, target);
        try {
          const { type } = event;
          const list = self.#listeners?.get(type);
          if (!self.#attributes?.has(type)) {
            const handler = target[`on${type}`];
            if (typeof handler === "function") self.#call(handler, target, event);
          }
          if (list === undefined) return finish(event);
          for (let i = 0, snapshot = list.slice(); i < snapshot.length && !stopped(event); i++) {
            const listener = snapshot[i];
            if (listener.removed) continue;
            if (listener.once) self.#remove(type, listener);
            self.#call(listener.callback, target, event);
          }
          return finish(event);
        } catch (error) {
          finish(event);
          throw error;
        }
      };
    }
    #call(callback, target, event) {
      const answer =
        typeof callback === "function" ? apply(callback, target, [event]) : callback.handleEvent(event);
      if (answer === true) event.preventDefault();
      else if (answer !== undefined && answer !== false) this.#warn(answer);
    }
    // As on Workers, once per target.
    #warn(answer) {
      if (this.#warned) return;
      this.#warned = true;
      const promise = Object(answer) === answer && typeof answer.then === "function";
      const rest = "that will be ignored. Event handlers should not have a return value";
      platform.host.log(
        "warn",
        promise
          ? `An event handler returned a promise ${rest} and should not be async functions.`
          : `An event handler returned a value of type "${typeof answer}" ${rest}.`,
      );
    }
    #add(type, listener) {
      this.#listeners ??= new Map();
      const list = this.#listeners.get(type);
      if (list === undefined) this.#listeners.set(type, [listener]);
      else list.push(listener);
    }
    #remove(type, listener) {
      const list = this.#listeners.get(type);
      const index = list === undefined ? -1 : list.indexOf(listener);
      if (index < 0) return;
      listener.removed = true;
      if (list.length === 1) this.#listeners.delete(type);
      else list.splice(index, 1);
    }
    addEventListener(type, callback, options) {
      const self = AT_GLOBAL.get(this ?? globalThis) ?? this;
      if (!(#listeners in self)) illegal();
      if (arguments.length === 0) platform.wrongParameter(1, "string", "addEventListener", "EventTarget");
      const { once, signal } = readOptions(options, "addEventListener");
      if (callback === null || (callback === undefined && arguments.length > 1)) return;
      if (Object(callback) !== callback) {
        platform.wrongParameter(2, "function or HandlerObject", "addEventListener", "EventTarget");
      }
      if (typeof callback !== "function" && typeof callback.handleEvent !== "function") {
        throw new TypeError(
          "Incorrect type for the 'handleEvent' field on 'HandlerObject': the provided value is not of type 'function'.",
        );
      }
      if (signal?.aborted) return;
      type = `${type}`;
      if (self.#listeners?.get(type)?.some((known) => known.callback === callback)) return;
      const listener = { callback, once, removed: false };
      self.#add(type, listener);
      if (signal) platform.onAbort(signal, () => self.#remove(type, listener));
    }
    removeEventListener(type, callback, options) {
      const self = AT_GLOBAL.get(this ?? globalThis) ?? this;
      if (!(#listeners in self)) illegal();
      if (arguments.length === 0) platform.wrongParameter(1, "string", "removeEventListener", "EventTarget");
      readOptions(options, "removeEventListener");
      const list = self.#listeners?.get(`${type}`);
      const listener = list?.find((known) => known.callback === callback);
      if (listener !== undefined) self.#remove(`${type}`, listener);
    }
    dispatchEvent(event) {
      const target = this ?? globalThis;
      if (!(event instanceof Event)) {
        throw new TypeError(
          "Failed to execute 'dispatchEvent' on 'EventTarget': parameter 1 is not of type 'Event'.",
        );
      }
      return dispatch(AT_GLOBAL.get(target) ?? target, event, target);
    }
  }

  const readOptions = (options, what) => {
    const capture = options === true || (Object(options) === options && options.capture);
    const name = typeof options === "boolean" ? "useCapture" : "options.capture";
    if (capture) throw new TypeError(`${what}(): ${name} must be false.`);
    if (Object(options) !== options) return { once: false, signal: undefined };
    const { signal } = options;
    if (signal !== undefined && !platform.isAbortSignal(signal)) {
      throw new TypeError(
        "Incorrect type for the 'signal' field on 'AddEventListenerOptions': the provided value is not of type 'AbortSignal'.",
      );
    }
    return { once: !!options.once, signal };
  };

  platform.interface(Event);
  platform.interface(EventTarget);

  // The scope is an EventTarget too; its listeners live in one of its own.
  const { ServiceWorkerGlobalScope, WorkerGlobalScope } = globalThis;
  Object.setPrototypeOf(WorkerGlobalScope.prototype, EventTarget.prototype);
  Object.setPrototypeOf(WorkerGlobalScope, EventTarget);
  Object.setPrototypeOf(ServiceWorkerGlobalScope, WorkerGlobalScope);
  AT_GLOBAL.set(globalThis, new EventTarget());

  platform.EventTarget = EventTarget;
  platform.dispatch = dispatch;
  platform.setHandler = setHandler;
  platform.trustedEvent = (type, init) => trust(new Event(type, init));
  platform.dispatchGlobal = (event) => dispatch(AT_GLOBAL.get(globalThis), trust(event), globalThis);
  platform.eventDictionary = dictionary;
  platform.trusted = trust;
});
