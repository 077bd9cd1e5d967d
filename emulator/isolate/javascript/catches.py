"""Show caught errors in V8's words: ``catch (e) {`` becomes ``catch (e) {$cfwCaught(e);``.

The engine words its errors in its own way and offers no hook where they are made; what a program does
with an error that it caught (``e.message``, ``e.stack``, ``String(e)``) must read as on the platform. So the
bodies of ``catch`` clauses tell the realm (``platform/errors.js``) first; those without a name, too, which
may swallow that there was no memory. The lines of the file stay the
same; columns move only behind an insertion on the same line, and ``original_position`` moves them back.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

    from .source import Source

CAUGHT: Final = "$cfwCaught"
"""The realm's function that words an error as V8 does. It returns its argument and never throws."""

_OURS: Final = b"$cfw"
"""What inserted names begin with: a file that has it is left alone."""

LONGEST: Final = 256 * 1024
"""Bytes of the longest file that is touched: parsing a large bundle once more would double its load time."""


class Edit(NamedTuple):
    """Replace the bytes from ``start`` to ``end``."""

    start: int
    end: int
    text: bytes


def instrument(text: str) -> str:
    """The source to run in place of ``text``: the same, but that caught errors are shown to the realm."""
    data = text.encode("utf-8", "surrogatepass")
    if not is_touched(data):
        return text
    from .source import parse

    parts: list[bytes] = []
    at = 0
    for edit in edits(parse(data).root_node):
        parts += (data[at : edit.start], edit.text)
        at = edit.end
    return b"".join((*parts, data[at:])).decode("utf-8", "surrogatepass") if parts else text


def is_touched(data: bytes) -> bool:
    """Whether ``instrument`` looks into a file at all."""
    return b"catch" in data and len(data) <= LONGEST and _OURS not in data


def edits(root: Node) -> list[Edit]:
    """What to change, in the order of the text. Nothing in a file that does not parse."""
    from .source import matches

    if root.has_error:
        return []
    return sorted(edit for node in matches(root, "(catch_clause) @found") for edit in _clause(node))


def _clause(node: Node) -> list[Edit]:
    parameter, body = node.child_by_field_name("parameter"), node.child_by_field_name("body")
    if body is None:
        return []
    if parameter is None:
        return [Edit(body.start_byte, body.start_byte + 1, b"($cfwNone) {%s($cfwNone);" % CAUGHT.encode())]
    if parameter.type == "identifier":
        name = parameter.text or b""
        return [Edit(body.start_byte + 1, body.start_byte + 1, b"%s(%s);" % (CAUGHT.encode(), name))]
    if _reads_names(parameter):
        return []
    # A pattern moves into the body: `catch ({ message }) {` -> `catch ($cfwError) {let { message }=...;`.
    head = Edit(parameter.start_byte, parameter.start_byte, b"$cfwError) {let ")
    between = (node.text or b"")[parameter.end_byte - node.start_byte : body.start_byte - node.start_byte]
    rest = b"\n" * between.count(b"\n")
    told = b"=%s($cfwError);%s" % (CAUGHT.encode(), rest)
    return [head, Edit(parameter.end_byte, body.start_byte + 1, told)]


def _reads_names(pattern: Node) -> bool:
    """Whether a pattern has defaults or keys with names: in the body these may mean something else."""
    from .source import matches

    read = """[
        (computed_property_name) @found
        (assignment_pattern right: (_) @found)
        (object_assignment_pattern right: (_) @found)
    ]"""
    return any(matches(node, "(identifier) @found") for node in matches(pattern, read))


def original_position(source: Source, line: int, column: int) -> tuple[int, int]:
    """Where a position of the instrumented text is in the original one."""
    shift = 0
    begin, finish = source.offset(line, 1), source.offset(line + 1, 1)
    known = _Columns(source.text, begin)
    for edit in source.edits[bisect_left(source.edits, begin, key=_end) :]:
        if edit.start >= finish:
            break
        # An edit has as many line breaks as what it replaces: only its last line or its first is here.
        last = edit.text.decode("utf-8", "replace").rpartition("\n")[2]
        start = 1 if edit.start < begin else known.at(edit.start) + shift
        if column < start:
            break
        if edit.end >= finish:
            return line, min(column, start) - shift
        end = known.at(edit.end)
        if column < start + len(last):
            return line, end
        shift = start + len(last) - end
    return line, max(1, column - shift)


def _end(edit: Edit) -> int:
    return edit.end


class _Columns:
    """Columns of byte offsets in one line, asked for from left to right: a minified line is long."""

    def __init__(self, text: bytes, begin: int) -> None:
        self._text = text
        self._offset = begin
        self._column = 1

    def at(self, offset: int) -> int:
        self._column += len(self._text[self._offset : offset].decode("utf-8", "replace"))
        self._offset = offset
        return self._column
