"""Cycles of JavaScript objects, collected between events.

QuickJS collects them by itself when its heap has grown by half, in the middle of whatever runs then: the
garbage of hundreds of requests at the expense of one. V8 does it bit by bit and mostly in other threads.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from . import c_api

_MB: Final = 1024 * 1024
_GROWTH: Final = 1.5
_LEAST_BYTES: Final = 2 * _MB
"""Growth that is worth a collection."""
_WITHIN_EVENT_BYTES: Final = 32 * _MB
"""Growth after which the engine collects all the same, whatever runs."""

_WORDS: Final = 32
"""Of the runtime's structure that are searched; the counters are among the first."""
_MARK: Final = 0x7FED_CBA9_8765_4321
"""A limit that no other field is equal to."""


class Garbage:
    """That of one runtime, an object of the binding."""

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        self._used = _find_used(runtime)
        self._next = 0

    def start(self) -> None:
        """From now on ``collect`` is called when it is ``due``."""
        if self._used is not None:
            self._plan(self._used.value)

    @property
    def due(self) -> bool:
        """Whether enough has been allocated since the last time."""
        return self._used is not None and 0 < self._next < self._used.value

    def collect(self) -> None:
        """Free what only cycles hold."""
        assert self._used is not None
        self._runtime.run_gc()
        self._plan(self._used.value)

    def _plan(self, used: int) -> None:
        self._next = max(int(used * _GROWTH), used + _LEAST_BYTES)
        self._runtime.set_gc_threshold(self._next + _WITHIN_EVENT_BYTES)


def _find_used(runtime: Any) -> ctypes.c_size_t | None:
    """``malloc_size`` of the runtime (quickjs.c), which is right before ``malloc_limit``. None: not found."""
    start = c_api.pointer(runtime)
    if start is None:
        return None
    runtime.set_memory_limit(_MARK)
    words = (ctypes.c_size_t * _WORDS).from_address(start)
    found = [at for at, word in enumerate(words) if word == _MARK]
    runtime.set_memory_limit(-1)
    if len(found) != 1 or not found[0]:
        return None
    return ctypes.c_size_t.from_address(start + (found[0] - 1) * ctypes.sizeof(ctypes.c_size_t))
