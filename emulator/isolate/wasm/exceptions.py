"""WebAssembly exceptions that cross between JavaScript and a store: ``WebAssembly.Tag`` and ``Exception``.

https://webassembly.github.io/spec/js-api/#tags . The values of an exception are in the scratch slots,
its references are keys, as those of globals are.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

import wasmtime
from wasmtime import _bindings as c

from ..realm.engine import Value
from .items import VALTYPES, Items
from .references import References
from .signature import value_type

_REMEMBERED: Final = 8
"""Exceptions of JavaScript that are the same objects again when wasm throws them on."""


class Exceptions:
    """The exceptions of one store. At most one is under way."""

    def __init__(self, store: wasmtime.Store, references: References, items: Items) -> None:
        self._context = store._context()
        self._references = references
        self._items = items
        self._staged: int | None = None
        self._roots: list[Any] = []
        self._next = 0

    def new_tag(self, codes: str) -> int:
        """A new tag whose exceptions have values of these types."""
        params = [wasmtime.ValType._from_ptr(c.wasm_valtype_new(VALTYPES[code]), None) for code in codes]
        kind = wasmtime.TagType(wasmtime.FuncType(params, []))
        made = c.wasmtime_tag_t()
        error = c.wasmtime_tag_new(self._context, kind.ptr(), ctypes.byref(made))
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)
        return self._items.number("tag", made)

    def tag_type(self, number: int) -> str:
        """The codes of the values of a tag's exceptions."""
        pointer = c.wasmtime_tag_type(self._context, self._items.pointer("tag", number))
        kind = wasmtime.TagType._from_ptr(pointer, None).functype
        return "".join(value_type(item.ptr()) for item in kind.params)

    def stage(self, tag: int, codes: str, keys: Value) -> int:
        """Make the exception that the running import ends with. Gives its place among those remembered."""
        given = keys.to_python()
        values = (c.wasmtime_val_t * len(codes))()
        for slot, code in enumerate(codes):
            values[slot] = self._references.value(code, slot, int(given[slot]))
        made = c.wasmtime_exnref_t()
        error = c.wasmtime_exnref_new(
            self._context, self._items.pointer("tag", tag), values, len(codes), ctypes.byref(made)
        )
        for value in values:
            c.wasmtime_val_unroot(ctypes.byref(value))
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)
        place = self._remember(made)
        trap = c.wasmtime_context_set_exception(self._context, ctypes.byref(made))
        self._staged = ctypes.cast(trap, ctypes.c_void_p).value
        return place

    def _remember(self, exception: Any) -> int:
        root = c.wasmtime_exnref_t()
        c.wasmtime_exnref_clone(ctypes.byref(exception), ctypes.byref(root))
        place, self._next = self._next, (self._next + 1) % _REMEMBERED
        if place == len(self._roots):
            self._roots.append(root)
        else:
            c.wasmtime_exnref_unroot(ctypes.byref(self._roots[place]))
            self._roots[place] = root
        return place

    def _place(self, exception: Any) -> int:
        raw = self._raw(exception)
        return next((place for place, root in enumerate(self._roots) if self._raw(root) == raw), -1)

    def _raw(self, exception: Any) -> int:
        return int(c.wasmtime_exnref_to_raw(self._context, ctypes.byref(exception)))

    def close(self) -> None:
        """Let go of the remembered exceptions."""
        for root in self._roots:
            c.wasmtime_exnref_unroot(ctypes.byref(root))
        self._roots.clear()

    def take_staged(self) -> int | None:
        """The trap by which the import ends; None if it ends without a staged exception."""
        staged, self._staged = self._staged, None
        return staged

    def take(self) -> list[Any] | None:
        """``[tag, codes, keys, place]`` of an exception that left wasm; its numbers are in the scratch slots.

        ``place`` is that of an exception that was staged, or -1.
        """
        found = c.wasmtime_exnref_t()
        if not c.wasmtime_context_take_exception(self._context, ctypes.byref(found)):
            return None
        try:
            tag = c.wasmtime_tag_t()
            c.wasmtime_exnref_tag(self._context, ctypes.byref(found), ctypes.byref(tag))
            number = self._items.number("tag", tag)
            codes = self.tag_type(number)
            keys = [self._field(found, slot, code) for slot, code in enumerate(codes)]
            return [number, codes, keys, self._place(found)]
        finally:
            c.wasmtime_exnref_unroot(ctypes.byref(found))

    def _field(self, exception: Any, slot: int, code: str) -> int:
        value = c.wasmtime_val_t()
        c.wasmtime_exnref_field(self._context, ctypes.byref(exception), slot, ctypes.byref(value))
        return self._references.show(code, value, slot) or 0
