"""wasmtime as this isolate uses it: one engine, compiled modules kept on disk, calls without checks.

Importing wasmtime takes 70 ms: this module must be imported only where WebAssembly is needed.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import mmap
import os
import stat
import sys
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import wasmtime
from wasmtime import _bindings as c
from wasmtime._ffi import dll

from emulator.user_cache import keep

from ..realm.stack import share_bytes
from .epochs import NEXT_EPOCH, epochs
from .limits import memory_limit

_FEATURES: Final = (
    "simd",
    "relaxed_simd",
    "bulk_memory",
    "multi_value",
    "multi_memory",
    "memory64",
    "reference_types",
    "function_references",
    "tail_call",
    "gc",
    "exceptions",
)
"""What V8 has beyond the first version of WebAssembly (https://webassembly.org/features/)."""

_KEPT_MODULES: Final = 64
"""Compiled modules that stay on disk; a Go project makes one with each save."""


_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def engine() -> wasmtime.Engine:
    """The engine of this process, with the features that V8 has on Workers."""
    return _engine(epochs().compiled_in)


@functools.cache
def _engine(interruptible: bool) -> wasmtime.Engine:
    # Read by Config: traps then tell file and line, where the module has debug information, as TinyGo's have.
    os.putenv("WASMTIME_BACKTRACE_DETAILS", "1")
    config = wasmtime.Config()
    stack = share_bytes()  # past it WebAssembly traps; JavaScript turns that into a RangeError
    c.wasmtime_config_async_stack_size_set(config.ptr(), 2 * stack)  # must be larger
    config.max_wasm_stack = stack
    for feature in _FEATURES:
        setattr(config, f"wasm_{feature}", True)
    config.epoch_interruption = interruptible
    config.wasm_threads = False  # Workers have no SharedArrayBuffer
    if sys.platform == "darwin":
        # Mach ports do not survive the fork that made this process.
        c.wasmtime_config_macos_use_mach_ports_set(config.ptr(), False)
    return wasmtime.Engine(config)


@functools.cache
def _immortal_engine() -> int:
    """The address of the engine, which the end of the interpreter does not free."""
    return _address(c.wasmtime_engine_clone(engine().ptr()))


def new_store() -> wasmtime.Store:
    """A store whose memories keep to ``memory_limit``, and whose code ``epochs`` interrupts."""
    with memory_limit().unlimited():
        store = wasmtime.Store(engine())
    store.set_limits(memory_size=memory_limit().grow_bytes)
    watch = epochs()
    if watch.compiled_in:
        watch.advance(_address(dll.wasmtime_engine_increment_epoch), _immortal_engine())
        _set_epoch_callback(_address(store.ptr()), watch.callback(_new_error), None, None)
        store.set_epoch_deadline(NEXT_EPOCH)
    return store


def compile_module(data: bytes, cache: str = "") -> wasmtime.Module:
    """Compile ``data``, or load what compiling it gave before. Raises ``WasmtimeError`` if it is not valid.

    ``cache`` is a directory of this user; a file in it that cannot be used is made anew.
    """
    if not cache:
        return wasmtime.Module(engine(), data)
    directory, key = Path(cache), _key(data)
    with contextlib.suppress(OSError):
        for path in directory.glob(f"{key}.*.cwasm"):
            with contextlib.suppress(OSError, wasmtime.WasmtimeError, ValueError):
                if _is_whole(path):
                    return wasmtime.Module.deserialize_file(engine(), str(path))
    module = wasmtime.Module(engine(), data)
    compiled = bytes(module.serialize())
    with contextlib.suppress(OSError):  # a full disk, or a home that cannot be written: compile each time
        keep(directory / f"{key}.{zlib.crc32(compiled):08x}.cwasm", compiled, _KEPT_MODULES)
    return module


def _is_whole(path: Path) -> bool:
    """Whether the file holds what its name says, and no other user can have written it.

    wasmtime runs what it holds, and a wrong byte may crash.
    Raises ``OSError`` or ``ValueError`` when it cannot be read.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & _WRITABLE_BY_OTHERS:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return path.name.endswith(f".{zlib.crc32(content):08x}.cwasm")


def _key(data: bytes) -> str:
    epochs_in = epochs().compiled_in
    build = f"{version('wasmtime')} {sys.platform} {os.uname().machine} {share_bytes()} {epochs_in:d}"
    return hashlib.sha256(build.encode() + b"\0" + data).hexdigest()


# ---- calls ------------------------------------------------------------------------------


def _address(function: Any) -> int:
    found = ctypes.cast(function, ctypes.c_void_p).value
    assert found is not None
    return found


_void = ctypes.c_void_p

call_unchecked: Final = ctypes.CFUNCTYPE(_void, _void, _void, _void, ctypes.c_size_t, _void)(
    _address(dll.wasmtime_func_call_unchecked)
)
"""``(context, func*, raw values*, their number, trap**) -> error*``: 0.8 us instead of 10."""

memory_size: Final = ctypes.CFUNCTYPE(ctypes.c_size_t, _void, _void)(_address(dll.wasmtime_memory_data_size))
"""``(context, memory*) -> bytes``"""

memory_data: Final = ctypes.CFUNCTYPE(_void, _void, _void)(_address(dll.wasmtime_memory_data))
"""``(context, memory*) -> address``"""

new_trap: Final = ctypes.PYFUNCTYPE(_void, ctypes.c_char_p, ctypes.c_size_t)(_address(dll.wasmtime_trap_new))
"""``(message, its length) -> trap*``"""


_new_error: Final = ctypes.PYFUNCTYPE(_void, ctypes.c_char_p)(_address(dll.wasmtime_error_new))
"""``(message) -> error*``"""

_set_epoch_callback: Final = ctypes.PYFUNCTYPE(None, _void, _void, _void, _void)(
    _address(dll.wasmtime_store_epoch_deadline_callback)
)
"""``(store, callback, data, finalizer)``"""


@functools.cache
def call_prepared() -> Any:
    """``call_unchecked`` for arguments of ``from_param`` and ``byref``, the fastest. It keeps the GIL."""
    return ctypes.PYFUNCTYPE(_void)(_address(dll.wasmtime_func_call_unchecked))


@functools.cache
def size_prepared() -> Any:
    """``memory_size`` for arguments of ``from_param`` and ``byref``."""
    return ctypes.PYFUNCTYPE(ctypes.c_size_t)(_address(dll.wasmtime_memory_data_size))


def context_of(store: wasmtime.Store) -> int:
    """The address of a store's context, the first argument of every call."""
    return _address(store._context())
