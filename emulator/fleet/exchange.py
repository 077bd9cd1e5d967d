"""One event that an isolate handles, as the front sees it, and how it may end without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from emulator.diagnostics.report import Place, Report
from emulator.fleet.calls import Subrequests
from emulator.fleet.death import Death
from emulator.wire.channel import InStream
from emulator.wire.frames import Answer, Failed


class IsolateDied(Exception):
    """The isolate ended before it answered."""

    def __init__(self, how: str, begun: bool = True, guilty: bool = True, where: Place | None = None) -> None:
        super().__init__(how)
        self.begun = begun
        """Whether any code of the Worker had run for the event."""
        self.guilty = guilty
        """Whether it was code of this event that ran when the process ended, as far as that is known."""
        self.where = where
        """The line that ran, if it was code of this event."""


class ClientLeft(Exception):
    """The client of an event disconnected before the answer."""


Outcome = Answer | Failed | Exception
"""How an event is answered, or why it is not (``IsolateDied``, ``ClientLeft``...)."""


class Exchange:
    """One event under way: its answer to come, and whether its work is done."""

    __slots__ = (
        "_awaited",
        "hops",
        "id",
        "method",
        "on_answer",
        "on_done",
        "outcome",
        "stream",
        "subrequests",
        "url",
    )

    def __init__(self, event: int, on_done: Callable[[int | None], None]) -> None:
        self.id = event
        self.outcome: Outcome | None = None
        """``None`` as long as it is not answered."""
        self.on_answer: Callable[[Outcome], None] | None = None
        """Called once with the outcome, in the place of ``answer``: a future takes longer."""
        self.on_done = on_done
        """Called once with the CPU time in microseconds, ``None`` when the isolate died."""
        self.stream: InStream | None = None
        """The body of the answer, when it is a stream."""
        self.method = self.url = ""
        self.hops = 0
        """How many Workers called one another before this event."""
        self.subrequests: Subrequests | None = None
        """What it asks of the network; made with the first call."""
        self._awaited: asyncio.Future[None] | None = None

    @property
    def label(self) -> str:
        """``GET /path``, for messages."""
        return f"{self.method} {urlsplit(self.url).path}"

    def settle(self, outcome: Outcome) -> None:
        """It is answered, or never will be. Only the first call counts."""
        if self.outcome is not None:
            return
        self.outcome = outcome
        if self.on_answer is not None:
            self.on_answer(outcome)
        elif self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    async def answer(self) -> Answer | Failed:
        """The answer, as soon as it is here. Raises what it is that the event ended with instead."""
        if self.outcome is None:
            self._awaited = asyncio.get_running_loop().create_future()
            await self._awaited
        outcome = self.outcome
        assert outcome is not None
        if isinstance(outcome, Exception):
            try:
                raise outcome
            finally:
                del self, outcome  # the exception, which is kept here, holds this frame
        return outcome

    def lose(self, death: Death) -> Report | None:
        """Its isolate died, by the fault of the one whose code ran; gives the limit that it broke, if any."""
        guilty = death.running == self.id
        answered = "answered" if self.outcome is not None else ""
        report = death.limit_report(self.label, answered) if guilty else None
        if report is not None:
            self.settle(Failed(self.id, report))
        elif self.outcome is None:
            place = death.place() if guilty else None
            self.settle(IsolateDied(death.how, self.id <= death.begun, guilty or not death.running, place))
        if self.subrequests is not None:
            self.subrequests.end()
        return report
