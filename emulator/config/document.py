"""A wrangler file as text, as data, and as places: which key stands where."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

KeyPath = tuple[str | int, ...]

_TOML_PLACE: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")
_TOML_TWICE: Final = re.compile(
    r"Cannot (?:declare \('(.+)',\) twice|overwrite a value|mutate immutable namespace .*)"
)
_JSON_PLACE: Final = re.compile(r" (?:starting )?near (\d+)")
_CODE_POINT: Final = re.compile(r"U\+([0-9a-fA-F]{4,6})")
_BYTES: Final = {
    "colon": '":"',
    "comma": '","',
    "string": "string",
    "object": '"{"',
    "array": '"["',
    "comment": "comment",
    "NumericLiteral": "number",
}
_BARE_TOML: Final = re.compile(r"^(\s*[\w.\"'-]+\s*=\s*)([^\s\"'\[{#][^#]*?)\s*(#.*)?$")


class Mark(NamedTuple):
    """Offsets, in characters, of a key and of its value."""

    key: int
    value: int


class Unreadable(Exception):
    """The file cannot be read or parsed; ``report`` tells why."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.what)
        self.report = report


class Text:
    """The text of one file, with places in it."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def place(self, offset: int) -> Place:
        """The place of a character; an offset at the end points behind the last one."""
        line = bisect_right(self._starts, offset)
        return self.at(line, offset - self._starts[line - 1] + 1)

    def at(self, line: int, column: int = 0) -> Place:
        start = self._starts[min(line, len(self._starts)) - 1]
        source = self.text[start:].split("\n", 1)[0].rstrip("\r")
        return Place(str(self.path), line, column, "", source)

    def end(self) -> Place:
        """Behind the last character that is not blank."""
        return self.place(len(self.text.rstrip()))


class Document(NamedTuple):
    """A parsed wrangler file."""

    source: Text
    data: dict[str, Any]
    marks: Mapping[KeyPath, Mark]
    language: str
    """``TOML`` or ``JSON``."""
    warnings: tuple[Report, ...] = ()

    def key_place(self, *path: str | int) -> Place | None:
        """Where the key stands, or the nearest table around it that does."""
        mark = self._mark(path)
        return self.source.place(mark.key) if mark else None

    def value_place(self, *path: str | int) -> Place | None:
        mark = self._mark(path)
        return self.source.place(mark.value) if mark else None

    def line(self, key: str, value: str) -> str:
        """How to write ``key`` with ``value`` (a JSON literal, which is TOML too) in this file."""
        return f"{key} = {value}" if self.language == "TOML" else f'"{key}": {value},'

    def _mark(self, path: KeyPath) -> Mark | None:
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path)


def read_text(path: Path) -> Text:
    """The file's text, without a byte order mark. Raises ``Unreadable``."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        suggestion = "Check the path."
        raise Unreadable(explain("no-such-path", path=path, suggestion=suggestion)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unreadable(
            explain("file-unreadable", path=path, reason=reason, where=Place(str(path)))
        ) from error
    try:
        return Text(path, raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        where = Place(str(path), line)
        facts: dict[str, Any] = {
            "path": path.name,
            "byte": f"0x{raw[error.start]:02x}",
            "offset": error.start,
        }
        raise Unreadable(explain("file-not-utf8", where=where, **facts)) from error


def read_document(path: Path) -> Document:
    """Parse a wrangler file by its extension. Raises ``Unreadable``."""
    source = read_text(path)
    try:
        return _read_toml(source) if path.suffix.lower() == ".toml" else _read_json(source)
    except RecursionError as error:
        raise Unreadable(_syntax(source, "its values are nested too deeply", Place(str(path)))) from error


def _read_toml(source: Text) -> Document:
    # The parser of the other format is not loaded: start-up time is a feature.
    import tomllib

    from emulator.config.places_toml import locate_toml

    try:
        data = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(_toml_mistake(source, str(error))) from error
    return Document(
        source, data, {path: Mark(*mark) for path, mark in locate_toml(source.text).items()}, "TOML"
    )


def _toml_mistake(source: Text, message: str) -> Report:
    found = _TOML_PLACE.search(message)
    where = source.at(int(found[1]), int(found[2])) if found else source.end()
    text = message[: found.start()] if found else message.removesuffix(" (at end of document)")
    line = where.source
    start = len(line) - len(line.lstrip()) + 1
    if twice := _TOML_TWICE.fullmatch(text):
        name = twice[1] or line.split("=")[0].strip()
        fix = "Keep one of them; the keys of two tables belong under one header."
        return _syntax(source, f"{name} is given twice", source.at(where.line, start), fix)
    if text == "Illegal character '\\n'":
        return _syntax(source, "the text is not closed on its line", where, "Close the quote.")
    bare = _BARE_TOML.match(line)
    if bare and not bare[2].startswith(("true", "false")):
        value = bare[2].strip()
        better = value.lower() if value.lower() in ("true", "false") else f'"{value}"'
        line = f"{bare[1].strip()} {better}"
        fix = f"Text and dates stand in double quotes, true and false are lower case:\n\n{line}"
        return _syntax(source, "a word without quotes", source.at(where.line, len(bare[1]) + 1), fix)
    text = text[:1].lower() + text[1:]
    return _syntax(source, text, where, "Mend the line; https://toml.io describes the format.")


def _read_json(source: Text) -> Document:
    import pyjson5

    from emulator.config.places_json import locate_json

    try:
        data = pyjson5.decode(source.text, maxdepth=200)
    except pyjson5.Json5Exception as error:
        raise Unreadable(_json_mistake(source, error)) from error
    found = locate_json(source.text)
    if found.foreign:
        offset, message = found.foreign[0]
        raise Unreadable(_syntax(source, message, source.place(offset)))
    if not isinstance(data, dict):
        facts: dict[str, Any] = {"file": source.path.name, "actual": _kind(data)}
        raise Unreadable(explain("config-not-a-table", where=source.at(1, 1), **facts))
    warnings = tuple(
        explain(
            "config-duplicate-key",
            key=".".join(map(str, path)),
            first_line=source.place(first).line,
            where=source.place(second),
        )
        for path, first, second in found.duplicates
    )
    return Document(source, data, {path: Mark(*mark) for path, mark in found.marks.items()}, "JSON", warnings)


def _json_mistake(source: Text, error: Exception) -> Report:
    message = str(error.args[0]) if error.args else str(error)
    found = _JSON_PLACE.search(message)
    where = source.place(min(int(found[1]) - 1, len(source.text))) if found else source.end()
    text = _JSON_PLACE.sub("", message)
    text = re.sub(r"b'(\w+)'", lambda match: _BYTES.get(match[1], match[1]), text)
    text = _CODE_POINT.sub(lambda match: _quoted(chr(int(match[1], 16))), text)
    fix = 'Write an object: { "name": "my-worker", ... }' if "No JSON data" in text else ""
    if 'Expected ","' in text:
        fix = "Put a comma between the two; it usually belongs at the end of the line above."
    return _syntax(source, text[:1].lower() + text[1:], where, fix)


def _syntax(source: Text, message: str, where: Place, fix: str = "") -> Report:
    language = "TOML" if source.path.suffix.lower() == ".toml" else "JSON"
    facts: dict[str, Any] = {"file": source.path.name, "language": language, "message": message}
    return explain("config-syntax", where=where, suggestion=fix, **facts)


def _quoted(char: str) -> str:
    return "'\"'" if char == '"' else f'"{char}"' if char.isprintable() else f"U+{ord(char):04X}"


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "an array"
    return "text" if isinstance(value, str) else "a single value"
