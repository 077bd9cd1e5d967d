"""JavaScript source at the place of an error: what was called, read or taken apart there."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from .catches import Edit, edits, is_touched, original_position

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Tree

_LONGEST: Final = 8_000_000
"""Bytes of a file that are worth parsing to word a message."""

FUNCTIONS: Final = frozenset(
    (
        "program",
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "arrow_function",
        "method_definition",
        "class_static_block",
    )
)


class Source:
    """One parsed file. Positions are those of the engine's stacks: lines and columns from 1."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._lines = text.split(b"\n")

    @functools.cached_property
    def tree(self) -> Tree:
        """The syntax tree; of a file that is not JavaScript, as much as can be made out."""
        return parse(self.text)

    @functools.cached_property
    def edits(self) -> list[Edit]:
        """What ``catches.instrument`` changes in it."""
        return edits(self.tree.root_node)

    def line(self, number: int) -> str:
        """The text of a line, without its end; empty when there is no such line."""
        if 0 < number <= len(self._lines):
            return self._lines[number - 1].decode("utf-8", "replace").rstrip("\r")
        return ""

    def offset(self, line: int, column: int) -> int:
        """The byte offset of a position, at the end of its line at the most."""
        before = sum(len(text) + 1 for text in self._lines[: line - 1])
        return before + len(self.line(line)[: max(column, 1) - 1].encode())

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte offset."""
        head = self.text[:offset]
        start = head.rfind(b"\n") + 1
        return head.count(b"\n") + 1, len(head[start:].decode("utf-8", "replace")) + 1

    def starting_at(self, offset: int) -> list[Node]:
        """The nodes that start exactly there, outermost first."""
        node: Node | None = self.tree.root_node
        found: list[Node] = []
        while node is not None:
            if node.start_byte == offset:
                found.append(node)
            node = next((c for c in node.children if c.start_byte <= offset < c.end_byte), None)
        return found

    def function_at(self, offset: int) -> Node:
        """The innermost function whose text has the offset, or the whole program."""
        node: Node | None = self.tree.root_node
        best = self.tree.root_node
        while node is not None:
            if node.type in FUNCTIONS:
                best = node
            node = next((c for c in node.children if c.start_byte <= offset < c.end_byte), None)
        return best


class Sources:
    """The project's files as they are now, each read and parsed once per version."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int], Source]] = {}

    def get(self, path: str) -> Source | None:
        """The file at ``path``; None when it cannot be read or is too long."""
        if not path.startswith("/") or "\0" in path:
            return None
        try:
            status = os.stat(path)
            stamp = (status.st_mtime_ns, status.st_size)
            if path in self._known and self._known[path][0] == stamp:
                return self._known[path][1]
            if status.st_size > _LONGEST:
                return None
            with open(path, "rb") as file:
                source = Source(file.read())
        except OSError:
            return None
        self._known[path] = (stamp, source)
        return source

    def original(self, path: str, line: int, column: int) -> tuple[int, int]:
        """Where a position of the code that runs is in the file that the user wrote."""
        source = self.get(path)
        if source is None or not is_touched(source.text):
            return line, column
        return original_position(source, line, column)


def parse(text: bytes) -> Tree:
    """The syntax tree of JavaScript source."""
    import tree_sitter

    return tree_sitter.Parser(_language()).parse(text)


def matches(node: Node, pattern: str) -> list[Node]:
    """The nodes that a tree-sitter query captures as ``@found``."""
    from tree_sitter import Query, QueryCursor

    return QueryCursor(Query(_language(), pattern)).captures(node).get("found", [])


@functools.cache
def _language() -> Language:
    import tree_sitter
    import tree_sitter_javascript

    return tree_sitter.Language(tree_sitter_javascript.language())


def walk(node: Node, into_functions: bool = True) -> Iterator[Node]:
    """``node`` and all nodes below it, in the order of the text."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        if into_functions or current is node or current.type not in FUNCTIONS:
            pending.extend(reversed(current.children))


def text_of(node: Node | None) -> str:
    """The source text of a node."""
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")
