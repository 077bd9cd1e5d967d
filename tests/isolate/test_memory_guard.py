"""What running out of memory does to an event and to its isolate."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.diagnostics.report import Place, Report
from emulator.isolate.events import EventContext
from emulator.isolate.memory import MB, MemoryWatch
from emulator.isolate.memory_guard import MemoryGuard
from emulator.isolate.memory_use import Use
from emulator.wire.frames import Explain, Full, Limits, Memory
from emulator.wire.recorder import Cells

PLACE = Place("/w/src/entry.py", 3, 0, "fetch", "x = bytearray(10**9)")


class System:
    """Numbers that a test sets."""

    can_limit = True

    used = 0

    def quick(self) -> int:
        return self.used

    def whole(self) -> Use:
        return Use(self.used, 0, 0)

    def peak(self) -> int:
        return self.used

    def limit(self, data_bytes: int) -> None:
        pass

    def lift(self) -> None:
        pass


class Sent:
    """A channel that keeps what is sent."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.waiting_bytes = 0

    def send(self, frame: Any) -> None:
        self.frames.append(frame)


class Isolate:
    """A guard with its surroundings."""

    def __init__(self, **limits: float) -> None:
        self.system, self.channel, self.cells = System(), Sent(), Cells()
        self.wasm_bytes = 0
        self.ended: list[tuple[EventContext, Report]] = []
        watch = MemoryWatch(self.system)
        channel: Any = self.channel
        self.guard = MemoryGuard(
            watch, channel, self.cells, self._end, lambda *_: PLACE, lambda: self.wasm_bytes
        )
        given = {"memory_mb": 128.0, "startup_memory_mb": 128.0, **limits}
        self.guard.start(Limits(plan="free", **given))  # type: ignore[arg-type]

    def _end(self, event: EventContext, report: Report) -> None:
        event.cut = True
        self.ended.append((event, report))

    def look(self, used_mb: int) -> None:
        self.system.used = used_mb * MB
        for _ in range(4):
            self.guard.event_over()
        assert self.guard.due
        self.guard.look(self.channel.waiting_bytes)


@pytest.fixture
def isolate() -> Isolate:
    made = Isolate()
    assert made.guard.loaded(None) is None
    return made


def event() -> EventContext:
    return EventContext(7, "GET", "http://w/big?x=1")


def test_the_event_that_got_no_memory_is_ended_with_the_line_and_a_successor_is_asked_for(
    isolate: Isolate,
) -> None:
    isolate.system.used = 100 * MB
    guilty = event()

    assert isolate.guard.ran_out(guilty, MemoryError())

    [(ended, report)] = isolate.ended
    assert (ended, report.code, report.where, report.event) == (guilty, "memory-exceeded", PLACE, "GET /big")
    assert "128 MB" in report.what
    assert [type(frame) for frame in isolate.channel.frames] == [Full]
    assert isolate.cells.memory == 1


def test_another_mistake_is_not_the_memorys(isolate: Isolate) -> None:
    assert not isolate.guard.ran_out(event(), ValueError("boom"))
    assert (isolate.ended, isolate.channel.frames, isolate.cells.memory) == ([], [], 0)


def test_an_event_is_ended_once_and_one_successor_is_enough(isolate: Isolate) -> None:
    guilty = event()

    assert [isolate.guard.ran_out(guilty, MemoryError()) for _ in range(3)] == [True] * 3
    assert isolate.guard.ran_out(event(), MemoryError())

    assert len(isolate.ended) == 2
    assert len(isolate.channel.frames) == 1


def test_what_no_event_is_to_blame_for_is_told_and_asks_for_a_successor(isolate: Isolate) -> None:
    assert isolate.guard.ran_out(None, MemoryError())

    assert isolate.ended == []
    full, told = isolate.channel.frames
    assert isinstance(full, Full) and isinstance(told, Explain)
    assert (told.event, told.report.code, told.report.event) == (0, "memory-exceeded", "")


def test_an_event_that_is_over_is_told_once(isolate: Isolate) -> None:
    event = EventContext(1, "GET", "http://localhost/x")
    event.answered = event.over = True
    assert isolate.guard.ran_out(event, MemoryError())
    assert isolate.guard.ran_out(event, MemoryError())

    assert isolate.ended == []
    (told,) = (frame for frame in isolate.channel.frames if isinstance(frame, Explain))
    assert (told.event, told.report.event) == (1, "GET /x")
    assert "Its answer was sent before" in told.report.why


def test_a_slow_leak_asks_for_a_successor_when_it_crosses(isolate: Isolate) -> None:
    for used in (60, 120, 129, 140):
        isolate.look(used)

    assert isolate.ended == []
    fulls = [frame.memory_bytes for frame in isolate.channel.frames if isinstance(frame, Full)]
    assert fulls == [129 * MB]


def test_the_front_hears_of_changes_by_a_megabyte(isolate: Isolate) -> None:
    for used in (1, 1, 5, 5, 4):
        isolate.look(used)

    assert isolate.channel.frames == [Memory(1 * MB), Memory(5 * MB), Memory(4 * MB)]


def test_a_start_below_the_limit_is_no_matter() -> None:
    made = Isolate()
    made.system.used = 120 * MB

    assert made.guard.loaded(None) is None


@pytest.mark.parametrize(
    ("used_mb", "error", "shown"), [(131, None, "131 MB"), (30, MemoryError(), "over 128 MB")]
)
def test_a_start_above_the_limit_is_refused(used_mb: int, error: BaseException | None, shown: str) -> None:
    made = Isolate()
    made.system.used = used_mb * MB

    report = made.guard.loaded(error)

    assert report is not None
    assert (report.code, report.where) == ("startup-memory-exceeded", error and PLACE)
    assert shown in report.what


def test_a_leak_of_wasm_memory_ends_with_its_isolate_even_without_limits() -> None:
    made = Isolate(memory_mb=0, startup_memory_mb=0)
    made.wasm_bytes = 129 * MB

    made.look(0)
    made.look(0)

    assert made.channel.frames == [Full(129 * MB)]


def test_without_limits_everything_goes() -> None:
    made = Isolate(memory_mb=0, startup_memory_mb=0)
    made.system.used = 1000 * MB
    assert made.guard.loaded(None) is None

    made.look(4000)

    assert made.channel.frames == [Memory(4000 * MB)]


def test_an_event_that_lost_what_it_waits_for_is_ended() -> None:
    isolate = Isolate()
    event = EventContext(1, "GET", "http://a/x")
    event.answered = True
    isolate.guard.end(event)
    ((ended, report),) = isolate.ended
    assert ended is event
    assert report.code == "memory-exceeded"
    assert "JavaScript" in report.why
