"""Mistakes that end no event: what nobody awaited or caught, told on the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from emulator.diagnostics.report import Report
from emulator.wire.channel import Channel
from emulator.wire.frames import Explain

from .events import CURRENT, CpuExceeded, EventContext
from .io import IsolateIO
from .loop import RealmLoop
from .memory_guard import MemoryGuard
from .realm.engine import Undefined


class Uncaught:
    """One isolate's. ``report`` explains an error of the event with that label."""

    def __init__(
        self,
        loop: RealmLoop,
        channel: Channel,
        io: IsolateIO,
        memory: MemoryGuard,
        is_cut: Callable[[EventContext, Any], bool],
        report: Callable[[Any, str], Report],
    ) -> None:
        self._loop = loop
        self._channel = channel
        self._io = io
        self._memory = memory
        self._is_cut = is_cut
        self._report = report

    def tell(self, report: Report) -> None:
        """A mistake worth explaining that ends nothing, told on the terminal."""
        event = CURRENT.get() or self._loop.event
        self._channel.send(Explain(event.id if event else 0, report))

    def tell_error(self, error: Any) -> None:
        """An exception, or what JavaScript threw; unless it follows from a limit, which is told instead."""
        event = CURRENT.get() or self._loop.event
        if event is None and self._memory.ran_out(None, error):
            return
        if event is None and self._loop.engine.interrupted:
            self._loop.engine.interrupted = False
            return  # the meter tells it, and has stopped all JavaScript of this callback, ours included
        if event is None or not self._is_cut(event, error):
            self.tell(self._report(error, event.label if event else ""))

    def on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A task or callback of the Worker failed and nobody looked at its exception."""
        error = context.get("exception")
        event = CURRENT.get() or self._loop.event
        if event is not None and event.left and not event.held:
            return  # what follows from a client that left is no news
        if error is None:
            self._io.log("error", str(context.get("message", "")))
        elif not isinstance(error, asyncio.CancelledError | CpuExceeded):
            self.tell_error(error)

    def on_javascript(self, error: Any = Undefined, *_: Any) -> Any:
        """A JavaScript callback (a timer, a listener) failed and no "error" listener wanted to know."""
        self.tell_error(error)
        return Undefined
