"""Reads the sections of a valid WebAssembly module that its JavaScript API shows.

https://webassembly.github.io/spec/core/binary/modules.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_KINDS: Final = ("function", "table", "memory", "global", "tag")
_HEADER_BYTES: Final = 8
_CUSTOM, _IMPORT, _TABLE, _MEMORY, _EXPORT, _CODE, _DATA, _TAG = 0, 2, 4, 5, 7, 10, 11, 13
_PASSIVE, _EXPLICIT_MEMORY = 1, 2
_I32_CONST, _GLOBAL_GET, _END = 0x41, 0x23, 0x0B
_SCALARS: Final = {0x7F: "i", 0x7E: "l", 0x7D: "f", 0x7C: "d", 0x7B: "v", 0x6F: "x", 0x70: "r"}
_REF, _REF_NULL = 0x64, 0x63
_HEAP_EXTERN, _HEAP_FUNC = -17, -16
_HAS_MAXIMUM, _IS_64, _HAS_PAGE_SIZE = 1, 4, 8
_HAS_INITIAL: Final = 0x40
_SIGNED: Final = frozenset((0x41, 0x42, 0xD0))
_UNSIGNED: Final = frozenset((_GLOBAL_GET, 0xD2))
_FIXED: Final = {0x43: 4, 0x44: 8, **dict.fromkeys((0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E), 0)}
_GC, _VECTOR, _VECTOR_BYTES = 0xFB, 0xFD, 16
_GC_OPERANDS: Final = {0: 1, 1: 1, 6: 1, 7: 1, 8: 2}
"""Of the constant instructions: how their operands are written."""


@dataclass(slots=True)
class Import:
    """One import. ``type`` is a value type's code (signature.py) of a table or a global."""

    module: str
    name: str
    kind: str
    type: str = ""
    minimum: int = 0
    maximum: int | None = None
    mutable: bool = False
    wide: bool = False
    """Whether a memory or table has addresses of 64 bits."""


@dataclass(slots=True)
class Export:
    """One export: ``index`` counts the module's items of its kind, imports first."""

    name: str
    kind: str
    index: int


@dataclass(slots=True)
class Segment:
    """An active data segment: where it goes is a number, or the value of an imported global."""

    number: int
    memory: int
    offset: int
    from_global: bool
    length: int


@dataclass(slots=True)
class Sections:
    """What a module imports and exports, and its custom sections as ``(name, content)``."""

    imports: list[Import] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    custom: list[tuple[str, bytes]] = field(default_factory=list)
    has_tags: bool = False
    """Whether it imports or declares tags of exceptions."""
    name: str = ""
    """The module's own name, from its name section."""
    bodies: list[tuple[int, int]] = field(default_factory=list)
    """Start and end in the file of the functions that are not imported."""
    wide_tables: list[bool] = field(default_factory=list)
    """Whether each table has addresses of 64 bits, imports first."""
    memories: list[int] = field(default_factory=list)
    """Initial pages of the memories that are not imported."""
    segments: list[Segment] = field(default_factory=list)
    """Active data segments with simple offsets."""


