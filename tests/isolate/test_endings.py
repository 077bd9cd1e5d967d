"""How events end that were answered, or are over, when the meter stops their code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from isolates import ForkedIsolates, Isolate, write

from emulator.wire.frames import Limits

FREE = Limits(plan="free", cpu_ms=10, startup_cpu_ms=1000)
SMALL = Limits(plan="free", memory_mb=128, startup_memory_mb=128)

SPIN = "while True:\n        pass"
FILL = "kept = []\n    while True:\n        kept.append(bytes(1 << 20))"


@pytest.mark.parametrize(
    ("body", "limits", "code"), [(SPIN, FREE, "cpu-exceeded"), (FILL, SMALL, "memory-exceeded")]
)
def test_a_microtask_that_is_cut_before_the_answer_left(
    load: Callable[..., Isolate], body: str, limits: Limits, code: str
) -> None:
    isolate = load(
        f"""
import js
from pyodide.ffi import create_once_callable

def work(*_):
    {body}

def on_fetch(request):
    js.queueMicrotask(create_once_callable(work))
    return js.Response.new("ok")
""",
        limits=limits,
    )
    reply = isolate.fetch("GET", "/")
    assert reply.report is not None and reply.report.code == code
    assert not reply.explained


def test_a_microtask_of_javascript_that_is_cut_before_the_answer_left(
    isolates: ForkedIsolates, tmp_path: Path
) -> None:
    source = """
export default {
  fetch() {
    queueMicrotask(() => { for (;;); });
    return new Response("ok");
  },
};
"""
    directory = write(tmp_path, {"src/index.js": source})
    isolate = isolates.load(directory, "src/index.js", kind="javascript", limits=FREE)
    reply = isolate.fetch("GET", "/")
    assert reply.report is not None and reply.report.code == "cpu-exceeded"
    isolate.kill()


def test_an_event_that_was_cut_inside_with_env_leaves_no_other_env_behind(
    isolates: ForkedIsolates, tmp_path: Path
) -> None:
    source = """
import { env, withEnv } from "cloudflare:workers";
export default {
  fetch(request) {
    if (request.url.endsWith("/cut")) withEnv({ OTHER: "1" }, () => { for (;;); });
    return Response.json(Object.keys(env));
  },
};
"""
    directory = write(tmp_path, {"src/index.js": source})
    isolate = isolates.load(directory, "src/index.js", kind="javascript", limits=FREE)
    cut = isolate.fetch("GET", "/cut")
    assert cut.report is not None and cut.report.code == "cpu-exceeded"
    assert isolate.fetch("GET", "/").body == b"[]"
    isolate.kill()


def test_what_was_left_for_ever_after_its_event_brings_a_successor(load: Callable[..., Isolate]) -> None:
    isolate = load(
        """
import asyncio
import js

kept = []

async def stubborn():
    try:
        await asyncio.sleep(1000)
    finally:
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass

async def on_fetch(request):
    kept.append(asyncio.create_task(stubborn()))
    await asyncio.sleep(0)
    return js.Response.new("ok")
""",
        limits=FREE,
    )
    assert isolate.fetch("GET", "/").text == "ok"
    isolate.until(lambda: isolate.full == [0])


def test_what_an_event_still_waits_for_is_forgotten_with_it(load: Callable[..., Isolate]) -> None:
    isolate = load(
        """
import gc
import js
from pyodide.ffi import create_proxy
from emulator.isolate.io import IsolateIO

async def on_fetch(request):
    if request.url.endswith("/count"):
        io = next(found for found in gc.get_objects() if isinstance(found, IsolateIO))
        return js.Response.new(f"{len(io._calls)} {len(io._timers)}")
    js.fetch("http://example.com/")
    js.setTimeout(create_proxy(print), 1_000_000)
    js.setInterval(create_proxy(print), 1_000_000)
    return js.Response.new("ok")
"""
    )

    async def never(*_: object) -> tuple[int, list[tuple[str, str]], None]:
        await asyncio.Event().wait()
        raise AssertionError

    isolate.outside = never
    for _ in range(3):
        assert isolate.fetch("GET", "/").text == "ok"
    assert isolate.fetch("GET", "/count").text == "0 0"


def test_nobody_pays_for_the_start(isolates: ForkedIsolates, tmp_path: Path) -> None:
    source = """
for (let i = 0; i < 2_000_000; i++);
export default { fetch: () => new Response("ok") };
"""
    directory = write(tmp_path, {"src/index.js": source})
    isolate = isolates.load(directory, "src/index.js", kind="javascript")
    exchange = isolate.begin("GET", "/")
    exchange.abort()
    cpu_us = isolate.wait(exchange.done)
    assert cpu_us < 20_000
    isolate.kill()


NEVER_BEGUN = {
    "a task": "asyncio.create_task(work())",
    "a task that its loop does not know": "task = asyncio.Task(work())",
    "a callback": "asyncio.get_running_loop().call_soon(asyncio.create_task, work())",
    "a variable": "waits = work()",
    "a list": "waits = [work() for _ in range(100)]",
}


@pytest.mark.parametrize("begin", NEVER_BEGUN.values(), ids=NEVER_BEGUN.keys())
@pytest.mark.parametrize(
    ("body", "limits", "code"),
    [
        ("while True:\n            pass", FREE, "cpu-exceeded"),
        ("kept = [bytes(1 << 16) for _ in range(10**8)]", SMALL, "memory-exceeded"),
    ],
    ids=["cpu", "memory"],
)
def test_nobody_is_told_to_await_what_a_cut_left_behind(
    load: Callable[..., Isolate], begin: str, body: str, limits: Limits, code: str
) -> None:
    isolate = load(
        f"""
