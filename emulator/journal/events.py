"""What the journal records. The console renders these; later rooms may keep them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from emulator.diagnostics.report import Report


class RequestFinished(msgspec.Struct, frozen=True, gc=False):
    """One request is over: its response is sent and the work of its event is done."""

    worker: str
    method: str
    path: str
    """The pathname, without the query."""
    status: int
    """0 when the client left before there was an answer."""
    status_text: str
    milliseconds: float
    """From the arrival of the request's head to the end of its response."""
    cpu_us: int | None
    """CPU time in microseconds, times ``--cpu-scale``; unknown when the isolate died."""
    memory_bytes: int = 0
    """What the isolate held, above an empty one, when the event was over; 0: not known."""
    subrequests: int = 0
    """Requests that the event sent to the network, redirects included."""
    limit: str = ""
    """The limit that the answer is about, as in the header ``cf-emu-limit``; empty: none."""


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One call of ``print`` or ``console``; ``level`` is debug, log, info, warn or error."""

    worker: str
    level: str
    text: str


class Explained(msgspec.Struct, frozen=True):
    """A mistake, or an uncaught exception, with its explanation."""

    worker: str
    report: Report


class Reloaded(msgspec.Struct, frozen=True, gc=False):
    """A saved version of a Worker has replaced the one before."""

    worker: str
    milliseconds: float


class Notice(msgspec.Struct, frozen=True, gc=False):
    """A line of the emulator's own; ``level`` is debug, info, warn or error."""

    level: str
    text: str


JournalEvent = RequestFinished | LogLine | Explained | Reloaded | Notice

Journal = Callable[[JournalEvent], None]
"""Takes each event as it happens; must not block."""
