"""A handler that can never finish is answered at once; one that only waits is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from isolates import Isolate

from emulator.isolate.events import EventContext
from emulator.isolate.hung import HungWatch

HEAD = """
import asyncio, js
from js import Response, Promise
from pyodide.ffi import create_proxy, run_sync, to_js
"""

HUNG = {
    "a future": "await asyncio.get_running_loop().create_future()",
    "a promise": "await Promise.new(lambda resolve, reject: None)",
    "an event": "await asyncio.Event().wait()",
    "a lock taken twice": "lock = asyncio.Lock()\n    await lock.acquire()\n    await lock.acquire()",
    "an empty queue": "await asyncio.Queue().get()",
    "a gather": "await asyncio.gather(asyncio.Event().wait(), asyncio.sleep(0))",
    "run_sync": "run_sync(asyncio.Event().wait())",
    "after some work": "await asyncio.sleep(0.01)\n    await asyncio.Event().wait()",
    "a task": "await asyncio.ensure_future(asyncio.Event().wait())",
    "a js async function": "await js.Promise.race(to_js([]))",
}

FINE = {
    "sleep": "await asyncio.sleep(0.05)",
    "a timer": "await Promise.new(lambda resolve, _: js.setTimeout(resolve, 50))",
    "call_later": "f = asyncio.get_running_loop().create_future()\n    asyncio.get_running_loop().call_later(0.05, f.set_result, 1)\n    await f",
    "run_sync": "run_sync(asyncio.sleep(0.05))",
    "wait_for": "\n    try:\n        await asyncio.wait_for(asyncio.Event().wait(), 0.05)\n    except TimeoutError:\n        pass",
    "a task that sleeps": "e = asyncio.Event()\n    async def later():\n        await asyncio.sleep(0.05)\n        e.set()\n    t = asyncio.ensure_future(later())\n    await e.wait()",
    "a fetch": "await js.fetch('http://example.com/')",
    "many turns": "\n    for _ in range(500):\n        await asyncio.sleep(0)",
}


def _worker(body: str) -> str:
    return f"{HEAD}\nasync def on_fetch(request):\n    {body}\n    return Response.new('fine')\n"


@pytest.mark.parametrize("body", HUNG.values(), ids=HUNG.keys())
def test_hung(load: Callable[..., Isolate], body: str) -> None:
    isolate = load(_worker(f"if request.url.endswith('/ok'): return Response.new('ok')\n    {body}"))
    reply = isolate.fetch("GET", "/")
    assert reply.report is not None
    assert reply.report.code == "hung"
    if "run_sync" not in body:
        assert reply.report.where is not None and reply.report.where.file.endswith("entry.py")
    assert isolate.fetch("GET", "/ok").text == "ok"


@pytest.mark.parametrize("body", FINE.values(), ids=FINE.keys())
def test_not_hung(load: Callable[..., Isolate], body: str) -> None:
    assert load(_worker(body)).fetch("GET", "/").text == "fine"


def test_a_body_that_is_still_coming_is_waited_for(load: Callable[..., Isolate]) -> None:
    isolate = load(
        "async def on_fetch(request):\n    from js import Response\n    return Response.new(await request.text())"
    )
    upload = isolate.upload()
    exchange = isolate.begin("POST", "/", body=upload)
    isolate.wait(upload.write(b"one "))
    isolate.turn(0.1)
    assert not exchange.answered
    isolate.wait(upload.write(b"two"))
    upload.close()
    assert exchange.reply().text == "one two"


LOCK = """
import asyncio
from js import Response
lock = asyncio.Lock()
async def on_fetch(request):
    async with lock:
        if request.url.endswith("slow"):
            await asyncio.sleep(0.3)
        return Response.new("done")
"""


def test_waiting_for_a_lock_of_another_request_is_no_hang(load: Callable[..., Isolate]) -> None:
    isolate = load(LOCK)
    slow = isolate.begin("GET", "/slow")
    waiting = [isolate.begin("GET", "/fast") for _ in range(3)]
    assert slow.reply().text == "done"
    assert [exchange.reply().text for exchange in waiting] == ["done"] * 3


BESIDE = """
import asyncio
from js import Response, TransformStream, TextEncoder
async def on_fetch(request):
    if request.url.endswith("hang"):
        await asyncio.Event().wait()
    pipe = TransformStream.new()
    writer = pipe.writable.getWriter()
    async def go():
        while True:
            await writer.write(TextEncoder.new().encode("tick"))
            await asyncio.sleep(0.02)
    asyncio.ensure_future(go())
    return Response.new(pipe.readable)
"""


@pytest.mark.slow
def test_hung_while_another_request_streams(load: Callable[..., Isolate]) -> None:
    isolate = load(BESIDE)
    stream = isolate.begin("GET", "/stream")
    assert stream.chunk() == b"tick"
    hung = isolate.begin("GET", "/hang")
    reply = hung.reply()
    assert reply.report is not None and reply.report.code == "hung"
    assert stream.chunk() == b"tick"
    stream.abort()


def _event(**facts: Any) -> EventContext:
    event = EventContext(1, "GET", "http://a/")
    for name, value in facts.items():
        setattr(event, name, value)
    return event


@pytest.mark.parametrize(
    ("facts", "stuck", "found"),
    [
        ({}, False, True),
        ({"pending": 1}, True, False),
        ({"answered": True}, False, False),
        ({"answered": True}, True, True),
        ({"answered": True, "pending": 1}, True, False),
        ({"answered": True, "served": True}, True, False),
    ],
)
def test_whom_the_watch_finds(facts: dict[str, Any], stuck: bool, found: bool) -> None:
    event, told = _event(**facts), list[EventContext]()
    loop = asyncio.SelectorEventLoop()
    HungWatch(loop, {1: event}, told.append, lambda _: stuck).look()
    loop.close()
    assert told == [event] * found
