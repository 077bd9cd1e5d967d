"""Comments in Go sources that were meant to export a function, and do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from emulator.diagnostics.go_exports import find_export_mistakes
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

_BYTES: Final = 2_000_000
_FILES: Final = 500
_MARKED: Final = re.compile(r"^[ \t]*//\s*(?:export|go:wasmexport|go:export)\s+(\w+)", re.MULTILINE | re.I)
_FUNCTION: Final = re.compile(r"^func[ \t]+(\w+)", re.MULTILINE)
_TOLD: Final = ("space", "gap", "extra")


def comment_mistakes(sources: list[Path]) -> Iterator[tuple[str, Report]]:
    """The comments above functions that export nothing, in these files, each with the name that it means."""
    for path in sources[:_FILES]:
        text = _read(path)
        functions = {name.lower() for name in _FUNCTION.findall(text)}
        wanted = [name for name in _MARKED.findall(text) if name.lower() in functions]
        lines = text.split("\n")
        for mistake in find_export_mistakes(text, wanted):
            if mistake.kind in _TOLD:
                source = lines[mistake.line - 1].rstrip("\r")
                column = len(source) - len(source.lstrip()) + 1
                where = Place(str(path), mistake.line, column, "", source)
                name, kind = mistake.name, mistake.kind
                yield name, explain("go-export-comment", name=name, mistake=kind, where=where)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
