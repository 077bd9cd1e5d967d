"""What a Worker finds on ``env`` must have names of its own: variables, secrets and bindings share them.

https://developers.cloudflare.com/workers/wrangler/configuration/#bindings
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from emulator.config.document import Document, KeyPath
from emulator.config.keys import KEYS
from emulator.config.words import dotted
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report

_NAMED: Final = frozenset(("durable_objects", "unsafe", "send_email", "ratelimits"))
"""Keys whose bindings are called by ``name``; all others have ``binding``."""

_NESTED: Final[Mapping[str, str]] = {
    "durable_objects": "bindings",
    "queues": "producers",
    "unsafe": "bindings",
}
"""Keys that hold their bindings in a list below them."""

_NOT_BINDINGS: Final = frozenset(
    ("vars", "secrets", "rules", "env", "migrations", "routes", "tail_consumers")
)


def name_mistakes(document: Document, table: Mapping[str, Any], path: KeyPath) -> Iterator[Report]:
    """A mistake for each name of ``table`` (the top level or an environment) that an earlier binding has."""
    first: dict[str, KeyPath] = {}
    for name, where in _names(table):
        if name in first:
            place = document.key_place(*path, *first[name])
            line = f" (line {place.line})" if place else ""
            facts: dict[str, Any] = {"name": name, "first": dotted((*path, *first[name])) + line}
            yield explain("config-name-twice", where=document.value_place(*path, *where), **facts)
        first.setdefault(name, where)


def unemulated_bindings(table: Mapping[str, Any]) -> dict[str, str]:
    """The bindings of ``table`` that ``env`` lacks here, by name, with their keys of the wrangler file."""
    found = {name: str(path[0]) for name, path in _names(table)}
    return {name: key for name, key in found.items() if key in KEYS and not KEYS[key].emulated}


def _names(table: Mapping[str, Any]) -> Iterator[tuple[str, KeyPath]]:
    variables = table.get("vars")
    for name in variables if isinstance(variables, Mapping) else ():
        yield name, ("vars", name)
    secrets = table.get("secrets")
    required = secrets.get("required") if isinstance(secrets, Mapping) else None
    for index, name in enumerate(required if isinstance(required, list) else ()):
        if isinstance(name, str):
            yield name, ("secrets", "required", index)
    for key, value in table.items():
        if key not in _NOT_BINDINGS:
            yield from _bindings(key, value)


def _bindings(key: str, value: object) -> Iterator[tuple[str, KeyPath]]:
    word = "name" if key in _NAMED else "binding"
    path: KeyPath = (key,)
    if key in _NESTED:
        value = value.get(_NESTED[key]) if isinstance(value, Mapping) else None
        path = (key, _NESTED[key])
    if isinstance(value, Mapping):
        if isinstance(name := value.get(word), str):
            yield name, (*path, word)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, Mapping) and isinstance(name := item.get(word), str):
                yield name, (*path, index, word)
