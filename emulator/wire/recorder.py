"""The flight recorder: what an isolate was doing when its process died.

A file without a name that the front makes for each isolate and both hold. Its first page is shared
memory: the event whose code runs, and the last one that was begun. Behind it is the Python stack that
``faulthandler`` writes when the kernel ends code that cannot be interrupted.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import re
import tempfile
from typing import Final, NamedTuple

BLOCKED_SECONDS: Final = 5
"""Real time after which code that waits where nothing can wake it is given up."""

_PAGE: Final = mmap.PAGESIZE
_MOST_TEXT: Final = 64 * 1024
_FRAME: Final = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$', re.MULTILINE)


class StackEntry(NamedTuple):
    """One Python frame."""

    file: str
    line: int
    function: str


class Cells(ctypes.Structure):
    """The shared page."""

    _fields_ = [
        (name, ctypes.c_uint64) for name in ("running", "begun", "memory", "fresh_bytes", "limit_bytes")
    ]


class Last(NamedTuple):
    """The shared page as a dead isolate left it."""

    running: int
    """Id of the event whose code ran, 0 for none."""
    begun: int
    """The greatest id that was begun."""
    out_of_memory: bool
    """An allocation had failed for want of memory."""
    fresh_bytes: int
    """Memory that it had before its Worker came."""
    limit_bytes: int
    """How much more makes allocations fail; 0: nothing does."""


class FlightRecorder:
    """The isolate's side: assigns to ``cells``."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._map = mmap.mmap(fd, _PAGE)
        self.cells = Cells.from_buffer(self._map)
        """``running``: id of the event whose code runs, 0 for none. ``begun``: the greatest that was begun.
        ``memory``: 1 once an allocation has failed for want of memory. ``fresh_bytes``, ``limit_bytes``: as
        in ``Last``."""
        os.lseek(fd, _PAGE, os.SEEK_SET)


class Recording:
    """The front's side."""

    def __init__(self) -> None:
        # Its number is for the fork server; nobody reads it through Python's buffers.
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        os.ftruncate(self.fd, _PAGE)

    @property
    def fd(self) -> int:
        return self._file.fileno()

    def read(self) -> Last:
        """What the isolate did last."""
        cells = Cells.from_buffer_copy(os.pread(self.fd, ctypes.sizeof(Cells), 0))
        return Last(cells.running, cells.begun, bool(cells.memory), cells.fresh_bytes, cells.limit_bytes)

    def stack(self) -> list[StackEntry]:
        """The Python stack that the dead isolate left, innermost first; empty if it left none."""
        text = os.pread(self.fd, _MOST_TEXT, _PAGE).decode("utf-8", "backslashreplace")
        return [
            StackEntry(found["file"], int(found["line"]), found["function"])
            for found in _FRAME.finditer(text)
        ]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
