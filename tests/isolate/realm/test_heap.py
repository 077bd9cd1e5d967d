"""The memory of JavaScript: how much there is, and what happens when there is no more."""

from __future__ import annotations

import pytest

from emulator.isolate.realm.engine import Engine, JSError

MB = 1024 * 1024


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_it_is_what_the_engine_counts(engine: Engine) -> None:
    assert engine.heap_bytes() == engine.runtime.compute_memory_usage()["malloc_size"]
    engine.eval("globalThis.kept = new Uint8Array(5e6)", "test.js")
    assert engine.heap_bytes() == engine.runtime.compute_memory_usage()["malloc_size"] > 5_000_000


@pytest.mark.parametrize(
    "source",
    [
        "for (const all = []; ;) all.push({})",
        "for (const all = []; ;) all.push(new Uint8Array(100000))",
        "new ArrayBuffer(1e9)",
        "'x'.repeat(2 ** 28)",
        "for (let i = 0, all = {}; ; i++) all['k' + i] = i",
        "for (let i = 0, all = new Map(); ; i++) all.set(i, i)",
        "/(a+)+b/.exec('a'.repeat(1e6))",
        "JSON.parse('[' + '1,'.repeat(2e6) + '1]')",
    ],
)
def test_no_more_than_the_limit(source: str, engine: Engine) -> None:
    engine.limit_memory(engine.heap_bytes() + 5 * MB)
    with pytest.raises(JSError) as caught:
        engine.eval(source, "test.js")
    assert engine.is_out_of_memory(caught.value)
    engine.limit_memory(0)
    assert engine.eval("new Uint8Array(20e6).length", "test.js") == 20_000_000


def test_no_limit(engine: Engine) -> None:
    assert engine.eval("new Uint8Array(300e6).length", "test.js") == 300_000_000


@pytest.mark.parametrize("thrown", ["null", "new Error('out of memory')", "'out of memory'"])
def test_a_program_that_throws_the_like(thrown: str, engine: Engine) -> None:
    with pytest.raises(JSError) as caught:
        engine.eval(f"throw {thrown}", "test.js")
    assert not engine.is_out_of_memory(caught.value)
