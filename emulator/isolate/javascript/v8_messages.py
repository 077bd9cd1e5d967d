"""The engine's messages in V8's words, which people search the web for.

``v8_message`` is given an error's message and stack and the project's sources. Where V8 names a
value that the engine does not tell (``number 5 is not iterable``), the source is asked; what it
does not say either is left out, or is taken to be ``undefined``, by far the most common.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from .native_messages import native_message
from .rendering import render, strip_parentheses
from .sites import Site, first_key, is_nested, iterated, pattern_value, rendered
from .source import Sources, text_of
from .stacks import Frame

_NAMED: Final = ("identifier", "undefined", "null", "await_expression")
"""What V8 names when an array pattern takes it apart and it is nothing."""

_LONGEST: Final = 256
"""Characters of the engine's longest message."""

_ERROR_CLASS: Final = re.compile(r"(?:Error|Exception)$")


class Told(NamedTuple):
    """What is known about an error."""

    match: re.Match[str]
    native: str
    """The engine's function that made it, such as ``map``; empty for code of the Worker."""
    site: Site | None
    """The innermost place in the Worker's code."""


def v8_message(js_class: str, message: str, frames: list[Frame], sources: Sources) -> str:
    """V8's message for an error of the engine's own; ``message`` itself for any other."""
    if not frames or frames[0].is_platform or not message or len(message) > _LONGEST:
        return message
    native = frames[0].function if frames[0].is_native else ""
    for pattern, words in _WORDS:
        match = pattern.fullmatch(message)
        if match:
            told = Told(match, native, _site(frames, sources))
            return message if _is_users(told) else words(told) or message
    if native:
        return native_message(js_class, native, message, _site(frames, sources)) or message
    return message


def pattern_position(message: str, frame: Frame, sources: Sources) -> tuple[int, int] | None:
    """Line and column of the pattern or the loop that an error of the engine's own is about."""
    site, source = _site([frame], sources), sources.get(frame.file)
    if site is None or source is None or _is_constructed(site):
        return None
    if message == "cannot convert to object":
        operator = site.node
        node = site.pattern() if operator is None or operator.type != "unary_expression" else None
    elif message == "value is not iterable" or message.startswith("cannot read property 'Symbol.iterator'"):
        node = site.iteration
    else:
        return None
    return source.position(node.start_byte) if node is not None else None


def _site(frames: list[Frame], sources: Sources) -> Site | None:
    frame = next((frame for frame in frames if frame.line and not frame.is_platform), None)
    source = sources.get(frame.file) if frame is not None else None
    if frame is None or source is None:
        return None
    return Site(source, *sources.original(frame.file, frame.line, frame.column))


def _is_users(told: Told) -> bool:
    """Whether the program made the error itself: ``new TypeError("not a function")``."""
    return told.site is not None and not told.native and _is_constructed(told.site)


def _is_constructed(site: Site) -> bool:
    callee = site.callee
    return callee is not None and bool(_ERROR_CLASS.search(text_of(callee)))


# ---- properties ------------------------------------------------------------------------


def _read(told: Told) -> str:
    name, owner = told.match["name"], told.match["owner"]
    if name == "Symbol.iterator":
        return _not_iterable(told, owner)
    if name == "Symbol.asyncIterator":
        return f"Cannot read properties of {owner} (reading 'Symbol(Symbol.asyncIterator)')"
    return f"Cannot read properties of {owner} (reading '{_whole(name, told)}')"


def _read_computed(told: Told) -> str:
    owner, key = told.match["owner"], told.site.key if told.site else None
    if key == "Symbol(Symbol.iterator)":
        return f"{owner} is not iterable (cannot read property Symbol(Symbol.iterator))"
    return f"Cannot read properties of {owner}" + (f" (reading '{key}')" if key is not None else "")


def _set(told: Told) -> str:
    return f"Cannot set properties of {told.match['owner']} (setting '{_whole(told.match['name'], told)}')"


def _whole(name: str, told: Told) -> str:
    """The engine cuts long names: take the rest from the source."""
    key = told.site.key if told.site and len(name.encode()) > 50 else None
    return key if key is not None and key.startswith(name.rstrip("\ufffd")) else name


def _read_only(told: Told) -> str:
    name, site = told.match["name"], told.site
    node = site.node if site else None
    if told.native or site is None or site.access is not None:
        if name == "length" and site and site.access and _owner(site).type == "string":
            return f"Cannot assign to read only property 'length' of string '{_owner_text(site)}'"
        return f"Cannot assign to read only property '{name}' of object" + (
            " '[object Array]'" if name.isdigit() else " '#<Object>'"
        )
    if name in ("undefined", "NaN", "Infinity") and node is not None:
        return f"Cannot assign to read only property '{name}' of object '#<Object>'"
    return "Assignment to constant variable."


def _owner(site: Site) -> Any:
    access = site.access
    return strip_parentheses(access.child_by_field_name("object")) if access is not None else None


def _owner_text(site: Site) -> str:
    return render(_owner(site)).strip('"')


def _no_setter(told: Told) -> str:
    key = told.site.key if told.site else None
    return f"Cannot set property {key} of #<Object> which has only a getter" if key else ""


