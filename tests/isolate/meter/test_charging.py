"""Each event pays for its own CPU time: all of it, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isolates import ForkedIsolates, Isolate

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


def test_events_that_take_turns_pay_for_themselves(load: Callable[..., Isolate]) -> None:
    isolate = load(_WORKER)
    isolate.fetch("POST", "/", body=b"[]")  # the first one pays for what all find in the caches

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_events)
    def check(events: list[list[tuple[str, int]]]) -> None:
        begun = [isolate.begin("POST", "/", body=json.dumps(steps).encode()) for steps in events]
        for steps, exchange in zip(events, begun, strict=True):
            reply = exchange.reply()
            spent = int(reply.text)
            assert spent * 0.97 - 100 <= reply.cpu_us <= spent * 1.03 + _OVERHEAD_US + 60 * len(steps)

    check()


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="asks the kernel through /proc")
def test_it_measures_what_the_system_measures(load: Callable[..., Isolate], isolates: ForkedIsolates) -> None:
    isolate = load(_WORKER)
    statistics = Path(f"/proc/{isolates.pid(isolate)}/schedstat")
    before = int(statistics.read_text().split()[0])

    reply = isolate.fetch("POST", "/", body=json.dumps([("plain", 100_000)]).encode())

    spent_us = (int(statistics.read_text().split()[0]) - before) / 1000
    assert abs(reply.cpu_us - spent_us) < 0.03 * spent_us
