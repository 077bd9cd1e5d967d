"""Connections of the HTTP server: how long they may be idle, and requests sent before the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from emulator.front.server import HttpServer, listen

REQUEST = b"GET /a?b HTTP/1.1\r\nHost: localhost\r\n\r\n"
IDLE_SECONDS = 0.2


def with_connection(
    app: Any, play: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> None:
    async def main() -> None:
        sock = listen("127.0.0.1", 0)
        server = HttpServer(app, sock)
        server._server.config.timeout_keep_alive = IDLE_SECONDS  # type: ignore[assignment]
        await server.start()
        reader, writer = await asyncio.open_connection(*sock.getsockname()[:2])
        try:
            await asyncio.wait_for(play(reader, writer), 20)
        finally:
            writer.close()
            server.hurry()
            await server.stop()

    asyncio.run(main())


async def answer_target(scope: Any, receive: Any, send: Any) -> None:
    body = scope["target"]
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def answer_slowly(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(3 * IDLE_SECONDS)
    await answer_target(scope, receive, send)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(REQUEST)
    await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(4)


def test_an_idle_connection_is_closed() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await ask(reader, writer) == b"/a?b"
        idle_since = time.monotonic()
        assert await reader.read() == b""
        assert time.monotonic() - idle_since > IDLE_SECONDS / 2

    with_connection(answer_target, play)


def test_a_slow_answer_is_no_idle_connection() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await ask(reader, writer) == b"/a?b"
        assert await ask(reader, writer) == b"/a?b"
        assert await reader.read() == b""

    with_connection(answer_slowly, play)


def test_requests_sent_ahead_are_answered_in_order() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for path in (b"/one", b"/two", b"/six"):
            writer.write(REQUEST.replace(b"/a?b", path))
        for path in (b"/one", b"/two", b"/six"):
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(4) == path
        assert await reader.read() == b""

    with_connection(answer_target, play)
