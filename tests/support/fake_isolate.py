"""An isolate without a realm: runs a Worker whose ``main`` defines ``fetch(event, send)``.

Lets the fleet and the front be tested through the real fork server, wire and command line.
The module at ``spec.main`` is plain Python: ``async def fetch(isolate, event)`` gives
``(status, headers, body)`` with a body of bytes, ``None`` or an async iterator.
"""

from __future__ import annotations

import asyncio
import json
import socket
import traceback
from typing import Any

from emulator.diagnostics.report import Report
from emulator.wire.channel import ISOLATE_FIRST_ID, Channel, InStream, Streams
from emulator.wire.frames import (
    Abort,
    Answer,
    Call,
    CancelCall,
    Done,
    Event,
    Failed,
    Load,
    Loaded,
    LoadFailed,
    Log,
    Retire,
    Retiring,
    Return,
    ToIsolate,
)
from emulator.wire.recorder import FlightRecorder


def pairs(event: Event) -> list[tuple[str, str]]:
    """The headers of an event as pairs."""
    lines = iter(event.headers.split("\n"))
    return list(zip(lines, lines, strict=True))


def preload() -> None:
    """Nothing to boot."""


def warm() -> None:
    """Nothing to import for other languages."""


def run(sock: socket.socket, recorder: int) -> None:
    asyncio.run(FakeIsolate(FlightRecorder(recorder)).serve(sock))


class FakeIsolate:
    def __init__(self, recorder: FlightRecorder) -> None:
        self.recorder = recorder
        self.channel = Channel(ToIsolate, self.on_frame, lambda _: self.over.set())
        self.streams = Streams(self.channel, ISOLATE_FIRST_ID)
        self.over = asyncio.Event()
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.calls: dict[int, asyncio.Future[Any]] = {}
        self.next_call = 1
        self.retiring = False
        self.fetch: Any = None

    async def serve(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self.channel, sock=sock)
        await self.over.wait()

    def on_frame(self, frame: Any) -> None:
        if self.streams.handle(frame):
            return
        if isinstance(frame, Load):
            self.load(frame)
        elif isinstance(frame, Event):
            body = self.streams.incoming(frame.body) if isinstance(frame.body, int) else frame.body
            task = asyncio.get_running_loop().create_task(self.handle(frame, body))
            self.tasks[frame.id] = task
            task.add_done_callback(lambda _: self.done(frame))
        elif isinstance(frame, Abort) and frame.id in self.tasks:
            self.tasks[frame.id].cancel()
        elif isinstance(frame, Return):
            body = self.streams.incoming(frame.body) if isinstance(frame.body, int) else frame.body
            self.calls.pop(frame.call).set_result((frame, body))
        elif isinstance(frame, Retire):
            self.retiring = True
            self.channel.send(Retiring())
            self.end_when_idle()

    def load(self, frame: Load) -> None:
        namespace: dict[str, Any] = {"__name__": "worker", "spec": frame.spec}
        try:
            with open(frame.spec.main, encoding="utf-8") as file:
                exec(compile(file.read(), frame.spec.main, "exec"), namespace)
            self.fetch = namespace["fetch"]
        except Exception as error:
            exception = f"{type(error).__name__}: {error}"
            report = Report(code="uncaught-exception", what="The Worker failed to load.", exception=exception)
            self.channel.send(LoadFailed(report))
        else:
            self.channel.send(Loaded(["fetch"], 100, []))

    async def handle(self, event: Event, body: bytes | InStream | None) -> None:
        self.recorder.cells.begun = event.id
        try:
            status, headers, answer = await self.fetch(self, event, body)
            if answer is None or isinstance(answer, bytes):
                self.channel.send(Answer(event.id, status, "", headers, answer))
            else:
                stream = self.streams.open()
                self.channel.send(Answer(event.id, status, "", headers, stream.id))
                await stream.write_all(answer)
        except asyncio.CancelledError:
            self.log(event, "info", "aborted")
        except Exception as error:
            traceback.print_exc()
            self.channel.send(Failed(event.id, Report("uncaught-exception", f"{error!r}")))

    def done(self, event: Event) -> None:
        # Not in handle(): a task that is cancelled before its first step runs none of it.
        self.channel.send(Done(event.id, 800))
        del self.tasks[event.id]
        self.end_when_idle()

    def log(self, event: Event, level: str, text: str) -> None:
        self.channel.send(Log(event.id, level, text))

    async def call(self, event: Event, args: dict[str, Any], body: Any = None) -> Any:
        number = self.next_call
        self.next_call += 1
        self.calls[number] = asyncio.get_running_loop().create_future()
        self.channel.send(Call(number, event.id, "fetch", "fetch", args, body))
        try:
            return await self.calls[number]
        except asyncio.CancelledError:
            self.channel.send(CancelCall(number))
            raise

    def end_when_idle(self) -> None:
        if self.retiring and not self.tasks:
            self.channel.close()
            self.over.set()


def as_json(event: Event, body: Any) -> bytes:
    """The event as JSON, for tests that look at what the front sends."""
    shown = {
        "method": event.method,
        "url": event.url,
        "headers": pairs(event),
        "cf": json.loads(event.cf),
    }
    return json.dumps(shown | {"body": body.decode() if isinstance(body, bytes) else body}).encode()
