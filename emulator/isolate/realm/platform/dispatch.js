// What javascript/program.py calls: events to the handlers of a JavaScript Worker, their outcome back.
(function (platform) {
  "use strict";

  const { apply, construct } = Reflect;
  const { then, resolved } = platform.async;
  const { isResponse } = platform.responses;
  const { makeRequest, makeContext, takeResponse, bufferOf } = platform;
  const { isArray } = Array;

  const NO_BODY = 0, TEXT = 1, BYTES = 2, STREAM = 3;

  const kindOf = (body) => {
    if (body === null) return NO_BODY;
    if (typeof body === "string") return TEXT;
    return ArrayBuffer.isView(body) ? BYTES : STREAM;
  };

  // Name, value, name, value..., a line each: one string crosses faster than an array.
  const linesOf = (flat) => {
    let lines = "";
    for (let i = 0; i < flat.length; i++) lines += i === 0 ? flat[i] : `\n${flat[i]}`;
    return lines;
  };

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
      let parts;
      try {
        parts = takeResponse(response);
      } catch (error) {
        fail(id, error, describe(response));
        return;
      }
      const body = parts[3];
      const kind = kindOf(body);
      answer(id, parts[0], parts[1], linesOf(parts[2]), kind, kind === BYTES ? bufferOf(body) : body);
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
      else then(resolved(outcome), (response) => settle(id, response), (error) => fail(id, error, ""));
      return request;
    };
  };
});
