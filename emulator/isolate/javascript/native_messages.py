"""V8's words for errors that the engine's built-in functions throw: ``[].map(5)``, ``"x".repeat(-1)``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from .rendering import render, strip_parentheses
from .sites import Site
from .source import text_of

_CALLBACK: Final = {"replace": 1, "then": 0, "from": 1, "apply": 0}
"""Which argument is the function, where it is not the first one."""

_STRING_METHODS: Final = re.compile(
    "at|charAt|charCodeAt|codePointAt|concat|endsWith|includes|indexOf|lastIndexOf|localeCompare|match|"
    "matchAll|normalize|padEnd|padStart|repeat|replace|replaceAll|search|slice|split|startsWith|substring|"
    "toLowerCase|toUpperCase|trim|trimEnd|trimStart"
)
_ARRAY_METHODS: Final = re.compile(
    "concat|every|fill|filter|find|findIndex|flat|flatMap|forEach|includes|indexOf|join|map|pop|push|reduce|"
    "reduceRight|reverse|shift|slice|some|sort|splice|unshift"
)


def native_message(js_class: str, function: str, message: str, site: Site | None) -> str:
    """V8's message; empty when there is none in the table."""
    words = _BY_FUNCTION.get((function, message)) or _BY_MESSAGE.get(message)
    if words is None and message.endswith(" object expected"):
        words = _receiver
    if words is None and js_class == "SyntaxError" and function == "RegExp":
        words = _regexp
    if words is None:
        return ""
    return words if isinstance(words, str) else words(function, message, site)


Words = Callable[[str, str, "Site | None"], str]


def _callback(function: str, message: str, site: Site | None) -> str:
    index = _CALLBACK.get(function, 0)
    node = strip_parentheses(site.argument(index)) if site is not None else None
    shown = _shown(site, index)
    if node is not None and node.type == "number":
        shown = f"number {shown}"
    elif node is not None and node.type == "string":
        shown = f'string "{shown}"'
    elif shown == "#<Object>":
        shown = "object"
    return f"{shown} is not a function"


def _comparison(function: str, message: str, site: Site | None) -> str:
    return f"The comparison function must be either a function or undefined: {_shown(site, 0)}"


def _wrong_this(function: str, message: str, site: Site | None) -> str:
    kind = message.removeprefix("not a ").capitalize()
    return f"{kind}.prototype.{function} requires that 'this' be a {kind}"


def _shown(site: Site | None, index: int) -> str:
    """An argument as V8 shows its value, as far as the source tells it."""
    node = strip_parentheses(site.argument(index)) if site is not None else None
    if node is None:
        return "undefined"
    if node.type in ("number", "null", "true", "false"):
        return text_of(node)
    if node.type == "string":
        return render(node).strip('"')
    if node.type == "object":
        return "#<Object>"
    if node.type == "call_expression" and text_of(node) == "Symbol()":
        return "Symbol()"
    return "undefined"


def _resolver(function: str, message: str, site: Site | None) -> str:
    return f"Promise resolver {_shown(site, 0)} is not a function"


def _null_receiver(function: str, message: str, site: Site | None) -> str:
    if _ARRAY_METHODS.fullmatch(function) and message == "cannot convert to object":
        return f"Array.prototype.{function} called on null or undefined"
    if _STRING_METHODS.fullmatch(function) and message != "cannot convert to object":
        return f"String.prototype.{function} called on null or undefined"
    return "Cannot convert undefined or null to object"


def _global_flag(function: str, message: str, site: Site | None) -> str:
    return f"String.prototype.{function} called with a non-global RegExp argument"


def _receiver(function: str, message: str, site: Site | None) -> str:
    kind = message.removesuffix(" object expected")
    if function == "DataView":
        return "First argument to DataView constructor must be an ArrayBuffer"
    return f"Method {kind}.prototype.{function} called on incompatible receiver"


def _needs_new(function: str, message: str, site: Site | None) -> str:
    if function == "Promise":
        return "Promise constructor cannot be invoked without 'new'"
    return f"Constructor {function} requires 'new'"


def _digits(function: str, message: str, site: Site | None) -> str:
    least = 1 if function == "toPrecision" else 0
    digits = " digits" if function == "toFixed" else ""
    return f"{function}(){digits} argument must be between {least} and 100"


