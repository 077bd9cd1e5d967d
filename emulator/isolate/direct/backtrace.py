"""The functions that were running when a module trapped, with lines where it has debug information."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import wasmtime

from .adapter import NAME

_FRAME: Final = re.compile(r"^ *\d+: +0x[0-9a-f]+ - (?P<name>.*)$")
_INLINED: Final = re.compile(r"^ +- (?P<name>.*)$")
_AT: Final = re.compile(r"^ +at (?P<file>.*?):(?P<line>\d+)(?::(?P<column>\d+))?$")


class Frame(NamedTuple):
    """One function of the module, and its place in the source if that is known."""

    function: str
    file: str = ""
    line: int = 0
    column: int = 0


def frames_of(trap: wasmtime.Trap) -> list[Frame]:
    """The frames of the Worker, the innermost first; inlined functions have frames of their own."""
    located = _located(trap.message)
    frames: list[Frame] = []
    for at, frame in enumerate(trap.frames):
        if frame.module_name == NAME:
            continue
        found = located[at] if at < len(located) else []
        if any(each.file for each in found):
            frames += found
        else:
            frames.append(Frame(frame.func_name or f"wasm-function[{frame.func_index}]"))
    return frames


def frames_in(message: str) -> list[Frame]:
    """The same for an error that is no trap, from its message."""
    frames: list[Frame] = []
    for group in _located(message):
        if not group[0].function.startswith(f"{NAME}!"):
            frames += [each._replace(function=each.function.rpartition("!")[2]) for each in group]
    return frames


def _located(message: str) -> list[list[Frame]]:
    """What wasmtime's message tells: for each frame itself, then what it was inlined into."""
    groups: list[list[Frame]] = []
    for line in message.splitlines():
        if found := _FRAME.match(line):
            groups.append([Frame(found["name"])])
        elif groups and (found := _INLINED.match(line)):
            groups[-1].append(Frame(found["name"]))
        elif groups and (found := _AT.match(line)):
            last = groups[-1][-1]
            place = (found["file"], int(found["line"]), int(found["column"] or 0))
            groups[-1][-1] = Frame(last.function, *place)
    return groups
