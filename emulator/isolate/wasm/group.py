"""A group: one wasmtime store, with the instances, memories, tables and globals that are in it.

A store frees nothing before it is deleted, so each group has a store of its own, which is deleted
when JavaScript has dropped all objects that stand for a thing in it (platform/webassembly_groups.js).
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import wasmtime
from wasmtime import _bindings as c

from ..realm.engine import Engine
from . import runtime
from .exceptions import Exceptions
from .items import Items
from .references import References
from .signature import SLOT_BYTES, TRAP_SLOT


class Group:
    """One store. ``scratch`` is the address of the value slots that all groups share."""

    def __init__(self, engine: Engine, scratch: int) -> None:
        self.instances = 0
        self._store = runtime.new_store()
        self._scratch = scratch
        self.context = self._store._context()
        self._address = ctypes.c_void_p.from_param(runtime.context_of(self._store))
        self.references = References(self.context, scratch)
        self.items = Items(engine, self._store, self.references, scratch)
        self.exceptions = Exceptions(self._store, self.references, self.items)

    def close(self) -> None:
        """Free the store. Nothing may use the group after it."""
        self.exceptions.close()
        self._store.close()

    def caller(self, number: int, values: int) -> functools.partial[float | None]:
        """Runs a function of ``values`` parameters or results on the scratch slots."""
        return functools.partial(
            runtime.call_prepared(),
            self._address,
            ctypes.byref(self.references.functions[number]),
            ctypes.c_void_p.from_param(self._scratch),
            ctypes.c_size_t.from_param(values),
            ctypes.c_void_p.from_param(self._scratch + TRAP_SLOT * SLOT_BYTES),
        )

    def function_type(self, number: int) -> wasmtime.FuncType:
        """The type of a function."""
        pointer = c.wasmtime_func_type(self.context, ctypes.byref(self.references.functions[number]))
        return wasmtime.FuncType._from_ptr(pointer, None)

    def host_function(self, kind: wasmtime.FuncType, callback: Any, data: int, finalizer: Any) -> int:
        """The number of a new function that runs ``callback`` with ``data``."""
        made = c.wasmtime_func_t()
        c.wasmtime_func_new_unchecked(self.context, kind.ptr(), callback, data, finalizer, ctypes.byref(made))
        return self.references.function_id(made)


class Lease:
    """What the JS object of a group holds: when it goes, the group's number is in ``dead``."""

    __slots__ = ("_dead", "_number")

    def __init__(self, number: int, dead: list[int]) -> None:
        self._number = number
        self._dead = dead

    def __del__(self) -> None:
        self._dead.append(self._number)
