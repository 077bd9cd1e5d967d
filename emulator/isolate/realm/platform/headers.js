// Headers, https://fetch.spec.whatwg.org/#headers-class, with what Workers add and change:
// https://developers.cloudflare.com/workers/runtime-apis/headers/
(function (platform) {
  "use strict";

  const { illegal, need, wrongField, exposeClass } = platform.idl;
  const apply = Reflect.apply;
  const keysOf = Object.keys;
  const iterator = Symbol.iterator;
  const MapClass = Map;
  const lower = String.prototype.toLowerCase;
  const sort = Array.prototype.sort;
  const matches = RegExp.prototype.test;
  const replace = String.prototype.replace;
  const split = String.prototype.split;
  const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const BAD_VALUE = /[\0\r\n]/;
  const EDGES = /^[\t\r\n ]+|[\t\r\n ]+$/g;
  const secret = Symbol("headers key");

  // Valid names that have been seen -> their lower-case form; bounded, since names may be made up.
  const known = new MapClass();
  const KNOWN_NAMES = 1000;
  const keyOf = (name) => {
    let key = known.get(name);
    if (key === undefined) {
      key = apply(lower, name, []);
      if (known.size < KNOWN_NAMES && apply(matches, NAME, [name])) known.set(name, key);
    }
    return key;
  };

  const toName = (value) => {
    const name = `${value}`;
    if (!known.has(name) && !apply(matches, NAME, [name])) throw new TypeError("Invalid header name.");
    return name;
  };
  const toValue = (value) => {
    let text = `${value}`;
    const last = text.length - 1;
    if (last >= 0 && (text.charCodeAt(0) <= 32 || text.charCodeAt(last) <= 32)) {
      text = apply(replace, text, [EDGES, ""]);
    }
    if (apply(matches, BAD_VALUE, [text])) throw new TypeError("Invalid header value.");
    return text;
  };

  // The list behind a Headers object. Headers that came over the wire stay the flat array
  // [name, value, name, value...] until somebody looks into them.
  class HeaderList {
    // `flat` is [name, value...], or text with a line for each of these.
    constructor(flat, immutable) {
      this.flat = flat;
      this.immutable = immutable;
      this.map = null; // lower-case name -> [name as first set, value, value...]
    }
    entries() {
      if (this.map === null) {
        this.map = new MapClass();
        const flat = this.unpacked();
        this.flat = null;
        if (flat !== null) for (let i = 0; i < flat.length; i += 2) this.add(flat[i], flat[i + 1]);
      }
      return this.map;
    }
    unpacked() {
      const { flat } = this;
      if (typeof flat !== "string") return flat;
      return flat === "" ? [] : apply(split, flat, ["\n"]);
    }
    add(name, value) {
      const map = this.entries();
      const key = keyOf(name);
      const entry = map.get(key);
      if (entry === undefined) map.set(key, [name, value]);
      else entry[entry.length] = value;
    }
    get(key) {
      const entry = this.entries().get(key);
      if (entry === undefined) return null;
      if (entry.length === 2) return entry[1];
      let text = entry[1];
      for (let i = 2; i < entry.length; i++) text += ", " + entry[i];
      return text;
    }
    has(key) {
      return this.entries().has(key);
    }
    set(name, value) {
      const map = this.entries();
      const key = keyOf(name);
      const entry = map.get(key);
      map.set(key, [entry === undefined ? name : entry[0], value]);
    }
    delete(key) {
      this.entries().delete(key);
    }
    values(key) {
      const entry = this.entries().get(key);
      const values = [];
      if (entry !== undefined) for (let i = 1; i < entry.length; i++) values[values.length] = entry[i];
      return values;
    }
    // Name and value pairs in the order of iteration: sorted, only Set-Cookie repeated.
    sorted() {
      const map = this.entries();
      const keys = [];
      map.forEach((_, key) => {
        keys[keys.length] = key;
      });
      apply(sort, keys, []);
      const pairs = [];
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i];
        const entry = map.get(key);
        if (key === "set-cookie") {
          for (let j = 1; j < entry.length; j++) pairs[pairs.length] = [key, entry[j]];
        } else {
          pairs[pairs.length] = [key, this.get(key)];
        }
      }
      return pairs;
    }
    // The flat array for the wire, each value apart.
    toFlat() {
      if (this.map === null) return this.unpacked() ?? [];
      const flat = [];
      this.map.forEach((entry) => {
        for (let i = 1; i < entry.length; i++) flat[flat.length] = entry[0], flat[flat.length] = entry[i];
      });
      return flat;
    }
    copy(immutable = false) {
      const flat = this.toFlat();
      const own = [];
      for (let i = 0; i < flat.length; i++) own[i] = flat[i];
      return new HeaderList(own, immutable);
    }
  }

  const NOT_A_SEQUENCE = "Incorrect type: the provided value is not of type 'Sequence'.";

  const fillFromSequence = (list, sequence, method) => {
    const flat = platform.pyPairs?.(sequence) ?? null; // Python's pairs, in one crossing
    if (flat !== null) {
      for (let i = 0; i < flat.length; i += 2) list.add(toName(flat[i]), toValue(flat[i + 1]));
      return;
    }
    const iterate = apply(method, sequence, []);
    const next = iterate.next;
    for (;;) {
      const step = apply(next, iterate, []);
      if (step.done) return;
      const item = step.value;
      if ((typeof item !== "object" && typeof item !== "function") || item === null
        || typeof item[iterator] !== "function") {
        throw new TypeError(NOT_A_SEQUENCE);
      }
      const pair = [];
      for (const part of item) pair[pair.length] = part;
      if (pair.length !== 2) {
        throw new TypeError(
          "To initialize a Headers object from a sequence, each inner sequence must have exactly two elements.");
      }
      list.add(toName(pair[0]), toValue(pair[1]));
    }
  };

  // A list from a HeadersInit; `fail` makes the error for a value of a wrong type.
  const listFrom = (init, fail) => {
    if (init === undefined) return new HeaderList(null, false);
    if (isHeaders(init)) return listOf(init).copy();
    if ((typeof init !== "object" && typeof init !== "function") || init === null) throw fail();
    const list = new HeaderList(null, false);
    const method = init[iterator];
    if (method !== undefined && method !== null) {
      if (typeof method !== "function") throw fail();
      fillFromSequence(list, init, method);
      return list;
    }
    const keys = keysOf(init);
    for (let i = 0; i < keys.length; i++) list.set(toName(keys[i]), toValue(init[keys[i]]));
    return list;
  };
  const wrongConstructorType = () =>
    new TypeError(
      "Failed to construct 'Headers': constructor parameter 1 is not of type 'Headers or Sequence or object'.");

  const mutable = (list) => {
    if (list.immutable) throw new TypeError("Can't modify immutable headers.");
    return list;
  };

  let isHeaders;
  let listOf;
  class Headers {
    #list;
    constructor(init, list) {
      this.#list = init === secret ? list : listFrom(init, wrongConstructorType);
    }
    static {
      isHeaders = (value) => typeof value === "object" && value !== null && #list in value;
      listOf = (headers) => headers.#list;
    }
    append(name, value) {
      if (!(#list in this)) throw illegal();
      need(2, arguments.length, "append", "Headers");
      const key = toName(name);
      const text = toValue(value);
      mutable(this.#list).add(key, text);
    }
    delete(name) {
      if (!(#list in this)) throw illegal();
      need(1, arguments.length, "delete", "Headers");
      const key = toName(name);
      mutable(this.#list).delete(keyOf(key));
    }
    get(name) {
      if (!(#list in this)) throw illegal();
      need(1, arguments.length, "get", "Headers");
      return this.#list.get(keyOf(toName(name)));
    }
    getAll(name) {
      if (!(#list in this)) throw illegal();
      need(1, arguments.length, "getAll", "Headers");
      if (keyOf(`${name}`) !== "set-cookie") {
        throw new TypeError('getAll() can only be used with the header name "Set-Cookie".');
      }
      return this.#list.values("set-cookie");
    }
    getSetCookie() {
      if (!(#list in this)) throw illegal();
      return this.#list.values("set-cookie");
    }
    has(name) {
      if (!(#list in this)) throw illegal();
      need(1, arguments.length, "has", "Headers");
      return this.#list.has(keyOf(toName(name)));
    }
    set(name, value) {
      if (!(#list in this)) throw illegal();
      need(2, arguments.length, "set", "Headers");
      const key = toName(name);
      const text = toValue(value);
      mutable(this.#list).set(key, text);
    }
    entries() {
      if (!(#list in this)) throw illegal();
      return makeIterator(this.#list.sorted(), 2);
    }
    keys() {
      if (!(#list in this)) throw illegal();
      return makeIterator(this.#list.sorted(), 0);
    }
    values() {
      if (!(#list in this)) throw illegal();
      return makeIterator(this.#list.sorted(), 1);
    }
    forEach(callback, thisArg) {
      if (!(#list in this)) throw illegal();
      if (typeof callback !== "function") {
        throw new TypeError("Failed to execute 'forEach' on 'Headers': parameter 1 is not of type 'function'.");
      }
      const pairs = this.#list.sorted();
      for (let i = 0; i < pairs.length; i++) apply(callback, thisArg, [pairs[i][1], pairs[i][0], this]);
    }
  }
  exposeClass("Headers", Headers);
  Object.defineProperty(Headers.prototype, iterator, {
    value: Headers.prototype.entries, writable: true, configurable: true,
  });

  // Iterators over a list of pairs, as Headers and FormData give them. `part`: 0 key, 1 value, 2 both.
  const positions = new WeakMap();
  const makePairIterator = () => {
    const prototypes = ["KeyIterator", "ValueIterator", "EntryIterator"].map(makeIteratorPrototype);
    return (pairs, part) => {
      const object = Object.create(prototypes[part]);
      positions.set(object, { pairs, part, at: 0 });
      return object;
    };
  };
  const makeIteratorPrototype = (tag) => {
    const prototype = Object.create(Object.getPrototypeOf(Object.getPrototypeOf([][iterator]())));
    const next = function next() {
      const position = positions.get(this);
      if (position === undefined) throw illegal();
      if (position.at >= position.pairs.length) return { value: undefined, done: true };
      const pair = position.pairs[position.at++];
      return { value: position.part === 2 ? [pair[0], pair[1]] : pair[position.part], done: false };
    };
    Object.defineProperty(prototype, "next", { value: next, writable: true, enumerable: true, configurable: true });
    Object.defineProperty(prototype, Symbol.toStringTag, { value: tag, configurable: true });
    return prototype;
  };
  const makeIterator = makePairIterator();

  platform.serializers.set(isHeaders, (headers) => new Headers(secret, listOf(headers).copy()));

  platform.headers = {
    HeaderList, isHeaders, listOf, makePairIterator,
    // Of the `headers` member of a dictionary of type `dictionary`.
    listFromMember: (init, dictionary) =>
      listFrom(init, () => wrongField(dictionary, "headers", "Headers or Sequence or object")),
    wrap: (list) => new Headers(secret, list),
  };
});
