"""What ``waitUntil`` was given: it keeps its event alive after the response, for a time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Final

from emulator.wire.channel import Channel
from emulator.wire.frames import Log

from .bridge.bridge import Bridge
from .bridge.handles import PyHandle
from .events import CURRENT, EventContext
from .loop import RealmLoop
from .realm.engine import Undefined, Value

WAITED: Final = (
    "waitUntil() tasks did not complete within the allowed time after invocation end and have been "
    "cancelled. See: https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil"
)


class WaitUntil:
    """One isolate's. ``failed`` is told what a promise was rejected with, ``finish`` whenever one settled,

    ``bury`` which event ran out of time: none of its code may run any more.
    """

    def __init__(
        self,
        bridge: Bridge,
        loop: RealmLoop,
        channel: Channel,
        failed: Callable[[EventContext, BaseException], None],
        finish: Callable[[EventContext], None],
        bury: Callable[[EventContext], None],
    ) -> None:
        self._bridge = bridge
        self._loop = loop
        self._channel = channel
        self._failed = failed
        self._finish = finish
        self._bury = bury
        self.seconds = 0.0
        """What the plan allows after the response; 0: any time."""
        self.function: Value = bridge.engine.function(self._on_call, "waitUntil")
        """For JavaScript."""

    def _on_call(self, value: Any, *_: Any) -> Any:
        event = CURRENT.get()
        if event is None or not isinstance(value, Value):
            return Undefined
        found = self._bridge.classify(value)
        if isinstance(found, PyHandle):
            if inspect.isawaitable(found.target):
                self._hold(event, asyncio.ensure_future(found.target))
        else:
            self._hold(event, self._bridge.promises.future(value))
        return Undefined

    def _hold(self, event: EventContext, future: asyncio.Future[Any]) -> None:
        """Keep ``event`` alive until the promise settles."""
        event.held.add(future)
        future.add_done_callback(lambda done: self._release(event, done))

    def _release(self, event: EventContext, future: asyncio.Future[Any]) -> None:
        event.held.discard(future)
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self._failed(event, error)
        self._finish(event)

    def limit(self, event: EventContext) -> None:
        """Its response is over: what it still waits for has its time from now on. Idempotent."""
        if event.ending is None and self.seconds:
            event.ending = asyncio.SelectorEventLoop.call_at(  # a timer that is nobody's pending work
                self._loop, self._loop.time() + self.seconds, self._end, event
            )

    def _end(self, event: EventContext) -> None:
        if event.held and not event.over:
            self._channel.send(Log(event.id, "warn", WAITED))
            self._bury(event)
            self.let_go(event)
            self._finish(event)

    def let_go(self, event: EventContext) -> None:
        """Cancel what the event waits for."""
        for future in list(event.held):
            future.cancel()
        event.held.clear()
