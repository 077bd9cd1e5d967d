// Values as text for the console, in the format that Workers print (that of Node's util.inspect).
//
//   platform.inspect(value, depth = 2) -> string      platform.errorText(error) -> header and stack
(function (platform) {
  "use strict";
  const { getPrototypeOf, getOwnPropertyDescriptor } = Object;
  const { apply, ownKeys } = Reflect;
  const WIDTH = 70; // of what is written in one line
  const LINE = 80; // of lists in columns
  const GROUPED_FROM = 6;
  const MOST_COLUMNS = 12;
  const MOST_ITEMS = 100;
  const MOST_CHARACTERS = 10000;
  const CUSTOM = Symbol.for("nodejs.util.inspect.custom");
  const tagOf = (value) => apply(Object.prototype.toString, value, []).slice(8, -1);
  const ESCAPES = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v", "\\": "\\\\" };
  const CONTROL = /[\x00-\x1f\x7f-\x9f\\]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
  const IN_HEADER = new Set(["name", "message", "stack", "cause", "errors"]);
  const UNQUOTED = /^[a-zA-Z_][a-zA-Z_0-9]*$/;

  const escape = (character) => {
    const code = character.charCodeAt(0);
    return ESCAPES[character] ?? (code < 256 ? `\\x${hex(code, 2).toUpperCase()}` : `\\u${hex(code, 4).toUpperCase()}`);
  };
  const hex = (number, digits) => number.toString(16).padStart(digits, "0");
  const quote = (text) => {
    let mark = "'";
    if (text.includes("'")) mark = !text.includes('"') ? '"' : !text.includes("`") && !text.includes("${") ? "`" : "'";
    text = text.replace(CONTROL, escape);
    if (mark === "'") text = text.replaceAll("'", "\\'");
    return mark + text + mark;
  };
  const primitive = (value) => {
    switch (typeof value) {
      case "string": {
        const rest = value.length - MOST_CHARACTERS;
        if (rest <= 0) return quote(value);
        return `${quote(value.slice(0, MOST_CHARACTERS))}... ${rest} more character${rest > 1 ? "s" : ""}`;
      }
      case "number":
        return Object.is(value, -0) ? "-0" : `${value}`;
      case "bigint":
        return `${value}n`;
      default:
        return String(value);
    }
  };

  const constructorName = (value) => {
    for (let p = value; p !== null; p = getPrototypeOf(p)) {
      const found = getOwnPropertyDescriptor(p, "constructor");
      if (found !== undefined && typeof found.value === "function" && found.value.name !== "") {
        return found.value.name;
      }
    }
    return null;
  };
  const prefix = (value, kind, size) => {
    const name = constructorName(value);
    const tail = size === undefined ? "" : `(${size})`;
    let text = name === null ? `[${kind}${tail}: null prototype] ` : `${name}${tail} `;
    const tag = value[Symbol.toStringTag];
    if (typeof tag === "string" && tag !== "" && tag !== name) text += `[${tag}] `;
    return text;
  };

  const keyText = (key) => {
    if (typeof key === "symbol") return String(key);
    if (key === "__proto__") return "['__proto__']";
    return UNQUOTED.test(key) ? key : quote(key);
  };

  class Inspector {
    constructor(depth) {
      this.depth = depth;
      this.path = [];
      this.circular = new Map();
    }
    show(value, level = 0) {
      if (Object(value) !== value) return primitive(value);
      if (platform.isPyProxy?.(value)) return String(value);
      const custom = value[CUSTOM];
      if (typeof custom === "function") {
        const answer = apply(custom, value, [this.depth - level, { depth: this.depth }, platform.inspect]);
        if (answer !== value) return typeof answer === "string" ? answer : this.show(answer, level);
      }
      if (this.path.includes(value)) {
        if (!this.circular.has(value)) this.circular.set(value, this.circular.size + 1);
        return `[Circular *${this.circular.get(value)}]`;
      }
      this.path.push(value);
      try {
        const text = this.#object(value, level);
        const reference = this.circular.get(value);
        return reference === undefined ? text : `<ref *${reference}> ${text}`;
      } finally {
        this.path.pop();
      }
    }
    #object(value, level) {
      const kind = tagOf(value);
      const simple = this.#simple(value, kind, level);
      const skip = (key) => Array.isArray(value) || ArrayBuffer.isView(value) ? /^\d+$/.test(key) : false;
      if (level > this.depth && simple === null && Object.keys(value).length + (value.size ?? 0) > 0) {
        const name = Array.isArray(value) ? "Array" : (constructorName(value) ?? "Object: null prototype");
        return `[${name}]`;
      }
      const [head, open, close, items] = simple ?? this.#container(value, kind, level);
      const extra = this.#properties(value, level, skip, kind);
      const all = items.concat(extra);
      if (all.length === 0) return open === "" ? head : `${head}${open}${close}`;
      if (open === "") return this.#join(`${head} {`, all, "}", level);
      return this.#join(`${head}${open}`, all, close, level, open === "[" ? value : null);
    }
    // Kinds that are one word when they have no properties of their own: [text, "", "", []].
    #simple(value, kind, level) {
      if (typeof value === "function") return [functionText(value, kind), "", "", []];
      if (isError(value)) {
        const text = errorText(value).replaceAll("\n", `\n${"  ".repeat(level)}`);
        return [text, "", "", this.#errorParts(value, level)];
      }
      if (value instanceof RegExp && kind === "RegExp") return [apply(RegExp.prototype.toString, value, []), "", "", []];
      if (value instanceof Date && kind === "Date") {
        const time = apply(Date.prototype.getTime, value, []);
        return [Number.isNaN(time) ? "Invalid Date" : apply(Date.prototype.toISOString, value, []), "", "", []];
      }
      const boxed = { Number, String, Boolean, BigInt, Symbol }[kind];
      if (boxed !== undefined && value instanceof boxed) {
        return [`[${kind}: ${primitive(boxed.prototype.valueOf.call(value))}]`, "", "", []];
      }
      return null;
    }
    #errorParts(error, level) {
      const parts = [];
      if (Object.hasOwn(error, "cause")) parts.push(`[cause]: ${this.show(error.cause, level + 1)}`);
      if (Array.isArray(error.errors)) parts.push(`[errors]: ${this.show(error.errors, level + 1)}`);
      return parts;
    }
    #container(value, kind, level) {
      if (Array.isArray(value)) {
        const name = constructorName(value);
        const head = name === "Array" ? "" : prefix(value, "Array", value.length);
        return [head, "[", "]", this.#array(value, level)];
      }
      if (ArrayBuffer.isView(value) && kind !== "DataView") {
        const items = Array.from(value.subarray(0, MOST_ITEMS), primitive);
        return [prefix(value, kind, value.length), "[", "]", withRest(items, value.length)];
      }
      if (kind === "DataView") {
        const items = ["byteLength", "byteOffset", "buffer"].map((name) => `${name}: ${this.show(value[name], level + 1)}`);
        return [prefix(value, kind), "{", "}", items];
      }
      if (platform.isBuffer(value)) {
        const bytes = new Uint8Array(value, 0, Math.min(50, value.byteLength));
        let content = Array.from(bytes, (byte) => hex(byte, 2)).join(" ");
        const rest = value.byteLength - bytes.length;
        if (rest > 0) content += ` ... ${rest} more byte${rest > 1 ? "s" : ""}`;
        const items = [`[Uint8Contents]: <${content}>`, `byteLength: ${value.byteLength}`];
        return [prefix(value, kind), "{", "}", items];
      }
      if (value instanceof Map) {
        const items = [];
        for (const [key, item] of value) items.push(`${this.show(key, level + 1)} => ${this.show(item, level + 1)}`);
        return [prefix(value, "Map", value.size), "{", "}", items];
      }
      if (value instanceof Set) {
        return [prefix(value, "Set", value.size), "{", "}", Array.from(value, (item) => this.show(item, level + 1))];
      }
      if (value instanceof Promise) return [prefix(value, kind), "{", "}", [`<${platform.host.promiseState(value)}>`]];
      if (value instanceof WeakMap || value instanceof WeakSet) {
        return [prefix(value, kind), "{", "}", ["<items unknown>"]];
      }
      if (platform.isInterface(value)) return this.#interface(value, level);
      const head = prefix(value, "Object");
      return [head === "Object " ? "" : head, "{", "}", []];
    }
    #array(value, level) {
      const items = [];
      for (let i = 0; i < value.length && items.length < MOST_ITEMS; i++) {
        let hole = i;
        while (hole < value.length && !Object.hasOwn(value, hole)) hole++;
        if (hole > i) {
          items.push(`<${hole - i} empty item${hole - i > 1 ? "s" : ""}>`);
          i = hole - 1;
        } else {
          items.push(this.show(value[i], level + 1));
        }
      }
      return withRest(items, value.length);
    }
    // Instances of platform classes: pairs when they iterate over pairs, else their attributes.
    #interface(value, level) {
      if (typeof value.entries === "function" && value.entries === value[Symbol.iterator]) {
        const items = [];
        for (const [key, item] of value.entries()) items.push(`${this.show(key, level + 1)} => ${this.show(item, level + 1)}`);
        return [prefix(value, "Object", items.length), "{", "}", items];
      }
      const items = [];
      const chain = [];
      for (let p = getPrototypeOf(value); p !== null && p !== Object.prototype; p = getPrototypeOf(p)) chain.push(p);
      for (const p of chain) {
        for (const key of ownKeys(p)) {
          if (typeof key === "symbol" || getOwnPropertyDescriptor(p, key).get === undefined) continue;
          try {
            items.push(`${key}: ${this.show(value[key], level + 1)}`);
          } catch {
            continue;
          }
        }
      }
      return [prefix(value, "Object"), "{", "}", items];
    }
    #properties(value, level, skip, kind) {
      const lines = [];
      for (const key of ownKeys(value)) {
        if (typeof key === "string" && skip(key)) continue;
        const property = getOwnPropertyDescriptor(value, key);
        if (property === undefined || !property.enumerable) continue;
        if (kind === "String" && /^\d+$/.test(String(key))) continue;
        if (isError(value) && IN_HEADER.has(key)) continue;
        let text;
        if (property.get) text = property.set ? "[Getter/Setter]" : "[Getter]";
        else text = property.set ? "[Setter]" : this.show(property.value, level + 1);
        lines.push(`${keyText(key)}: ${text}`);
      }
      return lines;
    }
    #join(open, items, close, level, list = null) {
      const indent = "  ".repeat(level + 1);
      const lines = list !== null && items.length > GROUPED_FROM ? rows(items, list, indent.length - 2) : items;
      if (lines === items) {
        const length = items.reduce((sum, item) => sum + item.length + 2, open.length);
        const multiline = items.some((item) => item.includes("\n")) || open.includes("\n");
        if (!multiline && length + 2 * level <= WIDTH) return `${open} ${items.join(", ")} ${close}`;
      }
      return `${open}\n${indent}${lines.join(`,\n${indent}`)}\n${indent.slice(2)}${close}`;
    }
  }

  const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
  const widthOf = (text) => {
    let width = 0;
    for (const character of text) width += WIDE.test(character) ? 2 : 1;
    return width;
  };
  const isNumeric = (value) => typeof value === "number" || typeof value === "bigint";
  // The items of a long list side by side, in columns as nearly square as those of Node.js; numbers to the right.
  const rows = (items, list, indentation) => {
    const more = list.length > MOST_ITEMS ? 1 : 0; // "... 5 more items" has a line of its own
    const count = items.length - more;
    const widths = items.slice(0, count).map((item) => widthOf(item) + 2);
    const total = widths.reduce((sum, width) => sum + width, 0);
    const widest = Math.max(...widths);
    if (widest * 3 + indentation >= LINE || (total / widest <= 5 && widest > 8)) return items;
    const bias = Math.max(widest - 3 - Math.sqrt(widest - total / items.length), 1);
    const columns = Math.min(
      Math.round(Math.sqrt(2.5 * bias * count) / bias), Math.floor((LINE - indentation) / widest), MOST_COLUMNS);
    if (columns <= 1) return items;
    const wide = [];
    for (let i = 0; i < columns; i++) {
      wide.push(Math.max(0, ...widths.filter((_, index) => index % columns === i)));
    }
    const right = items.every((_, index) => isNumeric(list[index]));
    const lines = [];
    for (let i = 0; i < count; i += columns) {
      const last = Math.min(i + columns, count) - 1;
      let line = "";
      for (let j = i; j <= last; j++) {
        const gap = " ".repeat(wide[j - i] - widths[j]);
        const text = j < last ? `${items[j]}, ` : items[j];
        if (right) line += gap + text;
        else line += j < last ? text + gap : text;
      }
      lines.push(line);
    }
    return more === 0 ? lines : [...lines, items[count]];
  };
  const withRest = (items, length) => {
    const rest = length - MOST_ITEMS;
    if (rest > 0 && items.length === MOST_ITEMS) items.push(`... ${rest} more item${rest > 1 ? "s" : ""}`);
    return items;
  };

  const functionText = (value, kind) => {
    const source = apply(Function.prototype.toString, value, []);
    const name = Object.hasOwn(value, "name") ? value.name : "";
    if (/^class\b/.test(source)) {
      const parent = getPrototypeOf(value);
      const base = typeof parent === "function" && parent.name ? ` extends ${parent.name}` : "";
      return `[class ${name || "(anonymous)"}${base}]`;
    }
    return name === "" ? `[${kind} (anonymous)]` : `[${kind}: ${name}]`;
  };

  const isError = (value) => value instanceof Error || platform.isError(value);
  const errorText = (error) => {
    const given = typeof error.name === "string" ? error.name : "";
    const name = given === "" || given === "Error" ? (constructorName(error) ?? "Error") : given;
    const message = error.message === undefined ? "" : `${error.message}`;
    const head = message === "" ? name : `${name}: ${message}`;
    const stack = typeof error.stack === "string" ? error.stack : "";
    if (stack.startsWith(name)) return stack.trimEnd();
    const frames = platform.userFrames(stack);
    return frames.length === 0 ? (stack === "" ? `[${head}]` : head) : platform.stackText(head, stack);
  };

  platform.inspect = (value, depth = 2) => new Inspector(depth).show(value);
  platform.errorText = (error) => (isError(error) ? errorText(error) : platform.inspect(error));
});
