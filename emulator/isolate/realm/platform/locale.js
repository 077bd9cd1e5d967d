// toLocaleString() of numbers and localeCompare(), in the platform's only likely locale: en-US.
// The order of strings is that of Unicode's root collation for what people write with Latin
// letters, digits and punctuation; other letters are in the order of their code points.
// https://www.unicode.org/reports/tr10/ https://tc39.es/ecma402/#sup-number.prototype.tolocalestring
(function (platform) {
  "use strict";
  const { apply } = Reflect;
  const put = (target, methods) => {
    for (const name of Object.keys(methods)) {
      Object.defineProperty(target, name, { value: methods[name], writable: true, configurable: true });
    }
  };

  // ---- numbers ------------------------------------------------------------------------

  const digitsOption = (options, name, fallback) => {
    const value = options?.[name];
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!(number >= 0 && number <= 100)) throw new RangeError(`${name} value is out of range.`);
    return Math.floor(number);
  };

  // The shortest decimal digits of a finite number >= 0: [digits, place of the decimal point].
  const decimal = (number) => {
    const [mantissa, exponent] = number.toExponential().split("e");
    return [mantissa.replace(".", ""), Number(exponent) + 1];
  };

  // `number` with at most `most` decimals, halves away from zero.
  const rounded = (number, most) => {
    const [digits, point] = decimal(number);
    const padded = "0".repeat(Math.max(0, 1 - point)) + digits;
    const whole = Math.max(1, point);
    const kept = padded.slice(0, whole + most).padEnd(whole + most, "0");
    const up = (padded[whole + most] ?? "0") >= "5";
    const text = String(BigInt(kept) + (up ? 1n : 0n)).padStart(most + 1, "0");
    return [text.slice(0, text.length - most), text.slice(text.length - most)];
  };
  const grouped = (whole) => whole.replace(/\B(?=(?:\d{3})+$)/g, ",");

  const numberText = (number, options) => {
    if (number !== number) return "NaN";
    const percent = options?.style === "percent";
    const least = digitsOption(options, "minimumFractionDigits", 0);
    const most = digitsOption(options, "maximumFractionDigits", Math.max(least, percent ? 0 : 3));
    if (least > most) throw new RangeError("maximumFractionDigits value is out of range.");
    const sign = number < 0 || Object.is(number, -0) ? "-" : "";
    if (Math.abs(number) === Infinity) return `${sign}∞${percent ? "%" : ""}`;
    const [whole, fraction] = rounded(Math.abs(percent ? number * 100 : number), most);
    const end = fraction.slice(least).replace(/0+$/, "");
    const decimals = fraction.slice(0, least) + end;
    const text = options?.useGrouping === false ? whole : grouped(whole);
    return `${sign}${text}${decimals === "" ? "" : `.${decimals}`}${percent ? "%" : ""}`;
  };

  const { valueOf: numberValue } = Number.prototype;
  const { valueOf: bigintValue } = BigInt.prototype;
  const numbers = {
    toLocaleString(_locales = undefined, options = undefined) {
      return numberText(apply(numberValue, this, []), options);
    },
  };
  const bigints = {
    toLocaleString(_locales = undefined, _options = undefined) {
      const value = apply(bigintValue, this, []);
      return value < 0n ? `-${grouped(String(-value))}` : grouped(String(value));
    },
  };
  put(Number.prototype, numbers);
  put(BigInt.prototype, bigints);

  // ---- strings ------------------------------------------------------------------------

  const MARK = /\p{M}/u;
  const LETTER = /\p{L}/u;
  const ORDER = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
  const SPACES = "\t\n\v\f\r\u0085\u2028\u2029 ";
  const SPECIAL = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ł: "l", ı: "i", þ: "th" };

  // The weight of a base character: spaces, punctuation, symbols, digits, letters.
  const weightOf = (character) => {
    const code = character.codePointAt(0);
    const space = SPACES.indexOf(character);
    if (space >= 0) return space + 1;
    const sign = ORDER.indexOf(character);
    if (sign >= 0) return 100 + sign;
    if (character >= "0" && character <= "9") return 0x400000 + code;
    if (character >= "a" && character <= "z") return 0x500000 + code;
    return LETTER.test(character) ? 0x600000 + code : 0x200000 + code;
  };

  // Three keys: base characters, their accents, their case.
  const keysOf = (text, numeric) => {
    const keys = { base: [], accents: [], cases: [] };
    const normal = text.normalize("NFD");
    for (let i = 0; i < normal.length; ) {
      const character = String.fromCodePoint(normal.codePointAt(i));
      if (numeric && character >= "0" && character <= "9") {
        const run = /^[0-9]+/.exec(normal.slice(i))[0];
        const value = run.replace(/^0+(?=.)/, "");
        keys.base.push(0x400000 + 0x100 + value.length, ...[...value].map(Number));
        keys.accents.push("");
        keys.cases.push(0);
        i += run.length;
        continue;
      }
      i += character.length;
      const code = character.codePointAt(0);
      if (code < 9 || (code > 13 && code < 32) || code === 127) continue;
      if (MARK.test(character)) {
        if (keys.accents.length > 0) keys.accents[keys.accents.length - 1] += character;
        continue;
      }
      const lower = character.toLowerCase();
      const letters = SPECIAL[lower] ?? lower;
      for (const letter of letters) {
        keys.base.push(weightOf(letter));
        keys.accents.push(letters === lower ? "" : lower);
        keys.cases.push(lower === character ? 0 : 1);
      }
    }
    return keys;
  };
  const compareLists = (a, b) => {
    const length = Math.min(a.length, b.length);
    for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return Math.sign(a.length - b.length);
  };

  const WORD = /^[a-z]*$/;
  platform.compareText = (a, b, options) => {
    if (a === b) return 0;
    if (WORD.test(a) && WORD.test(b)) return a < b ? -1 : 1;
    const sensitivity = options?.sensitivity ?? "variant";
    if (!["base", "accent", "case", "variant"].includes(sensitivity)) {
      throw new RangeError(`Value ${String(sensitivity)} out of range for Intl.Collator options property sensitivity`);
    }
    const numeric = options?.numeric === true;
    const [x, y] = [keysOf(a, numeric), keysOf(b, numeric)];
    const accents = sensitivity === "accent" || sensitivity === "variant";
    const cases = sensitivity === "case" || sensitivity === "variant";
    return (
      compareLists(x.base, y.base) ||
      (accents ? compareLists(x.accents, y.accents) : 0) ||
      (cases ? (options?.caseFirst === "upper" ? -1 : 1) * compareLists(x.cases, y.cases) : 0)
    );
  };
  put(String.prototype, {
    localeCompare(that, _locales = undefined, options = undefined) {
      if (this === null || this === undefined) {
        throw new TypeError("String.prototype.localeCompare called on null or undefined");
      }
      return platform.compareText(String(this), String(that), options);
    },
  });
  Object.defineProperty(String.prototype.localeCompare, "length", { value: 1, configurable: true });
});
