// Headers, https://fetch.spec.whatwg.org/#headers-class, with what Workers add and change:
// https://developers.cloudflare.com/workers/runtime-apis/headers/
(function (platform) {
  "use strict";

  const { illegal, need, wrongField, exposeClass } = platform.idl;
  const { assign } = Object;
  const apply = Reflect.apply;
  const keysOf = Object.keys;
  const iterator = Symbol.iterator;
  const MapClass = Map;
  const { uncurried } = platform;
  const lower = uncurried(String.prototype.toLowerCase);
  const codeAt = uncurried(String.prototype.charCodeAt);
  const replace = uncurried(String.prototype.replace);
  const split = uncurried(String.prototype.split);
  const sort = uncurried(Array.prototype.sort);
  const matches = uncurried(RegExp.prototype.test);
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
      key = lower(name);
      if (known.size < KNOWN_NAMES && matches(NAME, name)) known.set(name, key);
    }
    return key;
  };

  const toName = (value) => {
    const name = typeof value === "string" ? value : `${value}`;
    if (!known.has(name) && !matches(NAME, name)) throw new TypeError("Invalid header name.");
    return name;
  };
  // Short values that were found to be good as they are; they are forgotten when there are too many.
  const good = new Set();
  const GOOD_VALUES = 1000;
  const SHORT_VALUE = 40;
  const toValue = (value) => {
    const text = typeof value === "string" ? value : `${value}`;
    return good.has(text) ? text : checkedValue(text);
  };
  const checkedValue = (given) => {
    let text = given;
    const last = text.length - 1;
    if (last >= 0 && (codeAt(text, 0) <= 32 || codeAt(text, last) <= 32)) text = replace(text, EDGES, "");
    if (matches(BAD_VALUE, text)) throw new TypeError("Invalid header value.");
    if (text === given && last < SHORT_VALUE) {
      if (good.size >= GOOD_VALUES) good.clear();
      good.add(text);
    }
    return text;
  };

  // Headers that go out as one line, however often they were appended; others as one line each.
  const JOINED = new Set(
    ("accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-origin age allow " +
      "authorization cache-control cf-cache-status cf-ray content-disposition content-language content-location " +
      "content-range content-type cookie date etag expect expires from host if-match if-modified-since " +
      "if-none-match if-range if-unmodified-since last-modified link location max-forwards origin pragma " +
      "proxy-authenticate proxy-authorization range referer refresh retry-after sec-websocket-protocol server " +
      "strict-transport-security user-agent vary via www-authenticate").split(" "),
  );
  const joined = (flat) => {
    if (flat.length < 4) return flat;
    const places = new MapClass();
    const headers = [];
    for (let i = 0; i < flat.length; i += 2) {
      const key = keyOf(flat[i]);
      const place = places.get(key);
      if (place !== undefined && JOINED.has(key)) {
        headers[place] += `, ${flat[i + 1]}`;
      } else {
        places.set(key, headers.length + 1);
        headers.push(flat[i], flat[i + 1]);
      }
    }
    return headers;
  };

  // Flat arrays of up to so many items are searched from end to end: making a map takes longer.
  const FEW = 64;

  // Where `key` stands in [name, value, name, value...] at or after `from`; -1 if it does not.
  const find = (flat, key, from) => {
    const { length } = key;
    const end = flat.length;
    for (let i = from; i < end; i += 2) {
      const name = flat[i];
      if (name.length === length && (name === key || keyOf(name) === key)) return i;
    }
    return -1;
  };
  const isDistinct = (flat) => {
    if (flat.length > 16) return false; // `joined` is faster from here on
    for (let i = 2; i < flat.length; i += 2) {
      const key = keyOf(flat[i]);
      for (let j = 0; j < i; j += 2) if (flat[j].length === key.length && keyOf(flat[j]) === key) return false;
    }
    return true;
  };

  // The list behind a Headers object: the flat array [name, value, name, value...], or a map once there are
  // many names or one stands there twice. What it is `given`, a flat array or, over the wire, text with a
  // line for each item, stays as it is until somebody looks into it.
  class HeaderList {
    constructor(flat) {
      this.flat = flat;
    }
    // The flat array while that is what to look into, else null: then it is the map.
    few() {
      if (this.map !== null) return null;
      const flat = this.unpacked();
      if (flat.length <= FEW) return (this.flat = flat);
      this.entries();
      return null;
    }
    unpacked() {
      const { flat, given } = this;
      if (flat !== null) return flat;
      if (typeof given !== "string") return given ?? [];
      return given === "" ? [] : split(given, "\n");
    }
    entries() {
      if (this.map === null) {
        const flat = this.unpacked();
        this.map = new MapClass();
        this.flat = null;
        for (let i = 0; i < flat.length; i += 2) this.addEntry(flat[i], flat[i + 1]);
      }
      return this.map;
    }
    addEntry(name, value) {
      const map = this.entries();
      const key = keyOf(name);
      const entry = map.get(key);
      if (entry === undefined) map.set(key, [name, value]);
      else entry[entry.length] = value;
    }
    append(flat, name, value) {
      const { length } = flat;
      flat[length] = name;
      flat[length + 1] = value;
      if (length >= FEW) this.entries();
    }
    add(name, value) {
      this.addKnown(keyOf(name), name, value);
    }
    addKnown(key, name, value) {
      const flat = this.flat ?? this.few();
      if (flat !== null && find(flat, key, 0) < 0) this.append(flat, name, value);
      else this.addEntry(name, value);
    }
    get(key) {
      const flat = this.flat ?? this.few();
      if (flat !== null) {
        let at = find(flat, key, 0);
        if (at < 0) return null;
        let text = flat[at + 1];
        while ((at = find(flat, key, at + 2)) >= 0) text += ", " + flat[at + 1];
        return text;
      }
      const entry = this.map.get(key);
      if (entry === undefined) return null;
      if (entry.length === 2) return entry[1];
      let text = entry[1];
      for (let i = 2; i < entry.length; i++) text += ", " + entry[i];
      return text;
    }
    has(key) {
      const flat = this.flat ?? this.few();
      return flat !== null ? find(flat, key, 0) >= 0 : this.map.has(key);
    }
    set(name, value) {
      const key = keyOf(name);
      const flat = this.flat ?? this.few();
      if (flat !== null) {
        const at = find(flat, key, 0);
        if (at < 0) return void this.append(flat, name, value);
        if (find(flat, key, at + 2) < 0) return void (flat[at + 1] = value);
      }
      const map = this.entries();
      const entry = map.get(key);
      map.set(key, [entry === undefined ? name : entry[0], value]);
    }
    delete(key) {
      if (this.has(key)) this.entries().delete(key);
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
      sort(keys);
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
      if (this.map === null) return this.unpacked();
      const flat = [];
      this.map.forEach((entry) => {
        for (let i = 1; i < entry.length; i++) flat[flat.length] = entry[0], flat[flat.length] = entry[i];
      });
      return flat;
    }
    // The flat array as an answer of the Worker goes out, as text: a line for each item.
    toLines() {
      let flat = this.flat ?? this.toFlat();
      if (flat.length === 0) return "";
      if (flat.length > 2 && !isDistinct(flat)) flat = joined(flat);
      let lines = flat[0] + "\n" + flat[1];
      for (let i = 2; i < flat.length; i += 2) {
        lines += "\n" + flat[i];
        lines += "\n" + flat[i + 1];
      }
      return lines;
    }
    copy() {
      if (this.flat === null && this.map === null && typeof this.given === "string") return listOver(this.given);
      const flat = this.toFlat();
      const own = [];
      for (let i = 0; i < flat.length; i++) own[i] = flat[i];
      return listOver(own);
    }
  }
  // On the prototype: a list owns only what differs, so that making one is cheap.
  assign(HeaderList.prototype, {
    given: null,
    typed: false, // it was made with a Content-Type, which nobody can have taken away yet
    map: null, // lower-case name -> [name as first set, value, value...]
    immutable: false,
  });
  const listOver = (given) => {
    const list = new HeaderList(null);
    list.given = given;
    return list;
  };
  // A list over `given` that nobody may change.
  function FixedList(given) {
    this.given = given;
  }
  FixedList.prototype = Object.create(HeaderList.prototype);
  assign(FixedList.prototype, { flat: null, immutable: true });

  const NOT_A_SEQUENCE = "Incorrect type: the provided value is not of type 'Sequence'.";

  // Of a bad name with a bad value the platform names the value.
  const addChecked = (list, name, value) => {
    const text = toValue(value);
    list.add(toName(name), text);
  };
  const fillFromSequence = (list, sequence, method) => {
    const flat = platform.pyPairs?.(sequence) ?? null; // Python's pairs, in one crossing
    if (flat !== null) {
      for (let i = 0; i < flat.length; i += 2) addChecked(list, flat[i], flat[i + 1]);
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
      addChecked(list, pair[0], pair[1]);
    }
  };

  // A list from a HeadersInit: the `headers` member of a dictionary of type `dictionary`, or, where that is
  // null, the parameter of the constructor.
  const listFrom = (init, dictionary) => {
    if (init === undefined) return listOver(null);
    if (isHeaders(init)) return listOf(init).copy();
    if ((typeof init !== "object" && typeof init !== "function") || init === null) throw wrongType(dictionary);
    const method = init[iterator];
    if (method !== undefined && method !== null) {
      if (typeof method !== "function") throw wrongType(dictionary);
      const list = listOver(null);
      fillFromSequence(list, init, method);
      return list;
    }
    const keys = keysOf(init);
    const values = []; // all are read before one is refused
    for (let i = 0; i < keys.length; i++) {
      const value = init[keys[i]];
      values[i] = typeof value === "string" ? value : `${value}`;
    }
    return listOfPairs(keys, values);
  };
  const listOfPairs = (keys, values) => {
    const flat = [];
    const list = new HeaderList(flat);
    for (let i = 0; i < keys.length; i++) {
      const name = keys[i];
      const value = toValue(values[i]);
      const key = known.get(name) ?? keyOf(toName(name));
      if (key === "content-type") list.typed = true;
      if (i > 0) {
        list.addKnown(key, name, value);
      } else {
        flat[0] = name;
        flat[1] = value;
      }
    }
    return list;
  };

  // The lines of short dictionaries that were found good and go out as they are -> how many headers they have,
  // negative with a Content-Type among them. Text with a line end in a value is that of another number of headers.
  const plain = new MapClass();
  const PLAIN_DICTIONARIES = 1000;
  const SHORT_LINES = 400;
  const remember = (list, lines, count) => {
    const asGiven = lines.length <= SHORT_LINES && list.toLines() === lines;
    if (!asGiven || list.has("content-encoding")) return;
    if (plain.size >= PLAIN_DICTIONARIES) plain.clear();
    plain.set(lines, list.typed ? -count : count);
  };
  // Takes the `headers` member of the dictionary that a message is made with. Of most responses nobody ever looks
  // into the list: then it is not made.
  const takeMember = (record, init, dictionary) => {
    if (typeof init !== "object" || init === null || isHeaders(init) || init[iterator] !== undefined) {
      record.list = listFrom(init, dictionary);
      return;
    }
    const keys = keysOf(init);
    const count = keys.length;
    const values = [];
    let lines = "";
    for (let i = 0; i < count; i++) {
      const name = keys[i];
      const value = init[name];
      const text = typeof value === "string" ? value : `${value}`;
      values[i] = text;
      lines += i > 0 ? "\n" + name + "\n" + text : name + "\n" + text;
    }
    const found = count === 0 ? 0 : plain.get(lines);
    if (found === count || found === -count) {
      record.list = null;
      record.implied = lines;
      record.typed = found < 0;
      return;
    }
    record.list = listOfPairs(keys, values);
    remember(record.list, lines, count);
  };
  const wrongType = (dictionary) =>
    (dictionary !== null
      ? wrongField(dictionary, "headers", "Headers or Sequence or object")
      : new TypeError(
        "Failed to construct 'Headers': constructor parameter 1 is not of type 'Headers or Sequence or object'."));

  const mutable = (list) => {
    if (list.immutable) throw new TypeError("Can't modify immutable headers.");
    return list;
  };

  let isHeaders;
  let listOf;
  class Headers {
    #list;
    constructor(init, list) {
      this.#list = init === secret ? list : listFrom(init, null);
    }
    static {
      isHeaders = (value) => typeof value === "object" && value !== null && #list in value;
      listOf = (headers) => headers.#list;
    }
    append(name, value) {
      if (!(#list in this)) throw illegal();
      need(2, arguments.length, "append", "Headers");
      const given = typeof name === "string" ? name : `${name}`;
      const text = toValue(value);
      const key = toName(given);
      mutable(this.#list).add(key, text);
    }
    delete(name) {
      if (!(#list in this)) throw illegal();
      need(1, arguments.length, "delete", "Headers");
      const key = toName(name);
      mutable(this.#list).delete(keyOf(key));
    }
    // `...given`: making `arguments` takes twice as long.
    get(...given) {
      if (!(#list in this)) throw illegal();
      if (given.length === 0) need(1, 0, "get", "Headers");
      const name = given[0];
      return this.#list.get(known.get(name) ?? keyOf(toName(name)));
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
    has(...given) {
      if (!(#list in this)) throw illegal();
      if (given.length === 0) need(1, 0, "has", "Headers");
      const name = given[0];
      return this.#list.has(known.get(name) ?? keyOf(toName(name)));
    }
    set(name, value) {
      if (!(#list in this)) throw illegal();
      need(2, arguments.length, "set", "Headers");
      const given = typeof name === "string" ? name : `${name}`;
      const text = toValue(value);
      const key = toName(given);
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
    listOver, FixedList, isHeaders, listOf, makePairIterator, joined,
    takeMember,
    wrap: (list) => new Headers(secret, list),
  };
});
