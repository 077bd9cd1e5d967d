"""A module that does not come to an end is stopped, and the next request meets a new instance."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from emulator.diagnostics.report import Report
from emulator.isolate.direct.program import DirectProgram
from emulator.isolate.events import EventContext
from emulator.isolate.wasm.epochs import epochs
from emulator.wire.frames import Event, WorkerSpec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs timers of CPU time")

COUNTS = """(module $counts (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (func $work (loop (br 0)))
  (func (export "handle") (param i32 i32 i32 i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (i32.const 0) (i32.add (i32.const 48) (global.get $calls)))
    (if (i32.gt_u (local.get 3) (i32.const 1)) (then (call $work))))
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "responsePtr") (result i32) i32.const 0)
  (func (export "responseLen") (result i32) i32.const 1))"""
"""Answers how often it was called; never when the path is longer than ``/``."""


class FakeLoop:
    """Runs at once what is to run soon."""

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> None:
        """Now is soon."""
        callback(*args)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Nothing is measured here."""
        yield


class FakeHost:
    """Remembers what a program answers."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.bodies: list[bytes] = []
        self.failures: list[Report] = []

    def answer_whole(self, event: EventContext, status: int, text: str, headers: Any, body: bytes) -> None:
        """A response."""
        self.bodies.append(body)

    def fail(self, event: EventContext, report: Report) -> None:
        """A failure."""
        self.failures.append(report)

    def served(self, event: EventContext) -> None:
        """Its end."""

    def compiling(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is counted here."""
        return contextlib.nullcontext()


class Stopping:
    """Whether what runs now is to be stopped."""

    now = False


@pytest.fixture
def stopping() -> Iterator[Stopping]:
    made = Stopping()
    epochs().compiled_in, epochs().on_tick = True, lambda: made.now
    yield made
    epochs().compiled_in, epochs().on_tick = False, None


def test_the_next_request_meets_a_new_instance(stopping: Stopping, tmp_path: Path) -> None:
    main = tmp_path / "worker.wasm"
    main.write_bytes(bytes(wasmtime.wat2wasm(COUNTS)))
    host: Any = FakeHost()
    program = DirectProgram(host)
    program.load(WorkerSpec("w", str(tmp_path), str(main), "2026-03-01", [], {}, kind="wasm"))
    for number, path in enumerate(["/", "/", "/endless", "/", "/"]):
        url = f"http://localhost{path}"
        stopping.now = path == "/endless"
        program.begin(EventContext(number, "GET", url), Event(number, "fetch", "GET", url, "", "", None))
    assert host.bodies == [b"1", b"2", b"1", b"2"]
    assert len(host.failures) == 1
    assert program.memory() == 65536
