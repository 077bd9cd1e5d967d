"""Which events are over a limit, and that none of their code goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from emulator.diagnostics.report import Report

from .events import EventContext
from .loop import RealmLoop
from .memory import UNKNOWN
from .memory_guard import MemoryGuard
from .meter.meter import Meter


class Cuts:
    """One isolate's. ``end`` answers an event with a report and ends all that works for it.

    ``tell`` only tells the report, for an event that is over.
    """

    def __init__(
        self,
        loop: RealmLoop,
        memory: MemoryGuard,
        meter: Meter,
        end: Callable[[EventContext, Report], None],
        tell: Callable[[EventContext, Report], None],
    ) -> None:
        self._loop = loop
        self._memory = memory
        self._meter = meter
        self._end = end
        self._tell = tell
        self._buried: list[asyncio.Task[Any]] = []

    def is_cut(self, event: EventContext, error: Any = UNKNOWN) -> bool:
        """Whether ``event`` is over its CPU budget, or out of memory by ``error``; it is answered then.

        To be asked before anything else is done with an error: afterwards there is memory for it.
        """
        asked = error is not UNKNOWN or self._memory.watch.struck
        if asked and not event.cut and self._memory.ran_out(event, error):
            return True
        if not event.cut and self._loop.settle(event) > self._loop.allowance_ns:
            self._cut(event, over=True)
        return event.cut

    def on_exceeded(self, event: EventContext) -> None:
        """After a callback of an event that is over its budget."""
        left = event.dead  # its code is still somewhere in the middle
        if event.over:
            if not event.cut:
                event.cut = True
                self._tell(event, self._meter.report(event, over=False))
            self.bury(event)
        elif not event.cut:
            if not (self._memory.watch.struck and self._memory.ran_out(event)):
                self._cut(event, over=event.served)
        elif event.cpu_ns > 2 * self._loop.allowance_ns:
            self.bury(event)  # it goes on in what should only clean up
        if left:
            self._memory.replace(0)

    def bury(self, event: EventContext) -> None:
        """None of the event's code runs any more, not even a ``finally`` when its tasks are collected."""
        event.end()
        self._buried += event.spawned or ()
        if event.task is not None:
            self._buried.append(event.task)

    def _cut(self, event: EventContext, over: bool) -> None:
        """End ``event``, with everything that works for it. ``over``: its handler has come to its end."""
        self._end(event, self._meter.report(event, over))
