"""Bodies that are here as a whole, and too long for one frame."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from isolates import ForkedIsolates, Isolate, write

from emulator.isolate.respond import LONG_BODY_BYTES
from emulator.wire.channel import InStream
from emulator.wire.frames import MAX_FRAME, Call, Limits

MORE = MAX_FRAME + 1


def check(isolate: Isolate, letter: bytes) -> None:
    reply = isolate.fetch("GET", "/")
    assert reply.status == 200
    assert dict(reply.headers)["content-length"] == str(MORE)
    assert len(reply.body) == MORE
    assert reply.body.count(letter) == MORE


@pytest.mark.parametrize("made", ["bytes(b'x' * SIZE)", "'x' * SIZE"])
def test_of_python(load: Callable[..., Isolate], made: str) -> None:
    check(
        load(
            f"""
from workers import Response

SIZE = {MORE}

def on_fetch(request):
    return Response({made}, headers={{"Content-Length": "3"}})
"""
        ),
        b"x",
    )


@pytest.mark.parametrize("made", ["new Uint8Array(SIZE).fill(120)", "'x'.repeat(SIZE)"])
def test_of_javascript(isolates: ForkedIsolates, tmp_path: Path, made: str) -> None:
    source = f"""
const SIZE = {MORE};
export default {{
  fetch() {{
    return new Response({made}, {{ headers: {{ "Content-Length": "3" }} }});
  }},
}};
"""
    directory = write(tmp_path, {"src/index.js": source})
    check(isolates.load(directory, "src/index.js", kind="javascript"), b"x")


def test_the_client_of_a_long_body_may_leave(load: Callable[..., Isolate]) -> None:
    isolate = load(
        f"""
from workers import Response

def on_fetch(request):
    return Response("x" * {2 * LONG_BODY_BYTES} if request.url.endswith("/long") else "short")
"""
    )
    exchange = isolate.begin("GET", "/long")
    exchange.answer()
    exchange.abort()
    isolate.until(lambda: exchange.done)
    assert isolate.fetch("GET", "/").text == "short"


@pytest.mark.skipif(sys.platform != "linux", reason="allocations fail on Linux only")
def test_a_text_that_takes_all_memory_is_told(load: Callable[..., Isolate]) -> None:
    isolate = load(
        """
from workers import Response

async def on_fetch(request):
    return Response(str(len(await request.text())))
""",
        limits=Limits(plan="free", memory_mb=128, startup_memory_mb=128),
    )
    reply = isolate.fetch("POST", "/", body=b"\xff" * 40_000_000)
    assert reply.report is not None
    assert reply.report.code == "memory-exceeded"


async def length_and_size(
    call: Call, body: bytes | InStream | None
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Answers with the announced length of a body that comes as a stream, and how long it is."""
    assert isinstance(body, InStream)
    flat = call.args["headers"]
    lengths = [value for name, value in zip(flat[::2], flat[1::2], strict=True) if name == "Content-Length"]
    size = 0
    while (data := await body.read()) is not None:
        assert data.count(b"x") == len(data)
        size += len(data)
    return 200, [], f"{lengths} {size}".encode()


def test_of_a_subrequest_of_python(load: Callable[..., Isolate]) -> None:
    isolate = load(
        f"""
from workers import Response, fetch

async def on_fetch(request):
    answer = await fetch("http://example.com/", method="POST", body=b"x" * {MORE})
    return Response(await answer.text())
"""
    )
    isolate.outside = length_and_size
    assert isolate.fetch().text == f"['{MORE}'] {MORE}"


def test_of_a_subrequest_of_javascript(isolates: ForkedIsolates, tmp_path: Path) -> None:
    source = f"""
export default {{
  async fetch() {{
    const headers = {{ "Content-Length": "3" }};
    const body = "x".repeat({MORE});
    return new Response(await (await fetch("http://example.com/", {{ method: "POST", headers, body }})).text());
  }},
}};
"""
    directory = write(tmp_path, {"src/index.js": source})
    isolate = isolates.load(directory, "src/index.js", kind="javascript")
    isolate.outside = length_and_size
    assert isolate.fetch().text == f"['{MORE}'] {MORE}"