def _not_extensible(told: Told) -> str:
    key = told.site.key if told.site and not told.native else None
    if told.native == "defineProperty":
        key = _argument(told, 1)
        return f"Cannot define property {key}, object is not extensible" if key else ""
    return f"Cannot add property {key}, object is not extensible" if key else ""


def _not_deleted(told: Told) -> str:
    key = told.site.key if told.site and not told.native else None
    return f"Cannot delete property '{key}' of #<Object>" if key else ""


def _argument(told: Told, index: int) -> str:
    node = told.site.argument(index) if told.site else None
    return render(node).strip('"') if node is not None else ""


# ---- calls -----------------------------------------------------------------------------


def _not_a_function(told: Told) -> str:
    site = told.site
    if told.native:
        return native_message("TypeError", told.native, "not a function", site)
    call = site.call if site is not None else None
    if site is None or call is None:
        node = site.iteration if site is not None else None
        if node is not None and any(child.type == "await" for child in node.children):
            return f"{rendered(iterated(node))} is not async iterable"
        return "undefined is not a function" if node is not None else ""
    if site.is_new:
        return f"{rendered(site.callee)} is not a constructor"
    name = rendered(site.callee)
    user = call.parent
    while user is not None and user.type == "parenthesized_expression":
        user = user.parent
    if user is not None and user.type in ("for_in_statement", "spread_element") and iterated(user) == call:
        kind = "async iterable" if any(child.type == "await" for child in user.children) else "iterable"
        return f"{name} is not a function or its return value is not {kind}"
    return f"{name} is not a function"


def _not_a_constructor(told: Told) -> str:
    site = told.site
    if site is not None and site.is_new:
        return f"{rendered(site.callee)} is not a constructor"
    name = told.match.groupdict().get("name") or told.native
    if name or site is None:
        return f"{name} is not a constructor" if name else ""
    return f"Super constructor null of {site.class_name or 'anonymous class'} is not a constructor"


# ---- iteration and destructuring ---------------------------------------------------------


def _value_not_iterable(told: Told) -> str:
    return _not_iterable(told, "")


def _not_iterable(told: Told, owner: str) -> str:
    """``owner`` is ``undefined`` or ``null``; empty for any other value."""
    site = told.site
    unnamed = f"{owner or _kind(told)} is not iterable (cannot read property Symbol(Symbol.iterator))"
    if told.native or site is None:
        return f"{owner} is not iterable" if owner and told.native == "fromEntries" else unnamed
    node = site.iteration
    if node is None:
        return unnamed
    value = iterated(node)
    if node.type == "spread_element" and node.parent is not None and node.parent.type == "arguments":
        if owner:
            return f"{rendered(value)} is not iterable (cannot read property {owner})"
        return "Spread syntax requires ...iterable[Symbol.iterator] to be a function"
    return _cannot_iterate(rendered(value), strip_parentheses(value), node.type, owner) or unnamed


def _cannot_iterate(name: str, value: Any, kind: str, owner: str) -> str:
    if value is None:
        return ""
    if value.type == "call_expression" and not (kind == "array_pattern" and owner):
        callee = rendered(value.child_by_field_name("function"))
        return f"{callee} is not a function or its return value is not iterable"
    if (
        kind == "array_pattern"
        and owner
        and value.type not in ("identifier", "undefined", "null", "await_expression")
    ):
        return ""
    return f"{name} is not iterable"


def _kind(told: Told) -> str:
    node = told.site.argument(0) if told.site and told.native else None
    if node is not None and node.type in ("number", "true", "false"):
        return f"{'number' if node.type == 'number' else 'boolean'} {text_of(node)}"
    return "object"


def _not_async_iterable(told: Told) -> str:
    node = told.site.iteration if told.site else None
    return f"{rendered(iterated(node)) if node is not None else 'object'} is not async iterable"


def _cannot_convert(told: Told) -> str:
    """``const {a} = undefined``, and the built-in functions that want an object."""
    site = told.site
    if told.native or site is None:
        return native_message("TypeError", told.native, "cannot convert to object", site)
    operator = site.node
    if operator is not None and operator.type == "unary_expression":
        return "Cannot convert undefined or null to object"
    pattern = site.pattern()
    if pattern is None:
        return "Cannot convert undefined or null to object"
    key, value = first_key(pattern), strip_parentheses(pattern_value(pattern))
    if is_nested(pattern) and key is not None:
        return f"Cannot read properties of undefined (reading '{key}')"
    owner = "null" if value is not None and value.type == "null" else "undefined"
    name = rendered(value) if value is not None else "undefined"
    of = f"property '{key}' of " if key is not None else ""
    return f"Cannot destructure {of}'{name}' as it is {owner}."


# ---- the rest --------------------------------------------------------------------------


def _needs_new(told: Told) -> str:
    name = told.site.class_name if told.site is not None else ""
    return f"Class constructor {name} cannot be invoked without 'new'"


def _uninitialised(told: Told) -> str:
    if told.match["name"] == "this":
        return (
            "Must call super constructor in derived class before accessing 'this' or returning from "
            "derived constructor"
        )
    return f"Cannot access '{told.match['name']}' before initialization"


