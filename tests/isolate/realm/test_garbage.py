"""JavaScript's garbage is collected when it is asked for, not in the middle of what runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.isolate.realm.engine import Engine

CYCLES = (
    "(count) => { for (let i = 0; i < count; i++) { const x = { text: 'x'.repeat(500) + i }; x.self = x; } }"
)


def test_cycles_are_collected_when_it_is_due() -> None:
    engine = Engine()
    make: Callable[..., Any] = engine.eval(CYCLES, "test.js")
    garbage = engine.garbage
    assert not garbage.due
    garbage.start()
    assert not garbage.due

    make(10_000)

    assert garbage.due
    garbage.collect()
    assert not garbage.due


def test_an_endless_event_does_not_wait_for_it() -> None:
    engine = Engine()
    engine.garbage.start()
    make: Callable[..., Any] = engine.eval(CYCLES, "test.js")

    make(300_000)  # 200 MB and more, if nothing were collected

    assert engine.runtime.compute_memory_usage()["malloc_size"] < 100_000_000
