"""One isolate seen from the front: its channel, its state and the events under way in it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterable, Awaitable, Callable
from enum import Enum
from typing import Any, Final, NamedTuple

from emulator.diagnostics.report import Report
from emulator.journal.events import Explained, Journal, LogLine, Notice
from emulator.wire.channel import FRONT_FIRST_ID, Channel, InStream, OutStream, Streams
from emulator.wire.frames import (
    Abort,
    Answer,
    Call,
    Cancel,
    CancelCall,
    Chunk,
    Done,
    End,
    Event,
    Explain,
    Failed,
    Full,
    HeaderLines,
    Load,
    Loaded,
    LoadFailed,
    Log,
    Pull,
    Retire,
    Retiring,
    Return,
    ToFront,
    WorkerSpec,
)

WAIT_UNTIL_SECONDS: Final = 30.0
"""How long ``waitUntil`` may extend the work of an event whose response is over.

https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil
"""

STUCK_SECONDS: Final = 2.0
"""An isolate that has not looked at its frames for so long, when another version serves, never will."""


class State(Enum):
    """The life of an isolate."""

    STARTING = "starting"
    READY = "ready"
    RETIRING = "retiring"
    DEAD = "dead"


class IsolateDied(Exception):
    """The isolate ended before it answered."""


class ClientLeft(Exception):
    """The client of an event disconnected before the answer."""


class CallResult(NamedTuple):
    """What the front gives back for a ``Call``: a value, and a body where the call has one."""

    value: Any
    body: bytes | AsyncIterable[bytes] | None = None


class CallFailed(Exception):
    """A ``Call`` that throws in the Worker: a JS error of ``js_class``."""

    def __init__(self, js_class: str, message: str) -> None:
        super().__init__(message)
        self.js_class = js_class


CallHandler = Callable[[WorkerSpec, Call, bytes | InStream | None], Awaitable[CallResult]]
"""Does the front's half of a call; raises ``CallFailed``."""


class Exchange:
    """One event under way: its answer to come, and whether its work is done."""

    __slots__ = ("answer", "cpu_us", "id", "on_done", "stream")

    def __init__(
        self, event: int, answer: asyncio.Future[Answer | Failed], on_done: Callable[[int | None], None]
    ) -> None:
        self.id = event
        self.answer = answer
        self.on_done = on_done
        """Called once with the CPU time in microseconds, ``None`` when the isolate died."""
        self.stream: InStream | None = None
        """The body of the answer, when it is a stream."""


