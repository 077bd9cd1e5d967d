"""What follows from a client that has left is no mistake of the Worker's."""

from __future__ import annotations

import pytest
from isolates import Exchange, Isolate, LoadWorker, fetching

_ENDLESS = """
const endless = new ReadableStream({
  async pull(controller) {
    await scheduler.wait(5);
    controller.enqueue(new TextEncoder().encode("tick"));
  },
});
"""

_SUBREQUEST = """
fetch("http://example.com/", { signal: request.signal });
console.log("sent");
await scheduler.wait(60_000);
"""


def told(isolate: Isolate, exchange: Exchange) -> list[str]:
    """What the terminal says of an event that is over, once all that follows from it has run."""
    isolate.wait(exchange.done)
    isolate.turn(0.05)
    return [report.what for report in [*exchange.explained, *isolate.explained]]


@pytest.mark.parametrize(
    "body",
    [
        "const { readable, writable } = new TransformStream(); endless.pipeTo(writable);",
        "const { readable, writable } = new IdentityTransformStream(); endless.pipeTo(writable);",
        "const readable = endless.pipeThrough(new TransformStream());",
        """
        const { readable, writable } = new TransformStream();
        const writer = writable.getWriter();
        (async () => {
          for (;;) {
            await scheduler.wait(5);
            await writer.write(new TextEncoder().encode("tick"));
          }
        })();
        """,
    ],
)
def test_while_it_reads(serve: LoadWorker, body: str) -> None:
    isolate = serve(fetching(f"{_ENDLESS}{body} return new Response(readable);"))
    exchange = isolate.begin()
    assert exchange.chunk() == b"tick"
    exchange.abort()
    assert told(isolate, exchange) == []


def test_while_it_sends(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const { readable, writable } = new TransformStream();
        request.body.pipeTo(writable);
        return new Response(readable);
        """)
    )
    upload = isolate.upload()
    exchange = isolate.begin("POST", body=upload)
    isolate.wait(upload.write(b"tick"))
    assert exchange.chunk() == b"tick"
    exchange.abort()
    upload.close("The client disconnected.")
    assert told(isolate, exchange) == []


@pytest.mark.parametrize("more", ["", "ctx.waitUntil(scheduler.wait(50));"])
def test_a_subrequest_with_its_signal(serve: LoadWorker, more: str) -> None:
    isolate = serve(fetching(f"{more}{_SUBREQUEST}"))
    exchange = isolate.begin()
    exchange.wait_for_log("sent")
    exchange.abort()
    assert told(isolate, exchange) == []


def test_a_mistake_in_what_goes_on_is_told(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        ctx.waitUntil((async () => {
          console.log("begun");
          await scheduler.wait(50);
          Promise.reject(new TypeError("mine"));
          await scheduler.wait(1);
        })());
        await scheduler.wait(60_000);
        """)
    )
    exchange = isolate.begin()
    exchange.wait_for_log("begun")
    exchange.abort()
    assert told(isolate, exchange) == ["Uncaught (in promise) TypeError: mine"]
