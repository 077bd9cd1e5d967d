// URL and URLSearchParams. https://url.spec.whatwg.org/#api
//
//   platform.parseURL(string, base) -> href or null
//   platform.parseForm(string) -> [[name, value], ...]      platform.serializeForm(pairs) -> string
//   platform.isURLSearchParams(value)
//
// The host parses; an href is normal, so its parts are found here by their delimiters.
(function (platform) {
  "use strict";
  const { host, illegal, internal: KEY, uncurried } = platform;
  const decodeComponent = decodeURIComponent;
  const encodeComponent = encodeURIComponent;
  const SPECIAL = new Set(["http:", "https:", "ws:", "wss:", "ftp:"]);
  const PLAIN = /^[A-Za-z0-9*\-._]*$/;
  const EXTRA = { "%20": "+", "!": "%21", "'": "%27", "(": "%28", ")": "%29", "~": "%7E" };

  const test = uncurried(RegExp.prototype.test);
  const indexOf = uncurried(String.prototype.indexOf);
  const lastIndexOf = uncurried(String.prototype.lastIndexOf);
  const slice = uncurried(String.prototype.slice);
  const startsWith = uncurried(String.prototype.startsWith);
  const wellFormed = uncurried(String.prototype.toWellFormed);
  const usv = (value) => wellFormed(typeof value === "string" ? value : `${value}`);

  // What most URLs look like, `request.url` among them: the parser would give back the same text.
  // A path of one origin differs from request to request; the origin does not.
  const ORIGIN = new RegExp(
    "^https?://(?:(?:(?!xn--)[a-z0-9][a-z0-9-]*\\.)*(?!xn--)[a-z][a-z0-9-]*|"
    + "(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\\.(?=[0-9])|(?=[:/]))){4})"
    + "(?::(?!80/|443/)[1-9][0-9]{0,3})?/$");
  const PATH = new RegExp(
    "^(?:(?:/(?!\\.)|%(?!2[eE]))[!$&()*+,\\-.0-9:;=@A-Z\\[\\]_a-z|~]*)+"
    + "(?:\\?[!$%&()*+,\\-./0-9:;=?@A-Z\\[\\]_a-z|~]*)?$");
  const SCHEME = "https://".length;
  const LONGEST_NORMAL = 4000; // the host is faster from here on
  const origins = new Map();
  const KNOWN_ORIGINS = 100;
  const isNormalOrigin = (origin) => {
    let normal = origins.get(origin);
    if (normal === undefined) {
      normal = test(ORIGIN, origin);
      if (origins.size >= KNOWN_ORIGINS) origins.clear();
      origins.set(origin, normal);
    }
    return normal;
  };
  const isNormal = (url) => {
    if (url.length > LONGEST_NORMAL) return false;
    const slash = indexOf(url, "/", SCHEME);
    return slash >= 0 && test(PATH, slice(url, slash)) && isNormalOrigin(slice(url, 0, slash + 1));
  };

  // Absolute URLs that were parsed last -> their href, which is then the key of its parts too.
  const parsed = new Map();
  const KEPT_URLS = 200;
  const LONGEST_KEPT = 500;
  class Parsed {
    constructor(href) {
      this.href = href;
      this.parts = null;
    }
  }
  const parseAbsolute = (given) => {
    const found = parsed.get(given);
    if (found !== undefined) return found;
    const url = wellFormed(given);
    const href = isNormal(url) ? url : host.parseURL(url, null);
    if (href === null) return null;
    const made = new Parsed(href);
    if (given.length <= LONGEST_KEPT) {
      if (parsed.size >= KEPT_URLS) parsed.clear();
      parsed.set(given, made);
    }
    return made;
  };
  const parse = (url, base) => {
    const text = typeof url === "string" ? url : `${url}`;
    if (base === undefined) return parseAbsolute(text);
    const href = host.parseURL(wellFormed(text), usv(base));
    return href === null ? null : new Parsed(href);
  };
  const parseURL = (url, base) => {
    const found = parse(url, base);
    return found === null ? null : found.href;
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
      return platform.list(init, "URLSearchParams", pairOf);
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
    let end = indexOf(href, "#");
    const hash = end < 0 || end === href.length - 1 ? "" : slice(href, end);
    if (end >= 0) href = slice(href, 0, end);
    end = indexOf(href, "?");
    const search = end < 0 || end === href.length - 1 ? "" : slice(href, end);
    if (end >= 0) href = slice(href, 0, end);
    const colon = indexOf(href, ":") + 1;
    const protocol = slice(href, 0, colon);
    if (!startsWith(href, "//", colon)) {
      // A path that begins with // is written /.// where there is no host.
      const path = slice(href, startsWith(href, "/.//", colon) ? colon + 2 : colon);
      return [protocol, "", "", "", "", "", path, search, hash];
    }
    const slash = indexOf(href, "/", colon + 2);
    const authority = slash < 0 ? slice(href, colon + 2) : slice(href, colon + 2, slash);
    const at = lastIndexOf(authority, "@");
    const credentials = at < 0 ? "" : slice(authority, 0, at);
    const sep = indexOf(credentials, ":");
    const host = at < 0 ? authority : slice(authority, at + 1);
    const portAt = lastIndexOf(host, ":");
    const hasPort = portAt >= 0 && portAt > lastIndexOf(host, "]");
    return [
      protocol,
      sep < 0 ? credentials : slice(credentials, 0, sep),
      sep < 0 ? "" : slice(credentials, sep + 1),
      host,
      hasPort ? slice(host, 0, portAt) : host,
      hasPort ? slice(host, portAt + 1) : "",
      slash < 0 ? "" : slice(href, slash),
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
    #parsed;
    #params = null;
    // `...given`: making `arguments` takes twice as long.
    constructor(...given) {
      if (given.length === 0) {
        throw new TypeError("Failed to construct 'URL': constructor parameter 1 is not of type 'USVString'.");
      }
      const found = given[1] === KEY ? given[0] : parse(given[0], given[1]);
      if (found === null) throw new TypeError("Invalid URL string.");
      this.#parsed = found;
    }
    static canParse(url, base = undefined) {
      if (arguments.length === 0) platform.wrongParameter(1, "USVString", "canParse", "URL");
      return parseURL(url, base) !== null;
    }
    static parse(url, base = undefined) {
      if (arguments.length === 0) platform.wrongParameter(1, "USVString", "parse", "URL");
      const found = parse(url, base);
      return found === null ? null : new URL(found, KEY);
    }
    static createObjectURL() {
      throw new Error("URL.createObjectURL() is not implemented");
    }
    static revokeObjectURL() {
      throw new Error("URL.revokeObjectURL() is not implemented");
    }
    static #get(url, index) {
      if (!(#parsed in url)) illegal();
      const found = url.#parsed;
      return (found.parts ??= split(found.href))[index];
    }
    static #set(url, part, value) {
      if (!(#parsed in url)) illegal();
      url.#parsed = new Parsed(host.changeURL(url.#parsed.href, part, usv(value)));
    }
    get origin() {
      if (!(#parsed in this)) illegal();
      const found = this.#parsed;
      return originOf((found.parts ??= split(found.href)));
    }
    get href() {
      return #parsed in this ? this.#parsed.href : illegal();
    }
    set href(value) {
      if (!(#parsed in this)) illegal();
      const found = parse(value, undefined);
      if (found === null) {
        throw new TypeError("Failed to set the 'href' property on 'URL': the provided value is not of type 'valid URL string'.");
      }
      this.#parsed = found;
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
      if (!(#parsed in this)) illegal();
      if (this.#params === null) {
        const params = new URLSearchParams();
        reset(params, URL.#get(this, 7));
        this.#params = connect(params, (search) => URL.#set(this, "search", search));
      }
      return this.#params;
    }
    toString() {
      return #parsed in this ? this.#parsed.href : illegal();
    }
    toJSON() {
      return #parsed in this ? this.#parsed.href : illegal();
    }
  }

  platform.interface(URL);
  platform.interface(URLSearchParams);
  platform.isURLSearchParams = isParams;
});
