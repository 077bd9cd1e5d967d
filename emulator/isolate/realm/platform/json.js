// JSON.parse and JSON.stringify with V8's messages. https://tc39.es/ecma262/#sec-json-object
(function (platform) {
  "use strict";
  const { getOwnPropertyDescriptor } = Reflect;
  const { defineProperty } = Object;
  const own = (object, key) => getOwnPropertyDescriptor(object, key)?.value;

  // ---- JSON.parse -------------------------------------------------------------------

  const nativeParse = JSON.parse;
  const SPECIAL = new Set(["NaN", "Infinity", "undefined", "[object Object]"]);
  const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  const CONTEXT = 10;

  class Rejected {
    constructor(position, words) {
      this.position = position;
      this.words = words;
    }
  }

  // Where and why V8's parser gives up.
  class Scanner {
    constructor(text) {
      this.text = text;
      this.at = 0;
    }
    fail(words, at = this.at) {
      throw new Rejected(at, words);
    }
    space() {
      while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at++;
    }
    document() {
      this.value();
      this.space();
      if (this.at < this.text.length) this.fail("Unexpected non-whitespace character after JSON");
    }
    value() {
      const open = [];
      for (;;) {
        this.space();
        const first = this.text[this.at];
        if (first === "{" || first === "[") {
          this.at++;
          open.push(first);
          this.space();
          if (first === "[" ? this.text[this.at] === "]" : this.text[this.at] === "}") {
            this.at++;
            open.pop();
          } else {
            if (first === "{") this.key("Expected property name or '}'");
            continue;
          }
        } else {
          this.scalar(first);
        }
        if (!this.after(open)) return;
      }
    }
    // After a value: true when another value follows.
    after(open) {
      for (;;) {
        if (open.length === 0) return false;
        const array = open[open.length - 1] === "[";
        this.space();
        const next = this.text[this.at];
        if (next === (array ? "]" : "}")) {
          this.at++;
          open.pop();
          continue;
        }
        if (next !== ",") this.fail(`Expected ',' or ${array ? "']' after array element" : "'}' after property value"}`);
        this.at++;
        if (!array) {
          this.space();
          this.key("Expected double-quoted property name");
        }
        return true;
      }
    }
    key(words) {
      if (this.text[this.at] !== '"') this.fail(words);
      this.string();
      this.space();
      if (this.text[this.at] !== ":") this.fail("Expected ':' after property name");
      this.at++;
    }
    scalar(first) {
      if (first === '"') return this.string();
      if (first === "-" || (first >= "0" && first <= "9")) return this.number();
      for (const word of ["true", "false", "null"]) {
        if (first !== word[0]) continue;
        for (const letter of word) {
          if (this.text[this.at] !== letter) this.fail("");
          this.at++;
        }
        return;
      }
      this.fail("");
    }
    number() {
      const { text } = this;
      const digit = () => text[this.at] >= "0" && text[this.at] <= "9";
      if (text[this.at] === "-") {
        this.at++;
        if (!digit()) this.fail("No number after minus sign");
      }
      if (text[this.at] === "0") {
        this.at++;
        if (digit()) this.fail("Unexpected number");
      }
      while (digit()) this.at++;
      if (text[this.at] === ".") {
        this.at++;
        if (!digit()) this.fail("Unterminated fractional number");
        while (digit()) this.at++;
      }
      if (text[this.at] === "e" || text[this.at] === "E") {
        this.at++;
        if (text[this.at] === "+" || text[this.at] === "-") this.at++;
        if (!digit()) this.fail("Exponent part is missing a number");
        while (digit()) this.at++;
      }
    }
    string() {
      for (this.at++; ; this.at++) {
        const character = this.text[this.at];
        if (character === undefined) this.fail("Unterminated string");
        if (character === '"') break;
        if (character < " ") this.fail("Bad control character in string literal");
        if (character === "\\") this.escape();
      }
      this.at++;
    }
    escape() {
      const kind = this.text[++this.at];
      if (kind === undefined) this.fail("Unterminated string");
      if (kind !== "u") {
        if (!'"\\/bfnrt'.includes(kind)) this.fail("Bad escaped character");
        return;
      }
      for (let i = 0; i < 4; i++) {
        if (!/[0-9a-fA-F]/.test(this.text[++this.at] ?? "")) this.fail("Bad Unicode escape");
      }
    }
  }

  const unexpected = (text, at) => {
    if (at >= text.length) return "Unexpected end of JSON input";
    if (SPECIAL.has(text)) return `"${text}" is not valid JSON`;
    if (text[at] === '"') return `Unexpected string in JSON ${placeIn(text, at)}`;
    const token = text[at];
    if (text.length <= 2 * CONTEXT) return `Unexpected token '${token}', "${text}" is not valid JSON`;
    if (at < CONTEXT) return `Unexpected token '${token}', "${text.slice(0, at + CONTEXT)}"... is not valid JSON`;
    const inside = at < text.length - CONTEXT;
    const part = inside ? text.slice(at - CONTEXT, at + CONTEXT) : text.slice(at - CONTEXT);
    return `Unexpected token '${token}', ..."${part}"${inside ? "..." : ""} is not valid JSON`;
  };
  const placeIn = (text, at) => {
    const head = text.slice(0, at);
    const line = head.split("\n").length;
    return `at position ${at} (line ${line} column ${at - head.lastIndexOf("\n")})`;
  };
  const whyNotJson = (text) => {
    try {
      new Scanner(text).document();
      return null;
    } catch (found) {
      if (!(found instanceof Rejected)) throw found;
      if (found.words === "") return unexpected(text, found.position);
      const after = found.words.endsWith("after JSON") ? "" : " in JSON";
      return `${found.words}${after} ${placeIn(text, found.position)}`;
    }
  };

  const { parse, stringify } = {
    parse(text, reviver) {
      const source = `${text}`;
      try {
        return nativeParse(source, reviver);
      } catch (error) {
        if (!(error instanceof SyntaxError) || own(error, "fileName") === undefined) throw error;
        const why = whyNotJson(source);
        throw why === null ? error : new SyntaxError(why);
      }
    },
    stringify(value, replacer, space) {
      try {
        return nativeStringify(value, replacer, space);
      } catch (error) {
        if (error instanceof TypeError && own(error, "message") === "circular reference") {
          throw new TypeError(`Converting circular structure to JSON${circle(value)}`);
        }
        throw error;
      }
    },
  };
  defineProperty(parse, "length", { value: 2 });
  defineProperty(stringify, "length", { value: 3 });

  // ---- JSON.stringify ---------------------------------------------------------------

  const nativeStringify = JSON.stringify;
  const classOf = (object) => {
    const constructor = object.constructor;
    const name = typeof constructor === "function" ? constructor.name : "";
    return `object with constructor '${name || "Object"}'`;
  };
  const step = (holder, key) => (Array.isArray(holder) ? `index ${key}` : `property '${key}'`);

  // How the first circle closes, as V8 tells it.
  const circle = (value) => {
    try {
      const path = [{ object: value, keys: Object.keys(value), next: 0, via: "" }];
      const done = new Set();
      while (path.length > 0) {
        const top = path[path.length - 1];
        if (top.next >= top.keys.length) {
          done.add(path.pop().object);
          continue;
        }
        const key = top.keys[top.next++];
        const child = top.object[key];
        if (Object(child) !== child || typeof child === "function" || done.has(child)) continue;
        const start = path.findIndex(({ object }) => object === child);
        const via = step(top.object, key);
        if (start >= 0) return told(path.slice(start), via);
        path.push({ object: child, keys: Object.keys(child), next: 0, via });
      }
    } catch {
      // A getter threw, or a proxy: the first line says enough.
    }
    return "";
  };
  const told = (path, last) => {
    const lines = [`\n    --> starting at ${classOf(path[0].object)}`];
    const middle = path.slice(1).map(({ object, via }) => `\n    |     ${via} -> ${classOf(object)}`);
    lines.push(...middle.slice(0, 2));
    if (middle.length > 3) lines.push("\n    |     ...");
    if (middle.length > 2) lines.push(middle[middle.length - 1]);
    lines.push(`\n    --- ${last} closes the circle`);
    return lines.join("");
  };
  defineProperty(JSON, "parse", { value: parse, writable: true, configurable: true });
  defineProperty(JSON, "stringify", { value: stringify, writable: true, configurable: true });
});
