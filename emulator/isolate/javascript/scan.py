"""Looking at JavaScript source without parsing it: where something is imported, what kind of file it is."""

from __future__ import annotations

import re
from typing import Final

from emulator.diagnostics.report import Place

_TOKENS: Final = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""", re.DOTALL
)
"""Comments and strings. Regular expressions are not told apart; that misleads only in rare files."""

_IMPORTING: Final = re.compile(r"(?:\bfrom|\bimport|\bimport\s*\()\s*\Z")
_ESM: Final = re.compile(
    r"(?:^|[;}\n])\s*(?:import\s*[\"'{*]|import\s+[\w$]|export\s*[{*]|export\s+[\w$])|\bimport\.meta\b"
)
_COMMONJS: Final = re.compile(
    r"\bmodule\.exports\b|(?<![.\w$])exports\.[\w$]+\s*=|(?<![.\w$])require\s*\(|defineProperty\(\s*exports\b"
)
_BRACKET_OR_AWAIT: Final = re.compile(r"[(\[{}\])]|(?<![.\w$])await(?![\w$])")
_LISTENER: Final = re.compile(r"(?<![.\w$])(?:(?:self|globalThis)\.)?addEventListener\s*\(\s*$")

_SCANNED: Final = 4_000_000
"""Characters; what comes later in a file is not looked at."""


def import_place(file: str, source: str, specifier: str) -> Place | None:
    """Where ``source`` imports ``specifier``: at the string, columns from 1."""
    fallback: Place | None = None
    for match in _TOKENS.finditer(source[:_SCANNED]):
        text = match[0]
        if text[0] in "\"'`" and text[1:-1] == specifier:
            place = place_at(file, source, match.start())
            if _IMPORTING.search(source, max(0, match.start() - 60), match.start()):
                return place
            fallback = fallback or place
    return fallback


def place_at(file: str, source: str, offset: int) -> Place:
    """The place of a character, with its line."""
    start = source.rfind("\n", 0, offset) + 1
    end = source.find("\n", offset)
    line = source[start : end if end >= 0 else len(source)].rstrip("\r")
    return Place(file, source.count("\n", 0, offset) + 1, offset - start + 1, "", line)


def is_commonjs(path: str, source: str) -> bool:
    """Whether a file is a CommonJS module: ``require`` or ``exports``, and no ``import`` or ``export``."""
    if path.endswith(".cjs"):
        return not _ESM.search(blanked(source[:_SCANNED]))
    # Most files have neither word, and searching is slow in large ones.
    if "exports" not in source and "require" not in source:
        return False
    code = blanked(source[:_SCANNED])
    return bool(_COMMONJS.search(code)) and not _ESM.search(code)


def commonjs_place(path: str, source: str) -> Place | None:
    """Where a CommonJS module shows that it is one."""
    match = _COMMONJS.search(blanked(source[:_SCANNED]))
    return place_at(path, source, match.start()) if match else None


def listens_to_fetch(path: str, source: str) -> Place | None:
    """Where the file calls ``addEventListener("fetch", ...)``, the form of old service workers."""
    for match in _TOKENS.finditer(source[:_SCANNED]):
        if match[0][1:-1] == "fetch":
            before = _LISTENER.search(source, max(0, match.start() - 60), match.start())
            if before:
                return place_at(path, source, before.start())
    return None


def await_place(path: str, source: str) -> Place | None:
    """Where the file awaits outside of all brackets: a top-level await."""
    if "await" not in source:
        return None
    depth = 0
    for match in _BRACKET_OR_AWAIT.finditer(blanked(source[:_SCANNED])):
        token = match[0]
        if token == "await":
            if depth == 0:
                return place_at(path, source, match.start())
        else:
            depth += 1 if token in "([{" else -1
    return None


def method_place(path: str, source: str, name: str) -> Place | None:
    """Where the file defines a method ``name``, or a property that is a function."""
    pattern = rf"(?<![.\w$]){re.escape(name)}\s*(?:\([^()]*\)\s*\{{|:\s*(?:async\b|function\b|\())"
    found = re.search(pattern, blanked(source[:_SCANNED]))
    return place_at(path, source, found.start()) if found else None


def blanked(source: str) -> str:
    """``source`` with spaces for its comments and for what is in its strings; offsets stay."""

    def blank(match: re.Match[str]) -> str:
        text = match[0]
        inner = "".join(c if c == "\n" else " " for c in text[1:-1])
        return f"{text[0]}{inner}{text[-1]}" if text[0] in "\"'`" else f" {inner} "

    return _TOKENS.sub(blank, source)
