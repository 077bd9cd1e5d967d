"""How much memory JavaScript has, and how much it may have."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from . import c_api

_NO_LIMIT: Final = -1
_WORDS: Final = 32
"""Of the runtime's structure that are searched; the counters are among the first."""

_MARK: Final = 0x7FED_CBA9_8765_4321
"""A limit that no other field is equal to."""

_TEXTS: Final = ("InternalError: out of memory", "InternalError: out of memory in regexp execution")
_NO_ROOM_FOR_ERROR: Final = "null"
"""What the engine throws when not even an error fits."""


class Heap:
    """The heap of one runtime, an object of the binding."""

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        self._used = _find_used(runtime)
        self._limited = False
        runtime.set_memory_limit(_NO_LIMIT)

    def used(self) -> int:
        """Bytes that are allocated, garbage included; the engine counts them, so asking costs nothing."""
        if self._used is None:
            return int(self._runtime.compute_memory_usage()["malloc_size"])
        return self._used.value

    def limit(self, total: int) -> None:
        """Let no allocation bring the heap above ``total`` bytes; 0: there is no limit."""
        self._runtime.set_memory_limit(total or _NO_LIMIT)
        self._limited = total > 0

    def tells(self, text: str) -> bool:
        """Whether an error of this text says that memory is out. ``null``, which programs may throw, does

        only while there is a limit.
        """
        return text in _TEXTS or (self._limited and text == _NO_ROOM_FOR_ERROR)


def _find_used(runtime: Any) -> ctypes.c_size_t | None:
    """``malloc_size`` of the runtime (quickjs.c), which is right before ``malloc_limit``. None: not found."""
    start = c_api.pointer(runtime)
    if start is None:
        return None
    runtime.set_memory_limit(_MARK)
    words = (ctypes.c_size_t * _WORDS).from_address(start)
    found = [at for at, word in enumerate(words) if word == _MARK]
    if len(found) != 1 or not found[0]:
        return None
    return ctypes.c_size_t.from_address(start + (found[0] - 1) * ctypes.sizeof(ctypes.c_size_t))
