"""``const { instance } = await WebAssembly.instantiate(module)``: right for bytes, wrong for a Module."""

from __future__ import annotations

from typing import Any

from emulator.diagnostics.report import Place

from .rendering import render
from .sites import Site
from .source import Source, text_of, walk


def instance_mistake(source: Source, where: Place) -> tuple[dict[str, Any], Place] | None:
    """Facts and place of the declaration that what is read at ``where`` comes from."""
    access = Site(source, where.line, where.column).access
    owner = access.child_by_field_name("object") if access is not None else None
    for node in walk(source.tree.root_node):
        value = _instantiated(node)
        shown = _wanted(node.child_by_field_name("name"), owner) if value is not None else ""
        if shown:
            line, column = source.position(node.start_byte)
            first = next((child for child in value.named_children if child.type != "comment"), None)
            module = render(first) if first is not None else "module"
            place = Place(where.file, line, column, where.function, source.line(line))
            return {"name": shown, "module": module}, place
    return None


def _wanted(pattern: Any, owner: Any) -> str:
    """Which property of the result ``owner`` is, by the declared name or pattern; "" if it is none."""
    name = text_of(owner)
    if pattern is not None and pattern.type == "object_pattern":
        return _taken(pattern).get(name, "")
    inner = owner.child_by_field_name("property") if owner is not None else None
    held = inner is not None and text_of(owner.child_by_field_name("object")) == text_of(pattern)
    return text_of(inner) if held and text_of(inner) in ("instance", "module") else ""


def _instantiated(node: Any) -> Any:
    """The arguments of ``WebAssembly.instantiate`` when ``node`` declares its result."""
    if node.type != "variable_declarator":
        return None
    value = node.child_by_field_name("value")
    while value is not None and value.type in ("await_expression", "parenthesized_expression"):
        value = value.named_children[0] if value.named_children else None
    if value is None or value.type != "call_expression":
        return None
    callee = text_of(value.child_by_field_name("function"))
    return value.child_by_field_name("arguments") if callee == "WebAssembly.instantiate" else None


def _taken(pattern: Any) -> dict[str, str]:
    """Local name -> property, of an object pattern."""
    taken = {}
    for child in pattern.named_children:
        if child.type == "shorthand_property_identifier_pattern":
            taken[text_of(child)] = text_of(child)
        elif child.type == "pair_pattern":
            taken[text_of(child.child_by_field_name("value"))] = text_of(child.child_by_field_name("key"))
    return taken
