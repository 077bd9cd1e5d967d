"""Where each key and value of a JSON-with-comments document stands.

The scanner decides about places only, never about values, and is given text that ``pyjson5`` has
accepted already. ``pyjson5`` accepts JSON5, wrangler only JSON with comments and trailing commas:
what goes beyond is listed as foreign.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import pyjson5

KeyPath = tuple[str | int, ...]

_FILL: Final = re.compile(r"(?:[\s\ufeff]+|//[^\r\n\u2028\u2029]*|/\*.*?\*/)*", re.DOTALL)
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'", re.DOTALL)
_WORD: Final = re.compile(r"[^\s,:\[\]{}\"'/\ufeff]+")
_SCALAR: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null", re.ASCII)


class Located(NamedTuple):
    marks: dict[KeyPath, tuple[int, int]]
    """Key path -> (offset of the key, offset of the value)."""
    duplicates: list[tuple[KeyPath, int, int]]
    """Key path, offset of the first key, offset of the repeated one."""
    foreign: list[tuple[int, str]]
    """Offset and message of syntax that is JSON5 but not JSON with comments."""


def locate_json(text: str) -> Located:
    """Find all keys and values. Array items have their index as key."""
    scanner = _Scanner(text)
    scanner.value(())
    return scanner.found


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found = Located({}, [], [])

    def value(self, path: KeyPath) -> None:
        match self._peek():
            case "{":
                self._object(path)
            case "[":
                self._array(path)
            case '"' | "'":
                self._string()
            case _:
                start = self.at
                word = self._word()
                if not _SCALAR.fullmatch(word):
                    self.found.foreign.append((start, f"{word} is not a JSON value"))

    def _object(self, path: KeyPath) -> None:
        self.at += 1
        seen: dict[str, int] = {}
        while self._peek() != "}":
            offset = self.at
            name = self._key()
            self._peek()
            self.at += 1  # the colon
            self._peek()
            if name in seen:
                self.found.duplicates.append(((*path, name), seen[name], offset))
            seen.setdefault(name, offset)
            self.found.marks[*path, name] = (offset, self.at)
            self.value((*path, name))
            if self._peek() == ",":
                self.at += 1
        self.at += 1

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self._peek() != "]":
            item = (*path, index)
            self.found.marks[item] = (self.at, self.at)
            self.value(item)
            index += 1
            if self._peek() == ",":
                self.at += 1
        self.at += 1

    def _key(self) -> str:
        if self.text[self.at] in "\"'":
            return str(pyjson5.decode(self._string()))
        start = self.at
        name = self._word()
        self.found.foreign.append((start, f"the key {name} must stand in double quotes"))
        return name

    def _string(self) -> str:
        start = self.at
        found = _STRING.match(self.text, start)
        self.at = found.end() if found else len(self.text)
        token = self.text[start : self.at]
        if token.startswith("'"):
            self.found.foreign.append((start, f"{token} must stand in double quotes"))
        return token

    def _word(self) -> str:
        found = _WORD.match(self.text, self.at)
        if not found:
            raise ValueError(f"no value at offset {self.at}")
        self.at = found.end()
        return found[0]

    def _peek(self) -> str:
        found = _FILL.match(self.text, self.at)
        if found:
            self.at = found.end()
        return self.text[self.at]
