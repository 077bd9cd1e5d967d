"""A sampling profile: where the CPU time of one event, or of the start, went."""

from __future__ import annotations

import os
import re
from collections import Counter
from types import FrameType
from typing import Final, NamedTuple

from emulator.diagnostics.own_files import is_own

_SHOWN: Final = 5
_JS_FRAME: Final = re.compile(
    r"^    at (?:(?P<function>.*) \()?(?P<file>/.*?):(?P<line>\d+)(?::\d+)?\)?$", re.M
)
_DEPTH: Final = 200
"""Frames of a stack that are looked at."""


class Line(NamedTuple):
    """A line of code. ``number`` is 0 where it is not known."""

    file: str
    number: int
    function: str


class Profile:
    """Counts of samples, each taken after the same CPU time."""

    def __init__(self) -> None:
        self.lines: Counter[Line] = Counter()

    def add(self, line: Line) -> None:
        """One sample."""
        self.lines[line] += 1

    def hottest(self) -> Line | None:
        """The line with most samples."""
        return self.lines.most_common(1)[0][0] if self.lines else None

    def text(self, root: str) -> str:
        """The hottest lines with their shares, a line each; paths below ``root`` are relative to it."""
        return shares(Counter({shown(line, root): count for line, count in self.lines.items()}))


def shown(line: Line, root: str) -> str:
    """``src/entry.py:12  in work``."""
    place = f"{_short(line.file, root)}:{line.number}" if line.number else _short(line.file, root)
    return f"{place}  in {line.function}" if line.function else place


def shares(counts: Counter[str]) -> str:
    """The most frequent, with percentages."""
    total = counts.total()
    return "\n".join(
        f"{round(count * 100 / total):>3}%  {name}" for name, count in counts.most_common(_SHOWN)
    )


def line_of(frame: FrameType) -> Line:
    """The line that ``frame`` is at."""
    name = frame.f_code.co_name
    return Line(frame.f_code.co_filename, frame.f_lineno or 0, "" if name == "<module>" else name)


def line_in(stack: str, root: str) -> Line | None:
    """The innermost line of a JavaScript stack that lies below ``root``, which ends in a slash."""
    for found in _JS_FRAME.finditer(stack):
        if is_own(found["file"], root):
            return Line(found["file"], int(found["line"]), found["function"] or "")
    return None


def modules_on(frame: FrameType | None) -> set[str]:
    """Files whose top level is running: those that are being imported."""
    found: set[str] = set()
    for _ in range(_DEPTH):
        if frame is None:
            break
        if frame.f_code.co_name == "<module>":
            found.add(frame.f_code.co_filename)
        frame = frame.f_back
    return found


def _short(file: str, root: str) -> str:
    if file.startswith(root.rstrip(os.sep) + os.sep):
        return os.path.relpath(file, root)
    for marker in ("/site-packages/", "/python_modules/"):
        if marker in file:
            return file.rpartition(marker)[2]
    return file
