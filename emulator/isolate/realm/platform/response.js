// Response, https://fetch.spec.whatwg.org/#response-class, with what Workers add and change:
// https://developers.cloudflare.com/workers/runtime-apis/response/
(function (platform) {
  "use strict";

  const { assign, create } = Object;
  const { illegal, wrongField, exposeClass, dictionaryOf } = platform.idl;
  const { Body, MessageRecord, secret, setBody, addContentType, cloneBody, recordOf, findRecord } = platform.body;
  const { FixedList, takeMember } = platform.headers;
  const stringify = JSON.stringify;
  const matches = platform.uncurried(RegExp.prototype.test);
  const URLClass = URL;

  const REASONS = {
    __proto__: null,
    100: "Continue", 101: "Switching Protocols", 102: "Processing", 103: "Early Hints",
    200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content",
    205: "Reset Content", 206: "Partial Content", 207: "Multi-Status", 208: "Already Reported", 226: "IM Used",
    300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
    305: "Use Proxy", 307: "Temporary Redirect", 308: "Permanent Redirect",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
    408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
    413: "Payload Too Large", 414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
    417: "Expectation Failed", 418: "I'm a teapot", 421: "Misdirected Request", 422: "Unprocessable Entity",
    423: "Locked", 424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required",
    428: "Precondition Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout", 505: "HTTP Version Not Supported", 506: "Variant Also Negotiates",
    507: "Insufficient Storage", 508: "Loop Detected", 510: "Not Extended",
    511: "Network Authentication Required",
  };
  const BAD_REASON = /[\0-\x1f]/;
  const DICTIONARY = "InitializerDict";
  const NULL_BODY = "Response with null body status (101, 204, 205, or 304) cannot have a body.";

  // A plain function, without the calls up to the constructors of classes. On the prototype: a record
  // owns only what differs, so that making one is cheap.
  function ResponseRecord() {}
  ResponseRecord.prototype = create(MessageRecord.prototype);
  assign(ResponseRecord.prototype, {
    status: 200,
    statusText: null, // null: the reason phrase of the status
    url: "",
    redirected: false,
    type: "default",
    cf: undefined,
    webSocket: null,
    encodeBody: "automatic",
  });
  const reasonOf = (record) => record.statusText ?? REASONS[record.status] ?? "";

  const isNullBody = (status) => status === 101 || status === 204 || status === 205 || status === 304;

  const toStatus = (value, upgrade) => {
    if (value === 200) return value;
    const number = Number(value);
    const status = Number.isNaN(number) ? 0 : Math.trunc(number);
    if ((status < 200 || status > 599) && !(upgrade && status === 101)) {
      throw new RangeError("Responses may only be constructed with status codes in the range 200 to 599, inclusive.");
    }
    return status;
  };
  const toReason = (value) => {
    const text = `${value}`;
    if (matches(BAD_REASON, text)) throw new TypeError("Invalid statusText");
    return text;
  };

  // Another Response as the init gives its status, reason, headers and the rest.
  const initFromResponse = (record, other) => {
    record.status = other.status;
    record.statusText = other.statusText;
    record.list = other.headerList().copy();
    record.cf = other.cf;
    record.encodeBody = other.encodeBody;
    record.webSocket = other.webSocket;
  };

  const initFromDictionary = (record, init) => {
    const { status, statusText, headers, cf, webSocket, encodeBody } = init;
    if (webSocket !== undefined && webSocket !== null) {
      if (!platform.isWebSocket?.(webSocket)) throw wrongField(DICTIONARY, "webSocket", "WebSocket");
      record.webSocket = webSocket;
      record.status = 101;
    }
    if (status !== undefined) record.status = toStatus(status, record.webSocket !== null);
    if (record.webSocket !== null && record.status !== 101) {
      throw new RangeError("Responses with a WebSocket must have status code 101.");
    }
    if (statusText !== undefined) record.statusText = toReason(statusText);
    if (headers !== undefined) takeMember(record, headers, DICTIONARY);
    if (cf !== undefined) {
      if (Object(cf) !== cf) throw wrongField(DICTIONARY, "cf", "Object");
      record.cf = cf;
    }
    if (encodeBody !== undefined) {
      const how = `${encodeBody}`;
      if (how !== "automatic" && how !== "manual") {
        throw new TypeError(`encodeBody: unexpected value: ${how}`);
      }
      record.encodeBody = how;
    }
  };

  let refuse = null; // while the modules' top level runs
  platform.onTopLevel((refuses) => {
    refuse = refuses;
  });

  const makeRecord = (body, init) => {
    const record = new ResponseRecord();
    if (init !== undefined && init !== null) {
      if (typeof init !== "object" && typeof init !== "function") {
        platform.wrongParameter(2, "InitializerDict or Response", null, "Response");
      }
      if (isResponse(init)) initFromResponse(record, recordOf(init));
      else initFromDictionary(record, init);
    }
    if (body !== null && body !== undefined) {
      const type = setBody(record, body);
      if (!isNullBody(record.status)) addContentType(record, type);
      else if (record.source === null || record.source.length > 0) throw new TypeError(NULL_BODY);
      else record.source = null;
    }
    return record;
  };

  // null is no instance of anything.
  const isResponse = (value) => findRecord(value) instanceof ResponseRecord;
  const responseOf = (value) => {
    const record = findRecord(value);
    if (!(record instanceof ResponseRecord)) throw illegal();
    return record;
  };

  class Response extends Body {
    constructor(body, init) {
      super(secret, body === secret ? init : makeRecord(body, init));
    }
    get status() {
      return responseOf(this).status;
    }
    get statusText() {
      return reasonOf(responseOf(this)); // recorded answers: the phrase of the status by default
    }
    get headers() {
      return responseOf(this).headersObject();
    }
    get ok() {
      const { status } = responseOf(this);
      return status >= 200 && status < 300;
    }
    get redirected() {
      return responseOf(this).redirected;
    }
    get url() {
      return responseOf(this).url;
    }
    get webSocket() {
      return responseOf(this).webSocket;
    }
    get cf() {
      return responseOf(this).cf;
    }
    get type() {
      return responseOf(this).type;
    }
    clone() {
      const record = responseOf(this);
      if (record.webSocket !== null) throw new TypeError("Cannot clone a response to a WebSocket handshake.");
      const copy = new ResponseRecord();
      cloneBody(record, copy);
      copy.status = record.status;
      copy.statusText = record.statusText;
      copy.url = record.url;
      copy.redirected = record.redirected;
      copy.type = record.type;
      copy.cf = record.cf;
      copy.encodeBody = record.encodeBody;
      copy.list = record.headerList().copy();
      if (record.list.immutable) copy.list.immutable = true;
      return wrap(copy);
    }
    static error() {
      const record = new ResponseRecord();
      record.status = 0;
      record.statusText = "";
      record.type = "error";
      return wrap(record);
    }
    static redirect(url, status) {
      if (arguments.length === 0) platform.wrongParameter(1, "string", "redirect", "Response");
      const code = status === undefined ? 302 : Math.trunc(Number(status));
      if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) {
        throw new RangeError(`${code} is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308.`);
      }
      let location;
      try {
        location = new URLClass(`${url}`).href;
      } catch {
        throw new TypeError(`Unable to parse URL: ${url}`);
      }
      platform.refuseAtTopLevel();
      const record = new ResponseRecord();
      record.status = code;
      record.list = new FixedList(["Location", location]);
      return wrap(record);
    }
    static json(data, init) {
      if (arguments.length === 0) platform.wrongParameter(1, "Value", "json", "Response");
      if (refuse !== null) refuse();
      const text = `${stringify(data)}`; // "undefined" for what JSON leaves out, as the platform's V8 gives it
      const options = dictionaryOf(init, 2, "InitializerDict or Response", "json", "Response");
      const record = makeRecord(null, options);
      if (isNullBody(record.status)) throw new TypeError(NULL_BODY);
      record.source = text;
      addContentType(record, "application/json");
      return wrap(record);
    }
  }
  exposeClass("Response", Response);

  const wrap = (record) => new Response(secret, record);

  platform.responses = { Response, ResponseRecord, isResponse, reasonOf, wrap };
});
