"""Traps and errors of wasmtime as the errors that V8 throws."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Any, Final

import wasmtime
from wasmtime import _bindings as c

_RUNTIME: Final = "RuntimeError"
NO_ROOM: Final = "Out of memory"
OUT_OF_BOUNDS: Final = "memory access out of bounds"

_BY_CODE: Final = {
    0: ("RangeError", "Maximum call stack size exceeded"),
    1: (_RUNTIME, OUT_OF_BOUNDS),
    2: (_RUNTIME, "operation does not support unaligned accesses"),
    3: (_RUNTIME, "table index is out of bounds"),
    4: (_RUNTIME, "null function"),
    5: (_RUNTIME, "function signature mismatch"),
    6: (_RUNTIME, "divide result unrepresentable"),
    7: (_RUNTIME, "divide by zero"),
    8: (_RUNTIME, "float unrepresentable in integer range"),
    9: (_RUNTIME, "unreachable"),
    13: (_RUNTIME, "dereferencing a null pointer"),
    14: (_RUNTIME, "array element access out of bounds"),
    15: (_RUNTIME, "requested new array is too large"),
    16: (_RUNTIME, "illegal cast"),
}
"""V8's messages (messages.h of V8, as workerd prints them) by ``wasmtime_trap_code_t``."""

_REMAINDERS: Final = frozenset((0x6F, 0x70, 0x81, 0x82))
"""i32.rem_s, i32.rem_u, i64.rem_s, i64.rem_u: V8 says "remainder by zero"."""

_DIVIDE_BY_ZERO: Final = 7
_FLOAT_TO_INT: Final = (6, 8)
_DIVISIONS: Final = frozenset((0x6D, 0x7F))
_NO_OFFSET: Final = ctypes.c_size_t(-1).value
"""Of the frame in which a stack overflows, before its function has done anything."""

_MAX_FRAMES: Final = 10
"""V8's ``Error.stackTraceLimit``."""


@dataclass(slots=True)
class Frame:
    """One wasm function on the stack: its index and name, the offset of the instruction in the file."""

    index: int
    name: str
    module: str
    offset: int


@dataclass(slots=True)
class Failure:
    """What stopped a call: the error's class and message, and the wasm frames, innermost first.

    Without a class: an import ended the call, and JavaScript knows why.
    """

    js_class: str
    message: str = ""
    frames: list[Frame] = field(default_factory=list)


FROM_IMPORT: Final = "JavaScript threw"
"""Message of the traps by which imports end a call."""


def _text(vector: Any) -> str:
    return ctypes.string_at(vector.data, vector.size).rstrip(b"\0").decode("utf-8", "replace")


def _name(pointer: Any) -> str:
    return _text(pointer.contents) if pointer else ""


def _frames(trace: Any, pointer: Any) -> list[Frame]:
    vector = c.wasm_frame_vec_t(0, None)
    trace(pointer, ctypes.byref(vector))
    try:
        return [
            Frame(
                c.wasm_frame_func_index(frame),
                _name(c.wasmtime_frame_func_name(frame)),
                _name(c.wasmtime_frame_module_name(frame)),
                c.wasm_frame_module_offset(frame),
            )
            for frame in vector.data[: min(vector.size, _MAX_FRAMES)]
            if c.wasm_frame_module_offset(frame) != _NO_OFFSET
        ]
    finally:
        c.wasm_frame_vec_delete(ctypes.byref(vector))


def take_trap(address: int, opcode: Any) -> Failure:
    """Read and free a ``wasm_trap_t``. ``opcode(frame)`` is the byte at a frame's offset, or -1."""
    pointer = ctypes.cast(address, ctypes.POINTER(c.wasm_trap_t))
    try:
        code = c.wasmtime_trap_code_t()
        if not c.wasmtime_trap_code(pointer, ctypes.byref(code)):
            return _other(c.wasm_trap_message, c.wasm_trap_trace, pointer)
        frames = _frames(c.wasm_trap_trace, pointer)
        return Failure(*_error(code.value, opcode(frames[0]) if frames else -1), frames)
    finally:
        c.wasm_trap_delete(pointer)


def _other(message: Any, trace: Any, pointer: Any) -> Failure:
    text = _message(message, pointer)
    if FROM_IMPORT in text:
        return Failure("")
    if "mmap failed" in text:
        return Failure("RangeError", f"{NO_ROOM}: Cannot allocate Wasm memory for new instance")
    return Failure(_RUNTIME, text, _frames(trace, pointer))


def _error(code: int, opcode: int) -> tuple[str, str]:
    if code == _DIVIDE_BY_ZERO and opcode in _REMAINDERS:
        return _RUNTIME, "remainder by zero"
    if code in _FLOAT_TO_INT and opcode not in _DIVISIONS:
        return _RUNTIME, "float unrepresentable in integer range"
    return _BY_CODE.get(code, (_RUNTIME, "unreachable"))


def _message(read: Any, pointer: Any) -> str:
    vector = c.wasm_byte_vec_t()
    read(pointer, ctypes.byref(vector))
    try:
        return _text(vector)
    finally:
        c.wasm_byte_vec_delete(ctypes.byref(vector))


def take_error(address: int) -> Failure:
    """Read and free a ``wasmtime_error_t``."""
    pointer = ctypes.cast(address, ctypes.POINTER(c.wasmtime_error_t))
    try:
        return _other(c.wasmtime_error_message, c.wasmtime_error_wasm_trace, pointer)
    finally:
        c.wasmtime_error_delete(pointer)


def is_valid(data: bytes, engine: wasmtime.Engine) -> bool:
    """Whether ``data`` is a module that compiles."""
    try:
        wasmtime.Module.validate(engine, data)
    except wasmtime.WasmtimeError:
        return False
    return True
