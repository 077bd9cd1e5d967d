"""One isolate at work: frames in, events handled, frames out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from msgspec import structs

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.wire.channel import Channel, Streams
from emulator.wire.frames import (
    Abort,
    Answer,
    Done,
    Event,
    Explain,
    Failed,
    Headers,
    Load,
    Loaded,
    Retire,
    Retiring,
    Return,
    WorkerSpec,
)

from .bridge.bridge import Bridge
from .cuts import Cuts
from .events import CpuExceeded, EventContext, context_of
from .hung import HungWatch
from .io import IsolateIO
from .loading import load, make_program
from .loop import RealmLoop
from .memory import UNKNOWN
from .memory_guard import MemoryGuard
from .meter.meter import Meter
from .meter.reports import place
from .program import Program
from .python.output import redirect
from .realm.engine import JSError, Undefined, Value
from .uncaught import Uncaught
from .wait_until import WaitUntil
from .wasm.epochs import epochs
from .wasm.limits import memory_limit

_LONG_BODY_BYTES: Final = 64 * 1024


class Worker:
    """Serves the events of one version of a Worker until it retires. The ``Host`` of its program."""

    def __init__(
        self,
        bridge: Bridge,
        loop: RealmLoop,
        channel: Channel,
        streams: Streams,
        io: IsolateIO,
        workers_module: Value,
        meter: Meter,
    ) -> None:
        self.bridge = bridge
        self.loop = loop
        self.streams = streams
        self.io = io
        self._channel = channel
        self._events: dict[int, EventContext] = {}
        self._hung = HungWatch(loop, self._events, self._hang, self._is_stuck)
        self._retiring = False
        self._program: Program
        self._abort_request: Value = bridge.realm.platform.get("abortRequest")
        self.memory = MemoryGuard(loop.memory, channel, loop.cells, self._end, self._place, self._wasm_bytes)
        channel.make_room = loop.memory.relax
        self.meter = meter
        cuts = Cuts(loop, self.memory, meter, self._end, self._fail)
        self.is_cut = cuts.is_cut
        self._bury = cuts.bury
        uncaught = Uncaught(loop, channel, io, self.memory, self.is_cut, self._explain)
        self.tell, self._tell_error = uncaught.tell, uncaught.tell_error
        self._wait_until = WaitUntil(bridge, loop, channel, self._on_rejected, self._finish, cuts.bury)
        self._workers_module = workers_module
        workers_module.set("waitUntil", self._wait_until.function)
        function, platform = bridge.engine.function, bridge.realm.platform
        platform.set("tellUncaught", function(uncaught.on_javascript, "tellUncaught"))
        platform.set("tellFull", function(self._on_full_heap, "tellFull"))
        meter.can_leave = lambda: bridge.depth == 0
        meter.tell = uncaught.tell
        meter.sleep.busy = lambda: bool(self._events)
        loop.on_out_of_memory = self.memory.ran_out
        loop.on_exceeded = cuts.on_exceeded
        loop.after_turn = self._after_turn
        self._take: dict[type, Callable[[Any], None]] = {
            Event: self._begin,
            Return: io.returned,
            Abort: self._abort,
            Load: self._load,
            Retire: self._retire,
        }
        self._flush_output = redirect(io.log)
        loop.on_idle = self._hung.look
        loop.set_exception_handler(uncaught.on_loop_error)
        loop.on_job_error = io.on_error = uncaught.tell_error
        io.on_disallowed = lambda: self.tell(explain("global-scope", where=self._program.here()))

    def on_frame(self, frame: Any) -> None:
        """Handle one frame from the front."""
        if not self.streams.handle(frame):
            self._take[type(frame)](frame)

    # ---- loading ------------------------------------------------------------

    def _load(self, frame: Load) -> None:
        self.loop.call_soon(self._load_now, frame.spec)

    def _load_now(self, spec: WorkerSpec) -> None:
        memory_limit().hold(spec.limits.memory_mb)
        memory_limit().unlimited = self.memory.watch.unlimited
        epochs().compiled_in = spec.interruptible
        self.meter.start(spec)
        self._wait_until.seconds = spec.limits.wait_until_s
        self.io.limits = spec.limits
        with self.memory.watch.ours():
            self._program = make_program(self, spec, self._workers_module, self._wait_until.function)
        try:
            outcome = load(self._program, spec, self.loop, self.memory, self.meter)
        finally:
            self._flush_output()
        self._channel.send(outcome)
        if isinstance(outcome, Loaded):
            self.memory.look(0)

    # ---- events -------------------------------------------------------------

    def _begin(self, frame: Event) -> None:
        event = EventContext(frame.id, frame.method, frame.url)
        self._events[frame.id] = event
        if isinstance(frame.body, int):
            self.io.adopt(frame.body, event)
        self._program.begin(event, frame)

    def answer(
        self, event: EventContext, status: int, status_text: str, headers: Headers, body: bytes | int | None
    ) -> bool:
        """Send the response of ``event``, unless it is answered, or its client left: the stream ends then.

        Gives whether anybody waits for the stream.
        """
        if event.answered or self.is_cut(event):
            if isinstance(body, int):
                self.streams.break_off(body, "the event is over")
            return False
        event.answered = True
        self._make_room(body)
        if isinstance(body, int):
            event.sending = body
        self._channel.send(Answer(event.id, status, status_text, headers, body))
        return True

    def answer_whole(
        self, event: EventContext, status: int, status_text: str, headers: Headers, body: bytes | None
    ) -> None:
        """``answer`` and ``served`` in one, for a response that has no stream."""
        if self.loop.engine.has_jobs:
            self.loop.run_jobs()  # these may hold the event, or take what is left of its budget
        if event.answered or self.is_cut(event):
            self.served(event)
            return
        event.answered = True
        self._make_room(body)
        if event.held:
            self._channel.send(Answer(event.id, status, status_text, headers, body))
            self.served(event)
            return
        event.served = True
        cpu_ns = event.cpu_ns
        self._close(event)
        self._channel.send(Answer(event.id, status, status_text, headers, body, cpu_ns // 1000))
        self._after()

    def _make_room(self, body: bytes | int | None) -> None:
        """Copies of a long body on its way out are the emulator's."""
        if isinstance(body, bytes) and len(body) > _LONG_BODY_BYTES:
            self.memory.watch.relax()

    def fail(self, event: EventContext, report: Report) -> None:
        """Answer with a report; an event that has an answer gets it told on the terminal."""
        if event.cut or self.is_cut(event):
            return  # what follows from being cut is no news
        self._fail(event, report)

    def _fail(self, event: EventContext, report: Report) -> None:
        if event.answered:
            self._channel.send(Explain(event.id, report))
        else:
            event.answered = True
            self._channel.send(Failed(event.id, report))

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """The Worker pays neither time nor memory for what runs meanwhile, and no timer ends it."""
        with self.loop.aside(), self.memory.watch.ours(), self.meter.paused():
            yield

    def served(self, event: EventContext) -> None:
        """The handler is over and the body of its response sent; ``waitUntil`` may go on. Idempotent."""
        event.served = True
        if event.held:
            self._wait_until.limit(event)
        self._finish(event)

    def _on_rejected(self, event: EventContext, error: BaseException) -> None:
        """Of a promise that ``waitUntil`` was given."""
        if not isinstance(error, CpuExceeded) and not self.memory.ran_out(event, error):
            self._channel.send(Explain(event.id, self._explain(error, event.label)))

    def _explain(self, error: Any, event: str) -> Report:
        return self._program.report(error, event)

    def _finish(self, event: EventContext) -> None:
        """Tell the front that all is over, if it is."""
        if event.held or not event.served or event.id not in self._events:
            return
        if self.loop.engine.has_jobs:
            self.loop.run_jobs()
            if event.held or event.id not in self._events:
                return
        if not event.answered and not self.is_cut(event):
            self._fail(event, explain("emulator-error", problem="the event ended without an answer"))
        if event.over:
            return
        cpu_ns = self.loop.settle(event)
        self._close(event)
        self._channel.send(Done(event.id, cpu_ns // 1000))
        self._after()

    def _close(self, event: EventContext) -> None:
        """End what the event left behind."""
        del self._events[event.id]
        event.drop()
        if event.streams or event.pending:
            self.io.drop(event)
        self._flush_output()
        event.over = True
        self.meter.settle(event)

    def _after(self) -> None:
        """Another event is over and told to the front."""
        self.memory.event_over()
        if self._retiring and not self._events:
            self._leave()

    def _after_turn(self) -> None:
        self._channel.flush()
        garbage = self.loop.engine.garbage
        if garbage.due:
            garbage.collect()
        if self.memory.due:
            self.memory.look(self._channel.waiting_bytes)

    # ---- memory -------------------------------------------------------------

    def _wasm_bytes(self) -> int:
        return self._program.memory()

    def _place(self, error: Any, event: EventContext | None) -> Place | None:
        """Where ``error`` was raised, if there is one, else where the event's code was stopped."""
        if error is UNKNOWN:
            return place(event.cut_at) if event and event.cut_at else None
        if error is None or getattr(self, "_program", None) is None:
            return None
        try:
            return self._program.report(error, event.label if event else "").where
        except (JSError, MemoryError):
            return None  # stopped for want of memory, as all JavaScript is until the limit is lifted

    def _on_full_heap(self, said: Any = "", *_: Any) -> Any:
        """JavaScript caught an error for want of memory, which nobody catches on the platform: stop it."""
        if self.memory.watch.strike(said):
            self.loop.engine.interrupt()
        return Undefined

    def _end(self, event: EventContext, report: Report) -> None:
        """Answer ``event`` with ``report``, and end everything that works for it."""
        event.cut = True
        if epochs().interrupted and self._wasm_bytes():
            self.memory.replace(0)  # an instance was left in the middle of what it wrote
        self.loop.engine.interrupted = epochs().interrupted = False
        if report.where is None:
            report = structs.replace(report, where=self._program.waiting(event))
        if event.sending:
            self.streams.break_off(event.sending, report.what)
        self._fail(event, report)
        self._stop(event)
        self._wait_until.let_go(event)
        self.served(event)

    def _abort(self, frame: Abort) -> None:
        """The client left: its handler and streams are cancelled, ``waitUntil`` goes on."""
        event = self._events.get(frame.id)
        if event is None or event.served:
            return
        event.left = True
        if event.request is not None:
            self.loop.call_soon(self._abort_js, event.request, context=context_of(event))
        self._cancel(event)

    def _cancel(self, event: EventContext) -> None:
        event.answered = True
        self._stop(event)
        if event.dead:
            self._wait_until.let_go(event)
            self.served(event)

    def _stop(self, event: EventContext) -> None:
        """Cancel the handler; where too many tasks in a row wait for one another, none of them goes on."""
        try:
            self._program.abort(event)
        except RecursionError:
            self._bury(event)

    def _abort_js(self, request: Value) -> None:
        try:
            self._abort_request(request, Undefined)
        except JSError as error:
            self._tell_error(error)

    def _is_stuck(self, event: EventContext) -> bool:
        """Whether memory ran out, and what should have gone on with the event's stream was lost with it."""
        if not self.memory.watch.exceeded or not event.sending:
            return False
        return not self.streams.await_the_other_side((event.sending, *event.streams))

    def _hang(self, event: EventContext) -> None:
        """Nothing can wake this event's handler any more: answer for it."""
        if event.answered:
            self.memory.end(event)
            return
        self.fail(event, explain("hung", event=event.label, where=self._program.waiting(event)))
        self._cancel(event)

    def leave(self) -> None:
        """The process is about to end."""
        program: Program | None = getattr(self, "_program", None)
        if program is not None:
            program.leave()

    # ---- the end ------------------------------------------------------------

    def _retire(self, frame: Retire) -> None:
        self._retiring = True
        self._channel.send(Retiring())
        if not self._events:
            self._leave()

    def _leave(self) -> None:
        self._channel.close()  # what waits is still sent; the loop ends with the connection
