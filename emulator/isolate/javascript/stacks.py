"""Stack traces of the engine, and those in V8's form, as frames."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_LINE: Final = re.compile(r"^\s+at (?:async )?(?:(?P<function>.*?) \((?P<place>.*)\)|(?P<bare>.*))$")
_PLACE: Final = re.compile(r"^(?P<file>.+):(?P<line>\d+):(?P<column>\d+)$")
_LONGEST: Final = 1_000_000
"""Characters of a stack that are read, from its two ends: programs may put anything there."""


class Frame(NamedTuple):
    """One line of a stack. Lines and columns count from 1; columns count code points."""

    function: str
    file: str
    """Empty for the engine's own functions; ``wasm://...`` with its offset for WebAssembly."""
    line: int = 0
    column: int = 0

    @property
    def is_native(self) -> bool:
        """A function of the engine, such as ``Array.prototype.map``."""
        return not self.file

    @property
    def is_platform(self) -> bool:
        """A function of the realm's own platform files."""
        return self.file.startswith("cfw-emu:")


def parse_stack(stack: str) -> list[Frame]:
    """The frames of a stack, innermost first. Lines that are no frames (a header, a message) are left out."""
    if len(stack) > _LONGEST:  # a deep recursion, in a file with a long path
        half = _LONGEST // 2
        stack = stack[:half].rpartition("\n")[0] + "\n" + stack[-half:].partition("\n")[2]
    lines = stack.split("\n")
    frames = {line: _read(line) for line in set(lines)}  # those of a recursion are all the same
    return [frame for frame in map(frames.__getitem__, lines) if frame is not None]


def _read(line: str) -> Frame | None:
    match = _LINE.match(line)
    if match is None:
        return None
    return _frame(match["function"] or "", match["place"] if match["bare"] is None else match["bare"])


def _frame(function: str, where: str) -> Frame:
    name = "" if function in ("<anonymous>", "<eval>") else function
    place = _PLACE.match(where)
    if place:
        return Frame(name, place["file"], _number(place["line"]), _number(place["column"]))
    if where in ("native", "<anonymous>"):
        return Frame(name, "")
    return Frame(name, where)


def _number(digits: str) -> int:
    return int(digits) if len(digits) < 10 else 0