class Isolate:
    """Made by ``Fleet.start``. ``on_lost`` is told once, as soon as no event can be sent any more."""

    def __init__(
        self,
        number: int,
        spec: WorkerSpec,
        calls: CallHandler,
        journal: Journal,
        kill: Callable[[Isolate], None],
    ) -> None:
        self.number = number
        self._kill = kill
        self.spec = spec
        self.state = State.STARTING
        self.channel = Channel(ToFront, self._on_frame, self._on_lost)
        self.streams = Streams(self.channel, FRONT_FIRST_ID)
        self.loaded: asyncio.Future[Loaded | LoadFailed] = asyncio.get_running_loop().create_future()
        self.on_lost: Callable[[Isolate], None] | None = None
        self.on_full: Callable[[Isolate, int], None] | None = None
        """Told once, with the bytes in use, when its memory has passed the limit."""
        self.end = ""
        """How the process ended, once it is dead."""
        self._loop = asyncio.get_running_loop()
        self._calls_handler = calls
        self._journal = journal
        self._exchanges: dict[int, Exchange] = {}
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._next_event = 1
        self._status: int | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._given_up = False
        self._route: dict[type, Callable[[Any], Any]] = {
            Answer: self._on_answer,
            Done: self._on_done,
            Failed: self._on_failed,
            Log: self._on_log,
            Explain: self._on_explain,
            Full: self._on_full,
            Retiring: self._on_retiring,
            Call: self._on_call,
            CancelCall: self._on_cancel_call,
            Loaded: self._on_loaded,
            LoadFailed: self._on_loaded,
            Chunk: self.streams.handle,
            End: self.streams.handle,
            Pull: self.streams.handle,
            Cancel: self.streams.handle,
        }

    @property
    def busy(self) -> int:
        """Events under way."""
        return len(self._exchanges)

    def load(self) -> None:
        """Send the Worker to load; ``loaded`` has the outcome."""
        self.channel.send(Load(self.spec))

    def dispatch(
        self,
        method: str,
        url: str,
        headers: HeaderLines,
        cf: str,
        body: bytes | OutStream | None,
        on_done: Callable[[int | None], None],
    ) -> Exchange:
        """Start a fetch event. Await ``exchange.answer``, which may raise ``IsolateDied``."""
        event = self._next_event
        self._next_event = event + 1
        exchange = Exchange(event, self._loop.create_future(), on_done)
        self._exchanges[event] = exchange
        sent = body.id if isinstance(body, OutStream) else body
        self.channel.send(Event(event, "fetch", method, url, headers, cf, sent))
        return exchange

    def abort(self, exchange: Exchange, reason: str = "The client disconnected.") -> None:
        """The client of this event left: cancel its work and its answer's body."""
        if not exchange.answer.done():
            exchange.answer.set_exception(ClientLeft(reason))
        if exchange.stream is not None:
            exchange.stream.cancel(reason)
        if exchange.id in self._exchanges:
            self.channel.send(Abort(exchange.id))

    def retire(self) -> None:
        """Take no more events; the isolate ends when those under way are done."""
        if self.state is not State.DEAD:
            self.state = State.RETIRING
            self.channel.send(Retire())
            self._stuck = self._loop.call_later(STUCK_SECONDS, self._end_stuck)
            self._loop.call_later(WAIT_UNTIL_SECONDS, self._end_retirement)

    def _on_retiring(self, frame: Retiring) -> None:
        if self._stuck is not None:
            self._stuck.cancel()

    def _end_stuck(self) -> None:
        """Nothing else ends code that never comes back; requests that can be sent again are."""
        if self.state is not State.DEAD:
            text = (
                f"[{self.spec.name}] The version before was stuck in code that does not end: it was killed."
            )
            self._journal(Notice("warn", text))
            self._given_up = True
            self._kill(self)

    def _end_retirement(self) -> None:
        """Kill a retired isolate that works for nobody: a loop that does not end, say."""
        if self.state is State.DEAD:
            return
        awaited = any(not exchange.answer.done() for exchange in self._exchanges.values())
        if awaited or len(self.streams):
            self._loop.call_later(WAIT_UNTIL_SECONDS, self._end_retirement)
        else:
            self._kill(self)

    def ended(self, status: int) -> None:
        """The process is gone; told by the fork server."""
        self._status = status
        if self.channel.lost:
            self._die()
        else:
            # What the process sent last may still wait in the socket.
            self._loop.call_later(0.05, self.channel.abort)

    def _on_frame(self, frame: Any) -> None:
        self._route[type(frame)](frame)

    def _on_answer(self, frame: Answer) -> None:
        exchange = self._exchanges.get(frame.id)
        stream = self.streams.incoming(frame.body) if isinstance(frame.body, int) else None
        if exchange is None or exchange.answer.done():
            if stream is not None:
                stream.cancel("The client disconnected.")
            return
        exchange.stream = stream
        exchange.answer.set_result(frame)

    def _on_failed(self, frame: Failed) -> None:
        self._journal(Explained(self.spec.name, frame.report))
        exchange = self._exchanges.get(frame.id)
        if exchange is not None and not exchange.answer.done():
            exchange.answer.set_result(frame)

    def _on_done(self, frame: Done) -> None:
        exchange = self._exchanges.pop(frame.id, None)
        if exchange is not None:
            exchange.on_done(frame.cpu_us)

    def _on_log(self, frame: Log) -> None:
        self._journal(LogLine(self.spec.name, frame.level, frame.text))

    def _on_explain(self, frame: Explain) -> None:
        self._journal(Explained(self.spec.name, frame.report))

    def _on_full(self, frame: Full) -> None:
        if self.on_full is not None:
            self.on_full(self, frame.memory_bytes)

    def _on_loaded(self, frame: Loaded | LoadFailed) -> None:
        if isinstance(frame, Loaded) and self.state is State.STARTING:
            self.state = State.READY
        if not self.loaded.done():
            self.loaded.set_result(frame)

    def _on_call(self, frame: Call) -> None:
        body = self.streams.incoming(frame.body) if isinstance(frame.body, int) else frame.body
        task = self._loop.create_task(self._serve(frame, body))
        self._calls[frame.call] = task
        task.add_done_callback(lambda _: self._calls.pop(frame.call, None))

    def _on_cancel_call(self, frame: CancelCall) -> None:
        task = self._calls.get(frame.call)
        if task is not None:
            task.cancel()

    async def _serve(self, call: Call, body: bytes | InStream | None) -> None:
        try:
            result = await self._calls_handler(self.spec, call, body)
        except CallFailed as failure:
            self.channel.send(Return(call.call, None, None, (failure.js_class, str(failure))))
            return
        finally:
            if isinstance(body, InStream):
                body.cancel("The request is over.")
        if result.body is None or isinstance(result.body, bytes):
            self.channel.send(Return(call.call, result.value, result.body))
            return
        stream = self.streams.open()
        self.channel.send(Return(call.call, result.value, stream.id))
        await stream.write_all(result.body)

    def _on_lost(self, exc: Exception | None) -> None:
        self.streams.lost(exc)
        if self.on_lost is not None:
            self.on_lost(self)
        for task in list(self._calls.values()):
            task.cancel()
        if exc is not None and not self.end:
            self.end = str(exc)
        if self._status is None:
            # Its exit status follows at once, unless the process closed its socket and lives on.
            self._loop.call_later(0.5, self._die)
        else:
            self._die()

    def _die(self) -> None:
        if self.state is State.DEAD:
            return
        before, self.state = self.state, State.DEAD
        if self._given_up:
            self.end = "killed: it was stuck in code that does not end"
        elif self._status is not None:
            self.end = describe_exit(self._status)
        if before is State.READY:
            why = self.end or "it closed its socket"
            self._journal(Notice("warn", f"[{self.spec.name}] The isolate ended: {why}."))
        died = IsolateDied(self.end or "it closed its socket")
        if not self.loaded.done():
            self.loaded.set_result(LoadFailed(_died_loading(self.spec, str(died))))
        exchanges, self._exchanges = self._exchanges, {}
        for exchange in exchanges.values():
            if not exchange.answer.done():
                exchange.answer.set_exception(died)
            exchange.on_done(None)


def describe_exit(status: int) -> str:
    """``exit status 3`` or ``killed by SIGSEGV``; ``status`` is negative for a signal."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def _died_loading(spec: WorkerSpec, how: str) -> Report:
    return Report(
        code="isolate-died",
        what=f"The isolate of {spec.name!r} ended while it loaded the Worker ({how}).",
        why="Code at the top level of a module ended the process, or a native extension crashed.",
        fix="Remove the call that ends the process; the Worker is loaded again at the next save.",
    )
