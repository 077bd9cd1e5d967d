"""Isolates driven over their sockets, without the front and without HTTP.

One fork server per ``ForkedIsolates``; each ``Isolate`` is a process of its own. Everything
runs on one event loop that turns only while a test waits, so tests stay plain functions:

    isolate = isolates.load(directory)
    assert isolate.fetch("GET", "/").text == "hello"

What runs at once uses ``begin``, which gives an ``Exchange`` to wait on.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from emulator.diagnostics.report import Report
from emulator.fleet.fork_server import ForkServer
from emulator.fleet.launch import launch
from emulator.wire.channel import FRONT_FIRST_ID, Channel, InStream, OutStream, Streams
from emulator.wire.frames import (
    Abort,
    Answer,
    Call,
    CancelCall,
    Done,
    Event,
    Explain,
    Failed,
    Full,
    Limits,
    Load,
    Loaded,
    LoadFailed,
    Log,
    Memory,
    ModuleRule,
    Retire,
    Retiring,
    Return,
    ToFront,
    WorkerSpec,
)
from emulator.wire.recorder import Recording

PATIENCE = 10.0
"""Seconds that anything may take before a test fails; nothing here depends on speed."""

MODERN = ("python_workers",)
LEGACY = ("python_workers", "disable_python_no_global_handlers")
DATE = "2026-03-01"

T = TypeVar("T")
Outside = Callable[[Call, bytes | InStream | None], Awaitable[tuple[int, list[tuple[str, str]], Any]]]
"""Answers a subrequest: status, headers, body (bytes, ``None`` or an async iterator)."""


class IsolateDied(AssertionError):
    """The process of an isolate ended while a test waited for it."""


class LoadError(Exception):
    """The Worker did not load; ``report`` says why."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"{report.code}: {report.what} {report.exception}")
        self.report = report


@dataclass
class Reply:
    """All that one event brought: the answer or the report of its failure, CPU and logs."""

    status: int
    """500 when there is no answer but a report."""
    headers: list[tuple[str, str]]
    body: bytes
    report: Report | None
    cpu_us: int
    logs: list[Log]
    explained: list[Report]

    @property
    def text(self) -> str:
        """The body as text. AssertionError with the report when the event failed."""
        assert self.report is None, f"{self.report}"
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def lines(self) -> list[str]:
        """What was logged, line by line."""
        return [line for log in self.logs for line in log.text.split("\n")]


class Exchange:
    """One event under way."""

    def __init__(self, isolate: Isolate, number: int) -> None:
        self.id = number
        self._isolate = isolate
        self.head: asyncio.Future[Answer | Failed] = isolate.loop.create_future()
        self.done: asyncio.Future[int] = isolate.loop.create_future()
        self.stream: InStream | None = None
        self.logs: list[Log] = []
        self.explained: list[Report] = []

    @property
    def answered(self) -> bool:
        """Whether status and headers are there."""
        return self.head.done()

    def answer(self) -> Answer | Failed:
        """Wait for status and headers."""
        return self._isolate.wait(self.head)

    def chunk(self) -> bytes | None:
        """Wait for the next piece of a streamed body; ``None`` at its end."""
        self.answer()
        assert self.stream is not None, "the body is no stream"
        return self._isolate.wait(self.stream.read())

    def wait_for_log(self, text: str) -> None:
        """Wait until this event has logged ``text``."""
        self._isolate.until(lambda: any(text in log.text for log in self.logs))

    def abort(self) -> None:
        """The client leaves."""
        if self.stream is not None:
            self.stream.cancel("The client disconnected.")
        self._isolate.send(Abort(self.id))

    def reply(self) -> Reply:
        """Wait until all is over, ``waitUntil`` included."""
        return self._isolate.wait(self._reply())

    async def _reply(self) -> Reply:
        head = await self.head
        body = b""
        if isinstance(head, Failed):
            cpu = await self.done
            return Reply(500, [], b"", head.report, cpu, self.logs, self.explained)
        if self.stream is not None:
            body = b"".join([chunk async for chunk in self.stream])
        elif isinstance(head.body, bytes):
            body = head.body
        cpu = await self.done
        return Reply(head.status, head.headers, body, None, cpu, self.logs, self.explained)

    def _fail(self, error: BaseException) -> None:
        for future in (self.head, self.done):
            if not future.done():
                future.set_exception(error)
                future.exception()  # whether anybody waits or not


async def _nothing_outside(
    call: Call, body: bytes | InStream | None
) -> tuple[int, list[tuple[str, str]], Any]:
    return 404, [], f"nothing is at {call.args['url']}".encode()


