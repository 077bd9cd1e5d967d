"""Why a function of a Go source file is not exported: the ``//export`` comments that TinyGo passes over.

TinyGo exports a function when a line of the comment directly above it is exactly ``//export NAME`` or
``//go:wasmexport NAME``: no space behind the slashes, nothing behind the name, no blank line before ``func``.
https://tinygo.org/docs/concepts/compiler-internals/pragmas/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

Kind = Literal["space", "gap", "case", "extra", "unmarked"]


class ExportMistake(NamedTuple):
    """One comment, or one function without a comment, that keeps ``name`` from being exported."""

    line: int
    """Of the comment; of the ``func`` for ``unmarked``. Counts from 1."""
    name: str
    """The wanted name."""
    kind: Kind
    """``space``: ``// export x``; ``gap``: something between the comment and its ``func``; ``case``: the name
    is spelled in other upper and lower case; ``extra``: more text behind it; ``unmarked``: a function of
    that name without any ``//export``."""


class _Comment(NamedTuple):
    line: int
    text: str


@dataclass
class _Source:
    """What matters of a Go file: its line comments, and the lines that hold anything else."""

    comments: list[_Comment] = field(default_factory=list)
    functions: dict[int, str] = field(default_factory=dict)
    """Line -> name (empty for methods) of each ``func`` at the start of a line."""
    block_lines: set[int] = field(default_factory=set)
    """Lines that belong to ``/* ... */``; they join comments above and below to one."""


_TOKEN: Final = re.compile(
    r"""
      (?P<line>//[^\n]*)
    | (?P<block>/\*.*?(?:\*/|\Z))
    | `[^`]*`?
    | "(?:\\[^\n]|[^"\\\n])*+"?
    | '(?:\\[^\n]|[^'\\\n])*+'?
    | (?P<func>^func\b[ \t]*(?P<name>\w*))
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_MARK: Final = re.compile(r"//(?P<space>\s*)(?P<word>export|go:wasmexport|go:export)\b(?P<rest>.*)", re.I)


def find_export_mistakes(source: str, wanted: Iterable[str]) -> list[ExportMistake]:
    """What keeps each of the ``wanted`` names from being exported, by line; nothing for those that are."""
    found = _read(source)
    marks = list(_marks(found))
    mistakes: list[ExportMistake] = []
    for name in dict.fromkeys(wanted):
        if any(mark.name == name and mark.kind is None for mark in marks):
            continue
        near = [m for m in marks if m.name == name] or [m for m in marks if m.name.lower() == name.lower()]
        mistakes += [ExportMistake(mark.line, name, mark.kind or "case") for mark in near]
        if not near:
            lines = [line for line, function in found.functions.items() if function == name]
            mistakes += [ExportMistake(line, name, "unmarked") for line in lines]
    return sorted(mistakes)


class _Mark(NamedTuple):
    line: int
    name: str
    kind: Kind | None
    """None: TinyGo exports the name."""


def _read(source: str) -> _Source:
    found = _Source()
    line, position = 1, 0
    for match in _TOKEN.finditer(source):
        line += source.count("\n", position, match.start())
        position = match.start()
        if match["line"]:
            found.comments.append(_Comment(line, match["line"].rstrip("\r")))
        elif match["block"]:
            found.block_lines.update(range(line, line + match["block"].count("\n") + 1))
        elif match["func"]:
            found.functions[line] = match["name"]
    return found


def _marks(found: _Source) -> Iterator[_Mark]:
    below = _below(found)
    for comment in found.comments:
        match = _MARK.fullmatch(comment.text)
        words = match["rest"].split() if match else []
        if match is None or not words or (match["rest"][:1] not in " \t"):
            continue
        # Prose like "// export the names below" is no attempt: it names no function.
        spaced = bool(match["space"])
        if spaced and len(words) > 1:
            continue
        yield _Mark(comment.line, words[0], _kind(match, len(words), below[comment.line] in found.functions))


def _below(found: _Source) -> dict[int, int]:
    """For each line of a comment, the first line below the whole comment."""
    below: dict[int, int] = {}
    for line in sorted({comment.line for comment in found.comments} | found.block_lines, reverse=True):
        below[line] = below.get(line + 1, line + 1)
    return below


def _kind(match: re.Match[str], words: int, above_function: bool) -> Kind | None:
    if match["space"] or match["word"] not in ("export", "go:export", "go:wasmexport"):
        return "space"
    if match["word"] == "export" and match["rest"][0] != " ":
        return "space"
    if words > 1:
        return "extra"
    return None if above_function else "gap"
