"""What a request costs inside the isolate: all of it but the socket's system calls.

From the bytes of an Event frame to the bytes of its Answer, with the isolate's own channel,
event loop and ``Worker``: decoding, the loop's turn, the handler and what surrounds it, encoding. One
request at a time, so nothing is shared between requests, as it is under load. CPU time of the thread,
which other programs on the machine hardly change.
"""

from __future__ import annotations

import asyncio
import struct
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from emulator.isolate.io import IsolateIO
from emulator.isolate.loop import RealmLoop
from emulator.isolate.main import prepared
from emulator.isolate.meter.meter import Meter
from emulator.isolate.worker import Worker
from emulator.limits import plan_named
from emulator.wire.channel import ISOLATE_FIRST_ID, Channel, Streams
from emulator.wire.frames import Answer, Event, Frame, Load, Loaded, ToFront, ToIsolate, WorkerSpec

HEADERS: Final = "\n".join(
    (
        *("host", "localhost:8787"),
        *("user-agent", "curl/8.0"),
        *("accept", "*/*"),
        *("accept-encoding", "br, gzip"),
        *("cf-connecting-ip", "127.0.0.1"),
        *("cf-ipcountry", "US"),
        *("cf-ray", "0123456789abcdef-DFW"),
        *("cf-visitor", '{"scheme":"http"}'),
        *("x-forwarded-proto", "http"),
        *("x-real-ip", "127.0.0.1"),
    )
)
"""As the front sends them."""

CF: Final = '{"asn":395747,"country":"US","colo":"DFW","httpProtocol":"HTTP/1.1"}'

_TURNS: Final = 1000
"""Turns of the loop after which an answer is missed."""


class _Wire:
    """The isolate's transport: keeps what is written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def frames(self) -> list[Any]:
        """The frames in all that was written."""
        data, at, found = b"".join(self.written), 0, []
        self.written.clear()
        decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(ToFront)
        while at < len(data):
            (size,) = struct.unpack_from("!I", data, at)
            found.append(decoder.decode(data[at + 4 : at + 4 + size]))
            at += 4 + size
        return found


class InProcess:
    """An isolate in this process, with a Worker loaded. At most one in a process."""

    def __init__(self, spec: WorkerSpec) -> None:
        base = prepared()
        self._loop = RealmLoop(base.bridge.engine, base.future_class, base.task_class)
        asyncio.set_event_loop(self._loop)
        asyncio._set_running_loop(self._loop)
        self._wire = _Wire()
        self._channel = Channel(
            ToIsolate, lambda frame: worker.on_frame(frame), lambda _: None, flushed=False
        )
        streams = Streams(self._channel, ISOLATE_FIRST_ID)
        base.io = io = IsolateIO(self._loop, self._channel, streams)
        worker = Worker(
            base.bridge, self._loop, self._channel, streams, io, base.workers_module, Meter(self._loop, None)
        )
        transport: Any = self._wire
        self._channel.connection_made(transport)
        self._answer_to(_bytes_of(Load(spec)))
        frames = self._wire.frames()
        assert any(isinstance(frame, Loaded) for frame in frames), frames

    def serve(self, requests: int, frame: bytes) -> float:
        """Microseconds of CPU a request."""
        started = time.thread_time()
        for _ in range(requests):
            self._answer_to(frame)
        took = time.thread_time() - started
        frames = self._wire.frames()
        assert sum(isinstance(frame, Answer) and frame.status == 200 for frame in frames) == requests, frames[
            :2
        ]
        assert all(frame.cpu_us >= 0 for frame in frames if isinstance(frame, Answer))
        return took / requests * 1e6

    def _answer_to(self, frame: bytes) -> None:
        """Give the isolate ``frame`` and let its loop turn until something is written."""
        seen = len(self._wire.written)
        self._channel.data_received(frame)
        for _ in range(_TURNS):
            self._loop._run_once()
            if len(self._wire.written) > seen:
                return
        raise RuntimeError("no answer")


def _bytes_of(frame: Frame) -> bytes:
    data = msgspec.msgpack.encode(frame)
    return struct.pack("!I", len(data)) + data


def isolate_overhead_us(kind: str, main: Path, path: str, requests: int, rounds: int) -> tuple[float, ...]:
    """Microseconds of CPU per GET of ``path``, of each round. Call it in a process of its own."""
    limits = plan_named("free").for_isolate()
    spec = WorkerSpec(
        "benchmark", str(main.parent), str(main), "2024-12-01", [], {}, kind=kind, limits=limits
    )
    isolate = InProcess(spec)
    frame = _bytes_of(Event(1, "fetch", "GET", f"http://localhost:8787{path}", HEADERS, CF, None))
    isolate.serve(requests // 2, frame)
    return tuple(isolate.serve(requests, frame) for _ in range(rounds))
