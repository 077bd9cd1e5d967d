"""Where each key and value of a TOML document stands.

The scanner decides about places only, never about values, and is given text that ``tomllib`` has
accepted already: it skips what it need not understand. https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

KeyPath = tuple[str | int, ...]
Marks = dict[KeyPath, tuple[int, int]]

_BLANK: Final = re.compile(r"[ \t]*")
_FILL: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}#\r\n]*")
_STRINGS: Final = (
    re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
    re.compile(r"'[^']*'"),
)


def locate_toml(text: str) -> Marks:
    """Key path -> (offset of the key, offset of the value). Array items have their index as key."""
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.marks: Marks = {}
        self.table: KeyPath = ()
        self.lengths: dict[KeyPath, int] = {}

    def document(self) -> Marks:
        self._skip(_FILL)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                self._header()
            else:
                self._pair(self.table)
            self._skip(_FILL)
        return self.marks

    def _header(self) -> None:
        start = self.at
        repeated = self.text.startswith("[[", start)
        self.at += 2 if repeated else 1
        parts = self._key()
        self.at += 2 if repeated else 1
        path: KeyPath = ()
        for index, (part, offset) in enumerate(parts):
            path = (*path, part)
            last = index == len(parts) - 1
            self.marks.setdefault(path, (offset, start))
            if repeated and last:
                self.lengths[path] = self.lengths.get(path, 0) + 1
            if path in self.lengths:
                path = (*path, self.lengths[path] - 1)
                self.marks.setdefault(path, (offset, start))
        self.table = path

    def _pair(self, path: KeyPath) -> None:
        parts = self._key()
        self.at += 1  # the equals sign
        self._skip(_BLANK)
        for part, offset in parts:
            path = (*path, part)
            self.marks.setdefault(path, (offset, self.at))
        self._value(path)

    def _key(self) -> list[tuple[str, int]]:
        parts: list[tuple[str, int]] = []
        while True:
            self._skip(_BLANK)
            start = self.at
            if self.text[start] in "\"'":
                self._string()
                parts.append((tomllib.loads(f"k={self.text[start : self.at]}")["k"], start))
            else:
                self._skip(_BARE_KEY)
                parts.append((self.text[start : self.at], start))
            self._skip(_BLANK)
            if self.text[self.at : self.at + 1] != ".":
                return parts
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        match self.text[self.at]:
            case '"' | "'":
                self._string()
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                self._skip(_SCALAR)

    def _string(self) -> None:
        for pattern in _STRINGS:
            if found := pattern.match(self.text, self.at):
                self.at = found.end()
                return

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self._peek() != "]":
            item = (*path, index)
            self.marks[item] = (self.at, self.at)
            self._value(item)
            index += 1
            if self._peek() == ",":
                self.at += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while self._peek() != "}":
            self._pair(path)
            if self._peek() == ",":
                self.at += 1
        self.at += 1

    def _peek(self) -> str:
        self._skip(_FILL)
        return self.text[self.at]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
