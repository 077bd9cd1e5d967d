"""How much memory this process has, and the kernel's limit for it, as cheap as the system offers them.

Nothing here may be imported at a price: every isolate needs it at its first event.
"""

from __future__ import annotations

import ctypes
import functools
import os
import resource
import sys
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

_PAGE: Final = resource.getpagesize()
_pread: Final = os.pread  # Workers see a wrapper


class Use(NamedTuple):
    """The memory of this process, in bytes."""

    data: int
    """What it may write and shares with nobody: heaps, and the memories of WebAssembly. Counted when it is
    allocated, touched or not. Without the main thread's stack, which never gets smaller again."""
    free: int
    """What of it the allocator of C keeps for later allocations."""
    stack: int
    """The main thread's stack."""


class Source(Protocol):
    """Where the numbers come from."""

    can_limit: bool
    """Whether ``limit`` makes allocations fail."""

    def quick(self) -> int:
        """``data`` and ``stack`` together, in a microsecond or two."""

    def whole(self) -> Use:
        """All of it, in 10 to 50 us; a heap with 50,000 holes takes a millisecond."""

    def peak(self) -> int:
        """The most that was there at once, shared libraries included. 10 us."""

    def limit(self, data_bytes: int) -> None:
        """Let allocations fail that would bring ``data`` above this."""

    @property
    def lift(self) -> Callable[[], object]:
        """Call it to limit nothing any more. On Linux it is of C, and all it needs is there already."""


class _RLimit(ctypes.Structure):
    """``struct rlimit`` (getrlimit(2))."""

    _fields_ = (("soft", ctypes.c_ulong), ("hard", ctypes.c_ulong))


class _MallInfo(ctypes.Structure):
    """``struct mallinfo2`` (mallinfo(3))."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks"),
            *("fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


class LinuxSource:
    """/proc, RLIMIT_DATA (since Linux 4.7: all private writable memory), and glibc's ``mallinfo2``.

    Must be made in the process that it measures.
    https://man7.org/linux/man-pages/man2/getrlimit.2.html
    """

    can_limit = True

    def __init__(self) -> None:
        flags = os.O_RDONLY | os.O_CLOEXEC
        self._statm = os.open("/proc/self/statm", flags)
        self._status = os.open("/proc/self/status", flags)
        libc = ctypes.PyDLL(None)
        soft, hard = (number & 2**64 - 1 for number in resource.getrlimit(resource.RLIMIT_DATA))
        self._before, self._wanted = _RLimit(soft, hard), _RLimit(soft, hard)
        self.lift, self._hold = _setter(libc, self._before), _setter(libc, self._wanted)
        self._free = _free_in_heap(libc)

    def quick(self) -> int:
        return int(_pread(self._statm, 128, 0).split()[5]) * _PAGE

    def whole(self) -> Use:
        text = _pread(self._status, 4096, 0)
        return Use(_field(text, b"VmData"), self._free(), _field(text, b"VmStk"))

    def peak(self) -> int:
        return _field(_pread(self._status, 4096, 0), b"VmHWM")  # of this program; getrusage's outlives exec

    def limit(self, data_bytes: int) -> None:
        self._wanted.soft = min(data_bytes, self._before.soft)
        self._hold()


def _setter(libc: ctypes.CDLL, limit: _RLimit) -> Callable[[], None]:
    """``setrlimit(RLIMIT_DATA, &limit)``, made before: there may be no memory for that when it is needed.

    Not for a ``c_int`` either: unlike an int, it would be wrapped with each call. Not by ``resource``, whose
    calls an audit hook would hear of.
    """
    call = ctypes.PYFUNCTYPE(None)(("setrlimit", libc))
    return functools.partial(call, resource.RLIMIT_DATA, ctypes.byref(limit))


def _free_in_heap(libc: ctypes.CDLL) -> Callable[[], int]:
    try:
        info = libc.mallinfo2  # glibc 2.33; musl has nothing like it
    except AttributeError:
        return lambda: 0
    info.restype = _MallInfo
    return lambda: int(info().fordblks)


def _field(status: bytes, name: bytes) -> int:
    """Bytes of a ``VmData:      1234 kB`` of /proc/self/status."""
    at = status.index(name + b":") + len(name) + 1
    return int(status[at : status.index(b"kB", at)]) * 1024


class PeakSource:
    """Of systems that offer no more: the most memory that the process has had at once. Nothing is limited."""

    can_limit = False

    def quick(self) -> int:
        return _peak()

    def whole(self) -> Use:
        return Use(self.quick(), 0, 0)

    def peak(self) -> int:
        return _peak()

    def limit(self, data_bytes: int) -> None:
        pass

    def lift(self) -> None:
        pass


class MacSource(PeakSource):
    """The footprint that macOS itself holds apps to (``phys_footprint`` of ``task_info``).

    Memory counts when it is touched. No limit of macOS makes allocations fail.
    """

    _TASK_VM_INFO: Final = 22
    _FOOTPRINT_AT: Final = 144
    """Offset of ``phys_footprint`` in ``struct task_vm_info`` (mach/task_info.h)."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        self._task_info = libc.task_info
        self._task = ctypes.c_uint.in_dll(libc, "mach_task_self_")
        self._info = (ctypes.c_uint32 * 128)()
        self._footprint = ctypes.c_uint64.from_buffer(self._info, self._FOOTPRINT_AT)

    def quick(self) -> int:
        count = ctypes.c_uint32(len(self._info))
        failed = self._task_info(self._task, self._TASK_VM_INFO, self._info, ctypes.byref(count))
        return 0 if failed else int(self._footprint.value)


def source() -> Source:
    """The best that this system has."""
    try:
        if sys.platform == "linux":
            return LinuxSource()
        if sys.platform == "darwin":
            return MacSource()
    except (OSError, AttributeError, ValueError):  # no /proc, as in some containers
        pass
    return PeakSource()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
