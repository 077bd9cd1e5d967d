"""Which function of its module a piece of compiled code is.

wasmtime does not tell the index of a function that comes out of a table, but the compiled module is an
ELF file, and its symbol table names the code of each function: ``wasm[0]::function[12]::name``.
"""

from __future__ import annotations

import ctypes
import re
import struct
from typing import Final

import wasmtime
from wasmtime import _bindings as c

_SECTION_TABLE, _SECTION_COUNT = 0x28, 0x3C
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
"""name, type, flags, address, offset, size, link, info, alignment, entry size"""
_SYMBOL: Final = struct.Struct("<IBBHQQ")
"""name, info, other, section, value, size"""
_SYMBOL_TABLE: Final = 2
_FUNCTION: Final = re.compile(rb"wasm\[0\]::function\[(\d+)\]")


class Symbols:
    """The functions of one compiled module by the address of their code. Read when first asked."""

    def __init__(self, module: wasmtime.Module) -> None:
        self._module = module
        start, end = ctypes.c_void_p(), ctypes.c_void_p()
        c.wasmtime_module_image_range(module.ptr(), ctypes.byref(start), ctypes.byref(end))
        self._start, self._end = start.value or 0, end.value or 0
        self._functions: dict[int, int] | None = None

    def function_at(self, address: int) -> int | None:
        """The index of the function whose code starts at ``address``; None if it is not of this module."""
        if not self._start <= address < self._end:
            return None
        if self._functions is None:
            found = _read(bytes(self._module.serialize()))
            self._functions = {self._start + offset: index for offset, index in found.items()}
        return self._functions.get(address)


def _read(image: bytes) -> dict[int, int]:
    """Function indices by the offset of their code in an ELF image for 64 bits."""
    (table,) = struct.unpack_from("<Q", image, _SECTION_TABLE)
    (count,) = struct.unpack_from("<H", image, _SECTION_COUNT)
    sections = [_SECTION.unpack_from(image, table + at * _SECTION.size) for at in range(count)]
    found = {}
    for _, kind, _, _, offset, size, link, *_ in sections:
        if kind != _SYMBOL_TABLE:
            continue
        names = sections[link][4]
        for name, _, _, section, value, _ in _SYMBOL.iter_unpack(image[offset : offset + size]):
            match = _FUNCTION.match(image, names + name)
            if match:
                found[sections[section][4] + value] = int(match[1])
    return found
