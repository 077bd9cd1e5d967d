"""A Worker that is one WebAssembly module, called through its exports without any JavaScript."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.wire.channel import StreamBroken
from emulator.wire.frames import Event, Headers, WorkerSpec

from ..events import EventContext, context_of
from ..meter.profile import Line
from ..program import Host, LoadError
from ..respond import LONG_BODY_BYTES, LongBody, NativePump, sized
from ..upload import exceeds, size_report
from .abi import Abi, Missing, Mistyped, abi_of
from .content import NULL_BODY, InvalidHeader, content_type, request_lines, response_headers
from .explain import DirectExplainer
from .instance import Instance, Interrupted, OutOfBounds, Request, Trapped, exports_of
from .wasm_file import read_module

if TYPE_CHECKING:
    import wasmtime


class DirectProgram:
    """Loads the module that ``main`` names and serves requests by docs/go-abi.md."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._explainer = DirectExplainer("/", "")
        self._module: wasmtime.Module
        self._instance: Instance | None = None
        """None after one was stopped in the middle of its code."""
        self._files: dict[str, int]
        self._abi: Abi
        self._pumped: set[EventContext] = set()
        """Events whose answers are still being sent."""
        self._last_block = b""
        self._last_headers: Headers = []
        self._last_typed = False

    # ---- loading ------------------------------------------------------------

    def load(self, spec: WorkerSpec) -> None:
        """Compile, check and instantiate the module. Raises ``LoadError``."""
        self._explainer = DirectExplainer(spec.root, spec.main)
        data = read_module(spec.main, self._explainer.shown)
        self._files = {spec.main: len(data)}
        if exceeds(spec, self._files):
            raise LoadError(size_report(spec, self._files))
        with self._host.compiling():
            self._module = compiled(data, spec.cache, self._explainer)
        self._abi, self._instance = load_module(self._module, self._explainer)

    def available(self) -> list[str]:
        return ["fetch"]

    def warnings(self) -> list[Report]:
        return []

    def files(self) -> dict[str, int]:
        return self._files

    def leave(self) -> None:
        """Nothing outside of the process is left behind."""

    # ---- events -------------------------------------------------------------

    def begin(self, event: EventContext, frame: Event) -> None:
        context = context_of(event)
        if isinstance(frame.body, int) and "setBody" in self._abi:
            event.task = self._host.loop.make_task(self._serve_stream(event, frame), context)
        else:
            body = frame.body if isinstance(frame.body, bytes) else b""
            self._host.loop.call_soon(self._serve, event, frame, body, context=context)

    async def _serve_stream(self, event: EventContext, frame: Event) -> None:
        body = bytearray()
        event.pending += 1
        try:
            assert isinstance(frame.body, int)
            source = self._host.io.incoming(frame.body)
            while source is not None and (chunk := await source.read()) is not None:
                body += chunk
        except StreamBroken as broken:
            self._host.fail(event, explain("direct-body-broken", event=event.label, problem=str(broken)))
            self._host.served(event)
            return
        finally:
            event.pending -= 1
        self._serve(event, frame, bytes(body))

    def _serve(self, event: EventContext, frame: Event, body: bytes) -> None:
        if event.answered:  # its client left, and `abort` has told the host
            return
        try:
            self._answer(event, frame, body)
        except Exception as error:  # nothing may leave a request without an answer
            if self._host.is_cut(event, error):
                return
            self._host.fail(event, self.report(error, event.label))
        if event not in self._pumped:
            self._host.served(event)

    def _answer(self, event: EventContext, frame: Event, body: bytes) -> None:
        try:
            if self._instance is None:
                self._instance = Instance(self._module, self._abi)
            status, block, sent = self._instance.serve(self._request(frame, body))
            headers = self._headers(block)
        except Trapped as trapped:
            self._host.fail(event, self._explainer.trap(trapped, event.label))
        except Interrupted as stopped:
            self._instance = None
            event.cut_at = event.cut_at or _line(stopped)
            self._host.fail(event, self.report(stopped, event.label))  # the host knows better
        except OutOfBounds as wrong:
            self._host.fail(event, self._explainer.out_of_bounds(wrong, event.label))
        except InvalidHeader as invalid:
            self._host.fail(event, self._explainer.header(invalid, event.label))
        else:
            self._send(event, status, headers, sent)

    def _send(self, event: EventContext, status: int, headers: Headers, body: bytes) -> None:
        if not 200 <= status <= 599:
            self._host.fail(event, self._explainer.status(status, event.label))
        elif status in NULL_BODY:
            self._host.answer_whole(event, status, "", headers, None)
        else:
            if not self._last_typed:
                headers = [*headers, content_type(body)]
            if len(body) > LONG_BODY_BYTES:
                self._send_long(event, status, headers, body)
            else:
                self._host.answer_whole(event, status, "", headers, body)

    def _send_long(self, event: EventContext, status: int, headers: Headers, body: bytes) -> None:
        """Send as a stream what is too long for one frame."""
        stream = self._host.streams.open()
        if not self._host.answer(event, status, "", sized(headers, len(body)), stream.id):
            return
        self._pumped.add(event)
        pump = NativePump(LongBody(body), stream)
        event.task = self._host.loop.make_task(self._pump(event, pump), copy_context())

    async def _pump(self, event: EventContext, pump: NativePump) -> None:
        try:
            await pump.run()
        except StreamBroken:
            pass  # there is nobody left to send it to
        finally:
            self._pumped.discard(event)
            self._host.served(event)

    def _request(self, frame: Event, body: bytes) -> Request:
        """What the module asks for; the front has made the URL what ``request.url`` is."""
        abi, url = self._abi, frame.url
        method = path = href = lines = b""
        if abi.takes_request:
            method = frame.method.encode()
            path = url[url.index("/", url.index("://") + 3) :].partition("?")[0].encode()
        if "setUrl" in abi:
            href = url.encode()
        if "setHeaders" in abi:
            lines = request_lines(frame.headers)
        return Request(method, path, href, lines, body if "setBody" in abi else b"")

    def _headers(self, block: bytes) -> Headers:
        """The headers of a block; one like the last is not read again. Raises ``InvalidHeader``."""
        if block != self._last_block:
            headers = response_headers(block)
            self._last_headers, self._last_block = headers, block
            self._last_typed = any(name.lower() == "content-type" for name, _ in headers)
        return self._last_headers

    def abort(self, event: EventContext) -> None:
        """The client left while the body of its request was read; or it is not begun yet."""
        if event.task is not None:
            event.task.cancel()
        self._pumped.discard(event)  # a task that never ran does not get to do so
        self._host.served(event)

    # ---- reports ------------------------------------------------------------

    def report(self, error: Any, event: str) -> Report:
        return explain("uncaught-exception", exception=f"{type(error).__name__}: {error}", event=event)

    def here(self) -> Place | None:
        return None

    def waiting(self, event: EventContext) -> Place | None:
        return None

    def memory(self) -> int:
        return self._instance.memory_bytes if self._instance else 0


