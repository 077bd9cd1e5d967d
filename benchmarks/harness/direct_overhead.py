"""What a request costs inside the isolate when the Worker is a .wasm without JavaScript.

From the event to its answer: finding the path, the calls of docs/go-abi.md, copying, and making the
response's headers. The wire, the event loop's own turn and the front are not in it.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context
from pathlib import Path
from typing import Any, Final

from emulator.isolate.direct.program import DirectProgram
from emulator.isolate.events import EventContext
from emulator.wire.frames import Event, WorkerSpec

HEADERS: Final = """host
localhost:8787
user-agent
benchmark
accept
*/*
accept-encoding
br, gzip
cf-connecting-ip
127.0.0.1
cf-ipcountry
XX
cf-ray
0123456789abcdef-XXX
cf-visitor
{"scheme":"http"}
x-forwarded-proto
http
x-real-ip
127.0.0.1"""
"""As the front sends them."""


class _Loop:
    """Runs at once what it is given."""

    def call_soon(self, function: Any, *args: Any, context: Context) -> None:
        context.run(function, *args)


class _Host:
    """Keeps the last answer."""

    def __init__(self) -> None:
        self.loop = _Loop()
        self.status = 0

    def answer_whole(self, event: EventContext, status: int, *_: Any) -> None:
        self.status = status

    def fail(self, event: EventContext, report: Any) -> None:
        raise RuntimeError(report.what)

    def served(self, event: EventContext) -> None:
        pass

    def compiling(self) -> AbstractContextManager[None]:
        return nullcontext()


def direct_overhead_us(wasm: Path, path: str, requests: int, rounds: int) -> tuple[float, ...]:
    """Microseconds of CPU per GET of ``path``, of each round."""
    host: Any = _Host()
    program = DirectProgram(host)
    program.load(WorkerSpec("benchmark", str(wasm.parent), str(wasm), "2024-12-01", [], {}, kind="wasm"))
    frame = Event(1, "fetch", "GET", f"http://localhost:8787{path}", HEADERS, "{}", None)

    def one_round() -> float:
        started = time.thread_time()
        for _ in range(requests):
            program.begin(EventContext(1, frame.method, frame.url), frame)
        return (time.thread_time() - started) / requests * 1e6

    one_round()
    measured = tuple(one_round() for _ in range(rounds))
    assert host.status == 200, host.status
    return measured
