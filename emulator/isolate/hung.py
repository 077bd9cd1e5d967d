"""Find events that can never finish: their handler waits, and nothing outside will wake it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from .events import EventContext

GRACE: Final = 5.0
"""Seconds that an event which nothing can wake is given while other events are under way."""


class HungWatch:
    """Looks whenever the loop is about to sleep; ``found`` is told each hung event once.

    ``stuck`` tells of an event that has an answer, but waits for nothing outside, whether its stream is
    not to go on either.
    Source: https://developers.cloudflare.com/workers/observability/errors/ ("hung")
    """

    def __init__(
        self,
        loop: asyncio.SelectorEventLoop,
        events: Mapping[int, EventContext],
        found: Callable[[EventContext], None],
        stuck: Callable[[EventContext], bool] = lambda event: False,
    ) -> None:
        self._loop = loop
        self._events = events
        self._found = found
        self._stuck = stuck

    def look(self) -> None:
        """Judge every event that is not over and waits for nothing."""
        for event in list(self._events.values()):
            if event.pending or event.served or (event.answered and not self._stuck(event)):
                continue
            if event.grace_over or not self._others_wait(event):
                self._found(event)
            elif event.verdict is None:
                # Another event may still settle what this one waits for: a lock, a queue.
                event.verdict = asyncio.SelectorEventLoop.call_at(  # a timer that is nobody's pending work
                    self._loop, self._loop.time() + GRACE, self._end_grace, event
                )

    def _others_wait(self, event: EventContext) -> bool:
        return any(other.pending for other in self._events.values() if other is not event)

    def _end_grace(self, event: EventContext) -> None:
        event.verdict = None
        event.grace_over = not event.pending