class Isolate:
    """One isolate with one Worker loaded. ``outside`` answers its subrequests."""

    def __init__(self, loop: asyncio.AbstractEventLoop, number: int) -> None:
        self.loop = loop
        self.number = number
        self.outside: Outside = _nothing_outside
        self.calls: list[Call] = []
        self.cancelled: list[int] = []
        self.logs: list[Log] = []
        """Lines outside of any event."""
        self.explained: list[Report] = []
        self.full: list[int] = []
        """How often it asked to be replaced: the bytes of memory it had."""
        self.loaded: asyncio.Future[Loaded | LoadFailed] = loop.create_future()
        self.kill: Callable[[], None] = lambda: None
        """Ends the process at once."""
        self.status: int | None = None
        """The exit status, once the process ended; negative for a signal."""
        self.recording = Recording()
        self.memory_bytes = 0
        self._channel = Channel(ToFront, self._on_frame, self._on_lost)
        self._streams = Streams(self._channel, FRONT_FIRST_ID)
        self._exchanges: dict[int, Exchange] = {}
        self._ids = itertools.count(1)
        self._tasks: dict[int, asyncio.Task[None]] = {}

    @property
    def alive(self) -> bool:
        return self.status is None and not self._channel.lost

    def wait(self, awaitable: Awaitable[T], seconds: float = PATIENCE) -> T:
        """Let the loop turn until ``awaitable`` is done."""

        async def waiting() -> T:
            return await asyncio.wait_for(awaitable, seconds)

        try:
            return self.loop.run_until_complete(waiting())
        except TimeoutError:
            # Whatever it is busy with, the next test gets another one.
            self._channel.abort()
            self.kill()
            raise

    def until(self, condition: Callable[[], Any]) -> None:
        """Let the loop turn until ``condition`` holds."""

        async def polling() -> None:
            while not condition():
                await asyncio.sleep(0.002)

        self.wait(polling())

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self.wait(asyncio.sleep(seconds), seconds + PATIENCE)

    # ---- events -------------------------------------------------------------

    def begin(
        self,
        method: str = "GET",
        path: str = "/",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | OutStream | None = None,
        cf: Mapping[str, Any] | None = None,
    ) -> Exchange:
        """Send an event without waiting for anything."""
        exchange = Exchange(self, next(self._ids))
        self._exchanges[exchange.id] = exchange
        if not self.alive:
            exchange._fail(self._death())
            return exchange
        url = path if "://" in path else f"http://localhost:8787{path}"
        lines = "\n".join(["host", "localhost:8787", *itertools.chain.from_iterable(headers)])
        sent = body.id if isinstance(body, OutStream) else body
        self.send(Event(exchange.id, "fetch", method, url, lines, json.dumps(cf or {}), sent))
        return exchange

    def fetch(
        self, method: str = "GET", path: str = "/", headers: Any = (), body: bytes | None = None
    ) -> Reply:
        """Send an event and wait until all of it is over."""
        return self.begin(method, path, headers, body).reply()

    def upload(self) -> OutStream:
        """A stream for the body of an event; write to it while waiting."""
        return self._streams.open()

    def send(self, frame: Any) -> None:
        """Send any frame."""
        self._channel.send(frame)

    def retire(self) -> int:
        """Ask it to finish and wait for its end; gives its exit status."""
        self.send(Retire())
        self.until(lambda: self.status is not None)
        assert self.status is not None
        return self.status

    # ---- frames -------------------------------------------------------------

    def _on_frame(self, frame: Any) -> None:
        if self._streams.handle(frame):
            return
        if isinstance(frame, Loaded | LoadFailed):
            self.loaded.set_result(frame)
        elif isinstance(frame, Call):
            self._on_call(frame)
        elif isinstance(frame, CancelCall):
            self.cancelled.append(frame.call)
            task = self._tasks.get(frame.call)
            if task is not None:
                task.cancel()
        elif isinstance(frame, Retiring):
            pass  # it goes on until its events are over
        elif isinstance(frame, Memory):
            self.memory_bytes = frame.used_bytes
        elif isinstance(frame, Full):
            self.full.append(frame.memory_bytes)
        elif isinstance(frame, Log):
            exchange = self._exchanges.get(frame.event)
            (self.logs if exchange is None else exchange.logs).append(frame)
        elif isinstance(frame, Explain):
            exchange = self._exchanges.get(frame.event)
            (self.explained if exchange is None else exchange.explained).append(frame.report)
        else:
            self._on_outcome(frame)

    def _on_outcome(self, frame: Answer | Failed | Done) -> None:
        exchange = self._exchanges[frame.id]
        if isinstance(frame, Done):
            exchange.done.set_result(frame.cpu_us)
            return
        if isinstance(frame, Answer) and isinstance(frame.body, int):
            exchange.stream = self._streams.incoming(frame.body)
        exchange.head.set_result(frame)
        if isinstance(frame, Answer) and frame.cpu_us >= 0:
            exchange.done.set_result(frame.cpu_us)

    def _on_call(self, call: Call) -> None:
        self.calls.append(call)
        body = self._streams.incoming(call.body) if isinstance(call.body, int) else call.body
        self._tasks[call.call] = self.loop.create_task(self._serve(call, body))

    async def _serve(self, call: Call, body: bytes | InStream | None) -> None:
        try:
            status, headers, answer = await self.outside(call, body)
        except ConnectionError as error:
            self.send(Return(call.call, None, None, ("Error", str(error))))
            return
        value = {
            "status": status,
            "status_text": "",
            "headers": headers,
            "url": call.args["url"],
            "redirected": False,
        }
        if answer is None or isinstance(answer, bytes):
            self.send(Return(call.call, value, answer))
            return
        stream = self._streams.open()
        self.send(Return(call.call, value, stream.id))
        await stream.write_all(answer)

    # ---- the end ------------------------------------------------------------

    def ended(self, status: int) -> None:
        """The process is gone; told by the fork server."""
        self.status = status
        self.loop.call_soon(self._channel.abort)

    def _on_lost(self, error: Exception | None) -> None:
        self._streams.lost(error)
        self.loop.call_later(0.2, self._fail_all)

    def _fail_all(self) -> None:
        for exchange in self._exchanges.values():
            exchange._fail(self._death())
        if not self.loaded.done():
            self.loaded.set_exception(self._death())

    def _death(self) -> IsolateDied:
        if self.status is not None and self.status < 0:
            return IsolateDied(f"the isolate was killed by {signal.Signals(-self.status).name}")
        return IsolateDied(f"the isolate ended with status {self.status}")


