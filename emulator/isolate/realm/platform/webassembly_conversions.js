// Conversions of JavaScript values for WebAssembly, with V8's texts.
// https://webassembly.github.io/spec/js-api/#towebassemblyvalue
//
//   wasm.toI64(value)              a BigInt of 64 bits
//   wasm.notNull(value), wasm.incompatible()   throw where a type takes no such value
//   wasm.conversionError(error)    the engine's own error as V8's
//   wasm.toU32(value, what), wasm.toAddress(wide, value, what)   a size or index; a BigInt if `wide`
//   wasm.isWide(prefix, descriptor)   whether a memory or table has addresses of 64 bits
//   wasm.text(value)               a string
//   wasm.lengthOf(object)          its length if that is an array's, else undefined
(function (platform) {
  "use strict";
  const { wasm } = platform;
  const { asIntN } = BigInt;
  const { apply } = Reflect;
  const toText = Symbol.prototype.toString;

  const INCOMPATIBLE = "type incompatibility when transforming from/to JS";
  const incompatible = () => {
    throw new TypeError(INCOMPATIBLE);
  };
  const engineText = (run) => {
    try {
      run();
    } catch (error) {
      return error.message;
    }
  };
  // The engine's own texts for conversions that fail, and V8's.
  const texts = new Map([
    [engineText(() => 1n | 0), "Cannot convert a BigInt value to a number"],
    [engineText(() => +1n), "Cannot convert a BigInt value to a number"],
    [engineText(() => Symbol() | 0), "Cannot convert a Symbol value to a number"],
    [engineText(() => +Symbol()), "Cannot convert a Symbol value to a number"],
    [engineText(() => +{ valueOf: () => ({}), toString: () => ({}) }), "Cannot convert object to primitive value"],
  ]);
  const conversionError = (error) => {
    if (!(error instanceof TypeError)) return error;
    const text = texts.get(error.message);
    return text === undefined ? error : new TypeError(text);
  };
  const primitive = (value) => {
    const exotic = value[Symbol.toPrimitive];
    if (exotic !== undefined && exotic !== null) {
      const answer = apply(exotic, value, ["number"]);
      if (Object(answer) !== answer) return answer;
      throw new TypeError("Cannot convert object to primitive value");
    }
    for (const name of ["valueOf", "toString"]) {
      const method = value[name];
      const answer = typeof method === "function" ? apply(method, value, []) : value;
      if (Object(answer) !== answer) return answer;
    }
    throw new TypeError("Cannot convert object to primitive value");
  };
  const toBigInt = (given) => {
    const value = Object(given) === given ? primitive(given) : given;
    if (typeof value === "bigint") return value;
    if (typeof value === "boolean") {
      return value ? 1n : 0n;
    } else if (typeof value === "string") {
      try {
        return BigInt(value);
      } catch {
        throw new SyntaxError(`Cannot convert ${value} to a BigInt`);
      }
    }
    const shown = typeof value === "symbol" ? apply(toText, value, []) : `${value}`;
    throw new TypeError(`Cannot convert ${shown} to a BigInt`);
  };
  const toI64 = (value) => asIntN(64, typeof value === "bigint" ? value : toBigInt(value));
  const notNull = (value) => {
    if (value === null) incompatible();
  };
  const text = (value) => {
    if (typeof value === "symbol") throw new TypeError("Cannot convert a Symbol value to a string");
    try {
      return `${value}`;
    } catch (error) {
      throw conversionError(error);
    }
  };

  // ---- sizes and indices ----------------------------------------------------------

  const MAX_U32 = 4294967295;
  const MAX_U64 = 2n ** 64n - 1n;
  const toU32 = (value, what) => {
    let number;
    try {
      number = +value;
    } catch (error) {
      throw conversionError(error);
    }
    if (!Number.isFinite(number)) throw new TypeError(`${what} must be convertible to a valid number`);
    if (number < 0) throw new TypeError(`${what} must be non-negative`);
    if (number > MAX_U32) throw new TypeError(`${what} must be in the unsigned long range`);
    return Math.trunc(number) + 0;
  };
  const toAddress = (wide, value, what) => {
    if (!wide) return toU32(value, what);
    const number = toBigInt(value);
    if (number < 0n || number > MAX_U64) throw new TypeError(`${what} must be in u64 range`);
    return number;
  };
  const isWide = (prefix, { address }) => {
    const type = address === undefined ? "i32" : text(address);
    if (type === "i32" || type === "i64") return type === "i64";
    throw new TypeError(`${prefix}: Unknown address type '${type}'; pass 'i32' or 'i64'`);
  };
  const lengthOf = ({ length }) => {
    const number = Number(text(length));
    return `${number}` === text(length) && number >= 0 && number < MAX_U32 && number % 1 === 0 ? number : undefined;
  };

  Object.assign(wasm, { incompatible, conversionError, toI64, notNull, text, toU32, toAddress, isWide, lengthOf });
});