class _Reader:
    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data = data
        self.at = at
        self.end = end

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def unsigned(self) -> int:
        return self._leb128()[0]

    def signed(self) -> int:
        value, bits = self._leb128()
        return value - (1 << bits) if value >> (bits - 1) else value

    def _leb128(self) -> tuple[int, int]:
        """A number of any length, and how many bits it was written in."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value, shift

    def name(self) -> str:
        length = self.unsigned()
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-8", "replace")

    def value_type(self) -> str:
        byte = self.byte()
        if byte not in (_REF, _REF_NULL):
            return _SCALARS.get(byte, "o")
        heap = self.signed()
        if heap == _HEAP_EXTERN:
            return "x" if byte == _REF_NULL else "y"
        if heap == _HEAP_FUNC:
            return "r" if byte == _REF_NULL else "s"
        return "o"

    def limits(self) -> tuple[int, int | None, bool]:
        flags = self.byte()
        minimum = self.unsigned()
        maximum = self.unsigned() if flags & _HAS_MAXIMUM else None
        if flags & _HAS_PAGE_SIZE:
            self.unsigned()
        return minimum, maximum, bool(flags & _IS_64)

    def skip_constant(self) -> None:
        while (opcode := self.byte()) != _END:
            if opcode in _SIGNED:
                self.signed()
            elif opcode in _UNSIGNED:
                self.unsigned()
            elif opcode == _VECTOR:
                self.unsigned()
                self.at += _VECTOR_BYTES
            elif opcode == _GC:
                for _ in range(_GC_OPERANDS.get(self.unsigned(), 0)):
                    self.unsigned()
            else:
                self.at += _FIXED[opcode]


def read(data: bytes) -> Sections:
    """The sections of ``data``, which must have been validated."""
    found = Sections()
    reader = _Reader(data, _HEADER_BYTES, len(data))
    while reader.at < len(data):
        section = reader.byte()
        length = reader.unsigned()
        inner = _Reader(data, reader.at, reader.at + length)
        reader.at = inner.end
        if section == _CUSTOM:
            name = inner.name()
            found.custom.append((name, data[inner.at : inner.end]))
            if name == "name":
                found.name = _module_name(inner)
        elif section == _IMPORT:
            found.imports = [_import(inner) for _ in range(inner.unsigned())]
            found.has_tags = any(item.kind == "tag" for item in found.imports)
            found.wide_tables = [item.wide for item in found.imports if item.kind == "table"]
        elif section == _TABLE:
            found.wide_tables += [_table(inner) for _ in range(inner.unsigned())]
        elif section == _EXPORT:
            found.exports = [_export(inner) for _ in range(inner.unsigned())]
        elif section == _MEMORY:
            found.memories = [inner.limits()[0] for _ in range(inner.unsigned())]
        elif section == _TAG:
            found.has_tags = True
        elif section == _CODE:
            found.bodies = [_body(inner) for _ in range(inner.unsigned())]
        elif section == _DATA:
            found.segments = _segments(inner)
    return found


def _body(reader: _Reader) -> tuple[int, int]:
    length = reader.unsigned()
    reader.at += length
    return reader.at - length, reader.at


def _segments(reader: _Reader) -> list[Segment]:
    found: list[Segment] = []
    for number in range(reader.unsigned()):
        flags = reader.unsigned()
        memory = reader.unsigned() if flags & _EXPLICIT_MEMORY else 0
        opcode = offset = -1
        if not flags & _PASSIVE:
            opcode = reader.byte()
            if opcode not in (_I32_CONST, _GLOBAL_GET):
                return found
            offset = reader.signed() & 0xFFFFFFFF if opcode == _I32_CONST else reader.unsigned()
            if reader.byte() != _END:
                return found
        length = reader.unsigned()
        reader.at += length
        if not flags & _PASSIVE:
            found.append(Segment(number, memory, offset, opcode == _GLOBAL_GET, length))
    return found


def _table(reader: _Reader) -> bool:
    initial = reader.data[reader.at] == _HAS_INITIAL
    if initial:
        reader.at += 2
    reader.value_type()
    wide = reader.limits()[2]
    if initial:
        reader.skip_constant()
    return wide


def _import(reader: _Reader) -> Import:
    module, name = reader.name(), reader.name()
    found = Import(module, name, _KINDS[reader.byte()])
    if found.kind == "function":
        reader.unsigned()
    elif found.kind == "table":
        found.type = reader.value_type()
        found.minimum, found.maximum, found.wide = reader.limits()
    elif found.kind == "memory":
        found.minimum, found.maximum, found.wide = reader.limits()
    elif found.kind == "global":
        found.type = reader.value_type()
        found.mutable = bool(reader.byte())
    else:
        reader.byte()
        reader.unsigned()
    return found


def _module_name(reader: _Reader) -> str:
    """The first subsection of a name section; a custom section may hold anything."""
    try:
        if reader.at < reader.end and reader.byte() == 0:
            reader.unsigned()
            return reader.name()
    except IndexError:
        pass
    return ""


def _export(reader: _Reader) -> Export:
    name = reader.name()
    return Export(name, _KINDS[reader.byte()], reader.unsigned())
