"""One isolate at work: frames in, events handled, frames out."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

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
    Load,
    Loaded,
    LoadFailed,
    Retire,
    Return,
    WorkerSpec,
)

from .bridge.bridge import Bridge
from .bridge.handles import PyHandle
from .events import CURRENT, EventContext
from .hung import HungWatch
from .io import IsolateIO
from .loop import RealmLoop
from .python.explain import Explainer, load_report
from .python.handlers import HandlerError, Handlers
from .python.loader import load_worker
from .python.output import redirect
from .python.sandbox import Sandbox, enter
from .python.unawaited import watch_coroutines
from .realm.engine import JSError, Undefined, Value
from .respond import respond


class Worker:
    """Serves the events of one version of a Worker until it retires."""

    def __init__(
        self,
        bridge: Bridge,
        loop: RealmLoop,
        channel: Channel,
        streams: Streams,
        io: IsolateIO,
        workers_module: Value,
    ) -> None:
        self._bridge = bridge
        self._loop = loop
        self._channel = channel
        self._streams = streams
        self._io = io
        self._events: dict[int, EventContext] = {}
        self._hung = HungWatch(loop, self._events, self._hang)
        self._loaded = False
        self._retiring = False
        self._explainer = Explainer("/")
        self._handlers: Handlers
        self._sandbox: Sandbox | None = None
        self._env: Any = None
        platform = bridge.realm.platform
        self._make_request: Value = platform.get("makeRequest")
        self._abort_request: Value = platform.get("abortRequest")
        self._make_context: Value = platform.get("makeContext")
        self._wait_until: Value = bridge.engine.function(self._on_wait_until, "waitUntil")
        self._workers_module = workers_module
        workers_module.set("waitUntil", self._wait_until)
        platform.set("tellUncaught", bridge.engine.function(self._on_uncaught, "tellUncaught"))
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
        loop.on_job_error = io.on_error = self._on_js_error
        io.on_disallowed = lambda: self._tell(explain("global-scope", where=self._explainer.here()))

    def on_frame(self, frame: Any) -> None:
        """Handle one frame from the front."""
        if not self._streams.handle(frame):
            self._take[type(frame)](frame)

    # ---- loading ------------------------------------------------------------

    def _load(self, frame: Load) -> None:
        self._loop.call_soon(self._load_now, frame.spec)

    def _load_now(self, spec: WorkerSpec) -> None:
        self._explainer = Explainer(spec.root, spec.main, lambda: self._bridge.last_lent)
        # A finalizer may run in the middle of anything, a send included.
        watch_coroutines(self._explainer, lambda report: self._loop.call_soon(self._warn, report))
        try:
            self._env = self._make_env(spec)
            self._sandbox = enter(
                spec.root,
                spec.packages,
                self._io.log,
                code_root=os.path.dirname(spec.main),
                in_event=lambda: CURRENT.get() is not None,
            )
            self._handlers = load_worker(self._bridge, spec)
        except BaseException as error:
            self._channel.send(LoadFailed(load_report(self._explainer, error, spec.main)))
            return
        finally:
            self._flush_output()
        self._loaded = True
        spent = self._loop.spent() // 1000
        self._channel.send(Loaded(self._handlers.available(), spent, self._handlers.warnings()))

    def _make_env(self, spec: WorkerSpec) -> Any:
        env = self._bridge.engine.context.parse_json(json.dumps(spec.vars))
        self._workers_module.set("env", env)
        return self._bridge.wrap(env)

    # ---- events -------------------------------------------------------------

    def _begin(self, frame: Event) -> None:
        event = EventContext(frame.id, frame.method, frame.url)
        self._events[frame.id] = event
        if isinstance(frame.body, int):
            self._io.adopt(frame.body, event)
        context = copy_context()
        context.run(CURRENT.set, event)
        event.task = self._loop.make_task(self._serve(event, frame), context)

    async def _serve(self, event: EventContext, frame: Event) -> None:
        response: Any = None
        try:
            body = (
                self._bridge.engine.array_buffer(frame.body) if isinstance(frame.body, bytes) else frame.body
            )
            event.request = self._make_request(frame.method, frame.url, frame.headers, frame.cf, body)
            response = self._handlers.fetch(self._bridge.wrap(event.request), self._env, self._make_ctx)
            if inspect.isawaitable(response):
                response = await response
            response = self._handlers.response_of(response)
            if event.answered:
                return
            status, text, headers, sent, pump = respond(self._bridge, self._streams, response)
            event.answered = True
            self._channel.send(Answer(event.id, status, text, headers, sent))
            if pump is not None:
                await pump()
        except BaseException as error:
            # An event that was aborted counts as answered, and its cancellation is no failure.
            if not (event.answered and isinstance(error, asyncio.CancelledError)):
                self._fail(event, self._report(event, error, response))
        finally:
            event.served = True
            self._finish(event)

    def _make_ctx(self) -> Any:
        return self._bridge.wrap(self._make_context(self._wait_until))

    def _report(self, event: EventContext, error: BaseException, returned: Any) -> Report:
        if isinstance(error, HandlerError):
            report = error.report
            return Report(**{**_fields(report), "exception": str(error), "event": event.label})
        return self._explainer.report(
            error,
            event.label,
            self._handlers.place(),
            handler=self._handlers.name,
            type=_type_name(returned),
            subrequest=event.bad_subrequest,
        )

    def _fail(self, event: EventContext, report: Report) -> None:
        if event.answered:
            self._channel.send(Explain(event.id, report))
        else:
            event.answered = True
            self._channel.send(Failed(event.id, report))

    # ---- lifetime of an event -----------------------------------------------

    def _hold(self, event: EventContext, future: asyncio.Future[Any]) -> None:
        """Keep ``event`` alive until a ``waitUntil`` promise settles."""
        event.held.add(future)
        future.add_done_callback(lambda done: self._release(event, done))

    def _release(self, event: EventContext, future: asyncio.Future[Any]) -> None:
        event.held.discard(future)
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self._channel.send(Explain(event.id, self._explainer.report(error, event.label)))
        self._finish(event)

    def _finish(self, event: EventContext) -> None:
        """Tell the front that all is over, if it is."""
        if event.held or not event.served or self._events.pop(event.id, None) is None:
            return
        if self._loop.engine.has_jobs:
            self._loop.run_jobs()
        event.drop()
        if event.streams:
            self._io.drop(event)
        self._flush_output()
        event.over = True
        self._channel.send(Done(event.id, self._loop.settle(event) // 1000))
        if self._retiring and not self._events:
            self._leave()

    def _on_wait_until(self, value: Any, *_: Any) -> Any:
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

    def _abort(self, frame: Abort) -> None:
        """The client left: its handler and streams are cancelled, ``waitUntil`` goes on."""
        event = self._events.get(frame.id)
        if event is None or event.task is None:
            return
        if event.request is not None:
            self._loop.call_soon(self._abort_js, event.request)
        self._cancel(event)

    def _cancel(self, event: EventContext) -> None:
        """End the handler; a task that never ran does not get to say so itself."""
        event.answered = True
        if event.task is not None:
            event.task.cancel()
            event.task.add_done_callback(lambda _: self._served(event))

    def _served(self, event: EventContext) -> None:
        event.served = True
        self._finish(event)

    def _abort_js(self, request: Value) -> None:
        try:
            self._abort_request(request, Undefined)
        except JSError as error:
            self._on_js_error(error)

    def _hang(self, event: EventContext) -> None:
        """Nothing can wake this event's handler any more: answer for it."""
        places = self._explainer.waiting(event.task)
        self._fail(event, explain("hung", event=event.label, where=places[-1] if places else None))
        self._cancel(event)

    def leave(self) -> None:
        """The process is about to end: remove what the Worker wrote."""
        if self._sandbox is not None:
            self._sandbox.leave()

    # ---- the end ------------------------------------------------------------

    def _retire(self, frame: Retire) -> None:
        self._retiring = True
        if not self._events:
            self._leave()

    def _leave(self) -> None:
        self._channel.close()
        self._loop.call_soon(self._loop.stop)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A task or callback of the Worker failed and nobody looked at its exception."""
        error = context.get("exception")
        if error is None:
            self._io.log("error", str(context.get("message", "")))
        elif not isinstance(error, asyncio.CancelledError):
            self._tell_error(error)

    def _on_js_error(self, error: JSError) -> None:
        self._tell_error(self._bridge.errors.pending(error))

    def _on_uncaught(self, error: Any = Undefined, *_: Any) -> Any:
        """A JavaScript callback (a timer, a listener) failed and no "error" listener wanted to know."""
        self._tell_error(self._bridge.errors.from_js(error))
        return Undefined

    def _tell_error(self, error: BaseException) -> None:
        event = CURRENT.get()
        self._tell(self._explainer.report(error, event.label if event else ""))

    def _warn(self, report: Report) -> None:
        # Where the Worker did not load, that is the news.
        if self._loaded:
            self._tell(report)

    def _tell(self, report: Report) -> None:
        event = CURRENT.get()
        self._channel.send(Explain(event.id if event else 0, report))


def _fields(report: Report) -> dict[str, Any]:
    return {name: getattr(report, name) for name in report.__struct_fields__}


def _type_name(value: Any) -> str:
    name = type(value).__name__
    if name == "JsProxy":
        constructor = getattr(value, "constructor", None)
        return f"JavaScript {getattr(constructor, 'name', 'object')}"
    return name
