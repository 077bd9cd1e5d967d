"""Functions that JavaScript calls on a WebAssembly instance, and that the module does not export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.project.check.javascript_handlers import place_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_BEGINNING: Final = b"\x00asm\x01\x00\x00\x00"
_EXPORT_SECTION: Final = 7
_LISTED: Final = 12
_BYTES: Final = 64 << 20


def exported_names(path: Path) -> list[str] | None:
    """What a WebAssembly module exports; None for what is no module.

    https://webassembly.github.io/spec/core/binary/modules.html#export-section
    """
    try:
        with path.open("rb") as file:
            data = file.read(_BYTES)
        if not data.startswith(_BEGINNING):
            return None
        position = len(_BEGINNING)
        while position < len(data):
            section = data[position]
            size, position = _number(data, position + 1)
            if section == _EXPORT_SECTION:
                return _names(data[position : position + size])
            position += size
    except (OSError, IndexError):
        return None
    return []


def _names(section: bytes) -> list[str]:
    count, position = _number(section, 0)
    names: list[str] = []
    for _ in range(count):
        length, position = _number(section, position)
        names.append(section[position : position + length].decode("utf-8", "replace"))
        _, position = _number(section, position + length + 1)  # behind the kind: an index
    return names


def _number(data: bytes, position: int) -> tuple[int, int]:
    """An unsigned LEB128 number, and where it ends. Raises ``IndexError`` at the end of the data."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def export_mistakes(
    nodes: Sequence[Node], path: Path, text: bytes, wasm: tuple[str, Sequence[str]]
) -> Iterator[tuple[str, Report]]:
    """Calls of what ``wasm`` (its name, its exports) does not export, each name once, with that name."""
    file, exported = wasm
    told: set[str] = set()
    for node, name in _called(nodes):
        if name not in exported and name not in told:
            told.add(name)
            facts: dict[str, Any] = {
                "file": file,
                "name": name,
                "present": ", ".join(exported[:_LISTED]) or "nothing",
                "similar": next((each for each in exported if each.lower() == name.lower()), ""),
            }
            exception = f"TypeError: {text_of(node)} is not a function"
            where = place_of(node, path, text)
            yield name, explain("js-wasm-export", where=where, exception=exception, **facts)


def _called(nodes: Sequence[Node]) -> Iterator[tuple[Node, str]]:
    """``instance.exports.handle()``, and calls of names that ``= instance.exports`` was taken apart into.

    What is also used without being called (``if (init) init();``) may be missing on purpose.
    """
    taken, holders = _taken(nodes)
    calls: list[tuple[Node, str]] = []
    asked: set[str] = set()
    for node in nodes:
        name = _export(node, taken, holders)
        parent = node.parent
        if not name or parent is None:
            continue
        if parent.type == "call_expression" and parent.child_by_field_name("function") == node:
            if not _is_optional(parent):
                calls.append((node, name))
        else:
            asked.add(name)
    yield from (call for call in calls if call[1] not in asked)


def _export(node: Node, taken: dict[str, str], holders: set[str]) -> str:
    """The export that an expression names; "" for other expressions."""
    if node.type == "identifier":
        return taken.get(text_of(node), "") if not _is_taking(node) else ""
    if node.type != "member_expression" or _is_optional(node):
        return ""
    owner = node.child_by_field_name("object")
    if owner is None or not (_is_exports(owner) or text_of(owner) in holders):
        return ""
    return text_of(node.child_by_field_name("property"))


def _is_taking(node: Node) -> bool:
    """Whether an identifier only gets its value here: ``{ handle: h } = instance.exports``."""
    return node.parent is not None and node.parent.type == "pair_pattern"


def _taken(nodes: Sequence[Node]) -> tuple[dict[str, str], set[str]]:
    """Variable -> export, for those that are taken out of ``exports``; and variables that hold all of it."""
    taken: dict[str, str] = {}
    holders: set[str] = set()
    for node in nodes:
        value = node.child_by_field_name("value") if node.type == "variable_declarator" else None
        name = node.child_by_field_name("name") if value is not None else None
        if name is None or value is None or not _is_exports(value):
            continue
        if name.type == "identifier":
            holders.add(text_of(name))
        for member in name.named_children if name.type == "object_pattern" else ():
            if member.type == "shorthand_property_identifier_pattern":
                taken[text_of(member)] = text_of(member)
            elif member.type == "pair_pattern":
                key, variable = member.child_by_field_name("key"), member.child_by_field_name("value")
                if variable is not None and variable.type == "identifier":
                    taken[text_of(variable)] = text_of(key)
    return taken, holders


def _is_exports(node: Node) -> bool:
    """``instance.exports``, not ``module.exports``."""
    if node.type != "member_expression" or _is_optional(node):
        return False
    owner = text_of(node.child_by_field_name("object"))
    return text_of(node.child_by_field_name("property")) == "exports" and owner != "module"


def _is_optional(node: Node) -> bool:
    return any(child.type == "optional_chain" for child in node.children)
