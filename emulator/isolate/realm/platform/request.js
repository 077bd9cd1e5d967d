// Request, https://fetch.spec.whatwg.org/#request-class, with what Workers add and change:
// https://developers.cloudflare.com/workers/runtime-apis/request/
(function (platform) {
  "use strict";

  const { assign, create } = Object;
  const { illegal, wrongField, exposeClass } = platform.idl;
  const { Body, MessageRecord, secret, setBody, addContentType, moveBody, cloneBody, recordOf, findRecord, streamOf } = platform.body;
  const { streams } = platform;
  const { FixedList, takeMember } = platform.headers;
  const URLClass = URL;
  const parseJson = JSON.parse;
  const stringify = JSON.stringify;
  const upper = platform.uncurried(String.prototype.toUpperCase);

  const METHODS = { __proto__: null };
  for (const name of ("GET HEAD POST PUT DELETE PATCH PURGE OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH "
    + "SEARCH UNLOCK ACL REPORT MKACTIVITY CHECKOUT MERGE MSEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE QUERY BAN"
  ).split(" ")) {
    METHODS[name] = true;
  }
  // Older Workers may write only these as they like.
  const ANY_CASE = { __proto__: null, GET: true, HEAD: true, POST: true, PUT: true, DELETE: true, OPTIONS: true };
  const DICTIONARY = "RequestInitializerDict";

  class RequestRecord extends MessageRecord {
    constructor(method, url) {
      super();
      this.method = method;
      this.url = url;
    }
    get cf() {
      if (this.cfJson !== null) {
        this.cfValue = parseJson(this.cfJson);
        this.cfJson = null;
      }
      return this.cfValue;
    }
    signalObject() {
      if (this.signal === null) {
        this.signal = platform.newAbortSignal();
        if (this.abortReason !== null) platform.signalAbort(this.signal, this.abortReason[0]);
      }
      return this.signal;
    }
    abort(reason) {
      if (this.signal !== null) platform.signalAbort(this.signal, reason);
      else this.abortReason ??= [reason];
    }
  }
  // On the prototype: a record owns only what differs, so that making one is cheap.
  assign(RequestRecord.prototype, {
    redirect: "follow",
    cfJson: null, // what `cf` is parsed from, on first use
    cfValue: undefined,
    signal: null,
    abortReason: null, // [reason] once aborted before anybody asked for the signal
    cache: undefined,
    fetcher: null,
  });

  // Of a request that came in: its headers stay as they came, until somebody looks into them. It is made
  // by a plain function, without the calls up to the constructors of classes.
  function IncomingRecord(method, url, wireHeaders, cfJson) {
    this.method = method;
    this.url = url;
    this.wireHeaders = wireHeaders;
    this.cfJson = cfJson;
  }
  IncomingRecord.prototype = create(RequestRecord.prototype);
  assign(IncomingRecord.prototype, {
    redirect: "manual",
    makeList() {
      return new FixedList(this.wireHeaders);
    },
  });

  const { older } = platform;
  const toMethod = (value) => {
    const text = `${value}`;
    const method = upper(text);
    const exactly = text !== method && older.upper_case_all_http_methods && ANY_CASE[method] !== true;
    if (METHODS[method] !== true || exactly) throw new TypeError(`Invalid HTTP method string: ${text}`);
    return method;
  };
  const toRedirect = (value) => {
    const text = `${value}`;
    if (text === "follow" || text === "manual") return text;
    throw new TypeError(
      'Invalid redirect value, must be one of "follow" or "manual" ("error" won\'t be implemented since it does not '
      + 'make sense at the edge; use "manual" and check the response status code).');
  };
  const toSignal = (value) => {
    if (value === null || platform.isAbortSignal(value)) return value;
    throw wrongField(DICTIONARY, "signal", "AbortSignal");
  };
  const toCache = (value) => {
    if (older.cache_option_enabled) {
      throw new Error(`The 'cache' field on '${DICTIONARY}' is not implemented.`);
    }
    const text = `${value}`;
    if (text !== "no-store" && (text !== "no-cache" || older.cache_no_cache_enabled)) throw new TypeError(`Unsupported cache mode: ${text}`);
    return text;
  };
  const toCfJson = (value) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) {
      throw wrongField(DICTIONARY, "cf", "Object");
    }
    return stringify(value) ?? "{}";
  };
  const checkIntegrity = (value) => {
    if (`${value}` === "") return;
    throw new TypeError(
      "Subrequest integrity checking is not implemented. The integrity option must be either undefined or an empty "
      + "string.");
  };
  const toUrl = (input) => {
    const text = `${input}`;
    if (older.fetch_standard_url) return text; // send() finds out
    try {
      return new URLClass(text).href;
    } catch {
      throw new TypeError(`Invalid URL: ${text}`);
    }
  };

  const copyInto = (record, from) => {
    record.redirect = from.redirect;
    record.cfJson = from.cfJson;
    if (from.cfValue !== undefined) record.cfJson = stringify(from.cfValue);
    record.cache = from.cache;
    record.fetcher = from.fetcher;
    record.list = from.headerList().copy();
    record.signal = from.signal;
    record.abortReason = from.abortReason;
  };

  const applyInit = (record, init) => {
    const { method, headers, redirect, signal, cf, cache, integrity, fetcher } = init;
    if (method !== undefined) record.method = toMethod(method);
    if (headers !== undefined) takeMember(record, headers, DICTIONARY);
    if (redirect !== undefined) record.redirect = toRedirect(redirect);
    if (signal !== undefined) {
      record.signal = toSignal(signal);
      record.abortReason = null;
    }
    if (cf !== undefined) record.cfJson = toCfJson(cf);
    if (cache !== undefined) record.cache = toCache(cache);
    if (integrity !== undefined) checkIntegrity(integrity);
    if (fetcher !== undefined) record.fetcher = fetcher;
  };

  const makeRecord = (input, init) => {
    const from = isRequest(input) ? recordOf(input) : null;
    const record = from === null ? new RequestRecord("GET", toUrl(input)) : new RequestRecord(from.method, from.url);
    if (from !== null) copyInto(record, from);
    let body;
    if (init !== undefined && init !== null) {
      if (typeof init !== "object" && typeof init !== "function") {
        throw new TypeError(
          "Failed to construct 'Request': constructor parameter 2 is not of type 'RequestInitializerDict or Request'.");
      }
      // A Request as the init gives all that it is; its body is then the same stream for both.
      if (isRequest(init)) {
        const other = recordOf(init);
        record.method = other.method;
        copyInto(record, other);
        if (!other.empty) body = streams.objectOf(streamOf(other));
      } else {
        applyInit(record, init);
        body = init.body;
      }
    }
    if (record.method === "GET" || record.method === "HEAD") {
      const inherited = body === undefined && from !== null && !from.empty;
      if ((body !== undefined && body !== null) || inherited) {
        throw new TypeError("Request with a GET or HEAD method cannot have a body.");
      }
    }
    if (body !== undefined) {
      if (body !== null) {
        addContentType(record, setBody(record, body));
      }
    } else if (from !== null && !from.empty) {
      if (from.isUsed) throw new TypeError("Cannot reconstruct a Request with a used body.");
      moveBody(from, record);
    }
    return record;
  };

  // null is no instance of anything.
  const isRequest = (value) => findRecord(value) instanceof RequestRecord;
  const requestOf = (value) => {
    const record = findRecord(value);
    if (!(record instanceof RequestRecord)) throw illegal();
    return record;
  };

  class Request extends Body {
    // `...given`: making `arguments` takes twice as long.
    constructor(...given) {
      if (given.length === 0) {
        platform.wrongParameter(1, "Request or string", null, "Request");
      }
      super(secret, given[0] === secret ? given[1] : makeRecord(given[0], given[1]));
    }
    get method() {
      return requestOf(this).method;
    }
    get url() {
      return requestOf(this).url;
    }
    get headers() {
      return requestOf(this).headersObject();
    }
    get redirect() {
      return requestOf(this).redirect;
    }
    get fetcher() {
      return requestOf(this).fetcher;
    }
    get signal() {
      return requestOf(this).signalObject();
    }
    get cf() {
      return requestOf(this).cf;
    }
    get integrity() {
      requestOf(this);
      return "";
    }
    get keepalive() {
      requestOf(this);
      return false;
    }
    get cache() {
      return requestOf(this).cache;
    }
    clone() {
      const record = requestOf(this);
      const copy = new RequestRecord(record.method, record.url);
      cloneBody(record, copy);
      copyInto(copy, record);
      if (record.headerList().immutable) copy.list.immutable = true;
      copy.signal = record.signalObject();
      return wrap(copy);
    }
  }
  exposeClass("Request", Request);

  const wrap = (record) => new Request(secret, record);

  platform.requests = { Request, RequestRecord, IncomingRecord, isRequest, requestOf, wrap };
});