@dataclass
class ForkedIsolates:
    """The fork server and its isolates; a context manager."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __enter__(self) -> ForkedIsolates:
        self._isolates: dict[int, Isolate] = {}
        self._lost = False

        async def start() -> ForkServer:
            return ForkServer(launch(), self._on_ended, self._on_server_lost)

        self._server = self.loop.run_until_complete(start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for isolate in self._isolates.values():
            isolate._channel.abort()
            isolate.recording.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def fork(self) -> Isolate:
        """An isolate with nothing loaded."""
        assert not self._lost, "the fork server ended"
        isolate = Isolate(self.loop, len(self._isolates) + 1)
        isolate.kill = lambda: self._server.kill(isolate.number)
        self._isolates[isolate.number] = isolate
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)

        async def connect() -> None:
            await self.loop.create_unix_connection(lambda: isolate._channel, sock=ours)

        with theirs:
            self._server.fork(isolate.number, theirs, isolate.recording.fd)
        self.loop.run_until_complete(connect())
        return isolate

    def load(self, directory: Path, main: str = "src/entry.py", **spec: Any) -> Isolate:
        """Fork an isolate and load the Worker in ``directory``. Raises ``LoadError``."""
        if spec.get("kind", "python") != "python":
            self._server.warm()
        isolate = self.fork()
        isolate.send(Load(worker_spec(directory, main, **spec)))
        loaded = isolate.wait(isolate.loaded)
        if isinstance(loaded, LoadFailed):
            isolate.kill()
            raise LoadError(loaded.report)
        return isolate

    def pid(self, isolate: Isolate) -> int:
        """The isolate's process."""
        return self._server.pids[isolate.number]

    def kill(self, isolate: Isolate) -> None:
        """End it at once."""
        isolate.kill()

    def _on_ended(self, number: int, status: int, peak_bytes: int) -> None:
        self._isolates[number].ended(status)

    def _on_server_lost(self) -> None:
        self._lost = True


def worker_spec(
    directory: Path,
    main: str = "src/entry.py",
    *,
    date: str = DATE,
    flags: Iterable[str] = LEGACY,
    variables: Mapping[str, Any] | None = None,
    packages: Iterable[str] = (),
    kind: str = "python",
    rules: Iterable[ModuleRule] = (),
    cache: str = "",
    limits: Limits | None = None,
    interruptible: bool = False,
) -> WorkerSpec:
    """What the front would send for a Worker in ``directory``."""
    return WorkerSpec(
        name="my-worker",
        root=str(directory),
        main=str(directory / main),
        compatibility_date=date,
        compatibility_flags=list(flags),
        vars=dict(variables or {}),
        config_path=str(directory / "wrangler.toml"),
        packages=list(packages),
        kind=kind,
        rules=list(rules),
        cache=cache,
        limits=limits or Limits(),
        interruptible=interruptible,
    )


def write(directory: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below ``directory``; text as UTF-8."""
    for name, source in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return directory


LoadWorker = Callable[..., Isolate]
"""The fixture that loads a JavaScript Worker from its source."""


def fetching(body: str) -> str:
    """A JavaScript Worker whose fetch handler has this body."""
    return f"export default {{ async fetch(request, env, ctx) {{ {body} }} }};"
