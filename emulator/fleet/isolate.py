"""One isolate seen from the front: its channel, its state and the events under way in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.fleet.calls import CallHandler, Subrequests, shown_call
from emulator.fleet.calls_under_way import CallsUnderWay
from emulator.fleet.death import Death, describe_exit
from emulator.fleet.exchange import ClientLeft, Exchange, IsolateDied
from emulator.journal.events import Explained, Journal, LogLine, Notice
from emulator.wire.channel import FRONT_FIRST_ID, Channel, OutStream, Streams
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
    Memory,
    Pull,
    Retire,
    Retiring,
    ToFront,
    WorkerSpec,
)
from emulator.wire.recorder import Recording

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
        self.recording = Recording()
        self.memory_bytes = 0
        """What the Worker holds, above an isolate without one, as far as the isolate has told."""
        self.end = ""
        """How the process ended, once it is dead."""
        self._loop = asyncio.get_running_loop()
        self._calls = CallsUnderWay(spec, self.channel, self.streams, calls)
        self._journal = journal
        self._exchanges: dict[int, Exchange] = {}
        self._next_event = 1
        self._status: int | None = None
        self._peak_bytes = 0
        self._stuck: asyncio.TimerHandle | None = None
        self._given_up = False
        self._extended = False
        self._told_cancelled = False
        self._route: dict[type, Callable[[Any], Any]] = {
            Answer: self._on_answer,
            Done: self._on_done,
            Failed: self._on_failed,
            Log: self._on_log,
            Explain: self._on_explain,
            Full: self._on_full,
            Memory: self._on_memory,
            Retiring: self._on_retiring,
            Call: self._on_call,
            CancelCall: self._calls.cancel,
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

    @property
    def died_at_work(self) -> bool:
        """Whether code of an event ran when the process ended."""
        return bool(self.recording.read().running)

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
        """Start a fetch event. Its answer comes to the exchange."""
        event = self._next_event
        self._next_event = event + 1
        exchange = Exchange(event, on_done)
        exchange.method, exchange.url = method, url
        self._exchanges[event] = exchange
        sent = body.id if isinstance(body, OutStream) else body
        self.channel.send(Event(event, "fetch", method, url, headers, cf, sent))
        return exchange

    def abort(self, exchange: Exchange, reason: str = "The client disconnected.") -> None:
        """The client of this event left: cancel its work and its answer's body."""
        exchange.settle(ClientLeft(reason))
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
        awaited = any(exchange.outcome is None for exchange in self._exchanges.values())
        # The response of an event that is left may just be over: its `waitUntil` has its time from then on.
        extended, self._extended = self._extended, True
        if awaited or len(self.streams) or (self._exchanges and not extended):
            self._loop.call_later(WAIT_UNTIL_SECONDS, self._end_retirement)
        else:
            self._kill(self)

    def ended(self, status: int, peak_bytes: int = 0) -> None:
        """The process is gone; told by the fork server, with the most memory that it had at once."""
        self._status = status
        self._peak_bytes = peak_bytes
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
        if exchange is None or exchange.outcome is not None:
            if stream is not None:
                stream.cancel("The client disconnected.")
            if frame.cpu_us >= 0:
                self._end_exchange(frame.id, frame.cpu_us)
            return
        exchange.stream = stream
        exchange.settle(frame)
        if frame.cpu_us >= 0:
            self._end_exchange(frame.id, frame.cpu_us)

    def _on_failed(self, frame: Failed) -> None:
        self._journal(Explained(self.spec.name, frame.report))
        exchange = self._exchanges.get(frame.id)
        if exchange is not None:
            exchange.settle(frame)

    def _on_done(self, frame: Done) -> None:
        self._end_exchange(frame.id, frame.cpu_us)

    def _end_exchange(self, event: int, cpu_us: int) -> None:
        exchange = self._exchanges.pop(event, None)
        if exchange is not None:
            if exchange.subrequests is not None:
                self._tell_cancelled(exchange, exchange.subrequests.end())
            exchange.settle(IsolateDied("it ended the event without an answer"))
            exchange.on_done(cpu_us)

    def _tell_cancelled(self, exchange: Exchange, calls: list[Call]) -> None:
        """Once: the event of a Worker that answered has ended in the middle of what it had asked for."""
        if calls and isinstance(exchange.outcome, Answer) and not self._told_cancelled:
            self._told_cancelled = True
            request = shown_call(calls[0])
            report = explain("subrequest-cancelled", request=request, event=exchange.label)
            self._journal(Explained(self.spec.name, report))

    def _on_log(self, frame: Log) -> None:
        self._journal(LogLine(self.spec.name, frame.level, frame.text))

    def _on_explain(self, frame: Explain) -> None:
        self._journal(Explained(self.spec.name, frame.report))

    def _on_full(self, frame: Full) -> None:
        if self.on_full is not None:
            self.on_full(self, frame.memory_bytes)

    def _on_memory(self, frame: Memory) -> None:
        self.memory_bytes = frame.used_bytes

    def _on_loaded(self, frame: Loaded | LoadFailed) -> None:
        if isinstance(frame, Loaded) and self.state is State.STARTING:
            self.state = State.READY
        if not self.loaded.done():
            self.loaded.set_result(frame)

    def _on_call(self, frame: Call) -> None:
        exchange = self._exchanges.get(frame.event)
        if exchange is None:
            self._calls.refuse(frame)
            return
        if exchange.subrequests is None:
            exchange.subrequests = Subrequests(self.spec.limits, exchange.hops)
        self._calls.serve(frame, exchange.subrequests)

    def _on_lost(self, exc: Exception | None) -> None:
        self.streams.lost(exc)
        if self.on_lost is not None:
            self.on_lost(self)
        self._calls.end()
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
        how = self.end or "it closed its socket"
        death = Death(self.spec, how, self._status, self.recording, self._peak_bytes)
        self.recording.close()
        told = death.timed and death.running in self._exchanges
        if before is State.READY and not told:  # else the request that was cut tells it
            self._journal(Notice("warn", f"[{self.spec.name}] The isolate ended: {how}."))
            report = death.limit_report("", "answered" if death.running else "nobody")
            if report is not None and death.running not in self._exchanges:
                self._journal(Explained(self.spec.name, report))
        if not self.loaded.done():
            self.loaded.set_result(LoadFailed(death.load_report()))
        exchanges, self._exchanges = self._exchanges, {}
        for exchange in exchanges.values():
            report = exchange.lose(death)
            if report is not None:
                self._journal(Explained(self.spec.name, report))
            exchange.on_done(None)
