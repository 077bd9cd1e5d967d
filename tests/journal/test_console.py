from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import pytest

from emulator.diagnostics.report import Report
from emulator.journal.console import Console
from emulator.journal.events import Explained, JournalEvent, LogLine, Notice, Reloaded, RequestFinished

REQUEST = RequestFinished("w", "GET", "/p", 200, "OK", 12.34, 800)


def printed(*events: JournalEvent, color: bool = False, level: str = "info", workers: int = 1) -> str:
    """What a console prints for events."""
    reading, writing = os.pipe()
    console = Console(writing, color, level, {f"w{number}": "" for number in range(workers)})
    for event in events:
        console(event)
    console.close()
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        return pipe.read()


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (REQUEST, "GET /p 200 OK (12 ms, 0.8 ms CPU)"),
        (RequestFinished("w", "POST", "/", 503, "", 0.04, None), "POST / 503 (0.0 ms)"),
        (
            RequestFinished("w", "GET", "/json", 200, "OK", 3, 2_100, 14 * 1_048_576, 2),
            "GET /json 200 OK (3.0 ms, 2.1 ms CPU, 14 MB)",
        ),
        (
            RequestFinished("w", "GET", "/", 200, "OK", 3, 0, 400_000),
            "GET / 200 OK (3.0 ms, 0.0 ms CPU, 0.4 MB)",
        ),
        (RequestFinished("w", "GET", "/", 503, "", 3, None, 128 * 1_048_576), "GET / 503 (3.0 ms, 128 MB)"),
        (
            RequestFinished("w", "GET", "/", 0, "", 1500, 9_960),
            "GET / client disconnected (1500 ms, 10 ms CPU)",
        ),
        (LogLine("w", "log", "你好\n second"), "[w] 你好\n     second"),
        (Reloaded("my-worker", 22.6), "Reloaded my-worker in 23 ms"),
        (Notice("info", "a line"), "a line"),
    ],
)
def test_lines(event: JournalEvent, line: str) -> None:
    assert printed(event) == line + "\n"


@pytest.mark.parametrize(("status", "code"), [(200, 32), (302, 34), (404, 33), (500, 31)])
def test_colors_by_status(status: int, code: int) -> None:
    event = RequestFinished("w", "GET", "/", status, "X", 20, None)
    assert printed(event, color=True) == f"GET / \x1b[{code}m{status} X\x1b[0m (20 ms)\n"


def test_several_workers_are_told_apart() -> None:
    assert printed(REQUEST, workers=2) == "[w] GET /p 200 OK (12 ms, 0.8 ms CPU)\n"


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        ("debug", ["debug", "log", "info", "warn", "error"]),
        ("info", ["log", "info", "warn", "error"]),
        ("log", ["log", "info", "warn", "error"]),
        ("warn", ["warn", "error"]),
        ("error", ["error"]),
        ("none", []),
    ],
)
def test_log_level(level: str, kept: list[str]) -> None:
    events = [LogLine("w", name, name) for name in ("debug", "log", "info", "warn", "error")]
    assert printed(*events, level=level) == "".join(f"[w] {name}\n" for name in kept)
    assert ("GET" in printed(REQUEST, level=level)) == ("info" in kept)


def test_reports_follow_their_severity() -> None:
    error, warning = Report("a", "broken"), Report("b", "odd", severity="warning")
    both = printed(Explained("w", error), Explained("w", warning), level="warn")
    assert "broken" in both
    assert "odd" in both
    assert "odd" not in printed(Explained("w", warning), level="error")


def with_pipe(scenario: Callable[[Console, int, int], None]) -> None:
    async def main() -> None:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        console = Console(writing, False, "info", {"w": ""})
        try:
            scenario(console, reading, writing)
            await asyncio.sleep(0)
        finally:
            os.close(reading)
            os.close(writing)

    asyncio.run(main())


def test_a_reader_that_stops_costs_old_lines_and_never_blocks() -> None:
    def scenario(console: Console, reading: int, _: int) -> None:
        for number in range(40_000):
            console.write(f"line {number}")
            if number % 1000 == 0:
                console._flush()
        read = b""
        for _ in range(100):
            console._flush()
            try:
                read += os.read(reading, 1 << 20)
            except BlockingIOError:
                break
        text = read.decode()
        assert text.startswith("line 0\n")
        assert "lines are missing: standard output was not read" in text
        assert text.endswith("line 39999\n")

    with_pipe(scenario)


def test_a_reader_that_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    console = Console(writing, False, "info", {"w": ""})
    os.close(reading)
    console.write("nobody reads this")
    console.close()
    os.close(writing)
