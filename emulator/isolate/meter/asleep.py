"""Finds code that waits in the system (a lock, a pipe, ``select``), where nothing else of its isolate runs.

It uses no CPU time, so the meter's own timers never come. While events are under way this one comes once a
second, of real time; an idle isolate does not wake. Python's blocking calls let it in (PEP 475).
"""

from __future__ import annotations

import faulthandler
from collections.abc import Callable

# By name: Workers find neither timers nor signals in the module.
from signal import ITIMER_REAL, SIG_DFL, SIGALRM, raise_signal, setitimer, signal
from time import process_time_ns
from types import FrameType
from typing import Final

from emulator.wire.recorder import BLOCKED_SECONDS

from ..loop import RealmLoop

LOOK_SECONDS: Final = 1.0

_AWAKE_NS: Final = 1_000_000
"""CPU time between two looks of a process that does something, be it in another thread."""


class SleepWatch:
    """One isolate's. ``found`` is told the frame that sleeps, in the middle of its call."""

    def __init__(self, loop: RealmLoop, recorder: int) -> None:
        self._loop = loop
        self._recorder = recorder
        self._callback = 0
        self._used_ns = 0
        self._looks = 0
        self.busy: Callable[[], bool] = lambda: True
        """Whether events are under way."""
        self._found: Callable[[FrameType | None], None] = lambda frame: None

    def start(self, found: Callable[[FrameType | None], None]) -> None:
        """Begin to look."""
        self._found = found
        signal(SIGALRM, self._look)
        self._wake()

    def _wake(self) -> None:
        self._loop.on_busy = None
        setitimer(ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)

    def _look(self, _: int, frame: FrameType | None) -> None:
        loop = self._loop
        before, self._used_ns = self._used_ns, process_time_ns()
        if not loop.on_worker:
            self._callback = 0
            if not self.busy():
                setitimer(ITIMER_REAL, 0)
                loop.on_busy = self._wake
        elif loop.started != self._callback or self._used_ns - before > _AWAKE_NS:
            self._callback, self._looks = loop.started, 0
        else:
            self._looks += 1
            if self._looks * LOOK_SECONDS >= BLOCKED_SECONDS:
                self._found(frame)

    def end_process(self) -> None:
        """Where the code that sleeps cannot be left; its stack goes to the flight recorder."""
        if self._recorder >= 0:
            faulthandler.dump_traceback(self._recorder, all_threads=False)
        signal(SIGALRM, SIG_DFL)
        raise_signal(SIGALRM)
