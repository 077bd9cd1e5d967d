"""A C function that is called every few milliseconds of CPU time, also while no Python can run.

While JavaScript or WebAssembly runs, a signal only sets a flag that Python looks at when it comes back. So a
POSIX timer calls a function of C with one pointer, in a short-lived thread that knows nothing of Python:
https://man7.org/linux/man-pages/man2/timer_create.2.html
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import time
from typing import Any, Final

INTERVAL_MS: Final = 4
"""CPU time of the thread between two ticks; the kernel looks as seldom as every 4 ms."""

_SIGEV_THREAD: Final = 2
_STACK_BYTES: Final = 256 * 1024
_ATTRIBUTES_BYTES: Final = 128
"""More than a ``pthread_attr_t`` of any C library."""


class _Event(ctypes.Structure):
    """``struct sigevent`` for ``SIGEV_THREAD`` of 64-bit Linux, which is 64 bytes long."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("rest", ctypes.c_char * 32),
    )


class _Interval(ctypes.Structure):
    """``struct itimerspec``: seconds and nanoseconds, of the interval and of the first time."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns"))


@functools.cache
def _library() -> Any:
    """What has ``timer_create``; None where the system has none."""
    if sys.platform != "linux":
        return None
    for name in (None, "librt.so.1"):  # apart from the C library before glibc 2.34
        try:
            found = ctypes.CDLL(name)
        except OSError:
            continue
        if hasattr(found, "timer_create"):
            return found
    return None


class Ticks:
    """Calls ``function`` (an address) with ``argument`` (another) as the CPU time of one thread goes on.

    A thread that sleeps costs nothing. No child of ``fork`` inherits it: start it again there. What
    ``argument`` points at must never be freed: a last call may come after ``stop``.
    """

    def __init__(self, function: int, argument: int) -> None:
        self._event = _Event(argument, 0, _SIGEV_THREAD, function)
        self._attributes = ctypes.create_string_buffer(_ATTRIBUTES_BYTES)
        self._timer = ctypes.c_void_p()
        self._process = 0

    def start(self) -> bool:
        """Begin to tick for the CPU time of this thread; False where the system cannot."""
        if self._process == os.getpid():
            return True
        library = _library()
        if library is None:
            return False
        # As large as the limit of stacks otherwise, which counts as memory of this process.
        library.pthread_attr_init(self._attributes)
        library.pthread_attr_setstacksize(self._attributes, ctypes.c_size_t(_STACK_BYTES))
        self._event.attributes = ctypes.addressof(self._attributes)
        clock = time.CLOCK_THREAD_CPUTIME_ID
        if library.timer_create(clock, ctypes.byref(self._event), ctypes.byref(self._timer)):
            return False
        every = _Interval(0, INTERVAL_MS * 1_000_000, 0, INTERVAL_MS * 1_000_000)
        library.timer_settime(self._timer, 0, ctypes.byref(every), None)
        self._process = os.getpid()
        return True

    def stop(self) -> None:
        """Tick no more."""
        if self._process == os.getpid():
            _library().timer_delete(self._timer)
        self._process = 0


def clearing(address: int) -> Ticks:
    """Ticks that set the ``int`` at ``address`` to zero."""
    library = _library()
    # Writes an empty pthread_mutexattr_t, which is one int in glibc and musl.
    function = ctypes.cast(library.pthread_mutexattr_init, ctypes.c_void_p).value if library else 0
    return Ticks(function or 0, address)