def _private(told: Told) -> str:
    access = told.site.access if told.site else None
    parent = access.parent if access is not None else None
    writes = (
        parent is not None
        and parent.type.endswith("assignment_expression")
        and (parent.child_by_field_name("left") == access)
    )
    verb, to = (
        ("write", "to") if writes and parent and parent.type == "assignment_expression" else ("read", "from")
    )
    name = told.match["name"]
    return f"Cannot {verb} private member {name} {to} an object whose class did not declare it"


def _brand(told: Told) -> str:
    name = told.site.class_name if told.site is not None else ""
    return f"Receiver must be an instance of class {name or 'anonymous'}"


def _mixed_bigint(told: Told) -> str:
    if told.native:
        return "Cannot convert a BigInt value to a number"
    return "Cannot mix BigInt and other types, use explicit conversions"


def _in(told: Told) -> str:
    operation = told.site.operator if told.site else None
    if operation is None:
        return "Cannot use 'in' operator"
    key = render(operation.child_by_field_name("left")).strip('"')
    right = render(operation.child_by_field_name("right")).strip('"')
    return f"Cannot use 'in' operator to search for '{key}' in {right}"


def _instanceof(told: Told) -> str:
    operation = told.site.operator if told.site else None
    right = strip_parentheses(operation.child_by_field_name("right")) if operation is not None else None
    callable_ = right is not None and right.type == "object"
    return f"Right-hand side of 'instanceof' is not {'callable' if callable_ else 'an object'}"


def _extends(told: Told) -> str:
    heritage = told.site.heritage if told.site is not None else None
    value = "undefined" if heritage is None or heritage.type == "identifier" else text_of(heritage)
    return f"Class extends value {value} is not a constructor or null"


def _not_an_object(told: Told) -> str:
    """``"text".name = value``: a property of what cannot have any."""
    site = told.site
    if told.native:
        return native_message("TypeError", told.native, "not an object", site)
    owner = _owner(site) if site is not None else None
    if site is None or owner is None or owner.type not in ("string", "number"):
        return "Result of the Symbol.iterator method is not an object" if site and site.iteration else ""
    return f"Cannot create property '{site.key}' on {owner.type} '{_owner_text(site)}'"


def _says(text: str) -> Callable[[Told], str]:
    return lambda told: told.match.expand(text)


_OWNER: Final = r"(?P<owner>undefined|null)"
_TABLE: Final[Mapping[str, Callable[[Told], str]]] = {
    rf"cannot read property '(?P<name>.*)' of {_OWNER}": _read,
    rf"cannot read property of {_OWNER}": _read_computed,
    rf"cannot set property '(?P<name>.*)' of {_OWNER}": _set,
    r"'(?P<name>.*)' is not defined": _says(r"\g<name> is not defined"),
    r"(?P<name>.+) is not initialized": _uninitialised,
    r"not a function": _not_a_function,
    r"not a constructor": _not_a_constructor,
    r"(?P<name>[^\s']*) is not a constructor": _not_a_constructor,
    r"value is not iterable": _value_not_iterable,
    r"value is not async iterable": _not_async_iterable,
    r"cannot convert to object": _cannot_convert,
    r"class constructors must be invoked with 'new'": _needs_new,
    r"'(?P<name>.*)' is read-only": _read_only,
    r"not an object": _not_an_object,
    r"no setter for property": _no_setter,
    r"object is not extensible": _not_extensible,
    r"could not delete property": _not_deleted,
    r"private class field '(?P<name>.*)' does not exist": _private,
    r"invalid brand on object|expecting <brand> private field": _brand,
    r"stack overflow": _says("Maximum call stack size exceeded"),
    r"cannot convert bigint to number": _mixed_bigint,
    r"bigint argument with unary \+": _says("Cannot convert a BigInt value to a number"),
    r"bigint operands are forbidden for >>>": _says("BigInts have no unsigned right shift, use >> instead"),
    r"BigInt division by zero": _says("Division by zero"),
    r"BigInt negative exponent": _says("Exponent must be positive"),
    r"BigInt is too large(?: to allocate)?": _says("Maximum BigInt size exceeded"),
    r"cannot convert symbol to (?P<kind>string|number)": _says(
        r"Cannot convert a Symbol value to a \g<kind>"
    ),
    r"toPrimitive": _says("Cannot convert object to primitive value"),
    r"invalid 'in' operand": _in,
    r"invalid 'instanceof' right operand": _instanceof,
    r"operand 'prototype' property is not an object": _says(
        "Function has non-object prototype 'undefined' in instanceof check"
    ),
    r"parent class must be constructor": _extends,
    r"iterator must return an object": _says("Iterator result is not an object"),
    r"invalid array length": _says("Invalid array length"),
    r"string too long": _says("Invalid string length"),
    r"cannot invoke a running generator": _says("Generator is already running"),
    r"revoked proxy": _says("Cannot perform operation on a proxy that has been revoked"),
}
_WORDS: Final = tuple((re.compile(pattern, re.DOTALL), words) for pattern, words in _TABLE.items())
