// URL and URLSearchParams. https://url.spec.whatwg.org/#api
//
//   platform.parseURL(string, base) -> href or null
//   platform.parseForm(string) -> [[name, value], ...]      platform.serializeForm(pairs) -> string
//   platform.isURLSearchParams(value)
//
// The host parses; an href is normal, so its parts are found here by their delimiters.
(function (platform) {
  "use strict";
  const { host, illegal, usv, internal: KEY } = platform;
  const { apply } = Reflect;
  const decodeComponent = decodeURIComponent;
  const encodeComponent = encodeURIComponent;
  const SPECIAL = new Set(["http:", "https:", "ws:", "wss:", "ftp:"]);
  const PLAIN = /^[A-Za-z0-9*\-._]*$/;
  const EXTRA = { "%20": "+", "!": "%21", "'": "%27", "(": "%28", ")": "%29", "~": "%7E" };

  // What most URLs look like, `request.url` among them: the parser would give back the same text.
  const NORMAL =
    /^https?:\/\/(?:[a-z][a-z0-9-]*\.)*[a-z][a-z0-9-]*(?::(?!80\/|443\/)[1-9][0-9]{0,3})?\/[!$%&()*+,\-./0-9:;=?@A-Z\[\]_a-z|~]*$/;
  const EXCEPT = /\/\.|%2[eE]|xn--/;
  const test = RegExp.prototype.test;
  const isNormal = (url) => apply(test, NORMAL, [url]) && !apply(test, EXCEPT, [url]);

  const parseURL = (url, base) => {
    url = usv(url);
    if (base === undefined) return isNormal(url) ? url : host.parseURL(url, null);
    return host.parseURL(url, usv(base));
  };
  platform.parseURL = parseURL;

  const decodePart = (text) => {
    if (text.includes("+")) text = text.replaceAll("+", " ");
    if (!text.includes("%")) return text;
    try {
      return decodeComponent(text);
    } catch {
      return host.percentDecode(text);
    }
  };
  const parseForm = (text) => {
    const pairs = [];
    if (text === "") return pairs;
    const parts = text.split("&");
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i];
      if (part === "") continue;
      const at = part.indexOf("=");
      const pair = at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
      pairs[pairs.length] = [decodePart(pair[0]), decodePart(pair[1])];
    }
    return pairs;
  };
  const encodePart = (text) =>
    PLAIN.test(text) ? text : encodeComponent(text).replace(/%20|[!'()~]/g, (found) => EXTRA[found]);
  const serializeForm = (pairs) => pairs.map((pair) => `${encodePart(pair[0])}=${encodePart(pair[1])}`).join("&");
  platform.parseForm = (text) => parseForm(usv(text));
  platform.serializeForm = serializeForm;

  const pairOf = (item) => {
    if (Object(item) !== item) {
      throw new TypeError("Incorrect type: the provided value is not of type 'Sequence'.");
    }
    const pair = platform.list(item, "Each pair of URLSearchParams");
    if (pair.length !== 2) throw new TypeError("Invalid URL search params sequence.");
    return [usv(pair[0]), usv(pair[1])];
  };
  const pairsOf = (init) => {
    if (init === undefined) return [];
    if (Object(init) !== init) return parseForm(usv(init).replace(/^\?/, ""));
    if (init[Symbol.iterator] !== undefined && init[Symbol.iterator] !== null) {
      return platform.list(init, "URLSearchParams").map(pairOf);
    }
    const record = new Map();
    for (const key of Reflect.ownKeys(init)) {
      if (typeof key !== "string" || !Object.getOwnPropertyDescriptor(init, key)?.enumerable) continue;
      record.set(usv(key), usv(init[key]));
    }
    return [...record];
  };
  const required = (given, count, method) => {
    if (given < count) {
      throw new TypeError(
        `Failed to execute '${method}' on 'URLSearchParams': parameter ${given + 1} is not of type 'USVString'.`,
      );
    }
  };

  const EntryIterator = platform.iteratorClass("EntryIterator");
  const KeyIterator = platform.iteratorClass("KeyIterator");
  const ValueIterator = platform.iteratorClass("ValueIterator");
  let connect, reset, isParams;
  class URLSearchParams {
    #pairs;
    #update = null;
    static {
      connect = (params, update) => {
        params.#update = update;
        return params;
      };
      reset = (params, search) => {
        params.#pairs = parseForm(search.slice(1));
      };
      isParams = (value) => Object(value) === value && #pairs in value;
    }
    constructor(init = undefined) {
      this.#pairs = pairsOf(init);
    }
    #changed() {
      if (this.#update !== null) this.#update(serializeForm(this.#pairs));
    }
    get size() {
      return #pairs in this ? this.#pairs.length : illegal();
    }
    append(name, value) {
      if (!(#pairs in this)) illegal();
      required(arguments.length, 2, "append");
      this.#pairs.push([usv(name), usv(value)]);
      this.#changed();
    }
    delete(name, value = undefined) {
      if (!(#pairs in this)) illegal();
      required(arguments.length, 1, "delete");
      name = usv(name);
      const only = value === undefined ? null : usv(value);
      this.#pairs = this.#pairs.filter((pair) => pair[0] !== name || (only !== null && pair[1] !== only));
      this.#changed();
    }
    get(name) {
      if (!(#pairs in this)) illegal();
      required(arguments.length, 1, "get");
      name = usv(name);
      const found = this.#pairs.find((pair) => pair[0] === name);
      return found === undefined ? null : found[1];
    }
    getAll(name) {
      if (!(#pairs in this)) illegal();
      required(arguments.length, 1, "getAll");
      name = usv(name);
      return this.#pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]);
    }
    has(name, value = undefined) {
      if (!(#pairs in this)) illegal();
      required(arguments.length, 1, "has");
      name = usv(name);
      const only = value === undefined ? null : usv(value);
      return this.#pairs.some((pair) => pair[0] === name && (only === null || pair[1] === only));
    }
    set(name, value) {
      if (!(#pairs in this)) illegal();
      required(arguments.length, 2, "set");
      name = usv(name);
      value = usv(value);
      const at = this.#pairs.findIndex((pair) => pair[0] === name);
      if (at < 0) {
        this.#pairs.push([name, value]);
      } else {
        this.#pairs = this.#pairs.filter((pair, index) => pair[0] !== name || index === at);
        this.#pairs[at] = [name, value];
      }
      this.#changed();
    }
    sort() {
      if (!(#pairs in this)) illegal();
      this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#changed();
    }
    forEach(callback, thisArg = undefined) {
      if (!(#pairs in this)) illegal();
      if (typeof callback !== "function") {
        throw new TypeError(
          "Failed to execute 'forEach' on 'URLSearchParams': parameter 1 is not of type 'function'.",
        );
      }
      for (let i = 0; i < this.#pairs.length; i++) {
        Reflect.apply(callback, thisArg, [this.#pairs[i][1], this.#pairs[i][0], this]);
      }
    }
    entries() {
      if (!(#pairs in this)) illegal();
      return new EntryIterator((index) => this.#pairs[index]?.slice());
    }
    keys() {
      if (!(#pairs in this)) illegal();
      return new KeyIterator((index) => this.#pairs[index]?.[0]);
    }
    values() {
      if (!(#pairs in this)) illegal();
      return new ValueIterator((index) => this.#pairs[index]?.[1]);
    }
    toString() {
      return #pairs in this ? serializeForm(this.#pairs) : illegal();
    }
  }
  Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
    value: URLSearchParams.prototype.entries,
    writable: true,
    configurable: true,
  });

  // [protocol, username, password, host, hostname, port, pathname, search, hash]
  const split = (href) => {
    let end = href.indexOf("#");
    const hash = end < 0 || end === href.length - 1 ? "" : href.slice(end);
    if (end >= 0) href = href.slice(0, end);
    end = href.indexOf("?");
    const search = end < 0 || end === href.length - 1 ? "" : href.slice(end);
    if (end >= 0) href = href.slice(0, end);
    const colon = href.indexOf(":") + 1;
    const protocol = href.slice(0, colon);
    if (!href.startsWith("//", colon)) {
      // A path that begins with // is written /.// where there is no host.
      const path = href.slice(href.startsWith("/.//", colon) ? colon + 2 : colon);
      return [protocol, "", "", "", "", "", path, search, hash];
    }
    const slash = href.indexOf("/", colon + 2);
    const authority = slash < 0 ? href.slice(colon + 2) : href.slice(colon + 2, slash);
    const at = authority.lastIndexOf("@");
    const credentials = at < 0 ? "" : authority.slice(0, at);
    const sep = credentials.indexOf(":");
    const host = authority.slice(at + 1);
    const portAt = host.lastIndexOf(":");
    const hasPort = portAt > host.lastIndexOf("]");
    return [
      protocol,
      sep < 0 ? credentials : credentials.slice(0, sep),
      sep < 0 ? "" : credentials.slice(sep + 1),
      host,
      hasPort ? host.slice(0, portAt) : host,
      hasPort ? host.slice(portAt + 1) : "",
      slash < 0 ? "" : href.slice(slash),
      search,
      hash,
    ];
  };
  const originOf = (parts) => {
    if (SPECIAL.has(parts[0])) return `${parts[0]}//${parts[3]}`;
    if (parts[0] !== "blob:") return "null";
    const inner = parseURL(parts[6], undefined);
    return inner !== null && /^https?:/.test(inner) ? originOf(split(inner)) : "null";
  };

  class URL {
    #href;
    #parts = null;
    #params = null;
    constructor(url, base = undefined) {
      if (base === KEY) {
        this.#href = url;
        return;
      }
      if (arguments.length === 0) {
        throw new TypeError("Failed to construct 'URL': constructor parameter 1 is not of type 'USVString'.");
      }
      const href = parseURL(url, base);
      if (href === null) throw new TypeError("Invalid URL string.");
      this.#href = href;
    }
    static canParse(url, base = undefined) {
      if (arguments.length === 0) platform.wrongParameter(1, "USVString", "canParse", "URL");
      return parseURL(url, base) !== null;
    }
    static parse(url, base = undefined) {
      if (arguments.length === 0) platform.wrongParameter(1, "USVString", "parse", "URL");
      const href = parseURL(url, base);
      return href === null ? null : new URL(href, KEY);
    }
    static createObjectURL() {
      throw new Error("URL.createObjectURL() is not implemented");
    }
    static revokeObjectURL() {
      throw new Error("URL.revokeObjectURL() is not implemented");
    }
    static #get(url, index) {
      if (!(#href in url)) illegal();
      return (url.#parts ??= split(url.#href))[index];
    }
    static #set(url, part, value) {
      if (!(#href in url)) illegal();
      url.#href = host.changeURL(url.#href, part, usv(value));
      url.#parts = null;
    }
    get origin() {
      if (!(#href in this)) illegal();
      return originOf((this.#parts ??= split(this.#href)));
    }
    get href() {
      return #href in this ? this.#href : illegal();
    }
    set href(value) {
      if (!(#href in this)) illegal();
      const href = parseURL(value, undefined);
      if (href === null) {
        throw new TypeError("Failed to set the 'href' property on 'URL': the provided value is not of type 'valid URL string'.");
      }
      this.#href = href;
      this.#parts = null;
      if (this.#params !== null) reset(this.#params, URL.#get(this, 7));
    }
    get protocol() {
      return URL.#get(this, 0);
    }
    set protocol(value) {
      URL.#set(this, "protocol", value);
    }
    get username() {
      return URL.#get(this, 1);
    }
    set username(value) {
      URL.#set(this, "username", value);
    }
    get password() {
      return URL.#get(this, 2);
    }
    set password(value) {
      URL.#set(this, "password", value);
    }
    get host() {
      return URL.#get(this, 3);
    }
    set host(value) {
      URL.#set(this, "host", value);
    }
    get hostname() {
      return URL.#get(this, 4);
    }
    set hostname(value) {
      URL.#set(this, "hostname", value);
    }
    get port() {
      return URL.#get(this, 5);
    }
    set port(value) {
      URL.#set(this, "port", value);
    }
    get pathname() {
      return URL.#get(this, 6);
    }
    set pathname(value) {
      URL.#set(this, "pathname", value);
    }
    get search() {
      return URL.#get(this, 7);
    }
    set search(value) {
      URL.#set(this, "search", value);
      if (this.#params !== null) reset(this.#params, URL.#get(this, 7));
    }
    get hash() {
      return URL.#get(this, 8);
    }
    set hash(value) {
      URL.#set(this, "hash", value);
    }
    get searchParams() {
      if (!(#href in this)) illegal();
      if (this.#params === null) {
        const params = new URLSearchParams();
        reset(params, URL.#get(this, 7));
        this.#params = connect(params, (search) => URL.#set(this, "search", search));
      }
      return this.#params;
    }
    toString() {
      return #href in this ? this.#href : illegal();
    }
    toJSON() {
      return #href in this ? this.#href : illegal();
    }
  }

  platform.interface(URL);
  platform.interface(URLSearchParams);
  platform.isURLSearchParams = isParams;
});
