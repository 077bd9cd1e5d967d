"""The timers behind the meter. Both count CPU time of this process, so an idle isolate never wakes.

A tick (``SIGPROF``) comes every millisecond or as often as the kernel looks (4 ms with 250 Hz), and is
handled between two bytecodes. Where no bytecode is reached, ``SIGVTALRM`` comes: ``faulthandler`` writes
the stack to the flight recorder and the signal's default action ends the process.
"""

from __future__ import annotations

import faulthandler
from collections.abc import Callable

# By name: Workers find neither timers nor signals in the module.
from signal import ITIMER_PROF, ITIMER_VIRTUAL, SIG_DFL, SIGPROF, SIGVTALRM, raise_signal, setitimer, signal
from types import FrameType
from typing import Final

TICK_SECONDS: Final = 0.001

UNINTERRUPTIBLE_SECONDS: Final = 0.25
"""CPU time above the budget after which code that does not come back is ended by the kernel."""


class Timer:
    """``tick`` is called with the frame that it interrupts."""

    def __init__(self, recorder: int) -> None:
        self._recorder = recorder
        self.limit_seconds = 0.0
        """The budget that ``limit`` was given."""
        self._limit = 0.0
        self._handling = False

    def start(self, tick: Callable[[FrameType | None], None]) -> None:
        """Begin to tick."""

        def on_signal(_: int, frame: FrameType | None) -> None:
            if self._handling:
                return  # the Worker replaced what `tick` calls (`builtins.len`) by a loop
            self._handling = True
            try:
                tick(frame)
            finally:
                self.handled()

        signal(SIGPROF, on_signal)
        signal(SIGVTALRM, SIG_DFL)
        if self._recorder >= 0:
            faulthandler.register(SIGVTALRM, self._recorder, all_threads=False, chain=True)
        setitimer(ITIMER_PROF, TICK_SECONDS, TICK_SECONDS)

    def limit(self, budget_seconds: float) -> None:
        """End the process when no tick is handled for so long, and a bit; 0: never."""
        self.limit_seconds = budget_seconds
        self._limit = budget_seconds + UNINTERRUPTIBLE_SECONDS if budget_seconds else 0.0
        self.push()

    def handled(self) -> None:
        """The tick is over. For a tick that does not come back from where it switches to another greenlet."""
        self._handling = False
        self.push()

    def push(self) -> None:
        """Code that can be interrupted runs: begin anew."""
        setitimer(ITIMER_VIRTUAL, self._limit)

    def end_process(self) -> None:
        """At once, as the kernel would."""
        raise_signal(SIGVTALRM)
