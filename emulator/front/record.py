"""One request for the journal: told when its response and its event's work are both over."""

from __future__ import annotations

import time

from emulator.diagnostics.report import Report
from emulator.fleet.exchange import Exchange
from emulator.fleet.isolate import Isolate
from emulator.journal.events import Explained, Journal, RequestFinished


class Record:
    """Collects what ``RequestFinished`` needs; reports once, at the second of the two ends."""

    __slots__ = (
        "_cpu_us",
        "_exchange",
        "_isolate",
        "_journal",
        "_milliseconds",
        "_started",
        "_work_over",
        "ended",
        "limit",
        "method",
        "path",
        "status",
        "status_text",
        "worker",
    )

    def __init__(self, journal: Journal, worker: str, method: str, path: str) -> None:
        self.worker = worker
        self.method = method
        self.path = path
        self.status = 0
        self.status_text = ""
        self.limit = ""
        """The limit that the answer is about; empty: none."""
        self.ended = False
        """Whether the response is over."""
        self._journal = journal
        self._isolate: Isolate | None = None
        self._exchange: Exchange | None = None
        self._milliseconds = 0.0
        self._cpu_us: int | None = None
        self._work_over = False
        self._started = time.perf_counter()

    def explain(self, report: Report) -> None:
        """Tell a mistake on the terminal."""
        self._journal(Explained(self.worker, report))

    def sent(self, isolate: Isolate, exchange: Exchange) -> None:
        """The event is under way in ``isolate``."""
        self._isolate = isolate
        self._exchange = exchange

    def respond_over(self, status: int, status_text: str = "") -> None:
        """The response is sent, or the client left (status 0)."""
        if self.ended:
            return
        self.ended = True
        self.status = status
        self.status_text = status_text
        self._milliseconds = (time.perf_counter() - self._started) * 1000
        if self._work_over:
            self._report()

    def work_over(self, cpu_us: int | None) -> None:
        """The event's work is over, or (``None``) its isolate died."""
        self._cpu_us = cpu_us
        self._work_over = True
        if self.ended:
            self._report()

    def replay(self) -> None:
        """The event starts again in another isolate."""
        self._work_over = False

    def _report(self) -> None:
        isolate, exchange = self._isolate, self._exchange
        # The exchange knows this record, too: left as it is, only the collector would end the two.
        self._exchange = None
        subrequests = exchange.subrequests if exchange is not None else None
        cpu_us = self._cpu_us
        if cpu_us is not None and isolate is not None and (scale := isolate.spec.limits.cpu_scale) != 1:
            cpu_us = round(cpu_us * scale)
        self._journal(
            RequestFinished(
                self.worker,
                self.method,
                self.path,
                self.status,
                self.status_text,
                self._milliseconds,
                cpu_us,
                isolate.memory_bytes if isolate is not None else 0,
                subrequests.count if subrequests is not None else 0,
                self.limit,
            )
        )
