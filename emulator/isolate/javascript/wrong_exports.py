"""Exports that are not what the importer, or the platform, looks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

from .scan import blanked, import_place, listens_to_fetch, place_at
from .spelling import nearest

_MISSING: Final = re.compile(r"^Could not find export '(.*)' in module '(.*)'$", re.DOTALL)
_DECLARED: Final = re.compile(
    r"\bexport\s+(?:async\s+)?(?:function\s*\*?|class|const|let|var)\s*([\w$]+)|\bexport\s+(default)\b"
    r"|\bexport\s*\*\s*as\s+([\w$]+)"
)
_LISTED: Final = re.compile(r"\bexport\s*\{([^}]*)\}")
_PASSED_ON: Final = re.compile(r"\bexport\s*\{([^}]*)\}\s*from\s*[\"'](\s*)[\"']")
_HANDLERS: Final = frozenset(("fetch", "scheduled", "queue", "email", "tail", "trace", "tailStream", "test"))
"""What the platform calls. https://developers.cloudflare.com/workers/runtime-apis/handlers/"""

_CLAUSE: Final = 2000
"""Characters before a specifier in which its import statement begins."""


class MissingExport(NamedTuple):
    """What the engine says of an import that names no export."""

    name: str
    module: str

    @classmethod
    def parse(cls, message: str) -> MissingExport | None:
        match = _MISSING.match(message)
        return cls(match[1], match[2]) if match else None


def declared_exports(source: str) -> list[str]:
    """The names that the source of a module exports, as far as they are written out."""
    code = blanked(source)
    names = [next(name for name in match.groups() if name) for match in _DECLARED.finditer(code)]
    for match in _LISTED.finditer(code):
        names.extend(part.split()[-1] for part in match[1].split(",") if part.strip())
    return sorted(set(names))


class PassedOn(NamedTuple):
    """An export that a module takes from another one."""

    name: str
    specifier: str


def passed_on(source: str, name: str) -> PassedOn | None:
    """What ``export { x as name } from "./other.js"`` takes from where."""
    for match in _PASSED_ON.finditer(blanked(source)):
        for part in match[1].split(","):
            words = part.split()
            if words and words[-1] == name:
                return PassedOn(words[0], source[match.start(2) : match.end(2)])
    return None


def missing_export(
    missing: MissingExport,
    path: str,
    offered: Iterable[str],
    importers: Iterable[tuple[str, str]],
    sources: Mapping[str, str],
) -> Report:
    """The report for it. ``importers`` are files and the specifiers by which they import the module."""
    names = [name for name in offered if name != missing.name]
    where, specifier = None, ""
    for importer, written in importers:
        place = _named(importer, sources.get(importer, ""), written, missing.name)
        if place is not None:
            where, specifier = place, written
            break
    return explain(
        "export-missing",
        where=where,
        exception=f"SyntaxError: The requested module '{specifier or path}' does not provide an export "
        f"named '{missing.name}'",
        name=missing.name,
        path=path,
        specifier=specifier,
        similar=nearest(missing.name, names) if missing.name != "default" else "",
        offered=", ".join(names[:12]),
    )


def _named(file: str, source: str, specifier: str, name: str) -> Place | None:
    """Where ``file`` imports ``name`` by ``specifier``."""
    place = import_place(file, source, specifier)
    if place is None:
        return None
    lines = source.split("\n")
    end = sum(len(line) + 1 for line in lines[: place.line - 1]) + place.column - 1
    start = max(0, end - _CLAUSE)
    keyword = max(source.rfind("import", start, end), source.rfind("export", start, end))
    if keyword < 0:
        return place
    wanted = r"(?<=import)\s+[\w$]+" if name == "default" else rf"(?<![\w$]){re.escape(name)}(?![\w$])"
    found = re.compile(wanted).search(source, keyword, end)
    if found is None:
        return place if name == "default" else None
    offset = found.end() - len(found[0].lstrip())
    return place_at(file, source, offset)


class Exports(NamedTuple):
    """What a main module exports, by ``platform.describeExports``."""

    names: list[str]
    kind: str
    """Of the default export: object, entrypoint, class, function, or a type of primitives; "" for none."""
    functions: list[str]
    """Of the default export."""


def exports_mistake(exports: Exports, main: str, source: str, for_request: bool) -> Report | None:
    """What is wrong with the exports of the main module ``main``; ``for_request``: one came in."""
    names, kind, functions = exports
    if not kind:
        return _no_default(names, main, source)
    serves_others = kind == "entrypoint" or not _HANDLERS.isdisjoint(functions)
    if kind in ("object", "entrypoint") and ("fetch" in functions or (serves_others and not for_request)):
        return None
    where = _default_place(main, source)
    if kind == "function":
        return explain("default-export-function", where=where)
    if kind == "class":
        return explain("default-export-class", where=where)
    if kind not in ("object", "entrypoint"):
        return explain("default-export-type", where=where, kind=kind)
    return explain("default-without-fetch", where=where, has=", ".join(functions[:12]), kind=kind)


def _default_place(main: str, source: str) -> Place:
    default = re.search(r"\bexport\s+default\b|\bas\s+default\b", blanked(source))
    return place_at(main, source, default.start()) if default else Place(main)


def _no_default(names: list[str], main: str, source: str) -> Report:
    listener = listens_to_fetch(main, source)
    if listener is not None:
        return explain("service-worker-syntax", where=listener)
    if "fetch" in names:
        found = re.search(r"\bfetch\b", blanked(source))
        return explain(
            "named-fetch-export", where=place_at(main, source, found.start()) if found else Place(main)
        )
    return explain("no-default-export", where=Place(main), names=", ".join(names[:12]))
