"""V8's words for properties that cannot be read, set, added or deleted."""

from __future__ import annotations

from typing import Any

from .iteration_messages import not_iterable
from .rendering import render, strip_parentheses
from .sites import Site, Told


def read_of_nothing(told: Told) -> str:
    """``null.name``"""
    name, owner = told.match["name"], told.match["owner"]
    if name == "Symbol.iterator":
        return not_iterable(told, owner)
    if name == "Symbol.asyncIterator":
        return f"Cannot read properties of {owner} (reading 'Symbol(Symbol.asyncIterator)')"
    return f"Cannot read properties of {owner} (reading '{_whole(name, told)}')"


def read_computed(told: Told) -> str:
    """``null[key]``"""
    owner, key = told.match["owner"], told.site.key if told.site else None
    if key == "Symbol(Symbol.iterator)":
        return f"{owner} is not iterable (cannot read property Symbol(Symbol.iterator))"
    return f"Cannot read properties of {owner}" + (f" (reading '{key}')" if key is not None else "")


def set_on_nothing(told: Told) -> str:
    """``null.name = value``"""
    return f"Cannot set properties of {told.match['owner']} (setting '{_whole(told.match['name'], told)}')"


def _whole(name: str, told: Told) -> str:
    """The engine cuts long names: take the rest from the source."""
    key = told.site.key if told.site and len(name.encode()) > 50 else None
    return key if key is not None and key.startswith(name.rstrip("\ufffd")) else name


def read_only(told: Told) -> str:
    """An assignment to a constant, or to a property that is read-only."""
    name, site = told.match["name"], told.site
    node = site.node if site else None
    if told.native or site is None or site.access is not None:
        if name == "length" and site and site.access and owner_of(site).type == "string":
            return f"Cannot assign to read only property 'length' of string '{owner_text(site)}'"
        return f"Cannot assign to read only property '{name}' of object" + (
            " '[object Array]'" if name.isdigit() else " '#<Object>'"
        )
    if name in ("undefined", "NaN", "Infinity") and node is not None:
        return f"Cannot assign to read only property '{name}' of object '#<Object>'"
    return "Assignment to constant variable."


def owner_of(site: Site) -> Any:
    """What the property that is read here belongs to."""
    access = site.access
    return strip_parentheses(access.child_by_field_name("object")) if access is not None else None


def owner_text(site: Site) -> str:
    """That, as V8 names it."""
    return render(owner_of(site)).strip('"')


def no_setter(told: Told) -> str:
    """An assignment to a property that has a getter only."""
    key = told.site.key if told.site else None
    return f"Cannot set property {key} of #<Object> which has only a getter" if key else ""


def not_extensible(told: Told) -> str:
    """A new property of an object that takes none."""
    key = told.site.key if told.site and not told.native else None
    if told.native == "defineProperty":
        key = _argument(told, 1)
        return f"Cannot define property {key}, object is not extensible" if key else ""
    return f"Cannot add property {key}, object is not extensible" if key else ""


def not_deleted(told: Told) -> str:
    """``delete`` of a property that stays."""
    key = told.site.key if told.site and not told.native else None
    return f"Cannot delete property '{key}' of #<Object>" if key else ""


def _argument(told: Told, index: int) -> str:
    node = told.site.argument(index) if told.site else None
    return render(node).strip('"') if node is not None else ""