import asyncio
from js import Response

async def work():
    pass

async def on_fetch(request):
    if request.url.endswith("/cut"):
        {begin}
        {body}
    return Response.new("ok")
""",
        limits=limits,
    )
    reply = isolate.fetch("GET", "/cut")
    assert isolate.fetch("GET", "/").text == "ok"
    assert reply.report is not None and reply.report.code == code
    assert [report.code for report in reply.explained + isolate.explained] == []
    assert [log.text for log in reply.logs + isolate.logs] == []


LEFT_BEHIND = {
    "a callback in an empty context": "loop.call_soon(work, context=contextvars.Context())",
    "one that catches everything": "loop.call_soon(stubborn, context=contextvars.Context())",
    "cleaning up": "asyncio.create_task(cleaning())\n    await asyncio.sleep(0)",
}


def left_behind(begin: str, work: str) -> str:
    return f"""
import asyncio, contextvars
from js import Response

kept = []

def work():
    while True:
        {work}

def stubborn():
    while True:
        try:
            work()
        except BaseException:
            pass

async def cleaning():
    try:
        await asyncio.sleep(60)
    finally:
        work()

async def later():
    for _ in range(3):
        await asyncio.sleep(0)
    work()

async def on_fetch(request):
    loop = asyncio.get_running_loop()
    if request.url.endswith("/begin"):
        {begin}
    return Response.new("ok")
"""


@pytest.mark.parametrize("begin", LEFT_BEHIND.values(), ids=LEFT_BEHIND.keys())
def test_an_overrun_after_the_answer_is_told_with_its_request(
    load: Callable[..., Isolate], begin: str
) -> None:
    isolate = load(left_behind(begin.replace("\n", "\n    "), "pass"), limits=FREE)
    exchange = isolate.begin("GET", "/begin")
    assert exchange.reply().text == "ok"
    isolate.until(lambda: exchange.explained)
    assert isolate.fetch("GET", "/").text == "ok"
    (report,) = exchange.explained
    assert (report.code, report.event) == ("cpu-exceeded", "GET /begin")
    assert report.where is not None and report.where.function == "work"
    assert report.why.startswith("Its answer was sent before")
    assert isolate.explained == []


def test_an_overrun_in_an_empty_context_ends_its_request(load: Callable[..., Isolate]) -> None:
    begin = LEFT_BEHIND["a callback in an empty context"] + "\n        await asyncio.sleep(60)"
    reply = load(left_behind(begin, "pass"), limits=FREE).fetch("GET", "/begin")
    assert reply.report is not None and reply.report.code == "cpu-exceeded"
    assert reply.report.why.startswith("Production answers such a request with error 1102.")


def test_an_error_in_an_empty_context_is_told_with_its_request(load: Callable[..., Isolate]) -> None:
    begin = LEFT_BEHIND["a callback in an empty context"]
    exchange = load(left_behind(begin, "1 / 0")).begin("GET", "/begin")
    assert exchange.reply().text == "ok"
    exchange._isolate.until(lambda: exchange.explained)
    assert exchange.explained[0].event == "GET /begin"


def test_an_overrun_of_the_top_level(load: Callable[..., Isolate]) -> None:
    source = left_behind("pass", "pass") + "\nasyncio.get_event_loop().create_task(later())\n"
    isolate = load(source, limits=FREE)
    isolate.until(lambda: isolate.explained)
    (report,) = isolate.explained
    assert (report.code, report.event) == ("cpu-exceeded", "")
    assert "It was code that works for no request" in report.why
    assert report.where is not None and report.where.function == "work"
    assert isolate.fetch("GET", "/").text == "ok"


def test_memory_that_runs_out_after_the_answer(load: Callable[..., Isolate]) -> None:
    begin = LEFT_BEHIND["a callback in an empty context"]
    exchange = load(left_behind(begin, "kept.append(bytes(1 << 20))"), limits=SMALL).begin("GET", "/begin")
    assert exchange.reply().text == "ok"
    exchange._isolate.until(lambda: exchange.explained)
    (report,) = exchange.explained
    assert (report.code, report.event) == ("memory-exceeded", "GET /begin")
    assert "Its answer was sent before" in report.why and "could not get more" in report.why


def test_what_a_saved_budget_paid_for_is_no_overrun_afterwards(load: Callable[..., Isolate]) -> None:
    source = """
import asyncio, time
from js import Response

def work(ms):
    until = time.process_time() + ms / 1000
    while time.process_time() < until:
        pass

async def cleaning():
    try:
        await asyncio.sleep(60)
    finally:
        work(5)

async def on_fetch(request):
    asyncio.create_task(cleaning())
    await asyncio.sleep(0)
    work(40)
    return Response.new("ok")
"""
    limits = Limits(plan="free", cpu_ms=20, startup_cpu_ms=1000, flexible=True)
    isolate = load(source, limits=limits)
    exchange = isolate.begin("GET", "/")
    reply = exchange.reply()
    assert reply.text == "ok" and reply.cpu_us > 30_000
    assert isolate.fetch("GET", "/").text == "ok"
    assert exchange.explained == [] and isolate.explained == []