def _length(function: str, message: str, site: Site | None) -> str:
    if function == "ArrayBuffer":
        return (
            "Array buffer allocation failed"
            if message != "invalid array index"
            else "Invalid array buffer length"
        )
    if message == "invalid length" and site is not None and site.argument(1) is None:
        return f"byte length of {function} should be a multiple of {_ELEMENT.get(function, 1)}"
    node = site.argument(0 if message == "invalid array index" else 2) if site is not None else None
    return f"Invalid typed array length: {text_of(node) or '-1'}"


def _offset(function: str, message: str, site: Site | None) -> str:
    return f"start offset of {function} should be a multiple of {_ELEMENT.get(function, 1)}"


def _view_offset(function: str, message: str, site: Site | None) -> str:
    node = site.argument(1) if site is not None else None
    return f"Start offset {text_of(node)} is outside the bounds of the buffer"


def _count(function: str, message: str, site: Site | None) -> str:
    node = site.argument(0) if site is not None else None
    return f"Invalid count value: {text_of(node)}"


def _code_point(function: str, message: str, site: Site | None) -> str:
    node = site.argument(0) if site is not None else None
    return f"Invalid code point {text_of(node)}"


def _to_bigint(function: str, message: str, site: Site | None) -> str:
    shown = _shown(site, 0)
    if message in ("cannot convert to BigInt: not an integer", "cannot convert NaN or Infinity to BigInt"):
        node = site.argument(0) if site is not None else None
        number = text_of(node) or "NaN"
        return f"The number {number} cannot be converted to a BigInt because it is not an integer"
    return f"Cannot convert {shown} to a BigInt"


def _entry(function: str, message: str, site: Site | None) -> str:
    given = strip_parentheses(site.argument(0)) if site is not None else None
    items = given.named_children if given is not None and given.type == "array" else []
    found = next((item for item in items if item.type in _PRIMITIVES), None)
    shown = text_of(found).strip("\"'") if found is not None else ""
    return (
        f"Iterator value {shown} is not an entry object" if shown else "Iterator value is not an entry object"
    )


def _prototype(function: str, message: str, site: Site | None) -> str:
    index = 1 if function == "setPrototypeOf" else 0
    if function == "setPrototypeOf" and _shown(site, 0) in ("undefined", "null") and _is_nothing(site):
        return "Object.setPrototypeOf called on null or undefined"
    return f"Object prototype may only be an Object or null: {_shown(site, index)}"


def _is_nothing(site: Site | None) -> bool:
    node = site.argument(0) if site is not None else None
    return node is not None and node.type in ("undefined", "null")


def _define(function: str, message: str, site: Site | None) -> str:
    node = strip_parentheses(site.argument(0)) if site is not None else None
    if node is not None and node.type in ("number", "string", "undefined", "null"):
        return "Object.defineProperty called on non-object"
    return f"Property description must be an object: {_shown(site, 2)}"


def _redefined(function: str, message: str, site: Site | None) -> str:
    return f"Cannot redefine property: {_shown(site, 1)}"


_REGEXP: Final[Mapping[str, str]] = {
    "expecting ')'": "Unterminated group",
    "unexpected end": "Unterminated character class",
    "nothing to repeat": "Nothing to repeat",
    "extraneous characters at the end": "Unmatched ')'",
    "invalid class range": "Range out of order in character class",
    "invalid repetition count": "numbers out of order in {} quantifier",
    "duplicate group name": "Duplicate capture group name",
    "group name not defined": "Invalid named capture referenced",
    "invalid escape sequence in regular expression": "Invalid escape",
    "unknown unicode property name": "Invalid property name",
    "invalid group name": "Invalid capture group name",
}


def _regexp(function: str, message: str, site: Site | None) -> str:
    pattern = site.argument(0) if site is not None else None
    flags = site.argument(1) if site is not None else None
    flag_text = _unquoted(flags)
    if message == "invalid regular expression flags":
        return f"Invalid flags supplied to RegExp constructor '{flag_text}'"
    source = _unquoted(pattern)
    why = _REGEXP.get(message, message)
    if message == "unexpected end" and source.endswith("\\"):
        why = "\\ at end of pattern"
    if "\\u" in source and why == "Invalid escape":
        why = "Invalid Unicode escape"
    return f"Invalid regular expression: /{source}/{flag_text}: {why}"


