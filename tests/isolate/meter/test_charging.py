"""Each event pays for its own CPU time: all of it, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isolates import ForkedIsolates, Isolate

from emulator.wire.frames import Limits

_WORKER = """
import asyncio, json, time
from js import Response

def used():
    return time.process_time() * 1e6

def burn(microseconds):
    '''Spend so much CPU time; gives what it really was.'''
    began = used()
    spent = 0
    while spent < microseconds:
        for _ in range(200): pass
        spent = used() - began
    return spent

async def step(how, microseconds):
    if how == 'plain':
        return burn(microseconds)
    if how == 'task':
        return await asyncio.create_task(step('plain', microseconds))
    if how == 'later':
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.001, lambda: future.set_result(burn(microseconds)))
        return await future
    await asyncio.sleep(0.001 if how == 'sleep' else 0)
    return burn(microseconds)

async def on_fetch(request, env):
    spent = 0
    for how, microseconds in json.loads(await request.text()):
        spent += await step(how, microseconds)
    return Response.new(str(int(spent)))
"""

_OVERHEAD_US = 1500
"""What an event may cost besides its own steps: its request, its tasks, its answer."""

_step = st.tuples(st.sampled_from(["plain", "task", "later", "sleep", "yield"]), st.integers(0, 4000))
_events = st.lists(st.lists(_step, min_size=1, max_size=6), min_size=1, max_size=6)


def _charged_rightly(isolate: Isolate, events: list[list[tuple[str, int]]]) -> bool:
    begun = [isolate.begin("POST", "/", body=json.dumps(steps).encode()) for steps in events]
    fair = []
    for steps, exchange in zip(events, begun, strict=True):
        reply = exchange.reply()
        spent = int(reply.text)
        assert spent * 0.97 - 100 <= reply.cpu_us
        fair.append(reply.cpu_us <= spent * 1.03 + _OVERHEAD_US + 60 * len(steps))
    return all(fair)


def test_events_that_take_turns_pay_for_themselves(load: Callable[..., Isolate]) -> None:
    isolate = load(_WORKER)
    isolate.fetch("POST", "/", body=b"[]")  # the first one pays for what all find in the caches

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_events)
    def check(events: list[list[tuple[str, int]]]) -> None:
        # What a busy machine adds comes once; what an event is charged wrongly comes each time.
        assert any(_charged_rightly(isolate, events) for _ in range(4))

    check()


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="asks the kernel through /proc")
def test_it_measures_what_the_system_measures(load: Callable[..., Isolate], isolates: ForkedIsolates) -> None:
    isolate = load(_WORKER)
    statistics = Path(f"/proc/{isolates.pid(isolate)}/schedstat")
    before = int(statistics.read_text().split()[0])

    reply = isolate.fetch("POST", "/", body=json.dumps([("plain", 100_000)]).encode())

    spent_us = (int(statistics.read_text().split()[0]) - before) / 1000
    assert abs(reply.cpu_us - spent_us) < 0.03 * spent_us


def test_what_requests_leave_is_saved_up_if_so_asked(load: Callable[..., Isolate]) -> None:
    # `--cpu flexible`, docs/limits.md: 5 budgets at most, and as many for a start.
    isolate = load(_WORKER, limits=Limits(plan="free", cpu_ms=20, startup_cpu_ms=1000, flexible=True))

    def answered(milliseconds: int) -> bool:
        steps = json.dumps([("plain", milliseconds * 1000)]).encode()
        return isolate.fetch("POST", "/", body=steps).report is None

    assert answered(100), "120 ms may be used"
    assert answered(27), "its own 20 ms, and some of the 20 ms that the first left"
    assert not answered(45), "no more than about 30 ms were left"
    assert not answered(27), "that one took all"
    assert [answered(0) for _ in range(3)] == [True] * 3
    assert answered(60), "20 ms and three times about 19 ms"
    assert [answered(0) for _ in range(12)] == [True] * 12
    assert not answered(135), "no more than 5 budgets are saved"
