"""How much WebAssembly memory an isolate has. Apart from ``runtime.py``, which imports wasmtime."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

MEMORY_BYTES: Final = 128 * 1024 * 1024
"""All memories together, at which the isolate asks to be replaced.

https://developers.cloudflare.com/workers/platform/limits/#memory
"""

NO_LIMIT: Final = -1


class MemoryLimit:
    """How far one memory of this process grows; then ``memory.grow`` gives -1."""

    def __init__(self) -> None:
        self.grow_bytes = 2 * MEMORY_BYTES
        """Or ``NO_LIMIT``."""
        self.unlimited: Callable[[], AbstractContextManager[None]] = nullcontext
        """``with`` it, wasmtime makes stores and instances: it ends the process where it gets no memory."""

    def hold(self, memory_mb: float) -> None:
        """Hold memories made from now on to a plan's memory of an isolate, 0 for none.

        To twice as much: in between, what passed the limit is told apart from a Worker without memory.
        """
        self.grow_bytes = int(2 * memory_mb * 1024 * 1024) or NO_LIMIT


@functools.cache
def memory_limit() -> MemoryLimit:
    """That of this process."""
    return MemoryLimit()
