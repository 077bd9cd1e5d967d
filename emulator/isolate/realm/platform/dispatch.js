// What javascript/program.py calls: events to the handlers of a JavaScript Worker, their outcome back.
(function (platform) {
  "use strict";

  const { apply, construct } = Reflect;
  const { isResponse } = platform.responses;
  const { makeRequest, makeContext, tellResponse } = platform;
  const { isArray } = Array;
  const { getPrototypeOf } = Object;
  const promisePrototype = Promise.prototype;

  // What a handler gave instead of a Response, in a word or two.
  const describe = (value) => {
    if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
    if (isArray(value)) return "Array";
    try {
      const { name } = value.constructor;
      return typeof name === "string" && name !== "" ? name : "Object";
    } catch {
      return "Object";
    }
  };

  const EVENTS = ["fetch", "scheduled", "queue", "email", "tail", "trace", "tailStream", "test", "alarm"];

  // The events that a default export, an object or a class, handles.
  platform.handlersOf = (exported) => {
    const target = typeof exported === "function" ? exported.prototype : exported;
    return EVENTS.filter((name) => typeof target?.[name] === "function");
  };

  const missing = () => new TypeError("Handler does not export a fetch() function.");

  const invoke = (exported, request, env, ctx) => {
    if (typeof exported !== "function") {
      const handler = exported.fetch;
      if (typeof handler !== "function") throw missing();
      return apply(handler, exported, [request, env, ctx]);
    }
    const entrypoint = construct(exported, [ctx, env]);
    const handler = entrypoint.fetch;
    if (typeof handler !== "function") throw missing();
    return apply(handler, entrypoint, [request]);
  };

  // `exported` is an object of handlers or a class. Gives `dispatch(id, method, url, headers, cf, body)`, which starts
  // a fetch event. For each, once, now or later, either `answer(id, status, statusText, header lines, kind of body,
  // body)` or `fail(id, error, what was returned)` is called.
  // It gives undefined, unless the handler gave an object that is no Response, most likely a promise. The caller,
  // who can see whether a promise is fulfilled, passes the object on: to `fulfilled(id, promise, its value)`, or
  // else to `wait(id, object)`, which gives the event's Request.
  platform.makeDispatch = (exported, env, onWaitUntil, answer, fail) => {
    const settle = (id, response) => {
      try {
        tellResponse(response, id, answer);
      } catch (error) {
        fail(id, error, describe(response));
      }
    };
    const settleLater = async (id, outcome) => {
      let response;
      try {
        response = await outcome;
      } catch (error) {
        fail(id, error, "");
        return;
      }
      settle(id, response);
    };
    let request = null;
    const dispatch = (id, method, url, headers, cf, body) => {
      request = makeRequest(method, url, headers, cf, body);
      let outcome;
      try {
        outcome = invoke(exported, request, env, makeContext(onWaitUntil));
      } catch (error) {
        fail(id, error, "");
        return undefined;
      }
      if (isResponse(outcome)) settle(id, outcome);
      else if (typeof outcome === "object" && outcome !== null) return outcome;
      else settleLater(id, outcome);
      return undefined;
    };
    const wait = (id, outcome) => {
      settleLater(id, outcome);
      return request;
    };
    const fulfilled = (id, outcome, value) => {
      request = null;
      if (getPrototypeOf(outcome) === promisePrototype) settle(id, value);
      else settleLater(id, outcome); // of a class of the Worker's, which may have a `then` of its own
    };
    return { dispatch, fulfilled, wait };
  };
});
