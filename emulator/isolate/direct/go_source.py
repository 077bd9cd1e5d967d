"""The Go source beside a module: which line a function of the module comes from."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from emulator.diagnostics.report import Place

_MAX_FILES: Final = 50
_MAX_BYTES: Final = 1024 * 1024

_FUNCTION: Final = re.compile(
    r"^func\s+(?:\(\s*(?:\w+\s+)?\*?(?P<type>\w+)[^)\n]*\)\s*)?(?P<name>\w+)\s*[\[(]", re.MULTILINE
)
_METHOD: Final = re.compile(r"(?:main\.)?\(?\*?(?:main\.)?(?P<type>\w+)\)?\.(?P<name>\w+)")
_SUFFIX: Final = re.compile(r"(#wasmexport|\$\w+)+$")


class GoSource:
    """The ``package main`` of a project: the Go files in some directories."""

    def __init__(self, directories: Iterable[str]) -> None:
        self.files: dict[str, str] = {}
        """Path -> text."""
        self._lines: dict[str, Place] = {}
        self._directories = tuple(dict.fromkeys(directories))
        for directory in self._directories:
            for path in sorted(Path(directory).glob("*.go"))[:_MAX_FILES]:
                if not path.name.endswith("_test.go"):
                    self._read(path)

    def _read(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            if not path.is_file() or path.stat().st_size > _MAX_BYTES:
                return
            text = path.read_text(encoding="utf-8", errors="replace")
            self.files[str(path)] = text
            for found in _FUNCTION.finditer(text):
                name = f"{found['type']}.{found['name']}" if found["type"] else found["name"]
                line = text.count("\n", 0, found.start()) + 1
                source = text[found.start() :].partition("\n")[0].rstrip("\r")
                self._lines.setdefault(name, Place(str(path), line, 1, f"main.{name}", source))

    def function(self, name: str) -> Place | None:
        """Where the function is declared that the module calls ``main.handle`` or ``(*main.T).run``."""
        name = plain_name(name)
        place = self._lines.get(name.removeprefix("main."))
        if place is None and (method := _METHOD.fullmatch(name)):
            place = self._lines.get(f"{method['type']}.{method['name']}")
        return place

    def line(self, file: str, number: int, function: str) -> tuple[str, str]:
        """The path and text of a line of debug information; no text if the file is not the user's.

        A module that was built elsewhere has paths from there: its ``package main`` goes by the file's name.
        """
        path = os.path.normpath(file)
        if not self._owns(path) and function.startswith("main."):
            name = os.path.basename(path)
            path = next((own for own in self.files if os.path.basename(own) == name), path)
        if not self._owns(path):
            return file, ""
        if path not in self.files:
            self._read(Path(path))
        lines = self.files.get(path, "").split("\n")
        return path, lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""

    def _owns(self, path: str) -> bool:
        return any(path.startswith(directory + os.sep) for directory in self._directories)


def plain_name(name: str) -> str:
    """A function's name as Go writes it, without what TinyGo appends to it."""
    return _SUFFIX.sub("", name)
