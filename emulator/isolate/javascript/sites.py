"""What stands in the source where an error was made: the call, the key, the pattern."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .rendering import constant_key, render, strip_parentheses
from .source import Source, text_of, walk

if TYPE_CHECKING:
    from tree_sitter import Node

_CALLS = ("call_expression", "new_expression")
_ACCESSES = ("member_expression", "subscript_expression")


class Site:
    """A position in a file. The engine points at the bracket of a call and at the dot of an access."""

    def __init__(self, source: Source, line: int, column: int) -> None:
        self.offset = source.offset(line, column)
        self._source = source

    @property
    def call(self) -> Node | None:
        """The call or ``new`` whose arguments start here."""
        for node in reversed(self._source.starting_at(self.offset)):
            parent = node.parent
            if parent is not None and parent.type in _CALLS and node.type in ("arguments", "template_string"):
                return parent
        return self._bare_new()

    def _bare_new(self) -> Node | None:
        """``new X`` without brackets: the engine points at what comes next."""
        end = len(self._source.text[: self.offset].rstrip(b" \t\r\n;)]},"))
        node = self._source.tree.root_node.descendant_for_byte_range(max(0, end - 1), max(0, end - 1))
        while node is not None and node.end_byte <= max(end + 1, self.offset):
            if node.type == "new_expression" and node.child_by_field_name("arguments") is None:
                return node
            node = node.parent
        return None

    @property
    def callee(self) -> Node | None:
        """What is called or constructed here."""
        call = self.call
        field = "constructor" if call is not None and call.type == "new_expression" else "function"
        return call.child_by_field_name(field) if call is not None else None

    @property
    def is_new(self) -> bool:
        """Whether the call here is a ``new``."""
        call = self.call
        return call is not None and call.type == "new_expression"

    def argument(self, index: int) -> Node | None:
        """An argument of the call here."""
        call = self.call
        arguments = call.child_by_field_name("arguments") if call is not None else None
        named = [child for child in arguments.named_children if child.type != "comment"] if arguments else []
        return named[index] if index < len(named) else None

    @property
    def access(self) -> Node | None:
        """The property access whose dot or bracket is here."""
        for node in reversed(self._source.starting_at(self.offset)):
            parent = node.parent
            if parent is not None and parent.type in _ACCESSES and node.start_byte > parent.start_byte:
                return parent
        return None

    @property
    def key(self) -> str | None:
        """The key of that access, when it is written out."""
        access = self.access
        if access is None:
            return None
        name = access.child_by_field_name("property")
        if name is not None:
            return text_of(name)
        index = strip_parentheses(access.child_by_field_name("index"))
        if index is not None and text_of(index).startswith("Symbol."):
            return f"Symbol({text_of(index)})"
        return constant_key(index)

    @property
    def node(self) -> Node | None:
        """The outermost expression that starts here."""
        found = self._source.starting_at(self.offset)
        return found[0] if found else None

    @property
    def operator(self) -> Node | None:
        """The operation whose operator is here."""
        for node in self._source.starting_at(self.offset):
            parent = node.parent
            if parent is not None and parent.child_by_field_name("operator") == node:
                return parent
        return None

    @property
    def function(self) -> Node:
        """The function that runs here."""
        return self._source.function_at(self.offset)

    def pattern(self) -> Node | None:
        """The object pattern that was being taken apart, its innermost if there are several.

        The code for one has no position of its own: the engine points at whatever stands before it in the
        same function.
        """
        for node in walk(self.function, into_functions=False):
            if node.type == "object_pattern" and node.end_byte > self.offset:
                nested = [n for n in walk(node) if n.type == "object_pattern" and n.id != node.id]
                return nested[0] if nested else node
        return None

    @property
    def class_name(self) -> str:
        """The name of the class around here; empty when it has none."""
        current = self._source.tree.root_node.descendant_for_byte_range(self.offset, self.offset)
        while current is not None and current.type not in ("class_declaration", "class"):
            current = current.parent
        return text_of(current.child_by_field_name("name")) if current is not None else ""

    @property
    def heritage(self) -> Node | None:
        """What the next class extends: a class has no position of its own, like a pattern."""
        for node in walk(self.function, into_functions=False):
            if node.type == "class_heritage" and node.end_byte >= self.offset and node.named_children:
                return strip_parentheses(node.named_children[0])
        return None

    @property
    def iteration(self) -> Node | None:
        """The loop, spread or array pattern that iterates here or next."""
        here = self._source.tree.root_node.descendant_for_byte_range(self.offset, self.offset)
        while here is not None and here.type not in ("statement_block", "program"):
            if here.type == "spread_element" or (here.type == "for_in_statement" and self._in_head(here)):
                return here
            if here.type in ("arguments", "array"):
                spread = [child for child in here.named_children if child.type == "spread_element"]
                if spread and self.offset in (here.start_byte, here.end_byte - 1):
                    return spread[0]
            here = here.parent
        for node in walk(self.function, into_functions=False):
            if node.end_byte <= self.offset:
                continue
            if node.type in ("array_pattern", "spread_element"):
                return node
            if node.type == "for_in_statement" and _keyword(node) == "of":
                return node
        return None

    def _in_head(self, loop: Node) -> bool:
        body = loop.child_by_field_name("body")
        return _keyword(loop) == "of" and (body is None or self.offset < body.start_byte)


class Told(NamedTuple):
    """What is known about an error."""

    match: re.Match[str]
    native: str
    """The engine's function that made it, such as ``map``; empty for code of the Worker."""
    site: Site | None
    """The innermost place in the Worker's code."""


def _keyword(loop: Node) -> str:
    return text_of(loop.child_by_field_name("operator"))


def pattern_value(pattern: Node) -> Node | None:
    """The expression that a pattern takes apart; None for a parameter or a nested pattern."""
    parent = pattern.parent
    if parent is None:
        return None
    if parent.type == "variable_declarator":
        return parent.child_by_field_name("value")
    if parent.type == "assignment_expression":
        return parent.child_by_field_name("right")
    return None


def is_nested(pattern: Node) -> bool:
    """Whether a pattern is a part of another one."""
    parent = pattern.parent
    while parent is not None and parent.type in ("assignment_pattern", "object_assignment_pattern"):
        parent = parent.parent
    return parent is not None and parent.type in ("pair_pattern", "array_pattern", "object_pattern")


def first_key(pattern: Node) -> str | None:
    """The first property that an object pattern reads; None when it is computed or there is none."""
    for child in pattern.named_children:
        if child.type == "shorthand_property_identifier_pattern":
            return text_of(child)
        if child.type == "object_assignment_pattern":
            return text_of(child.child_by_field_name("left"))
        if child.type == "pair_pattern":
            key = child.child_by_field_name("key")
            return constant_key(key)
        if child.type != "comment":
            return None
    return None


def iterated(node: Node) -> Node | None:
    """The expression that a loop, a spread or an array pattern iterates over."""
    if node.type == "spread_element":
        return next((child for child in node.named_children if child.type != "comment"), None)
    if node.type == "array_pattern":
        return pattern_value(node)
    return node.child_by_field_name("right")


def rendered(node: Node | None) -> str:
    """V8's name for an expression within parentheses or without; an ``await`` has none."""
    return render(strip_parentheses(node))
