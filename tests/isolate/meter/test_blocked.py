"""Code that waits in the system, where nothing can wake it, is left there; the others go on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from isolates import Failed, Isolate

from emulator.wire.frames import Answer, Limits

FREE = Limits(plan="free", cpu_ms=10, startup_cpu_ms=1000)

PATIENCE = 40
"""Seconds: on a busy machine a look may count as work, and what sleeps is given five seconds more."""

WORKER = """
import asyncio, os, threading
from js import Response

def wait():
    {}

async def on_fetch(request, env):
    path = request.url.rsplit('/', 1)[1]
    if path == 'sleep':
        await asyncio.sleep(0.3)
    elif path == 'wait':
        wait()
    return Response.new(path)
"""
WAITS = {
    "a lock that no except clause gets at": "\n    while True:\n        try: threading.Event().wait()\n"
    "        except BaseException: pass",
    "a pipe": "pair = os.pipe(); os.read(pair[0], 1)",
}


@pytest.mark.parametrize("code", WAITS.values(), ids=WAITS.keys())
def test_it_is_left_where_it_is(load: Callable[..., Isolate], code: str) -> None:
    isolate = load(WORKER.format(code), limits=FREE)
    sleeping = isolate.begin("GET", "/sleep")
    isolate.turn(0.05)

    waiting = isolate.begin("GET", "/wait")
    queued = isolate.begin("GET", "/ok")
    answer = isolate.wait(waiting.head, PATIENCE)

    assert isinstance(answer, Failed)
    assert answer.report.code == "blocked"
    assert answer.report.where is not None
    assert (answer.report.where.file[-8:], answer.report.where.function) == ("entry.py", "wait")
    assert sleeping.reply().text == "sleep"
    assert queued.reply().text == "ok"
    isolate.until(lambda: isolate.full)
    assert isolate.alive


def test_an_isolate_that_was_idle_is_looked_after(load: Callable[..., Isolate]) -> None:
    isolate = load(WORKER.format("threading.Event().wait()"), limits=FREE)
    assert isolate.fetch("GET", "/ok").text == "ok"
    isolate.turn(2.5)  # nothing looks any more

    answer = isolate.wait(isolate.begin("GET", "/wait").head, PATIENCE)

    assert isinstance(answer, Failed)
    assert answer.report.code == "blocked"


def test_a_wait_that_ends_is_none_of_it(load: Callable[..., Isolate]) -> None:
    isolate = load(WORKER.format("threading.Event().wait(1.5)"), limits=FREE)

    answer = isolate.wait(isolate.begin("GET", "/wait").head, PATIENCE)

    assert isinstance(answer, Answer)


def test_without_limits_it_waits(load: Callable[..., Isolate]) -> None:
    isolate = load(WORKER.format("threading.Event().wait(6)"), limits=Limits())

    answer = isolate.wait(isolate.begin("GET", "/wait").head, PATIENCE)

    assert isinstance(answer, Answer)
