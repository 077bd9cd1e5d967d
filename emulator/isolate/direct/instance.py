"""One instance of a Worker's module, and calling it through the adapter.

Imports wasmtime (70 ms): to be imported only where a Worker is a ``.wasm``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from struct import Struct
from typing import Any, Final, NamedTuple

import wasmtime
from wasmtime import _bindings as c

from ..wasm import runtime
from ..wasm.epochs import INTERRUPTED
from ..wasm.limits import memory_limit
from . import adapter
from .abi import Abi, Export, Signature
from .backtrace import Frame, frames_in, frames_of

_VALUE_BYTES: Final = 16
"""Size of one raw value of wasmtime's unchecked calls."""

_ARGUMENTS: Final = Struct("<" + "I12x" * len(adapter.SERVE_PARAMS))
_RESULTS: Final = Struct("<" + "I12xI12xi12xI12xI12xI12x")
_PAGE: Final = 65536
_LENGTH: Final = Struct("<I")


class Request(NamedTuple):
    """What a request gives to the module; empty texts where the module does not ask for them."""

    method: bytes
    path: bytes
    url: bytes
    headers: bytes
    body: bytes


class Answered(NamedTuple):
    """What the module's exports gave."""

    status: int
    headers: bytes
    body: bytes


class Trapped(Exception):
    """The module trapped. ``frames``: the innermost first."""

    def __init__(self, code: str, frames: list[Frame], memory: int) -> None:
        super().__init__(code)
        self.code = code
        """wasmtime's name of it: ``UNREACHABLE``, ``MEMORY_OUT_OF_BOUNDS``..."""
        self.frames = frames
        self.memory = memory
        """Bytes of memory that the instance had."""


class Interrupted(Exception):
    """The module was stopped in the middle of its code, which leaves its state useless."""

    def __init__(self, frames: list[Frame]) -> None:
        super().__init__("interrupted")
        self.frames = frames


class OutOfBounds(Exception):
    """The module named a place outside of its memory."""

    def __init__(self, fault: int, pointer: int, length: int, memory: int) -> None:
        super().__init__(f"{length} bytes at {pointer}")
        self.fault = fault
        """``adapter.ALLOC_FAULT``, ``RESPONSE_FAULT`` or ``HEADERS_FAULT``."""
        self.pointer = pointer
        self.length = length
        self.memory = memory


def exports_of(module: wasmtime.Module) -> dict[str, Export]:
    """The exports of a compiled module, in its order."""
    return {export.name: _export(export.type) for export in module.exports}


def _export(kind: Any) -> Export:
    if isinstance(kind, wasmtime.FuncType):
        return Export("func", Signature(tuple(map(str, kind.params)), tuple(map(str, kind.results))))
    if isinstance(kind, wasmtime.MemoryType):
        return Export("memory", wide=kind.is_64)
    if isinstance(kind, wasmtime.TableType):
        return Export("table")
    return Export("global" if isinstance(kind, wasmtime.GlobalType) else "tag")


