"""The JavaScript engine behind the realm. The only module that imports ``quickjs``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import quickjs

from . import c_api
from .garbage import Garbage
from .interrupts import Interrupts
from .stack import TOUCH, share_bytes, touching_calls

Value = quickjs.Value
Undefined: Final = quickjs.Undefined
JSError = quickjs.JSError


class Engine:
    """One QuickJS runtime with one context. Bound to the thread that made it; fork-safe."""

    def __init__(self) -> None:
        self.runtime = quickjs.Runtime()
        self.runtime.set_max_stack_size(share_bytes())
        self.context = self.runtime.new_context()
        self.global_: Value = self.context.get_global()
        self.api = c_api.library(quickjs._quickjs.__file__)
        self.address = c_api.pointer(self.context)
        """Of the ``JSContext``, for calls of ``api``."""
        self.interrupts = Interrupts(self.api, self.context)
        self.garbage = Garbage(self.runtime)
        self.module_loader: object = None
        """What the engine calls for modules; it lives as long as the engine."""

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
        shared: Value = self._owned(self.api.JS_NewArrayBuffer(self.address, address, length, None, None, 0))
        return shared

    def _owned(self, value: c_api.JSValue) -> Any:
        """What the binding gives for ``value``, whose reference is taken over."""
        holder = self.context.new_object()
        self.api.JS_SetPropertyStr(self.address, c_api.raw(holder), b"value", value)
        return holder.get("value")

    def detach(self, buffer: Value) -> None:
        """Take the memory away from an ArrayBuffer: its length becomes 0, its views become empty."""
        self.api.JS_DetachArrayBuffer(self.address, c_api.raw(buffer))

    def track_rejections(self, changed: Callable[[int, Value, Any, bool], None]) -> None:
        """Call ``changed(number, promise, reason, handled)`` when nobody handles a promise's rejection,

        and again, ``handled``, when somebody does. The number tells promises apart as long as they live.
        """

        def track(_: int, promise: c_api.JSValue, reason: c_api.JSValue, handled: int, __: int) -> None:
            held = c_api.held
            changed(promise.u, self._owned(held(promise)), self._owned(held(reason)), bool(handled))

        self._tracker = c_api.REJECTION_TRACKER(track)  # the engine does not keep it alive
        self.api.JS_SetHostPromiseRejectionTracker(c_api.pointer(self.runtime), self._tracker, None)

    def touch_stack(self) -> None:
        """Have the system give this process its stack now, in about 5 ms, not while a recursion is measured.

        A recursion without end would spend that and the time for its RangeError, more than a request of
        the free plan has.
        """
        self.context.eval(TOUCH, "cfw-emu:stack")(touching_calls())

    # ---- interrupts ---------------------------------------------------------

    def set_interrupt(self, callback: Callable[[], bool] | None) -> None:
        """Have ``callback`` decide, every few milliseconds of JavaScript, whether it is stopped.

        True stops JavaScript with an error that it cannot catch: no ``catch``, no ``finally``, no handler
        of a rejection runs, and promises that the stopped code would have settled stay pending. The
        callback is then asked at each further call and branch, and must say True until Python has control
        again. A caller in Python gets ``JSError`` or, if an async function was stopped, its pending promise:
        ``interrupted`` tells. To be called in the process whose JavaScript it is, after any fork.
        """
        if callback is None:
            self.interrupts.stop_ticks()
        else:
            self.interrupts.start_ticks()
        self.runtime.set_interrupt_handler(callback and self.interrupts.handler(callback))

    def interrupt(self) -> None:
        """Ask the callback of ``set_interrupt`` at JavaScript's very next call or branch."""
        self.interrupts.poll_next()

    @property
    def interrupted(self) -> bool:
        """Whether JavaScript was stopped since this was last set to False."""
        return self.interrupts.stopped

    @interrupted.setter
    def interrupted(self, value: bool) -> None:
        self.interrupts.stopped = value

    # ---- promise jobs -------------------------------------------------------

    @property
    def has_jobs(self) -> bool:
        """Whether promise jobs wait to be run."""
        return bool(self.context.has_pending_job)

    def run_jobs(self) -> None:
        """Run all pending promise jobs (microtasks), those they add included."""
        run = self.context.execute_pending_job
        while run():
            pass