def compiled(data: bytes, cache: str, explainer: DirectExplainer) -> wasmtime.Module:
    """The module of these bytes. Raises ``LoadError``."""
    import wasmtime

    from ..wasm.runtime import compile_module

    try:
        return compile_module(data, cache)
    except wasmtime.WasmtimeError as error:
        raise LoadError(explainer.load_failure("direct-wasm-invalid", problem=_last_line(error))) from error


def load_module(module: wasmtime.Module, explainer: DirectExplainer) -> tuple[Abi, Instance]:
    """Check a module and make its instance. Raises ``LoadError``."""
    import wasmtime

    imports = [(each.module, each.name or "") for each in module.imports]
    if imports:
        raise LoadError(explainer.imports(imports))
    exports = exports_of(module)
    try:
        abi = abi_of(exports)
    except Missing as missing:
        raise LoadError(explainer.missing(missing, exports)) from missing
    except Mistyped as mistyped:
        raise LoadError(explainer.mistyped(mistyped)) from mistyped
    try:
        return abi, Instance(module, abi)
    except Trapped as trapped:
        raise LoadError(explainer.start_failure(trapped, abi.starter or "the start function")) from trapped
    except wasmtime.WasmtimeError as error:
        problem = _last_line(error)
        raise LoadError(explainer.load_failure("direct-instantiate-failed", problem=problem)) from error


def _line(stopped: Interrupted) -> Line | None:
    """Where the module was stopped, if it tells its source."""
    place = next((frame for frame in stopped.frames if frame.file), None)
    return Line(place.file, place.line, place.function) if place else None


def _last_line(error: Exception) -> str:
    """The innermost cause of wasmtime's message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("0: ") if lines else type(error).__name__
