// FormData, https://xhr.spec.whatwg.org/#interface-formdata, and its two encodings:
// multipart/form-data (RFC 7578) and application/x-www-form-urlencoded.
(function (platform) {
  "use strict";

  const { illegal, need, exposeClass } = platform.idl;
  const { concatBytes } = platform.bytes;
  const { utf8Encode, utf8Decode, usv, host, isBlob, isFile } = platform;
  const { makePairIterator } = platform.headers;
  const apply = Reflect.apply;
  const replace = String.prototype.replace;
  const { trimEnd } = String.prototype;
  const lower = String.prototype.toLowerCase;
  const subarray = Uint8Array.prototype.subarray;
  const exec = RegExp.prototype.exec;
  const random = Math.random;
  const SearchParams = URLSearchParams;
  const paramsToString = URLSearchParams.prototype.toString;
  const paramsForEach = URLSearchParams.prototype.forEach;

  const makeIterator = makePairIterator();

  const VALUE = "File or Blob or string";

  // A Blob becomes a File; on Workers one without a name is named after its key.
  const entryValue = (key, value, filename, given) => {
    if (!isBlob(value)) return usv(value); // a filename beside a string is ignored
    if (isFile(value) && !given) return value;
    const name = given ? usv(filename) : key;
    const bytes = platform.blobBytes(value);
    const type = platform.blobType(value);
    return platform.makeFile(bytes, type, name); // a new name is a new file: modified now
  };

  let isFormData;
  let pairsOf;
  class FormData {
    #pairs = [];
    static {
      isFormData = (value) => typeof value === "object" && value !== null && #pairs in value;
      pairsOf = (form) => form.#pairs;
    }
    append(name, value, filename) {
      if (!(#pairs in this)) throw illegal();
      need(2, arguments.length, "append", "FormData", arguments.length === 0 ? "string" : VALUE);
      const key = usv(name);
      this.#pairs[this.#pairs.length] = [key, entryValue(key, value, filename, filename !== undefined)];
    }
    delete(name) {
      if (!(#pairs in this)) throw illegal();
      need(1, arguments.length, "delete", "FormData");
      this.#keep(usv(name), null);
    }
    get(name) {
      if (!(#pairs in this)) throw illegal();
      need(1, arguments.length, "get", "FormData");
      const key = usv(name);
      for (let i = 0; i < this.#pairs.length; i++) if (this.#pairs[i][0] === key) return this.#pairs[i][1];
      return null;
    }
    getAll(name) {
      if (!(#pairs in this)) throw illegal();
      need(1, arguments.length, "getAll", "FormData");
      const key = usv(name);
      const values = [];
      for (let i = 0; i < this.#pairs.length; i++) {
        if (this.#pairs[i][0] === key) values[values.length] = this.#pairs[i][1];
      }
      return values;
    }
    has(name) {
      if (!(#pairs in this)) throw illegal();
      need(1, arguments.length, "has", "FormData");
      const key = usv(name);
      for (let i = 0; i < this.#pairs.length; i++) if (this.#pairs[i][0] === key) return true;
      return false;
    }
    set(name, value, filename) {
      if (!(#pairs in this)) throw illegal();
      need(2, arguments.length, "set", "FormData", arguments.length === 0 ? "string" : VALUE);
      const key = usv(name);
      this.#keep(key, [key, entryValue(key, value, filename, filename !== undefined)]);
    }
    // Removes the entries of a key; `replacement` takes the place of the first one.
    #keep(key, replacement) {
      const kept = [];
      let placed = replacement === null;
      for (let i = 0; i < this.#pairs.length; i++) {
        const pair = this.#pairs[i];
        if (pair[0] !== key) kept[kept.length] = pair;
        else if (!placed) {
          kept[kept.length] = replacement;
          placed = true;
        }
      }
      if (!placed) kept[kept.length] = replacement;
      this.#pairs = kept;
    }
    entries() {
      if (!(#pairs in this)) throw illegal();
      return makeIterator(this.#pairs, 2);
    }
    keys() {
      if (!(#pairs in this)) throw illegal();
      return makeIterator(this.#pairs, 0);
    }
    values() {
      if (!(#pairs in this)) throw illegal();
      return makeIterator(this.#pairs, 1);
    }
    forEach(callback, thisArg) {
      if (!(#pairs in this)) throw illegal();
      if (typeof callback !== "function") {
        throw new TypeError("Failed to execute 'forEach' on 'FormData': parameter 1 is not of type 'function'.");
      }
      for (let i = 0; i < this.#pairs.length; i++) {
        const pair = this.#pairs[i];
        apply(callback, thisArg, [pair[1], pair[0], this]);
      }
    }
  }
  exposeClass("FormData", FormData);
  Object.defineProperty(FormData.prototype, Symbol.iterator, {
    value: FormData.prototype.entries, writable: true, configurable: true,
  });

  // ---- encoding ------------------------------------------------------------------------

  const escapeName = (name) => {
    if (name.endsWith("\\")) throw new TypeError("Name or filename can't end with backslash");
    return apply(replace, name, [/["\n]/g, (char) => (char === '"' ? "%22" : "%0A")]);
  };

  const makeBoundary = () => {
    let text = "";
    for (let i = 0; i < 4; i++) text += Math.trunc(random() * 0x100000000).toString(16).padStart(8, "0");
    return text;
  };

  const encodeMultipart = (form) => {
    const boundary = makeBoundary();
    const pairs = pairsOf(form);
    const parts = [];
    let total = 0;
    const add = (bytes) => {
      parts[parts.length] = bytes;
      total += bytes.length;
    };
    for (let i = 0; i < pairs.length; i++) {
      const [key, value] = pairs[i];
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(key)}"`;
      if (typeof value === "string") {
        add(utf8Encode(`${head}\r\n\r\n${value}\r\n`));
        continue;
      }
      const type = platform.blobType(value) || "application/octet-stream";
      add(utf8Encode(`${head}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`));
      add(platform.blobBytes(value));
      add(utf8Encode("\r\n"));
    }
    add(utf8Encode(`--${boundary}--`));
    return { bytes: concatBytes(parts, total), boundary };
  };

  // ---- decoding ------------------------------------------------------------------------

  const parameter = (header, name) => {
    const pattern = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^;]*))`, "i");
    const found = apply(exec, pattern, [header]);
    if (found === null) return null;
    return found[1] === undefined ? apply(trimEnd, found[2], []) : found[1];
  };
  // The value of a quoted parameter of Content-Disposition; null where there is none.
  const quoted = (header, name) => {
    const found = apply(exec, new RegExp(`;[ \\t]*${name}="((?:[^"\\\\]|\\\\.)*)"`, "i"), [header]);
    return found === null ? null : apply(replace, found[1], [/\\(.)/g, "$1"]);
  };

  const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:[ \t]*(.*?)[ \t]*$/;
  const headersOf = (head) => {
    const headers = { __proto__: null };
    for (const line of head.split(/\r?\n/)) {
      const found = apply(exec, HEADER, [line]);
      if (found === null) throw new TypeError("FormData part had invalid headers.");
      headers[apply(lower, found[1], [])] = found[2];
    }
    return headers;
  };
  const nameOf = (disposition) => {
    if (disposition === undefined) throw new TypeError("No valid Content-Disposition header found in FormData part.");
    const kind = disposition.split(";", 1)[0].trim();
    if (kind !== "form-data") {
      throw new TypeError(
        'Content-Disposition header for FormData part must have the value "form-data", possibly followed by '
        + `parameters. Got: "${kind}"`);
    }
    const name = quoted(disposition, "name");
    if (name === null) throw new TypeError("Content-Disposition header in FormData part is missing a name.");
    return name;
  };

  const parseMultipart = (type, bytes) => {
    const boundary = parameter(type, "boundary");
    if (!boundary) {
      throw new TypeError(
        "No boundary string in Content-Type header. The multipart/form-data MIME type requires a boundary parameter, "
        + "e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4.");
    }
    const form = new FormData();
    const offsets = host.multipartOffsets(bytes, boundary);
    const numbers = offsets === "" ? [] : offsets.split(",");
    const pairs = pairsOf(form);
    for (let i = 0; i < numbers.length; i += 4) {
      const headers = headersOf(utf8Decode(apply(subarray, bytes, [+numbers[i], +numbers[i + 1]])));
      const disposition = headers["content-disposition"];
      const name = nameOf(disposition);
      const content = apply(subarray, bytes, [+numbers[i + 2], +numbers[i + 3]]);
      const filename = quoted(disposition, "filename");
      const value = filename === null || filename === ""
        ? host.utf8Decode(content, 4)
        : platform.makeFile(content.slice(), headers["content-type"] ?? "", filename);
      pairs[pairs.length] = [name, value];
    }
    return form;
  };

  const parseUrlencoded = (bytes) => {
    const form = new FormData();
    const pairs = pairsOf(form);
    apply(paramsForEach, new SearchParams(utf8Decode(bytes)), [(value, key) => {
      pairs[pairs.length] = [key, value];
    }]);
    return form;
  };

  const parseFormData = (type, bytes) => {
    const essence = apply(lower, type.split(";", 1)[0].trim(), []);
    if (essence === "multipart/form-data") return parseMultipart(type, bytes);
    if (essence === "application/x-www-form-urlencoded") return parseUrlencoded(bytes);
    throw new TypeError(
      "Unrecognized Content-Type header value. FormData can only parse the following MIME types: "
      + "multipart/form-data, application/x-www-form-urlencoded");
  };

  platform.isFormData = isFormData;
  platform.encodeMultipart = encodeMultipart;
  platform.parseFormData = parseFormData;
  // The text of a URLSearchParams; null for anything else.
  platform.formText = (value) => (value instanceof SearchParams ? apply(paramsToString, value, []) : null);
});
