"""Bodies through all processes: in pieces, as they come, in little memory."""

from __future__ import annotations

import hashlib
import http.client
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from serving import Server

WRANGLER = """name = "bodies"
main = "entry.py"
compatibility_date = "2024-12-01"
compatibility_flags = ["python_workers"]
"""
WORKER = """
import asyncio
from js import Response, TextEncoder, TransformStream

async def on_fetch(request, env):
    if request.url.endswith("/echo"):
        return Response.new(request.body)
    stream = TransformStream.new()
    writer = stream.writable.getWriter()

    async def ticks():
        try:
            for number in range(600):
                await writer.write(TextEncoder.new().encode(f"data: {number}\\n\\n"))
                await asyncio.sleep(0.1)
        finally:
            print("the ticking ended")

    asyncio.ensure_future(ticks())
    return Response.new(stream.readable)
"""
PIECE = bytes(range(256)) * 4096
PIECES = 1000


@pytest.fixture
def server(tmp_path: Path, serve: Callable[..., Server]) -> Server:
    (tmp_path / "wrangler.toml").write_text(WRANGLER)
    (tmp_path / "entry.py").write_text(WORKER)
    return serve(str(tmp_path), "--limits", "off")


def pieces(digest: hashlib._Hash) -> Iterator[bytes]:
    for _ in range(PIECES):
        digest.update(PIECE)
        yield PIECE


def most_memory(pid: int) -> int:
    """The most bytes that a process ever had in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_gigabyte_is_echoed_in_little_memory(server: Server) -> None:
    sent, received, size = hashlib.md5(), hashlib.md5(), 0
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)) as connection:
        connection.putrequest("POST", "/echo")
        connection.putheader("Content-Length", str(len(PIECE) * PIECES))
        connection.endheaders(next(source := pieces(sent)))
        # One thread does both, as a browser does: what comes back is read while the rest is sent.
        with connection.getresponse() as response:
            for number, piece in enumerate(source):
                connection.send(piece)
                while size < len(PIECE) * number and (data := response.read1(1 << 20)):
                    received.update(data)
                    size += len(data)
            while data := response.read1(1 << 20):
                received.update(data)
                size += len(data)

    assert (response.status, size) == (200, len(PIECE) * PIECES)
    assert received.digest() == sent.digest()
    assert max(map(most_memory, server.family())) < 200_000_000


def test_events_arrive_as_they_are_written_and_a_client_that_leaves_ends_them(server: Server) -> None:
    client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    client.sendall(b"GET /ticks HTTP/1.1\r\nHost: localhost\r\n\r\n")
    seen = b""
    while b"data: 2" not in seen:  # 600 ticks take a minute: these came before the end
        seen += client.recv(65536)
    client.close()

    end = time.monotonic() + 20
    while "the ticking ended" not in server.output and time.monotonic() < end:
        time.sleep(0.02)
    assert "the ticking ended" in server.output
    assert "GET /ticks client disconnected" in server.output
