// Conversions of JavaScript values for WebAssembly, with V8's texts.
// https://webassembly.github.io/spec/js-api/#towebassemblyvalue
//
//   wasm.toI64(value)              a BigInt of 64 bits
//   wasm.notNull(value), wasm.incompatible()   throw where a type takes no such value
//   wasm.conversionError(error)    the engine's own error as V8's
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
  const toI64 = (given) => {
    if (typeof given === "bigint") return asIntN(64, given);
    const value = Object(given) === given ? primitive(given) : given;
    if (typeof value === "bigint") return asIntN(64, value);
    if (typeof value === "boolean") {
      return value ? 1n : 0n;
    } else if (typeof value === "string") {
      try {
        return asIntN(64, BigInt(value));
      } catch {
        throw new SyntaxError(`Cannot convert ${value} to a BigInt`);
      }
    }
    const shown = typeof value === "symbol" ? apply(toText, value, []) : `${value}`;
    throw new TypeError(`Cannot convert ${shown} to a BigInt`);
  };
  const notNull = (value) => {
    if (value === null) incompatible();
  };

  Object.assign(wasm, { incompatible, conversionError, toI64, notNull });
});
