"""What the front does for an isolate's ``Call`` frames, and what one event may ask for in all."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from emulator.wire.channel import InStream
from emulator.wire.frames import Call, Limits, WorkerSpec

TOO_MANY_SUBREQUESTS: Final = "Too many subrequests by single Worker invocation."
"""The platform's words. https://developers.cloudflare.com/workers/platform/limits/#subrequests"""


class CallResult(NamedTuple):
    """What the front gives back for a ``Call``: a value, and a body where the call has one."""

    value: Any
    body: bytes | AsyncIterable[bytes] | None = None


class CallFailed(Exception):
    """A ``Call`` that throws in the Worker: a JS error of ``js_class``."""

    def __init__(self, js_class: str, message: str) -> None:
        super().__init__(message)
        self.js_class = js_class


class Subrequests:
    """The requests that one event has sent to the network, held against the plan.

    A redirect that is followed is a request, too. So many connections of an event may wait for the head of
    their response at once; others wait for their turn, first come, first served.
    """

    __slots__ = ("_busy", "_connections", "_limit", "_tasks", "_waiting", "count", "hops")

    def __init__(self, limits: Limits, hops: int = 0) -> None:
        self.count = 0
        """Requests sent so far; the one that was refused counts as well."""
        self.hops = hops
        """How many Workers called one another before this event: 0 when a client asked."""
        self._limit = limits.subrequests
        self._connections = limits.connections
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._tasks: dict[asyncio.Task[None], Call | None] = {}

    def hold(self, task: asyncio.Task[None], call: Call | None = None) -> None:
        """Remember the task that serves a call, until it is over."""
        self._tasks[task] = call
        task.add_done_callback(lambda _: self._tasks.pop(task, None))

    def answered(self) -> None:
        """The Worker has the answer of the call that the current task serves; its body may follow."""
        task = asyncio.current_task()
        if task in self._tasks:
            self._tasks[task] = None

    def end(self) -> list[Call]:
        """The event is over: cancel what nobody waits for any more; gives the calls without an answer."""
        calls = [call for task, call in self._tasks.items() if call is not None and not task.cancelling()]
        for task in list(self._tasks):
            task.cancel()
        return calls

    def add(self) -> None:
        """Count a request that is about to be sent. Raises ``CallFailed`` above the limit."""
        self.count += 1
        if 0 < self._limit < self.count:
            raise CallFailed("Error", TOO_MANY_SUBREQUESTS)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[None]:
        """One of the event's connections, for as long as the head of a response is awaited."""
        await self._acquire()
        try:
            yield
        finally:
            self._release()

    async def _acquire(self) -> None:
        if not self._connections or (self._busy < self._connections and not self._waiting):
            self._busy += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with contextlib.suppress(ValueError):
                    self._waiting.remove(turn)
            else:
                self._release()  # the turn came in the same moment
            raise

    def _release(self) -> None:
        """Hand the connection to who has waited longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._busy -= 1


def shown_call(call: Call) -> str:
    """``GET https://example.com/path``, without what may be secret."""
    args = call.args if isinstance(call.args, dict) else {}
    try:
        parts = urlsplit(str(args.get("url", "")))
    except ValueError:
        return str(args.get("method", ""))
    return f"{args.get('method', '')} {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


CallHandler = Callable[[WorkerSpec, Call, bytes | InStream | None, Subrequests], Awaitable[CallResult]]
"""Does the front's half of a call of an event; raises ``CallFailed``."""
