"""The JavaScript engine behind the realm. The only module that imports ``quickjs``."""

from __future__ import annotations

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

    @property
    def has_jobs(self) -> bool:
        """Whether promise jobs wait to be run."""
        return bool(self.context.has_pending_job)

    def run_jobs(self) -> None:
        """Run all pending promise jobs (microtasks), those they add included."""
        run = self.context.execute_pending_job
        while run():
            pass
