"""What the fetch handler of a JavaScript module returns, and what it reads twice, as the source shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

if TYPE_CHECKING:
    from tree_sitter import Node

_KINDS: Final = {
    "string": "string",
    "template_string": "string",
    "number": "number",
    "true": "boolean",
    "false": "boolean",
    "object": "Object",
    "array": "Array",
    "null": "null",
    "undefined": "undefined",
}
"""Node type -> what a value of it is called; none of them is a Response."""
_FUNCTIONS: Final = frozenset(
    (
        *("function_declaration", "function_expression", "arrow_function", "method_definition", "class_body"),
        *("generator_function_declaration", "generator_function"),
    )
)
_BODY_USED: Final = "TypeError: Body has already been used. It can only be used once."
_READERS: Final = frozenset(("text", "json", "arrayBuffer", "bytes", "blob", "formData"))
_SIMPLE: Final = frozenset(
    ("expression_statement", "lexical_declaration", "variable_declaration", "return_statement")
)
"""Statements that run once, and wholly."""


def place_of(node: Node, path: Path, text: bytes) -> Place:
    """Where a node begins."""
    row, column = node.start_point
    line = text.split(b"\n")[row]
    before = line[:column].decode("utf-8", "replace")
    return Place(str(path), row + 1, len(before) + 1, "", line.decode("utf-8", "replace").rstrip("\r"))


def text_of(node: Node | None) -> str:
    """The source of a node."""
    return ((node.text if node else None) or b"").decode("utf-8", "replace")


def handler_mistakes(nodes: Sequence[Node], path: Path, text: bytes) -> Iterator[Report]:
    """Mistakes in the ``fetch`` of each default export that is written out as an object or a class."""
    for node in nodes:
        if node.type == "export_statement" and any(child.type == "default" for child in node.children):
            for function in _fetch_of(node.child_by_field_name("value")):
                yield from _returned(function, path, text)
                yield from _read_twice(function, path, text)


def _fetch_of(exported: Node | None) -> Iterator[Node]:
    """``{ fetch() {} }``, ``{ fetch: (request) => ... }``, ``class { fetch() {} }``."""
    body = exported.child_by_field_name("body") if exported and exported.type == "class" else exported
    for member in body.named_children if body else ():
        if member.type == "method_definition" and text_of(member.child_by_field_name("name")) == "fetch":
            yield member
        elif member.type == "pair" and text_of(member.child_by_field_name("key")) == "fetch":
            value = member.child_by_field_name("value")
            if value is not None and value.type in ("arrow_function", "function_expression"):
                yield value


def _returned(function: Node, path: Path, text: bytes) -> Iterator[Report]:
    body = function.child_by_field_name("body")
    if body is None:
        return
    if body.type != "statement_block":
        values = [(body, body)]
    else:
        returns = [node for node in _own(body) if node.type == "return_statement"]
        values = [(node, node.named_children[0]) for node in returns if node.named_children]
    for node, value in values:
        inner = value.named_children[0] if value.type == "parenthesized_expression" else value
        kind = _KINDS.get(inner.type)
        if kind:
            where = place_of(node, path, text)
            yield explain("js-not-a-response", where=where, handler="fetch", type=kind)


def _read_twice(function: Node, path: Path, text: bytes) -> Iterator[Report]:
    """The body of the request, read by two statements of which both run."""
    body, parameters = function.child_by_field_name("body"), function.child_by_field_name("parameters")
    first = parameters.named_children[0] if parameters and parameters.named_children else None
    if body is None or first is None or first.type != "identifier":
        return
    name = text_of(first)
    if f"{name}.clone" in text_of(body) or f"{name} =" in text_of(body):
        return
    reads = [
        node
        for statement in body.named_children
        if statement.type in _SIMPLE
        for node in _own(statement)
        if node.type == "await_expression" and _reads(node.named_children[0], name)
    ]
    if len(reads) > 1:
        yield explain("js-body-used", where=place_of(reads[1], path, text), exception=_BODY_USED)


def _reads(call: Node, name: str) -> bool:
    callee = call.child_by_field_name("function") if call.type == "call_expression" else None
    if callee is None or callee.type != "member_expression":
        return False
    holder, member = callee.child_by_field_name("object"), callee.child_by_field_name("property")
    return text_of(holder) == name and text_of(member) in _READERS


def _own(node: Node) -> Iterator[Node]:
    """What runs as part of a function, without the functions inside of it, in the order of the source."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack += [child for child in current.children[::-1] if child.type not in _FUNCTIONS]