def _unquoted(node: object) -> str:
    """The value of a string in the source; its commonest escape is undone."""
    if node is None or getattr(node, "type", "") not in ("string", "template_string"):
        return ""
    return text_of(node)[1:-1].replace("\\\\", "\\")  # type: ignore[arg-type]


_PRIMITIVES: Final = ("number", "string", "true", "false", "null", "undefined")

_ELEMENT: Final[Mapping[str, int]] = {
    "Int16Array": 2,
    "Uint16Array": 2,
    "Int32Array": 4,
    "Uint32Array": 4,
    "Float32Array": 4,
    "Float64Array": 8,
    "BigInt64Array": 8,
    "BigUint64Array": 8,
}

_BY_FUNCTION: Final[Mapping[tuple[str, str], str | Words]] = {
    ("sort", "not a function"): _comparison,
    ("Promise", "not a function"): _resolver,
    ("create", "not a prototype"): _prototype,
    ("setPrototypeOf", "not an object"): _prototype,
    ("getPrototypeOf", "not an object"): "Cannot convert undefined or null to object",
    ("defineProperty", "not an object"): _define,
    ("resolve", "not an object"): "PromiseResolve called on non-object",
    ("Proxy", "not an object"): "Cannot create proxy with a non-object as target or handler",
    ("Map", "not an object"): _entry,
    ("fromEntries", "not an object"): _entry,
    ("ownKeys", "not an object"): "Reflect.ownKeys called on non-object",
    ("WeakSet", "invalid target"): "Invalid value used in weak set",
    ("WeakRef", "invalid target"): "WeakRef: invalid target",
    ("toString", "not a function"): "Function.prototype.toString requires that 'this' be a Function",
    ("DataView", "invalid byteOffset"): _view_offset,
    ("BigInt", "invalid bigint literal"): _to_bigint,
    ("toISOString", "Date value is NaN"): "Invalid time value",
    ("repeat", "invalid string length"): "Invalid string length",
}

_BY_MESSAGE: Final[Mapping[str, str | Words]] = {
    "not a function": _callback,
    "not a symbol": _wrong_this,
    "not a number": _wrong_this,
    "not a boolean": _wrong_this,
    "empty array": "Reduce of empty array with no initial value",
    "cannot convert to object": _null_receiver,
    "null or undefined are forbidden": _null_receiver,
    "regexp must have the 'g' flag": _global_flag,
    "must be called with new": _needs_new,
    "constructor requires 'new'": _needs_new,
    "invalid number of digits": _digits,
    "radix must be between 2 and 36": "toString() radix argument must be between 2 and 36",
    "invalid array index": _length,
    "invalid length": _length,
    "invalid array buffer length": _length,
    "invalid offset": _offset,
    "out of bound": "Offset is outside the bounds of the DataView",
    "out-of-bound access": "Offset is outside the bounds of the DataView",
    "invalid repeat count": _count,
    "invalid code point": _code_point,
    "bad normalization form": "The normalization form should be one of NFC, NFD, NFKC, NFKD.",
    "cannot convert to BigInt": _to_bigint,
    "cannot convert to BigInt: not an integer": _to_bigint,
    "cannot convert NaN or Infinity to BigInt": _to_bigint,
    "property is not configurable": _redefined,
    "invalid getter": "Getter must be a function",
    "invalid setter": "Setter must be a function",
    "cannot have setter/getter and value or writable": (
        "Invalid property descriptor. Cannot both specify accessors and a value or writable attribute"
    ),
    "circular prototype chain": "Cyclic __proto__ value",
    "circular reference": "Converting circular structure to JSON",
    "invalid value used as WeakMap key": "Invalid value used as weak map key",
    "invalid value used as WeakSet key": "Invalid value used in weak set",
    "not a Date object": "this is not a Date object.",
    "expecting hex digit": "URI malformed",
    "expecting surrogate pair": "URI malformed",
    "expecting %": "URI malformed",
    "malformed UTF-8": "URI malformed",
}
