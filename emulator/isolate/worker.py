"""One isolate at work: frames in, events handled, frames out."""

from __future__ import annotations

import asyncio
import inspect
import json
import traceback
from collections.abc import Callable
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.wire.channel import Channel, Streams
from emulator.wire.frames import (
    Abort,
    Answer,
    Done,
    Event,
    Explain,
    Failed,
    Full,
    Headers,
    Load,
    Loaded,
    LoadFailed,
    Retire,
    Retiring,
    Return,
    WorkerSpec,
)

from .bridge.bridge import Bridge
from .bridge.handles import PyHandle
from .events import CURRENT, EventContext
from .hung import HungWatch
from .io import IsolateIO
from .loop import RealmLoop
from .program import LoadError, Program
from .python.output import redirect
from .realm.engine import JSError, Undefined, Value
from .wasm.limits import MEMORY_BYTES

_LOOK_EVERY: Final = 4
"""Events after which the memory is looked at: asking takes a microsecond."""


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
    ) -> None:
        self.bridge = bridge
        self.loop = loop
        self.streams = streams
        self.io = io
        self._channel = channel
        self._events: dict[int, EventContext] = {}
        self._hung = HungWatch(loop, self._events, self._hang)
        self._retiring = False
        self._full = False
        self._finished = 0
        self._program: Program
        self._abort_request: Value = bridge.realm.platform.get("abortRequest")
        self._wait_until: Value = bridge.engine.function(self._on_wait_until, "waitUntil")
        self._workers_module = workers_module
        workers_module.set("waitUntil", self._wait_until)
        bridge.realm.platform.set("tellUncaught", bridge.engine.function(self._on_uncaught, "tellUncaught"))
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
        try:
            self._program = self._make_program(spec)
            self._program.load(spec)
        except LoadError as error:
            self._channel.send(LoadFailed(error.report))
            return
        except Exception as error:
            traceback.print_exc()
            problem = f"{type(error).__name__}: {error}"
            self._channel.send(LoadFailed(explain("emulator-error", problem=problem)))
            return
        finally:
            self._flush_output()
        spent = self.loop.spent() // 1000
        self._channel.send(Loaded(self._program.available(), spent, self._program.warnings()))

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
    ) -> None:
        """Send the response of ``event``; nothing happens if it has been answered or its client left."""
        if not event.answered:
            event.answered = True
            self._channel.send(Answer(event.id, status, status_text, headers, body))

    def fail(self, event: EventContext, report: Report) -> None:
        """Answer with a report; an event that has an answer gets it told on the terminal."""
        if event.answered:
            self._channel.send(Explain(event.id, report))
        else:
            event.answered = True
            self._channel.send(Failed(event.id, report))

    def served(self, event: EventContext) -> None:
        """The handler is over and the body of its response sent; ``waitUntil`` may go on. Idempotent."""
        event.served = True
        self._finish(event)

    def _hold(self, event: EventContext, future: asyncio.Future[Any]) -> None:
        """Keep ``event`` alive until a ``waitUntil`` promise settles."""
        event.held.add(future)
        future.add_done_callback(lambda done: self._release(event, done))

    def _release(self, event: EventContext, future: asyncio.Future[Any]) -> None:
        event.held.discard(future)
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self._channel.send(Explain(event.id, self._program.report(error, event.label)))
        self._finish(event)

    def _finish(self, event: EventContext) -> None:
        """Tell the front that all is over, if it is."""
        if event.held or not event.served or self._events.pop(event.id, None) is None:
            return
        if self.loop.engine.has_jobs:
            self.loop.run_jobs()
        event.drop()
        if event.streams:
            self.io.drop(event)
        self._flush_output()
        event.over = True
        self._channel.send(Done(event.id, self.loop.settle(event) // 1000))
        self._finished += 1
        if not self._full and self._finished % _LOOK_EVERY == 0:
            self._look_at_memory()
        if self._retiring and not self._events:
            self._leave()

    def _look_at_memory(self) -> None:
        used = self._program.memory()
        if used > MEMORY_BYTES:
            self._full = True
            self._channel.send(Full(used))

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
        elif not isinstance(error, asyncio.CancelledError):
            self._tell_error(error)

    def _on_uncaught(self, error: Any = Undefined, *_: Any) -> Any:
        """A JavaScript callback (a timer, a listener) failed and no "error" listener wanted to know."""
        self._tell_error(error)
        return Undefined

    def _tell_error(self, error: Any) -> None:
        event = CURRENT.get()
        self.tell(self._program.report(error, event.label if event else ""))
