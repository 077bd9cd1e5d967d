"""Events under way in this isolate, and the one that the current code works for."""

from __future__ import annotations

import asyncio
import weakref
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final
from urllib.parse import urlsplit

from .meter.profile import Line, Profile


class CpuExceeded(BaseException):
    """Thrown into code of an event that is over its CPU budget. Not for Workers to catch."""


class EventContext:
    """One event (a request) while any of its work is left."""

    __slots__ = (
        "answered",
        "bad_subrequest",
        "blocked",
        "cpu_ns",
        "cut",
        "cut_at",
        "cuts",
        "dead",
        "ending",
        "grace_over",
        "held",
        "id",
        "left",
        "logged",
        "method",
        "over",
        "pending",
        "profile",
        "request",
        "sending",
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
        self.profile: Profile | None = None
        """Where the CPU time went, once a sample was taken."""
        self.cuts = 0
        """Times that the meter interfered with its code."""
        self.cut_at: Line | None = None
        """The line at which it did so first."""
        self.blocked = False
        """Its code waited in the system, for what could not come, and was left."""
        self.cut = False
        """It was over its budget and has been answered for that."""
        self.dead = False
        """None of its code runs any more."""
        self.logged = 0
        """Bytes of its console output so far."""
        self.answered = False
        self.left = False
        """Its client left before all was answered."""
        self.bad_subrequest = ""
        """The last subrequest that failed or was answered 5xx, for the report of what follows from it."""
        self.verdict: asyncio.TimerHandle | None = None
        self.grace_over = False
        self.ending: asyncio.TimerHandle | None = None
        """Ends what ``waitUntil`` was given."""
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
        self.sending = 0
        """The stream that is the body of its response."""
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

    def end(self) -> None:
        """None of its code runs any more, not even to clean up."""
        self.dead = True
        for task in list(self.spawned or ()):
            task._log_destroy_pending = False  # type: ignore[attr-defined]

    def drop(self) -> None:
        """The event is over: what it left running ends, as on the platform."""
        if self.verdict is not None:
            self.verdict.cancel()
        if self.ending is not None:
            self.ending.cancel()
        for task in () if self.dead else list(self.spawned or ()):
            with suppress(RecursionError):  # those in a row that it waits for are told, too
                task.cancel()
        self.request = None


CURRENT: Final[ContextVar[EventContext | None]] = ContextVar("current_event", default=None)
"""Inherited by tasks, callbacks and timers; ``None`` at the top level of a module."""


def context_of(event: EventContext) -> Context:
    """A copy of the current context, for code that works for ``event``."""
    context = copy_context()
    context.run(CURRENT.set, event)
    return context
