"""One isolate at work: frames in, events handled, frames out."""

from __future__ import annotations

import asyncio
import inspect
import json
import traceback
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
    LoadFailed,
    Log,
    Retire,
    Retiring,
    Return,
    WorkerSpec,
)

from .bridge.bridge import Bridge
from .bridge.handles import PyHandle
from .events import CURRENT, CpuExceeded, EventContext
from .hung import HungWatch
from .io import IsolateIO
from .loop import RealmLoop
from .memory import UNKNOWN
from .memory_guard import MemoryGuard
from .meter.meter import Meter
from .program import LoadError, Program
from .python.output import redirect
from .realm.engine import JSError, Undefined, Value
from .wasm.epochs import epochs
from .wasm.limits import memory_limit

WAITED: Final = (
    "waitUntil() tasks did not complete within the allowed time after invocation end and have been "
    "cancelled. See: https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil"
)


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
        self._hung = HungWatch(loop, self._events, self._hang)
        self._retiring = False
        self._wait_until_s = 0.0
        self._buried: list[asyncio.Task[Any]] = []
        self._program: Program
        self._abort_request: Value = bridge.realm.platform.get("abortRequest")
        self._wait_until: Value = bridge.engine.function(self._on_wait_until, "waitUntil")
        self._workers_module = workers_module
        workers_module.set("waitUntil", self._wait_until)
        bridge.realm.platform.set("tellUncaught", bridge.engine.function(self._on_uncaught, "tellUncaught"))
        bridge.realm.platform.set("tellFull", bridge.engine.function(self._on_full_heap, "tellFull"))
        self.memory = MemoryGuard(loop.memory, channel, loop.cells, self._end, self._place, self._wasm_bytes)
        loop.on_out_of_memory = self.memory.ran_out
        loop.after_turn = self._after_turn
        self.meter = meter
        meter.can_leave = lambda: bridge.depth == 0
        loop.on_exceeded = self._on_exceeded
        self._take: dict[type, Callable[[Any], None]] = {
            Event: self._begin,
            Return: io.returned,
            Abort: self._abort,
            Load: self._load,
            Retire: self._retire,
        }
        self._flush_output = redirect(io.log)
        loop.on_idle = self._hung.look
        loop.set_exception_handler(self._on_loop_error)
        loop.on_job_error = io.on_error = self._tell_error
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
        self._wait_until_s = spec.limits.wait_until_s
        self.io.limits = spec.limits
        with self.memory.watch.ours():
            self._program = self._make_program(spec)
        self.memory.start(spec.limits)
        failure: Report | None = None
        try:
            self._program.load(spec)
        except LoadError as error:
            failure = self.memory.loaded(error) or error.report
        except Exception as error:
            failure = self.memory.loaded(error)
            if failure is None:
                traceback.print_exc()
                failure = explain("emulator-error", problem=f"{type(error).__name__}: {error}")
        else:
            failure = self.memory.loaded(None)
        finally:
            self._flush_output()
        spent = self.loop.spent() // 1000
        failure = self.meter.startup_report() or failure
        self.meter.loaded()
        self.loop.engine.garbage.start()
        if failure is not None:
            self._channel.send(LoadFailed(failure))
        else:
            program = self._program
            self._channel.send(Loaded(program.available(), spent, program.warnings(), program.files()))
            self.memory.look(0)

    def _make_program(self, spec: WorkerSpec) -> Program:
        if spec.kind == "wasm":
            from .direct.program import DirectProgram

            return DirectProgram(self)
        env = self.bridge.engine.context.parse_json(json.dumps(spec.vars))
        self._workers_module.set("env", env)
        if spec.kind == "javascript":
            from .javascript.program import JavaScriptProgram

            return JavaScriptProgram(self, env, self._wait_until)
        from .python.program import PythonProgram

        return PythonProgram(self, env, self._wait_until)

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
        self._close(event)
        self._channel.send(Answer(event.id, status, status_text, headers, body, event.cpu_ns // 1000))
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
        if event.held and event.ending is None and self._wait_until_s:
            event.ending = asyncio.SelectorEventLoop.call_at(  # a timer that is nobody's pending work
                self.loop, self.loop.time() + self._wait_until_s, self._end_waiting, event
            )
        self._finish(event)

    def _end_waiting(self, event: EventContext) -> None:
        """What ``waitUntil`` was given has had its time."""
        if event.held and not event.over:
            self._channel.send(Log(event.id, "warn", WAITED))
            self._bury(event)
            self._let_go(event)
            self._finish(event)

    def _let_go(self, event: EventContext) -> None:
        for future in list(event.held):
            future.cancel()
        event.held.clear()

    def _hold(self, event: EventContext, future: asyncio.Future[Any]) -> None:
        """Keep ``event`` alive until a ``waitUntil`` promise settles."""
        event.held.add(future)
        future.add_done_callback(lambda done: self._release(event, done))

    def _release(self, event: EventContext, future: asyncio.Future[Any]) -> None:
        event.held.discard(future)
        error = None if future.cancelled() else future.exception()
        if error is not None and not isinstance(error, CpuExceeded) and not self.memory.ran_out(event, error):
            self._channel.send(Explain(event.id, self._program.report(error, event.label)))
        self._finish(event)

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
        """Where ``error`` was raised, if there is one."""
        if error is None or getattr(self, "_program", None) is None:
            return None
        return self._program.report(error, event.label if event else "").where

    def _on_full_heap(self, said: Any = "", *_: Any) -> Any:
        """JavaScript caught an error for want of memory, which nobody catches on the platform: stop it."""
        if self.memory.watch.strike(said):
            self.loop.engine.interrupt()
        return Undefined

    # ---- CPU time -----------------------------------------------------------

    def is_cut(self, event: EventContext, error: Any = UNKNOWN) -> bool:
        """Whether ``event`` is over its CPU budget, or out of memory by ``error``; it is answered then.

        To be asked before anything else is done with an error: afterwards there is memory for it.
        """
        asked = error is not UNKNOWN or self.memory.watch.struck
        if asked and not event.cut and self.memory.ran_out(event, error):
            return True
        if not event.cut and self.loop.settle(event) > self.loop.allowance_ns:
            self._cut(event, over=True)
        return event.cut

    def _on_exceeded(self, event: EventContext) -> None:
        """After a callback of an event that is over its budget."""
        left = event.dead  # its code is still somewhere in the middle
        if event.over:
            self._bury(event)
        elif not event.cut:
            self._cut(event, over=event.served)
        elif event.cpu_ns > 2 * self.loop.allowance_ns:
            self._bury(event)  # it goes on in what should only clean up
        if left:
            self.memory.replace(0)

    def _bury(self, event: EventContext) -> None:
        """None of the event's code runs any more, not even a ``finally`` when its tasks are collected."""
        event.end()
        self._buried += event.spawned or ()
        if event.task is not None:
            self._buried.append(event.task)

    def _cut(self, event: EventContext, over: bool) -> None:
        """End ``event``, with everything that works for it. ``over``: its handler has come to its end."""
        self._end(event, self.meter.report(event, over))

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
        self._program.abort(event)
        self._let_go(event)
        self.served(event)

    def _on_wait_until(self, value: Any, *_: Any) -> Any:
        event = CURRENT.get()
        if event is None or not isinstance(value, Value):
            return Undefined
        found = self.bridge.classify(value)
        if isinstance(found, PyHandle):
            if inspect.isawaitable(found.target):
                self._hold(event, asyncio.ensure_future(found.target))
        else:
            self._hold(event, self.bridge.promises.future(value))
        return Undefined

    def _abort(self, frame: Abort) -> None:
        """The client left: its handler and streams are cancelled, ``waitUntil`` goes on."""
        event = self._events.get(frame.id)
        if event is None or event.served:
            return
        if event.request is not None:
            self.loop.call_soon(self._abort_js, event.request)
        self._cancel(event)

    def _cancel(self, event: EventContext) -> None:
        event.answered = True
        self._program.abort(event)

    def _abort_js(self, request: Value) -> None:
        try:
            self._abort_request(request, Undefined)
        except JSError as error:
            self._tell_error(error)

    def _hang(self, event: EventContext) -> None:
        """Nothing can wake this event's handler any more: answer for it."""
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

    # ---- what nobody awaited ------------------------------------------------

    def tell(self, report: Report) -> None:
        """A mistake worth explaining that ends nothing, told on the terminal."""
        event = CURRENT.get()
        self._channel.send(Explain(event.id if event else 0, report))

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A task or callback of the Worker failed and nobody looked at its exception."""
        error = context.get("exception")
        if error is None:
            self.io.log("error", str(context.get("message", "")))
        elif not isinstance(error, asyncio.CancelledError | CpuExceeded):
            self._tell_error(error)

    def _on_uncaught(self, error: Any = Undefined, *_: Any) -> Any:
        """A JavaScript callback (a timer, a listener) failed and no "error" listener wanted to know."""
        self._tell_error(error)
        return Undefined

    def _tell_error(self, error: Any) -> None:
        event = CURRENT.get()
        if event is None and self.memory.ran_out(None, error):
            return
        if event is None or not self.is_cut(event, error):
            self.tell(self._program.report(error, event.label if event else ""))
