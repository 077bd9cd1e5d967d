"""Calls that block on other machines: on the platform they suspend their caller alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from isolates import Isolate

HEAD = """
import asyncio, js, time
from js import Response

async def work(value=1):
    await asyncio.sleep(0.001)
    return value
"""

RUNS = {
    "asyncio.run": "asyncio.run(work(7))",
    "the running loop": "asyncio.get_running_loop().run_until_complete(work(7))",
    "get_event_loop": "asyncio.get_event_loop().run_until_complete(work(7))",
    "a new loop": "asyncio.new_event_loop().run_until_complete(work(7))",
    "a task": "asyncio.get_event_loop().run_until_complete(asyncio.ensure_future(work(7)))",
    "nested": "asyncio.run(nested())",
    "a promise": "asyncio.get_event_loop().run_until_complete(js.Promise.resolve(7))",
}


@pytest.mark.parametrize("call", RUNS.values(), ids=RUNS.keys())
@pytest.mark.parametrize("define", ["def", "async def"])
def test_a_handler_may_run_a_coroutine_to_its_end(
    load: Callable[..., Isolate], call: str, define: str
) -> None:
    isolate = load(
        f"{HEAD}\nasync def nested():\n    return asyncio.run(work(7))\n"
        f"{define} on_fetch(request):\n    return Response.new(str({call}))\n"
    )
    assert isolate.fetch().text == "7"


def test_the_usual_life_of_a_loop(load: Callable[..., Isolate]) -> None:
    """Made, set, used, closed; the isolate's own loop survives it, and serves the next request."""
    isolate = load(
        HEAD
        + "def on_fetch(request):\n"
        + "    loop = asyncio.new_event_loop()\n"
        + "    asyncio.set_event_loop(loop)\n"
        + "    try:\n"
        + "        loop.run_forever()\n"
        + "        result = loop.run_until_complete(asyncio.gather(work(1), work(2)))\n"
        + "    finally:\n"
        + "        loop.run_until_complete(loop.shutdown_asyncgens())\n"
        + "        loop.close()\n"
        + "        asyncio.set_event_loop(None)\n"
        + "    return Response.new(f'{result} {loop.is_running()} {loop.is_closed()}')\n"
    )
    assert [isolate.fetch().text for _ in range(2)] == ["[1, 2] True False"] * 2


def test_a_new_loop_has_no_part_in_the_tasks_of_others(load: Callable[..., Isolate]) -> None:
    """``asyncio.Runner`` cancels all tasks of its loop at its end, even where it ran nothing."""
    isolate = load(
        HEAD
        + "def on_fetch(request):\n"
        + "    loop = asyncio.new_event_loop()\n"
        + "    other = asyncio.ensure_future(work(7))\n"
        + "    mine = loop.create_task(work(8))\n"
        + "    try:\n"
        + "        with asyncio.Runner() as runner:\n"
        + "            runner.run(work())\n"
        + "    except RuntimeError:\n"
        + "        pass\n"
        + "    assert loop is not asyncio.get_running_loop() and asyncio.all_tasks(loop) == set()\n"
        + "    return Response.new(f'{asyncio.run(asyncio.wait_for(other, 9))} {loop.run_until_complete(mine)}')\n"
    )
    assert isolate.fetch().text == "7 8"


def test_nobody_stops_the_loop(load: Callable[..., Isolate]) -> None:
    isolate = load(HEAD + "def on_fetch(request):\n    asyncio.get_event_loop().stop()\n")
    report = isolate.fetch().report
    assert report is not None and report.exception.startswith("NotImplementedError: stop()")
    assert isolate.alive


def test_errors_come_back(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + "async def fail():\n    await asyncio.sleep(0)\n    raise KeyError('deep')\n"
        + "def on_fetch(request):\n    asyncio.run(fail())\n"
    )
    report = isolate.fetch().report
    assert report is not None and report.exception == "KeyError: 'deep'"
    assert [frame.function for frame in report.frames][-1] == "fail"


def test_sleep_holds_up_nobody_else(load: Callable[..., Isolate]) -> None:
    """The one that sleeps wakes up to what another did meanwhile."""
    isolate = load(
        HEAD
        + "seen = []\n"
        + "def on_fetch(request):\n"
        + "    if request.url.endswith('wake'):\n"
        + "        seen.append('woken')\n"
        + "        return Response.new('ok')\n"
        + "    for _ in range(20_000):\n"
        + "        if seen: break\n"
        + "        time.sleep(0.001)\n"
        + "    return Response.new(seen[0])\n"
    )
    sleeper = isolate.begin()
    assert isolate.fetch(path="/wake").text == "ok"
    assert sleeper.reply().text == "woken"


def test_sleep_in_a_callback_of_javascript_blocks(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + "def on_fetch(request):\n"
        + "    before = time.monotonic()\n"
        + "    js.Array.of(1).forEach(lambda *_: time.sleep(0.02))\n"
        + "    return Response.new(str(time.monotonic() - before >= 0.02))\n"
    )
    assert isolate.fetch().text == "True"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("time.sleep(-1)", "ValueError: sleep length must be non-negative"),
        ("time.sleep('1')", "TypeError: 'str' object cannot be interpreted as an integer"),
        ("asyncio.run(5)", "TypeError"),
    ],
)
def test_wrong_arguments(load: Callable[..., Isolate], call: str, error: str) -> None:
    report = load(HEAD + f"def on_fetch(request):\n    {call}\n").fetch().report
    assert report is not None and report.exception.startswith(error)


def test_the_older_runtime_cannot_suspend(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + "def on_fetch(request):\n"
        + "    task = asyncio.get_event_loop().run_until_complete(work(7))\n"
        + "    return Response.new(str(isinstance(task, asyncio.Task)))\n",
        date="2025-01-01",
    )
    assert isolate.fetch().text == "True"
