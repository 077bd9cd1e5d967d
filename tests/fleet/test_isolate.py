"""What the front tells of an isolate that dies, and to one that asks for something."""

from __future__ import annotations

import asyncio
import signal

import pytest

from emulator.fleet.calls import CallResult
from emulator.fleet.isolate import Isolate, State
from emulator.journal.events import Explained, JournalEvent, Notice
from emulator.wire.channel import StreamBroken
from emulator.wire.frames import Call, Return, WorkerSpec
from emulator.wire.recorder import FlightRecorder

SPEC = WorkerSpec(
    "my-worker", "/project", "/project/entry.py", "2026-03-01", [], {}, "/project/wrangler.toml"
)


async def _killed(running: int) -> list[JournalEvent]:
    """What is told when the kernel ends an isolate with one request while code of ``running`` runs."""
    told: list[JournalEvent] = []

    async def calls(*_: object) -> CallResult:
        raise AssertionError

    isolate = Isolate(1, SPEC, calls, told.append, lambda _: None)
    FlightRecorder(isolate.recording.fd).cells.running = running
    isolate.state = State.READY
    exchange = isolate.dispatch("GET", "http://localhost/", "", "{}", None, lambda cpu_us: None)
    isolate._status = -signal.SIGVTALRM
    isolate._die()
    assert exchange.outcome is not None
    return told


def test_the_end_by_the_kernel_is_told_once() -> None:
    (told,) = asyncio.run(_killed(1))
    assert isinstance(told, Explained) and told.report.event == "GET /"


@pytest.mark.parametrize(("running", "why"), [(7, "Its answer was sent before"), (0, "works for no request")])
def test_an_end_by_the_kernel_that_no_request_waits_for_is_told(running: int, why: str) -> None:
    notice, told = asyncio.run(_killed(running))
    assert isinstance(notice, Notice) and isinstance(told, Explained)
    assert told.report.code == "cpu-exceeded" and why in told.report.why


@pytest.mark.parametrize(
    ("error", "shown"), [(StreamBroken("Error: boom"), False), (ZeroDivisionError("division by zero"), True)]
)
def test_a_call_that_fails_is_answered(
    error: Exception, shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    sent: list[object] = []

    async def calls(*_: object) -> CallResult:
        raise error

    async def call() -> None:
        isolate = Isolate(1, SPEC, calls, lambda _: None, lambda _: None)
        isolate.channel.send = sent.append  # type: ignore[method-assign]
        exchange = isolate.dispatch("GET", "http://localhost/", "", "{}", None, lambda cpu_us: None)
        isolate._on_call(Call(5, exchange.id, "fetch", "fetch", {}, None))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        isolate.recording.close()

    asyncio.run(call())
    assert sent[1:] == [Return(5, None, None, ("Error", str(error)))]
    assert ("ZeroDivisionError" in capsys.readouterr().err) is shown
