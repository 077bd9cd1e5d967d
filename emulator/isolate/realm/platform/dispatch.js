// What javascript/program.py calls: events to the handlers of a JavaScript Worker, their outcome back.
(function (platform) {
  "use strict";

  const { apply, construct } = Reflect;
  const { isResponse } = platform.responses;
  const { makeRequest, makeContext, tellResponse } = platform;
  const { isArray } = Array;

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

  // `exported` is an object of handlers or a class. Gives `dispatch(id, method, url, headers, cf, body)`,
  // which starts a fetch event and gives its Request; later, once, either
  // `answer(id, status, statusText, header lines, kind of body, body)` or `fail(id, error, what was returned)`.
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
    return (id, method, url, headers, cf, body) => {
      const request = makeRequest(method, url, headers, cf, body);
      let outcome;
      try {
        outcome = invoke(exported, request, env, makeContext(onWaitUntil));
      } catch (error) {
        fail(id, error, "");
        return request;
      }
      if (isResponse(outcome)) settle(id, outcome);
      else settleLater(id, outcome);
      return request;
    };
  };
});
