"""What the journal is told of a request: once, when both of its ends have come."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import Any, cast

from emulator.front.record import Record
from emulator.journal.events import JournalEvent, RequestFinished


def recorded() -> tuple[Record, list[JournalEvent]]:
    events: list[JournalEvent] = []
    return Record(events.append, "w", "GET", "/p"), events


def isolate(memory_bytes: int, cpu_scale: float = 1) -> Any:
    spec = SimpleNamespace(limits=SimpleNamespace(cpu_scale=cpu_scale))
    return SimpleNamespace(memory_bytes=memory_bytes, spec=spec)


class FakeExchange:
    def __init__(self, subrequests: int | None) -> None:
        self.subrequests = None if subrequests is None else SimpleNamespace(count=subrequests)
        self.on_done: Any = None


def exchange(subrequests: int | None = None) -> Any:
    return FakeExchange(subrequests)


def only(events: list[JournalEvent]) -> RequestFinished:
    (event,) = events
    assert isinstance(event, RequestFinished)
    return event


def test_cpu_memory_subrequests_and_limit() -> None:
    record, events = recorded()
    there, sent = isolate(5), exchange(3)
    record.sent(there, sent)
    record.limit = "cpu"
    record.respond_over(503, "Service Unavailable")
    assert events == []
    there.memory_bytes = 7
    record.work_over(1_200)
    event = only(events)
    assert (event.status, event.cpu_us, event.memory_bytes, event.subrequests, event.limit) == (
        *(503, 1_200, 7, 3),
        "cpu",
    )


def test_cpu_is_told_as_it_is_held_against_the_plan() -> None:
    record, events = recorded()
    record.sent(isolate(1, cpu_scale=1.5), exchange())
    record.respond_over(200)
    record.work_over(1_001)
    assert only(events).cpu_us == 1_502


def test_a_request_that_never_reached_an_isolate() -> None:
    record, events = recorded()
    record.work_over(None)
    record.respond_over(413)
    event = only(events)
    assert (event.cpu_us, event.memory_bytes, event.subrequests, event.limit) == (None, 0, 0, "")


def test_without_a_call_there_were_no_subrequests() -> None:
    record, events = recorded()
    record.sent(isolate(1), exchange())
    record.respond_over(200)
    record.work_over(1)
    assert only(events).subrequests == 0


def test_the_isolate_that_answered_counts_after_a_replay() -> None:
    record, events = recorded()
    record.sent(isolate(1), exchange(1))
    record.work_over(None)
    record.replay()
    record.sent(isolate(2), exchange(2))
    record.respond_over(200)
    record.work_over(10)
    event = only(events)
    assert (event.cpu_us, event.memory_bytes, event.subrequests) == (10, 2, 2)


def test_a_record_that_is_told_leaves_nothing_for_the_collector() -> None:
    record, _ = recorded()
    sent = exchange()
    sent.on_done = record.work_over
    record.sent(isolate(1), sent)
    record.respond_over(200)
    record.work_over(1)
    known = weakref.ref(cast(Any, sent))
    gc.disable()
    try:
        del record, sent
        assert known() is None
    finally:
        gc.enable()
