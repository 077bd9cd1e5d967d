"""What follows from a client that has left is no mistake of a Python Worker's."""

from __future__ import annotations

from collections.abc import Callable

from isolates import Exchange, Isolate

SOURCE = """
import asyncio
from js import Response, TransformStream

async def fail():
    await asyncio.sleep(0.05)
    raise ValueError("mine")

async def on_fetch(request, env, ctx):
    if request.method == "GET":
        ctx.waitUntil(asyncio.sleep(0.2))
        asyncio.create_task(fail())
    pair = TransformStream.new()
    (request if request.method == "POST" else Response.new("tick")).body.pipeTo(pair.writable)
    return Response.new(pair.readable)
"""


def told(isolate: Isolate, exchange: Exchange) -> list[str]:
    """What the terminal says of an event that is over, once all that follows from it has run."""
    isolate.wait(exchange.done)
    isolate.turn(0.05)
    return [report.exception for report in [*exchange.explained, *isolate.explained]]


def test_a_pipe(load: Callable[..., Isolate]) -> None:
    isolate = load(SOURCE)
    upload = isolate.upload()
    exchange = isolate.begin("POST", body=upload)
    isolate.wait(upload.write(b"tick"))
    assert exchange.chunk() == b"tick"
    exchange.abort()
    upload.close("The client disconnected.")
    assert told(isolate, exchange) == []


def test_a_mistake_in_what_goes_on_is_told(load: Callable[..., Isolate]) -> None:
    isolate = load(SOURCE)
    exchange = isolate.begin()
    assert exchange.chunk() == b"tick"
    exchange.abort()
    assert told(isolate, exchange) == ["ValueError: mine"]
