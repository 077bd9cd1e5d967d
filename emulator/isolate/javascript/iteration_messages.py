"""V8's words for what cannot be iterated or taken apart."""

from __future__ import annotations

from typing import Any, Final

from .native_messages import native_message
from .rendering import strip_parentheses
from .sites import Told, first_key, is_nested, iterated, pattern_value, rendered
from .source import text_of

_NAMED: Final = ("identifier", "undefined", "null", "await_expression")
"""What V8 names when an array pattern takes it apart and it is nothing."""


def value_not_iterable(told: Told) -> str:
    """``value is not iterable``, of anything but undefined and null."""
    return not_iterable(told, "")


def not_iterable(told: Told, owner: str) -> str:
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
    if kind == "array_pattern" and owner and value.type not in _NAMED:
        return ""
    return f"{name} is not iterable"


def _kind(told: Told) -> str:
    node = told.site.argument(0) if told.site and told.native else None
    if node is not None and node.type in ("number", "true", "false"):
        return f"{'number' if node.type == 'number' else 'boolean'} {text_of(node)}"
    return "object"


def not_async_iterable(told: Told) -> str:
    """``for await`` over what has no such iterator."""
    node = told.site.iteration if told.site else None
    return f"{rendered(iterated(node)) if node is not None else 'object'} is not async iterable"


def cannot_convert(told: Told) -> str:
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
