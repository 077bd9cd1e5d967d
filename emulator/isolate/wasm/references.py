"""References that cross between JavaScript and a wasmtime store.

A JS value behind an externref is a number here, the key of a table that JavaScript keeps; wasmtime
tells when it has let go of one. A function is its place in ``functions``.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any, Final

from wasmtime import _bindings as c
from wasmtime import _ffi as ffi

from .signature import SLOT_BYTES

_POINTER: Final = ctypes.c_void_p
_FUNC_REF_WORDS: Final = 4
"""``VMFuncRef``: the code for calls from the host, for calls from wasm, the type, the instance."""


class References:
    """The externrefs and funcrefs of one store. ``scratch`` is the address of its value slots."""

    def __init__(self, context: Any, scratch: int) -> None:
        self._context = context
        self._scratch = scratch
        self._pending: list[tuple[int, Any]] = []
        self.dropped: list[int] = []
        """Keys of JS values that wasm no longer holds."""
        self.functions: list[Any] = []
        """``wasmtime_func_t`` by id."""
        self._ids: dict[tuple[int, int], int] = {}

    # ---- externref ----------------------------------------------------------

    @functools.cached_property
    def _finalizer(self) -> Any:
        return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.dropped.append)

    def extern(self, key: int) -> Any:
        """A new rooted ``wasmtime_externref_t`` for the JS value ``key``. The caller unroots it."""
        found = c.wasmtime_externref_t()
        for _ in range(2):
            if c.wasmtime_externref_new(self._context, key, self._finalizer, ctypes.byref(found)):
                return found
            c.wasmtime_context_gc(self._context)
        self._pending.clear()
        raise MemoryError("the garbage-collected heap is full")

    def key_of(self, reference: Any) -> int:
        """The key of the JS value behind a rooted externref."""
        return int(c.wasmtime_externref_data(self._context, ctypes.byref(reference)) or 0)

    def push_extern(self, slot: int, key: int) -> None:
        """Put a JS value into ``slot`` at the next ``flush``; key 0 is null."""
        if key:
            self._pending.append((slot, self.extern(key)))
        else:
            self._word(slot).value = 0

    def flush(self) -> list[int] | None:
        """Write pushed externrefs to their slots, at once: making one may move others. Gives dropped keys."""
        pending, self._pending = self._pending, []
        for slot, reference in pending:
            self._word(slot).value = c.wasmtime_externref_to_raw(self._context, ctypes.byref(reference))
        for _, reference in pending:
            c.wasmtime_externref_unroot(ctypes.byref(reference))
        if not self.dropped:
            return None
        dropped = self.dropped[:]
        self.dropped.clear()
        return dropped

    def load_extern(self, slot: int) -> int:
        """The key in ``slot``; 0 for null."""
        raw = self._word(slot).value & 0xFFFFFFFF
        if not raw:
            return 0
        found = c.wasmtime_externref_t()
        c.wasmtime_externref_from_raw(self._context, raw, ctypes.byref(found))
        key = self.key_of(found)
        c.wasmtime_externref_unroot(ctypes.byref(found))
        return key

    # ---- funcref ------------------------------------------------------------

    def push_function(self, slot: int, function: int) -> None:
        """Put a function into ``slot``; -1 is null."""
        raw = 0
        if function >= 0:
            raw = _address(c.wasmtime_func_to_raw(self._context, ctypes.byref(self.functions[function])))
        self._word(slot).value = raw

    def load_function(self, slot: int) -> int:
        """The id of the function in ``slot``; -1 for null."""
        raw = self._word(slot).value
        if not raw:
            return -1
        found = c.wasmtime_func_t()
        c.wasmtime_func_from_raw(self._context, raw, ctypes.byref(found))
        return self.function_id(found)

    def function_id(self, function: Any) -> int:
        """The one id of a ``wasmtime_func_t``, however often and from wherever it comes."""
        words = self._words(function)
        # An instance refers to a function that it imports by a reference of its own.
        key = (words[0], words[3])
        known = self._ids.get(key)
        if known is None:
            known = self._ids[key] = len(self.functions)
            self.functions.append(c.wasmtime_func_t.from_buffer_copy(function))
        return known

    def code_address(self, number: int) -> int:
        """Where the compiled code of a function starts."""
        return int(self._words(self.functions[number])[1])

    def _words(self, function: Any) -> Any:
        raw = _address(c.wasmtime_func_to_raw(self._context, ctypes.byref(function)))
        return (ctypes.c_uint64 * _FUNC_REF_WORDS).from_address(raw)

    def _word(self, slot: int) -> ctypes.c_uint64:
        return ctypes.c_uint64.from_address(self._scratch + slot * SLOT_BYTES)

    # ---- values of tables and globals ---------------------------------------

    def value(self, code: str, slot: int, key: int) -> Any:
        """A ``wasmtime_val_t``: a number from ``slot``, or the reference ``key``. Unroot it after use."""
        found: Any = c.wasmtime_val_t()
        if code in "xy":
            found.kind = ffi.WASMTIME_EXTERNREF
            if key:
                found.of.externref = self.extern(key)
        elif code in "rs":
            found.kind = ffi.WASMTIME_FUNCREF
            if key >= 0:
                found.of.funcref = self.functions[key]
        else:
            found.kind = "ilfdv".index(code)
            ctypes.memmove(ctypes.byref(found.of), self._scratch + slot * SLOT_BYTES, SLOT_BYTES)
        return found

    def show(self, code: str, value: Any, slot: int) -> int | None:
        """The reference in a ``wasmtime_val_t`` as its key or id; a number goes to ``slot``. Unroots it."""
        if code in "xy":
            key = self.key_of(value.of.externref) if value.of.externref.store_id else 0
            c.wasmtime_val_unroot(ctypes.byref(value))
            return key
        if code in "rs":
            return self.function_id(value.of.funcref) if value.of.funcref.store_id else -1
        ctypes.memmove(self._scratch + slot * SLOT_BYTES, ctypes.byref(value.of), SLOT_BYTES)
        return None


def _address(pointer: Any) -> int:
    return int(ctypes.cast(pointer, _POINTER).value or 0)
