"""Compiled modules with what the JavaScript API and error messages tell about them."""

from __future__ import annotations

import functools
import hashlib
from typing import Any, Final

import wasmtime

from . import sections
from .signature import signature
from .symbols import Symbols

PAGE_BYTES: Final = 65536

_CALLS: Final = frozenset(range(0x10, 0x16))
_BLOCK_OR_GROW: Final = 0x40
_SMALL_BYTES: Final = 256
"""A longer body is not searched: hardly one is without these bytes."""


class Module:
    """A compiled module and the file that it was made from."""

    def __init__(self, data: bytes, compiled: wasmtime.Module) -> None:
        self.data = data
        self.compiled = compiled
        self.sections = sections.read(data)
        self.hash = hashlib.sha256(data).hexdigest()[:8]
        self.imported_functions = sum(item.kind == "function" for item in self.sections.imports)
        self.export_names = [export.name.encode() for export in self.sections.exports]
        self.signatures: dict[int, str] = {}
        """Of exported functions, by the function's index, as far as they are known."""
        self.symbols = Symbols(compiled)

    @functools.cached_property
    def imports(self) -> list[Any]:
        """wasmtime's own types of the imports."""
        return [item.type for item in self.compiled.imports]

    def describe(self) -> list[Any]:
        """``[imports, exports, whether it has tags]``, as rows."""
        found = self.sections
        imports = [
            [i.module, i.name, i.kind, i.type, i.minimum, i.maximum, i.mutable, i.wide] for i in found.imports
        ]
        for item, kind in zip(imports, self.imports, strict=True):
            if isinstance(kind, wasmtime.FuncType | wasmtime.TagType):
                item[3] = signature(kind.functype if isinstance(kind, wasmtime.TagType) else kind)
        return [imports, [[e.name, e.kind] for e in found.exports], found.has_tags]

    def holds(self, function: int, offset: int) -> bool:
        """Whether the code of ``function`` is at ``offset`` of this module."""
        own = function - self.imported_functions
        if not 0 <= own < len(self.sections.bodies):
            return False
        start, end = self.sections.bodies[own]
        return start <= offset < end

    def is_leaf(self, function: int) -> bool:
        """Whether ``function`` surely calls nothing and grows no memory: no byte of it could mean that."""
        own = function - self.imported_functions
        if not 0 <= own < len(self.sections.bodies):
            return False
        start, end = self.sections.bodies[own]
        if end - start > _SMALL_BYTES:
            return False
        body = self.data[start:end]
        return _BLOCK_OR_GROW not in body and _CALLS.isdisjoint(body)

    def own_memory_bytes(self, index: int) -> int:
        """Initial size of a memory that the module declares."""
        minimums = self.sections.memories
        return minimums[index] * PAGE_BYTES if index < len(minimums) else 0


class Modules:
    """The modules of one realm, by number. They live as long as the realm."""

    def __init__(self) -> None:
        self._modules: list[Module] = []

    def add(self, module: Module) -> int:
        """The number of a new module."""
        self._modules.append(module)
        return len(self._modules) - 1

    def __getitem__(self, number: int) -> Module:
        return self._modules[number]

    def function_name(self, address: int) -> str:
        """The name in JavaScript of the function whose code is at ``address``: its index in its module."""
        for module in self._modules:
            index = module.symbols.function_at(address)
            if index is not None:
                return str(index)
        return ""

    def of_frame(self, index: int, name: str, offset: int) -> Module | None:
        """The module of a stack frame."""
        for module in reversed(self._modules):
            if module.sections.name == name and module.holds(index, offset):
                return module
        return None
