"""The engine's messages in V8's words, which people search the web for.

``v8_message`` is given an error's message and stack and the project's sources. Where V8 names a
value that the engine does not tell (``number 5 is not iterable``), the source is asked; what it
does not say either is left out, or is taken to be ``undefined``, by far the most common.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from .iteration_messages import cannot_convert, not_async_iterable, value_not_iterable
from .native_messages import native_message
from .property_messages import (
    no_setter,
    not_deleted,
    not_extensible,
    owner_of,
    owner_text,
    read_computed,
    read_of_nothing,
    read_only,
    set_on_nothing,
)
from .rendering import render, strip_parentheses
from .sites import Site, Told, iterated, rendered
from .source import Sources, text_of
from .stacks import Frame

_LONGEST: Final = 256
"""Characters of the engine's longest message."""

_NEEDS_NEW: Final = "class constructors must be invoked with 'new'"
_PLATFORM_NEEDS_NEW: Final = (
    "Failed to construct '{}': Please use the 'new' operator, this object constructor cannot be called "
    "as a function."
)

_NO_RECEIVER: Final = "invalid 'in' operand"
"""What a method of the platform's classes says when its ``this`` is no object."""
_ILLEGAL_INVOCATION: Final = (
    "Illegal invocation: function called with incorrect `this` reference. "
    "See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors "
    "for details."
)

_ERROR_CLASS: Final = re.compile(r"(?:Error|Exception)$")


def v8_message(js_class: str, message: str, frames: list[Frame], sources: Sources) -> str:
    """V8's message for an error of the engine's own; ``message`` itself for any other."""
    if not frames or not message or len(message) > _LONGEST:
        return message
    if frames[0].is_platform:
        if message == _NO_RECEIVER:
            return _ILLEGAL_INVOCATION
        return _PLATFORM_NEEDS_NEW.format(frames[0].function) if message == _NEEDS_NEW else message
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
    owner = owner_of(site) if site is not None else None
    if site is None or owner is None or owner.type not in ("string", "number"):
        return "Result of the Symbol.iterator method is not an object" if site and site.iteration else ""
    return f"Cannot create property '{site.key}' on {owner.type} '{owner_text(site)}'"


def _says(text: str) -> Callable[[Told], str]:
    return lambda told: told.match.expand(text)


_OWNER: Final = r"(?P<owner>undefined|null)"
_TABLE: Final[Mapping[str, Callable[[Told], str]]] = {
    rf"cannot read property '(?P<name>.*)' of {_OWNER}": read_of_nothing,
    rf"cannot read property of {_OWNER}": read_computed,
    rf"cannot set property '(?P<name>.*)' of {_OWNER}": set_on_nothing,
    r"'(?P<name>.*)' is not defined": _says(r"\g<name> is not defined"),
    r"(?P<name>.+) is not initialized": _uninitialised,
    r"not a function": _not_a_function,
    r"not a constructor": _not_a_constructor,
    r"(?P<name>[^\s']*) is not a constructor": _not_a_constructor,
    r"value is not iterable": value_not_iterable,
    r"value is not async iterable": not_async_iterable,
    r"cannot convert to object": cannot_convert,
    _NEEDS_NEW: _needs_new,
    r"'(?P<name>.*)' is read-only": read_only,
    r"not an object": _not_an_object,
    r"no setter for property": no_setter,
    r"object is not extensible": not_extensible,
    r"could not delete property": not_deleted,
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
