"""The JavaScript engine behind the realm. The only module that imports ``quickjs``."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any, Final

import quickjs

Value = quickjs.Value
Undefined: Final = quickjs.Undefined
JSError = quickjs.JSError

STACK_BYTES = 1024 * 1024
"""C stack that JavaScript may use before it throws RangeError."""


class Engine:
    """One QuickJS runtime with one context. Bound to the thread that made it; fork-safe."""

    def __init__(self) -> None:
        self.runtime = quickjs.Runtime()
        self.runtime.set_max_stack_size(STACK_BYTES)
        self.context = self.runtime.new_context()
        self.global_: Value = self.context.get_global()

    def eval(self, source: str, filename: str) -> Any:
        """Run a classic script and give its completion value."""
        return self.context.eval(source, filename)

    def function(self, host: Callable[..., Any], name: str) -> Value:
        """A JS function that calls ``host`` with converted arguments.

        ``host`` must not raise: an exception would arrive in JS as text only. Primitive
        arguments arrive as Python values (null as ``None``, undefined as ``Undefined``),
        all other values as ``Value``.
        """
        return self.context.new_function(host, name)

    def host_object(self, value: Any) -> Value:
        """An opaque JS object that stands for ``value`` and comes back as ``value``."""
        return self.context.new_host_object(value)

    def array_buffer(self, data: bytes | bytearray | memoryview) -> Value:
        """A JS ArrayBuffer with a copy of ``data``."""
        return self.context.new_array_buffer(data)  # type: ignore[arg-type]

    def shared_buffer(self, address: int, length: int) -> Value:
        """A JS ArrayBuffer over ``length`` bytes of memory at ``address``, which JavaScript reads and writes.

        The memory must stay where it is until the buffer is detached.
        """
        holder = self.context.new_object()
        api = _api()
        buffer = api.JS_NewArrayBuffer(_pointer(self.context), address, length, None, None, 0)
        api.JS_SetPropertyStr(_pointer(self.context), _raw(holder), b"buffer", buffer)
        shared: Value = holder.get("buffer")
        return shared

    def detach(self, buffer: Value) -> None:
        """Take the memory away from an ArrayBuffer: its length becomes 0, its views become empty."""
        _api().JS_DetachArrayBuffer(_pointer(self.context), _raw(buffer))

    def track_rejections(self, changed: Callable[[int, Any, bool], None]) -> None:
        """Call ``changed(promise, reason, handled)`` when a promise is rejected and nobody handles it,

        and again, ``handled``, when somebody does. ``promise`` is a number for telling them apart.
        """
        holder = self.context.new_object()

        @_TRACKER
        def track(_: int, promise: _JSValue, reason: _JSValue, handled: int, __: int) -> None:
            _retain(reason)
            _api().JS_SetPropertyStr(_pointer(self.context), _raw(holder), b"reason", reason)
            changed(promise.u, holder.get("reason"), bool(handled))
            holder.set("reason", Undefined)

        self._tracker = track  # the engine does not keep it alive
        _api().JS_SetHostPromiseRejectionTracker(_pointer(self.runtime), track, None)

    @property
    def has_jobs(self) -> bool:
        """Whether promise jobs wait to be run."""
        return bool(self.context.has_pending_job)

    def run_jobs(self) -> None:
        """Run all pending promise jobs (microtasks), those they add included."""
        run = self.context.execute_pending_job
        while run():
            pass


# ---- QuickJS's own C API, for what its Python binding leaves out ----------------------
#
# The binding's library exports the API; its objects hold, right behind the head of every
# Python object, a pointer to the JSContext (Context) and the JSValue itself (Value).


class _JSValue(ctypes.Structure):
    """``JSValue`` of 64-bit builds (quickjs.h): a union of 8 bytes and a tag."""

    _fields_ = (("u", ctypes.c_uint64), ("tag", ctypes.c_int64))


_TRACKER: Final = ctypes.PYFUNCTYPE(None, ctypes.c_void_p, _JSValue, _JSValue, ctypes.c_int, ctypes.c_void_p)
"""``JSHostPromiseRejectionTracker``"""

_HEAD: Final = object.__basicsize__


@functools.cache
def _api() -> ctypes.PyDLL:
    library = ctypes.PyDLL(quickjs._quickjs.__file__)  # PyDLL: it may call back into Python
    library.JS_NewArrayBuffer.restype = _JSValue
    library.JS_NewArrayBuffer.argtypes = [
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int,
    ]
    library.JS_SetPropertyStr.argtypes = [ctypes.c_void_p, _JSValue, ctypes.c_char_p, _JSValue]
    library.JS_DetachArrayBuffer.restype = None
    library.JS_DetachArrayBuffer.argtypes = [ctypes.c_void_p, _JSValue]
    library.JS_SetHostPromiseRejectionTracker.restype = None
    library.JS_SetHostPromiseRejectionTracker.argtypes = [ctypes.c_void_p, _TRACKER, ctypes.c_void_p]
    return library


def _pointer(holder: quickjs.Context | quickjs.Runtime) -> int | None:
    """The ``JSContext*`` or ``JSRuntime*`` of the binding's object."""
    return ctypes.c_void_p.from_address(id(holder) + _HEAD).value


def _raw(value: Value) -> _JSValue:
    return _JSValue.from_address(id(value) + _HEAD)


def _retain(value: _JSValue) -> None:
    """``JS_DupValue``, an inline function of quickjs.h: values with a negative tag count references."""
    if value.tag < 0:
        ctypes.c_int.from_address(value.u).value += 1
