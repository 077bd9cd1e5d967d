"""Events under way in this isolate, and the one that the current code works for."""

from __future__ import annotations

import asyncio
import weakref
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final
from urllib.parse import urlsplit


class EventContext:
    """One event (a request) while any of its work is left."""

    __slots__ = (
        "answered",
        "bad_subrequest",
        "cpu_ns",
        "grace_over",
        "held",
        "id",
        "method",
        "over",
        "pending",
        "request",
        "served",
        "spawned",
        "streams",
        "task",
        "url",
        "verdict",
    )

    def __init__(self, event: int, method: str, url: str) -> None:
        self.id = event
        self.method = method
        self.url = url
        self.cpu_ns = 0
        """CPU spent so far by code that runs for this event."""
        self.pending = 0
        """Things outside that will wake this event: timers, I/O. None left: it hangs."""
        self.answered = False
        self.bad_subrequest = ""
        """The last subrequest that failed or was answered 5xx, for the report of what follows from it."""
        self.verdict: asyncio.TimerHandle | None = None
        self.grace_over = False
        self.task: asyncio.Task[None] | None = None
        """Runs the handler and pumps the body of its response."""
        self.over = False
        """All is over and told to the front."""
        self.served = False
        """``task`` is over."""
        self.held: set[asyncio.Future[Any]] = set()
        """What ``waitUntil`` was given and has not settled."""
        self.spawned: weakref.WeakSet[asyncio.Task[Any]] | None = None
        """Tasks that its code started."""
        self.streams: set[int] = set()
        """Streams that came for this event and were not read to their end."""
        self.request: Any = None

    @property
    def label(self) -> str:
        """``GET /path``, for messages."""
        return f"{self.method} {urlsplit(self.url).path}"

    def spawn(self, task: asyncio.Task[Any]) -> None:
        """Remember a task that the event's code started."""
        if self.spawned is None:
            self.spawned = weakref.WeakSet()
        self.spawned.add(task)

    def drop(self) -> None:
        """The event is over: what it left running ends, as on the platform."""
        if self.verdict is not None:
            self.verdict.cancel()
        for task in list(self.spawned or ()):
            task.cancel()
        self.request = None


CURRENT: Final[ContextVar[EventContext | None]] = ContextVar("current_event", default=None)
"""Inherited by tasks, callbacks and timers; ``None`` at the top level of a module."""


def context_of(event: EventContext) -> Context:
    """A copy of the current context, for code that works for ``event``."""
    context = copy_context()
    context.run(CURRENT.set, event)
    return context