class Instance:
    """A module at work. Its state lives on from request to request, after a trap, too."""

    def __init__(self, module: wasmtime.Module, abi: Abi) -> None:
        """Instantiate and start it. Raises ``Trapped`` or ``WasmtimeError``."""
        self._store = runtime.new_store()
        self._context = runtime.context_of(self._store)
        self._raw = ctypes.create_string_buffer(_VALUE_BYTES * len(adapter.SERVE_PARAMS))
        self._raw_at = ctypes.addressof(self._raw)
        self._trap = ctypes.c_void_p()
        self._trap_at = ctypes.addressof(self._trap)
        self._memory: Any = None
        self._pages = -1
        self._view = memoryview(b"")
        self._takes_body = "setBody" in abi
        self._scratch_bytes = _PAGE
        self._load(module, abi)

    def _load(self, module: wasmtime.Module, abi: Abi) -> None:
        store = self._store
        try:
            with memory_limit().unlimited():
                made = wasmtime.Instance(store, module, [])
        except wasmtime.Trap as trap:
            raise self._trapped(trap) from None
        exports: Mapping[str, Any] = made.exports(store)
        self._memory = exports["memory"]
        self._memory_at = ctypes.addressof(self._memory._memory)
        if abi.starter:
            self._start = exports[abi.starter]
            self._call(ctypes.addressof(self._start._func))
        linked = wasmtime.Module(runtime.engine(), bytes(wasmtime.wat2wasm(adapter.adapter_text(abi))))
        ours = wasmtime.Instance(store, linked, [exports[each.name or ""] for each in linked.imports])
        self._adapter: Mapping[str, Any] = ours.exports(store)
        self._release = exports["release"] if "release" in abi else None
        self._serve_at = ctypes.addressof(self._function("serve"))
        self._reserve_at = ctypes.addressof(self._function("reserve")) if "alloc" in abi else 0
        self._release_at = ctypes.addressof(self._release._func) if self._release else 0
        self._scratch: Any = self._adapter["scratch"]
        self._scratch_view = self._view_of(self._scratch)

    def _function(self, name: str) -> Any:
        return self._adapter[name]._func

    def _view_of(self, memory: Any) -> memoryview:
        """Its bytes, without copying; valid until it grows."""
        at = ctypes.addressof(memory._memory)
        size = int(runtime.memory_size(self._context, at))
        start = runtime.memory_data(self._context, at)
        return (
            memoryview((ctypes.c_char * size).from_address(start or 0)).cast("B") if size else memoryview(b"")
        )

    @property
    def memory_bytes(self) -> int:
        """Size of its memory now."""
        if self._memory is None:
            return 0
        return int(runtime.memory_size(self._context, self._memory_at))

    # ---- one request --------------------------------------------------------

    def serve(self, request: Request) -> Answered:
        """Call the module's exports for one request. Raises ``Trapped``, ``OutOfBounds``, ``Interrupted``."""
        method, path, url, headers, body = request
        text = method + path + url + headers
        if text:
            if len(text) > self._scratch_bytes:
                self._widen(len(text))
            self._scratch_view[: len(text)] = text
        at = self._put(body) if self._takes_body else 0
        _ARGUMENTS.pack_into(self._raw, 0, len(method), len(path), len(url), len(headers), len(body), at)
        self._call(self._serve_at)
        pointer, length, status, headers_pointer, headers_length, pages = _RESULTS.unpack_from(self._raw)
        if pages != self._pages:
            self._view = self._view_of(self._memory)
            self._pages = pages
        sent = bytes(self._view[pointer : pointer + length])
        lines = bytes(self._view[headers_pointer : headers_pointer + headers_length])
        if self._release_at:
            self._call(self._release_at)
        return Answered(status, lines, sent)

    def _put(self, body: bytes) -> int:
        """Copy ``body`` to where ``alloc`` says; gives its address."""
        _LENGTH.pack_into(self._raw, 0, len(body))
        self._call(self._reserve_at)
        (at,) = _LENGTH.unpack_from(self._raw)
        ctypes.memmove(runtime.memory_data(self._context, self._memory_at) + at, body, len(body))
        return int(at)

    def _widen(self, size: int) -> None:
        self._scratch.grow(self._store, -(-(size - self._scratch_bytes) // _PAGE))
        self._scratch_bytes = self._scratch.data_len(self._store)
        self._scratch_view = self._view_of(self._scratch)

    def _call(self, function: int) -> None:
        """Call with the values in ``_raw``, which takes the results."""
        error = runtime.call_unchecked(
            self._context, function, self._raw_at, len(adapter.SERVE_PARAMS), self._trap_at
        )
        if error:
            raise self._stopped(error)
        if self._trap.value:
            pointer = ctypes.cast(self._trap, ctypes.POINTER(c.wasm_trap_t))
            self._trap.value = None
            raise self._failure(wasmtime.Trap._from_ptr(pointer))

    # ---- failures -----------------------------------------------------------

    def _stopped(self, error: int) -> Interrupted | wasmtime.WasmtimeError:
        pointer = ctypes.cast(error, ctypes.POINTER(c.wasmtime_error_t))
        found = wasmtime.WasmtimeError._from_ptr(pointer)
        text = str(found)
        return Interrupted(frames_in(text)) if INTERRUPTED in text else found

    def _failure(self, trap: wasmtime.Trap) -> Trapped | OutOfBounds:
        fault = self._adapter["fault"].value(self._store) if hasattr(self, "_adapter") else adapter.NO_FAULT
        if fault == adapter.NO_FAULT:
            return self._trapped(trap)
        self._adapter["fault"].set_value(self._store, adapter.NO_FAULT)
        pointer = self._adapter["faultPointer"].value(self._store) & 0xFFFFFFFF
        length = self._adapter["faultLength"].value(self._store)
        return OutOfBounds(fault, pointer, length, self.memory_bytes)

    def _trapped(self, trap: wasmtime.Trap) -> Trapped:
        code = trap.trap_code
        return Trapped(code.name if code else "", frames_of(trap), self.memory_bytes)
