"""Memories, tables, globals and tags of one store, by small numbers."""

from __future__ import annotations

import ctypes
import functools
from typing import Any, Final

import wasmtime
from wasmtime import _bindings as c
from wasmtime import _ffi as ffi

from ..realm.engine import Engine, Value
from . import runtime
from .references import References
from .signature import value_type

_MAX_U64: Final = 2**64 - 1
_LAST: Final = 0
"""The slot that carries a number of a table or a global. Calls do not run meanwhile."""

_KINDS: Final[dict[str, tuple[Any, str, type]]] = {
    "memory": (ffi.WASMTIME_EXTERN_MEMORY, "memory", c.wasmtime_memory_t),
    "table": (ffi.WASMTIME_EXTERN_TABLE, "table", c.wasmtime_table_t),
    "global": (ffi.WASMTIME_EXTERN_GLOBAL, "global_", c.wasmtime_global_t),
    "tag": (ffi.WASMTIME_EXTERN_TAG, "tag", c.wasmtime_tag_t),
}


class Items:
    """What instances share with JavaScript besides functions. An item has one number everywhere."""

    def __init__(self, engine: Engine, store: wasmtime.Store, references: References, scratch: int) -> None:
        self._engine = engine
        self._store = store
        self._context = store._context()
        self._context_address = ctypes.c_void_p(runtime.context_of(store))
        self._references = references
        self._scratch = scratch
        self._items: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
        self._numbers: dict[tuple[Any, ...], int] = {}

    def take(self, kind: str, extern: Any) -> int:
        """The number of an exported item."""
        if kind == "function":
            return self._references.function_id(extern.of.func)
        _, field, _ = _KINDS[kind]
        return self.number(kind, getattr(extern.of, field))

    def number(self, kind: str, item: Any) -> int:
        """The number of an item."""
        key = (kind, *_identity(item))
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self._items[kind])
            self._items[kind].append(_KINDS[kind][2].from_buffer_copy(item))  # type: ignore[attr-defined]
        return known

    def fill(self, extern: Any, kind: str, number: int) -> None:
        """Make ``extern`` name an item, to import it."""
        if kind == "function":
            extern.kind = ffi.WASMTIME_EXTERN_FUNC
            extern.of.func = self._references.functions[number]
            return
        tag, field, _ = _KINDS[kind]
        extern.kind = tag
        setattr(extern.of, field, self._items[kind][number])

    def pointer(self, kind: str, number: int) -> Any:
        """A pointer to an item for wasmtime."""
        return ctypes.byref(self._items[kind][number])

    # ---- memories -----------------------------------------------------------

    def new_memory(self, initial: float, maximum: float, wide: bool) -> int:
        """A new memory in pages; ``maximum`` -1 for none. -1 if there is no room for it.

        ``wide``: its addresses have 64 bits.
        """
        limits = wasmtime.Limits(int(initial), int(maximum) if maximum >= 0 else None)
        kind = wasmtime.MemoryType(limits, is_64=wide)
        made = c.wasmtime_memory_t()
        error = c.wasmtime_memory_new(self._context, kind.ptr(), ctypes.byref(made))
        if error:
            c.wasmtime_error_delete(error)
            return -1
        return self.number("memory", made)

    def memory_limits(self, number: int) -> list[Any]:
        """``[minimum, maximum or -1, whether addresses have 64 bits]`` in pages as declared."""
        pointer = c.wasmtime_memory_type(self._context, self.pointer("memory", number))
        found = wasmtime.MemoryType._from_ptr(pointer, None)
        limits = found.limits
        return [limits.min, -1 if limits.max is None else limits.max, found.is_64]

    def grow_memory(self, number: int, pages: float) -> int:
        """Pages before the growth; -1 if it failed."""
        before = ctypes.c_uint64()
        error = c.wasmtime_memory_grow(
            self._context, self.pointer("memory", number), int(pages), ctypes.byref(before)
        )
        if error:
            c.wasmtime_error_delete(error)
            return -1
        return int(before.value)

    def memory_sizer(self, number: int) -> Value:
        """A JS function that gives the memory's size in bytes, without any Python."""
        context = ctypes.c_void_p.from_param(self._context_address.value)
        pointer = self.pointer("memory", number)
        return self._engine.function(functools.partial(runtime.size_prepared(), context, pointer), "")

    def memory_buffer(self, number: int) -> Value:
        """An ArrayBuffer over the memory as it is now."""
        address = ctypes.addressof(self._items["memory"][number])
        base = runtime.memory_data(self._context_address, address)
        return self._engine.shared_buffer(base, runtime.memory_size(self._context_address, address))

    def detach(self, buffer: Value) -> None:
        """Take the memory away from a buffer of ``memory_buffer``."""
        self._engine.detach(buffer)

    def memory_size(self, number: int) -> int:
        """Size of one memory in bytes."""
        address = ctypes.addressof(self._items["memory"][number])
        return int(runtime.memory_size(self._context_address, address))

    @property
    def memories(self) -> int:
        """How many memories there are."""
        return len(self._items["memory"])

    def memory_bytes(self) -> int:
        """Size of all memories together."""
        size, context = runtime.memory_size, self._context_address
        return sum(size(context, ctypes.addressof(item)) for item in self._items["memory"])

    # ---- tables -------------------------------------------------------------

    def new_table(self, code: str, initial: float, maximum: float, key: float, wide: bool) -> int:
        """A new table of externrefs (``x``) or funcrefs (``r``) full of ``key``; -1 if there is no room.

        ``wide``: its addresses have 64 bits.
        """
        if wide:
            return self._new_wide_table(code, int(initial), int(maximum), int(key))
        limits = wasmtime.Limits(int(initial), int(maximum) if maximum >= 0 else None)
        element = wasmtime.ValType.externref() if code == "x" else wasmtime.ValType.funcref()
        kind = wasmtime.TableType(element, limits)
        value = self._references.value(code, _LAST, int(key))
        made = c.wasmtime_table_t()
        error = c.wasmtime_table_new(self._context, kind.ptr(), ctypes.byref(value), ctypes.byref(made))
        c.wasmtime_val_unroot(ctypes.byref(value))
        if error:
            c.wasmtime_error_delete(error)
            return -1
        return self.number("table", made)

    def _new_wide_table(self, code: str, initial: int, maximum: int, key: int) -> int:
        # The C API cannot describe one; a module can.
        data = wide_table_module(code, min(maximum, _MAX_U64))
        made, trap = c.wasmtime_instance_t(), ctypes.POINTER(c.wasm_trap_t)()
        module = runtime.compile_module(data)
        error = c.wasmtime_instance_new(
            self._context, module.ptr(), None, 0, ctypes.byref(made), ctypes.byref(trap)
        )
        if error:
            c.wasmtime_error_delete(error)
            return -1
        table = c.wasmtime_extern_t()
        c.wasmtime_instance_export_get(
            self._context, ctypes.byref(made), ctypes.create_string_buffer(b"t"), 1, ctypes.byref(table)
        )
        number = self.number("table", table.of.table)
        return number if self.table_grow(number, code, initial, key) == 0 else -1

    def table_type(self, number: int) -> list[Any]:
        """``[element code, minimum, maximum or -1]`` as declared."""
        pointer = c.wasmtime_table_type(self._context, self.pointer("table", number))
        found = wasmtime.TableType._from_ptr(pointer, None)
        limits = found.limits
        code = value_type(c.wasm_tabletype_element(found.ptr()))
        return [code, limits.min, -1 if limits.max is None else limits.max]

    def table_size(self, number: int) -> int:
        """Elements in the table."""
        return int(c.wasmtime_table_size(self._context, self.pointer("table", number)))

    def table_get(self, number: int, code: str, index: float) -> int:
        """The element's key or function; ``index`` must be in the table."""
        value = c.wasmtime_val_t()
        c.wasmtime_table_get(self._context, self.pointer("table", number), int(index), ctypes.byref(value))
        found = self._references.show(code, value, _LAST)
        assert found is not None
        return found

    def table_set(self, number: int, code: str, index: float, key: float) -> None:
        """Replace an element; ``index`` must be in the table."""
        value = self._references.value(code, _LAST, int(key))
        error = c.wasmtime_table_set(
            self._context, self.pointer("table", number), int(index), ctypes.byref(value)
        )
        c.wasmtime_val_unroot(ctypes.byref(value))
        if error:
            c.wasmtime_error_delete(error)

    def table_grow(self, number: int, code: str, count: float, key: float) -> int:
        """Elements before the growth; -1 if it failed."""
        value = self._references.value(code, _LAST, int(key))
        before = ctypes.c_uint64()
        error = c.wasmtime_table_grow(
            self._context,
            self.pointer("table", number),
            int(count),
            ctypes.byref(value),
            ctypes.byref(before),
        )
        c.wasmtime_val_unroot(ctypes.byref(value))
        if error:
            c.wasmtime_error_delete(error)
            return -1
        return int(before.value)

    # ---- globals ------------------------------------------------------------

    def new_global(self, code: str, mutable: bool, key: float) -> int:
        """A new global with the reference ``key``, or with the number in the first scratch slot."""
        value = self._references.value(code, _LAST, int(key))
        content = c.wasm_valtype_new(VALTYPES[code])
        kind = c.wasm_globaltype_new(content, int(mutable))
        made = c.wasmtime_global_t()
        error = c.wasmtime_global_new(self._context, kind, ctypes.byref(value), ctypes.byref(made))
        c.wasm_globaltype_delete(kind)
        c.wasmtime_val_unroot(ctypes.byref(value))
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)
        return self.number("global", made)

    def global_type(self, number: int) -> list[Any]:
        """``[code, mutable]``"""
        kind = c.wasmtime_global_type(self._context, self.pointer("global", number))
        found = [value_type(c.wasm_globaltype_content(kind)), bool(c.wasm_globaltype_mutability(kind))]
        c.wasm_globaltype_delete(kind)
        return found

    def global_get(self, number: int, code: str) -> int | None:
        """The reference in a global; a number is put into the first scratch slot."""
        value = c.wasmtime_val_t()
        c.wasmtime_global_get(self._context, self.pointer("global", number), ctypes.byref(value))
        return self._references.show(code, value, _LAST)

    def global_u32(self, number: int) -> int:
        """The value of an i32 global, unsigned."""
        self.global_get(number, "i")
        return ctypes.c_uint32.from_address(self._scratch).value

    def global_set(self, number: int, code: str, key: float) -> None:
        """Set a mutable global to the reference ``key`` or to the number in the first scratch slot."""
        value = self._references.value(code, _LAST, int(key))
        error = c.wasmtime_global_set(self._context, self.pointer("global", number), ctypes.byref(value))
        c.wasmtime_val_unroot(ctypes.byref(value))
        if error:
            c.wasmtime_error_delete(error)


VALTYPES: Final = {"i": 0, "l": 1, "f": 2, "d": 3, "x": 128, "r": 129}
"""``wasm_valkind_t``"""


def wide_table_module(code: str, maximum: int) -> bytes:
    """A module that exports as ``t`` an empty table of 64-bit addresses; ``maximum`` -1 for none."""
    limits = b"\x04\x00" if maximum < 0 else b"\x05\x00" + _unsigned(maximum)
    table = b"\x01" + (b"\x6f" if code == "x" else b"\x70") + limits
    export = b"\x01\x01t\x01\x00"
    return b"\0asm\1\0\0\0\x04%c%b\x07%c%b" % (len(table), table, len(export), export)


def _unsigned(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _identity(item: Any) -> tuple[int, ...]:
    values: list[int] = []
    for name, *_ in item._fields_:
        value = getattr(item, name)
        values += _identity(value) if isinstance(value, ctypes.Structure) else (value,)
    return tuple(values)
