"""Why a process ended: what its exit status, its memory and the flight recorder say together."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.fleet.death import Death
from emulator.wire.frames import Limits, WorkerSpec
from emulator.wire.recorder import FlightRecorder, Recording

MB = 1024 * 1024
FRESH = 90 * MB


@pytest.fixture
def recording() -> Iterator[Recording]:
    made = Recording()
    yield made
    made.close()


def spec(root: Path) -> WorkerSpec:
    limits = Limits(plan="free", cpu_ms=10, memory_mb=128, startup_memory_mb=128)
    return WorkerSpec("my-worker", str(root), str(root / "entry.py"), "2026-03-01", [], {}, limits=limits)


def died(
    recording: Recording,
    status: int,
    used_mb: int,
    limited: bool = True,
    failed: bool = False,
    root: Path = Path("/project"),
) -> Death:
    cells = FlightRecorder(recording.fd).cells
    cells.running = 1
    cells.memory = failed
    cells.fresh_bytes, cells.limit_bytes = FRESH, 128 * MB * limited
    return Death(spec(root), "", status, recording, FRESH + used_mb * MB)


@pytest.mark.parametrize(
    ("number", "used_mb", "limited", "failed", "memory"),
    [
        (signal.SIGABRT, 120, True, False, True),
        (signal.SIGSEGV, 70, True, False, True),
        (signal.SIGABRT, 5, True, False, False),
        (signal.SIGABRT, 5, True, True, True),
        (signal.SIGABRT, 120, False, False, False),
        (signal.SIGFPE, 120, True, False, False),
        (signal.SIGKILL, 120, True, False, False),
        (signal.SIGKILL, 120, True, True, True),
    ],
)
def test_a_process_that_got_no_memory(
    recording: Recording, number: signal.Signals, used_mb: int, limited: bool, failed: bool, memory: bool
) -> None:
    death = died(recording, -number, used_mb, limited, failed)
    report = death.limit_report("GET /")
    assert (report is not None) == memory
    assert (death.load_report().code == "startup-memory-exceeded") == memory
    if report is not None:
        assert (report.code, report.event) == ("memory-exceeded", "GET /")
        assert "The process ended with it" in report.why


def test_an_exit_is_no_crash(recording: Recording) -> None:
    assert died(recording, 70, 120).limit_report("GET /") is None


def test_the_line_that_ran(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "entry.py").write_text("import orjson\norjson.dumps([])\n")
    stack = (
        "Fatal Python error: Aborted\n\nCurrent thread 0x1 (most recent call first):\n"
        f'  File "{tmp_path}/python_modules/orjson/a.py", line 7 in dumps\n'
        f'  File "{tmp_path}/entry.py", line 2 in fetch\n'
    )
    recorder = FlightRecorder(recording.fd)
    with open(recorder.fd, "wb", closefd=False) as file:
        file.write(stack.encode())
    where = died(recording, -signal.SIGABRT, 1, root=tmp_path).place()
    assert where is not None
    assert (where.line, where.function, where.source) == (2, "fetch", "orjson.dumps([])")
