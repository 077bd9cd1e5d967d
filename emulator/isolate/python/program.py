"""A Worker made of Python modules."""

from __future__ import annotations

import asyncio
import inspect
import os
from typing import Any

from emulator.diagnostics.report import Place, Report
from emulator.wire.frames import Event, WorkerSpec

from ..events import CURRENT, EventContext, context_of
from ..program import Host, LoadError, body_of
from ..realm.engine import JSError, Value
from ..respond import respond
from .explain import Explainer, load_report
from .handlers import HandlerError, Handlers
from .loader import load_worker
from .sandbox import Sandbox, enter
from .unawaited import watch_coroutines


class PythonProgram:
    """Loads the entry module in the sandbox and calls its handlers in tasks."""

    def __init__(self, host: Host, env: Value, wait_until: Value) -> None:
        self._host = host
        self._bridge = host.bridge
        self._env = self._bridge.wrap(env)
        self._wait_until = wait_until
        self._explainer = Explainer("/")
        self._handlers: Handlers
        self._sandbox: Sandbox | None = None
        self._loaded = False
        platform = self._bridge.realm.platform
        self._make_request: Value = platform.get("makeRequest")
        self._make_context: Value = platform.get("makeContext")

    # ---- loading ------------------------------------------------------------

    def load(self, spec: WorkerSpec) -> None:
        """Import the Worker's entry module."""
        self._explainer = Explainer(spec.root, spec.main, lambda: self._bridge.last_lent)
        self._explainer.limits = spec.limits
        self._explainer.absent = spec.absent
        # A finalizer may run in the middle of anything, a send included.
        watch_coroutines(self._explainer, lambda report: self._host.loop.call_soon(self._warn, report))
        try:
            self._sandbox = enter(
                spec.root,
                spec.packages,
                self._host.io.log,
                code_root=os.path.dirname(spec.main),
                in_event=lambda: CURRENT.get() is not None,
            )
            self._handlers = load_worker(self._bridge, spec)
        except BaseException as error:
            raise LoadError(load_report(self._explainer, error, spec.main)) from error
        self._loaded = True

    def available(self) -> list[str]:
        return self._handlers.available()

    def warnings(self) -> list[Report]:
        return self._handlers.warnings()

    def files(self) -> dict[str, int]:
        return {}

    def leave(self) -> None:
        """Remove what the Worker wrote."""
        if self._sandbox is not None:
            self._sandbox.leave()

    # ---- events -------------------------------------------------------------

    def begin(self, event: EventContext, frame: Event) -> None:
        event.task = self._host.loop.make_task(self._serve(event, frame), context_of(event))

    async def _serve(self, event: EventContext, frame: Event) -> None:
        response: Any = None
        loop = self._host.loop
        try:
            body = body_of(frame, self._bridge.engine)
            event.request = self._make_request(frame.method, frame.url, frame.headers, frame.cf, body)
            loop.forgive()
            response = self._handlers.fetch(self._bridge.wrap(event.request), self._env, self._make_ctx)
            if inspect.isawaitable(response):
                response = await response
            response = self._handlers.response_of(response)
            if event.answered:
                return
            loop.settle(event)
            status, text, headers, sent, pump = respond(
                self._bridge, self._host.streams, response, loop.memory.again, self._host.io.take
            )
            loop.forgive()
            if pump is None:
                assert not isinstance(sent, int)
                self._host.answer_whole(event, status, text, headers, sent)
            elif self._host.answer(event, status, text, headers, sent):
                await pump()
        except BaseException as error:
            loop.memory.lift()
            # An event that was aborted counts as answered, and its cancellation is no failure.
            aborted = event.answered and isinstance(error, asyncio.CancelledError)
            if not aborted and not self._host.is_cut(event, error):
                report = self._failure(event, error, response)
                loop.forgive()
                self._host.fail(event, report)
        finally:
            self._host.served(event)

    def _make_ctx(self) -> Any:
        return self._bridge.wrap(self._make_context(self._wait_until))

    def abort(self, event: EventContext) -> None:
        """Cancel the handler's task; one that never ran does not get to say so itself."""
        if event.task is not None:
            event.task.cancel()
            event.task.add_done_callback(lambda _: self._host.served(event))

    # ---- reports ------------------------------------------------------------

    def report(self, error: Any, event: str) -> Report:
        if isinstance(error, JSError):
            error = self._bridge.errors.pending(error)
        elif not isinstance(error, BaseException):
            error = self._bridge.errors.from_js(error)
        return self._explainer.report(error, event)

    def here(self) -> Place | None:
        return self._explainer.here()

    def waiting(self, event: EventContext) -> Place | None:
        places = self._explainer.waiting(event.task)
        return places[-1] if places else None

    def memory(self) -> int:
        return 0

    def _failure(self, event: EventContext, error: BaseException, returned: Any) -> Report:
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

    def _warn(self, report: Report) -> None:
        # Where the Worker did not load, or its event was cut, that is the news.
        event = CURRENT.get()
        if self._loaded and (event is None or not event.cut):
            self._host.tell(report)


def _fields(report: Report) -> dict[str, Any]:
    return {name: getattr(report, name) for name in report.__struct_fields__}


def _type_name(value: Any) -> str:
    name = type(value).__name__
    if name == "JsProxy":
        constructor = getattr(value, "constructor", None)
        return f"JavaScript {getattr(constructor, 'name', 'object')}"
    return name
