"""A Worker made of JavaScript modules."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, Final

from msgspec import structs

from emulator.diagnostics.report import Place, Report
from emulator.wire.frames import Event, Headers, WorkerSpec

from ..compat_flags import CompatibilityFlags
from ..events import CURRENT, EventContext, context_of
from ..program import Host, LoadError, body_of
from ..realm.engine import JSError, Undefined, Value
from ..realm.host.text import utf8
from ..realm.io import GLOBAL_SCOPE
from ..respond import LONG_BODY_BYTES, BodyPump, LongBody, NativePump, header_pairs, of_stream, sized
from ..wasm_file import BEGINNING as WASM_BEGINNING
from ..wasm_file import looks as wasm_looks
from .contents import ContentMistake
from .explain import JsExplainer
from .modules import Modules, ModuleSyntaxError, TopLevelError
from .rejections import RejectionWatch

_TEXT: Final = 1
_BYTES: Final = 2
_STREAM: Final = 3
"""Kinds of bodies, as entry.js names them."""


class JavaScriptProgram:
    """Imports the main module and calls the handlers of its default export."""

    def __init__(self, host: Host, env: Value, wait_until: Value) -> None:
        self._host = host
        self._bridge = host.bridge
        self._realm = host.bridge.realm
        self._env = env
        self._wait_until = wait_until
        self._explainer: JsExplainer
        self._modules: Modules
        self._namespace: Value
        self._dispatch: Value
        self._fulfilled: Value
        self._wait: Value
        self._handlers: list[str] = []
        self._events: dict[int, EventContext] = {}
        """Events whose handler has not settled."""
        self._pumps: dict[int, asyncio.Task[None]] = {}
        self._env_names: list[str] = []
        self._absent: dict[str, str] = {}
        self._failed = False
        """The modules did not load: what promises say about it has been said."""

    # ---- loading ------------------------------------------------------------

    def load(self, spec: WorkerSpec) -> None:
        """Import the main module and all that it imports."""
        self._explainer = JsExplainer(self._realm, spec.root, spec.main)
        self._explainer.limits = spec.limits
        self._env_names = sorted(spec.vars)
        self._absent = spec.absent
        self._realm.wasm.cache = spec.cache
        # Such a call throws, and that is told with its place.
        self._host.io.on_disallowed = lambda: None
        CompatibilityFlags(spec.compatibility_date, spec.compatibility_flags).tell(self._realm.platform)
        RejectionWatch(self._bridge.engine, self._host.loop, self._on_rejection, self._on_handled).start()
        self._modules = Modules(self._realm, spec, self._compile_wasm)
        top_level = self._realm.platform.get("topLevel")
        top_level(GLOBAL_SCOPE)
        try:
            namespace = self._import()
        except BaseException:
            self._failed = True
            raise
        finally:
            top_level("")
        exported = namespace.get("default")
        self._handlers = self._realm.platform.get("handlersOf")(exported).to_python()
        engine = self._bridge.engine
        self._namespace = namespace
        made = self._realm.platform.get("makeDispatch")(
            exported,
            self._env,
            self._wait_until,
            engine.function(self._on_answer, "answer"),
            engine.function(self._on_fail, "fail"),
        )
        self._dispatch, self._fulfilled, self._wait = map(made.get, ("dispatch", "fulfilled", "wait"))
        self._host.loop.call_soon(self._touch_stack)

    def _touch_stack(self) -> None:
        with self._host.compiling():
            self._bridge.engine.touch_stack()

    def _import(self) -> Value:
        try:
            namespace = self._modules.load()
        except ModuleSyntaxError as error:
            raise LoadError(self._explainer.syntax_report(error.thrown, error.path)) from error
        except TopLevelError as error:
            raise LoadError(self._report(error.thrown, "")) from error
        mistake = self._modules.default_export_mistake(namespace)
        if mistake is not None:
            raise LoadError(mistake)
        return namespace

    def _compile_wasm(self, data: bytes, path: str) -> Value:
        """The ``WebAssembly.Module`` that an import of ``path`` gives. Raises ``ContentMistake``."""
        if not data.startswith(WASM_BEGINNING):
            raise ContentMistake("module-not-wasm", begins=data[:8].hex(" "), looks=wasm_looks(data))
        buffer = self._bridge.engine.array_buffer(data)
        try:
            with self._host.compiling():
                module: Value = self._realm.platform.get("wasmModuleFrom")(buffer, os.path.basename(path))
        except JSError as error:
            if "CompileError" not in str(error):
                raise
            problem = str(error).strip().rpartition("\n")[2].strip()
            raise ContentMistake("module-wasm-invalid", problem=problem) from None
        return module

    def available(self) -> list[str]:
        return self._handlers

    def warnings(self) -> list[Report]:
        return self._modules.warnings

    def files(self) -> dict[str, int]:
        return self._modules.sizes

    # ---- events -------------------------------------------------------------

    def begin(self, event: EventContext, frame: Event) -> None:
        self._events[event.id] = event
        self._host.loop.call_soon(self._serve, event, frame, context=context_of(event))

    def _serve(self, event: EventContext, frame: Event) -> None:
        if event.served:
            return
        engine = self._bridge.engine
        body = body_of(frame, engine)
        if body is not None:
            self._host.loop.forgive()
        try:
            outcome = self._dispatch(event.id, frame.method, frame.url, frame.headers, frame.cf, body)
            if outcome is Undefined:
                return
            if outcome.promise_state == "fulfilled" and not engine.has_jobs:
                # The handler did not await anything: no job needs to tell.
                self._fulfilled(event.id, outcome, outcome.result())
            else:
                event.request = self._wait(event.id, outcome)
        except JSError as error:
            if not self._host.is_cut(event, error):
                self._on_fail(event.id, self._thrown(error))

    def _on_answer(
        self, number: int, status: int, reason: Any, lines: Any, kind: int, body: Any, *_: Any
    ) -> Any:
        event = self._events.pop(number, None)
        if event is None:
            return Undefined
        headers = header_pairs(lines)
        reason = reason if reason.__class__ is str else str(reason)
        if kind >= _STREAM:
            self._stream(event, status, reason, of_stream(headers, event), body)
            return Undefined
        sent = None
        if kind == _TEXT:
            try:
                sent = utf8(body)
            except (MemoryError, JSError, SystemError):
                sent = self._host.loop.memory.again(lambda: utf8(body))
        elif kind == _BYTES:
            sent = self._host.loop.memory.again(body.to_bytes)
        if sent is not None and len(sent) > LONG_BODY_BYTES:
            self._stream(event, status, reason, sized(headers, len(sent)), LongBody(sent))
        else:
            self._host.answer_whole(event, status, reason, headers, sent)
        return Undefined

    def _stream(
        self, event: EventContext, status: int, reason: str, headers: Headers, body: Value | int | LongBody
    ) -> None:
        stream = self._host.streams.open()
        if not self._host.answer(event, status, reason, headers, stream.id):
            return
        pump: BodyPump | NativePump
        if isinstance(body, Value):
            pump = BodyPump(self._bridge, stream, body)
        else:
            pump = NativePump(self._host.io.take(body) if isinstance(body, int) else body, stream)
        task = self._host.loop.make_task(self._pump(event, pump.run()), context_of(event))
        self._pumps[event.id] = event.task = task

    async def _pump(self, event: EventContext, run: Coroutine[Any, Any, None]) -> None:
        try:
            await run
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            if not self._host.is_cut(event, error):
                self._host.fail(event, self.report(error, event.label))
        finally:
            del self._pumps[event.id]
            self._host.served(event)

    def _on_fail(self, number: int, thrown: Any = Undefined, returned: Any = "", *_: Any) -> Any:
        event = self._events.pop(number, None)
        if event is not None and not self._host.is_cut(event, thrown):
            report = self._failure(event, thrown, str(returned))
            self._host.loop.forgive()
            self._host.fail(event, report)
            self._host.served(event)
        return Undefined

    def _failure(self, event: EventContext, thrown: Any, returned: str) -> Report:
        if "fetch" not in self._handlers:
            mistake = self._modules.default_export_mistake(self._namespace, for_request=True)
            if mistake is not None:
                return mistake
        facts: dict[str, Any] = {"handler": "fetch", "type": returned, "subrequest": event.bad_subrequest}
        if returned:
            return self._report(thrown, event.label, self._modules.handler_place("fetch"), **facts)
        return self._report(thrown, event.label, **facts)

    def abort(self, event: EventContext) -> None:
        """The handler's promise is nobody's any more; a body on its way is cut off."""
        self._events.pop(event.id, None)
        pump = self._pumps.get(event.id)
        if pump is not None:
            pump.cancel()
        else:
            self._host.served(event)

    # ---- reports ------------------------------------------------------------

    def _on_rejection(self, promise: Value, reason: Any) -> None:
        event = CURRENT.get()
        if self._failed or (event is not None and self._host.is_cut(event, reason)):
            return
        if event is not None and event.left and (not event.held or _is_abort(reason)):
            return  # what follows from a client that left is no news
        label = event.label if event else ""
        if self._dispatch_rejection("unhandledrejection", promise, reason):
            self._host.tell(self._report(reason, label, kind="rejection"))

    def _on_handled(self, promise: Value) -> None:
        self._dispatch_rejection("rejectionhandled", promise, Undefined)

    def _dispatch_rejection(self, kind: str, promise: Value, reason: Any) -> bool:
        """Have the Worker's listeners see it; false if one prevented that it is told."""
        try:
            return bool(self._realm.platform.get("dispatchRejection")(kind, promise, reason))
        except JSError as error:
            event = CURRENT.get()
            if event is None or not self._host.is_cut(event, error):
                self._host.tell(self.report(error, event.label if event else ""))
            return True

    def _report(self, thrown: Any, event: str, handler_at: Place | None = None, **facts: Any) -> Report:
        """``thrown`` as a report, with what is known about the Worker."""
        if type(thrown) is Value and thrown.is_error:
            refused = self._modules.mistake_of(str(thrown.get("message")))
            if refused is not None:
                return structs.replace(refused, event=event)
        facts |= {"env": self._env_names, "absent": self._absent}
        return self._explainer.report(thrown, event, handler_at, **facts)

    def _thrown(self, error: BaseException) -> Any:
        """The JS value behind a Python exception."""
        if isinstance(error, JSError):
            error = self._bridge.errors.pending(error)
        return self._bridge.errors.to_js(error)

    def report(self, error: Any, event: str) -> Report:
        thrown = self._thrown(error) if isinstance(error, BaseException) else error
        return self._report(thrown, event)

    def here(self) -> Place | None:
        return None

    def waiting(self, event: EventContext) -> Place | None:
        return None

    def memory(self) -> int:
        return self._realm.wasm.memory_bytes()

    def leave(self) -> None:
        pass


def _is_abort(reason: Any) -> bool:
    """Whether a promise was rejected because what it waited for was cancelled."""
    if reason is Undefined:
        return True
    return type(reason) is Value and reason.is_error and reason.get("name") == "AbortError"
