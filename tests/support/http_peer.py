"""A server of ours with an application of the test's, and a client that sees every byte."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, NamedTuple

import uvloop

from emulator.front.http_request import HttpRequest
from emulator.front.protocol import App
from emulator.front.server import IDLE_SECONDS, HttpServer, listen

LOOPS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server: HttpServer,
        connect: Callable[[], Awaitable[Client]],
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.server = server
        self.connect = connect
        """Makes another one."""

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self, method: str = "GET") -> Answer:
        """The next answer on the connection, whole."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        headers = {line.partition(": ")[0]: line.partition(": ")[2] for line in head[1:]}
        assert len(headers) == len(head) - 1
        status = int(head[0].split(" ")[1])
        if method == "HEAD" or status in (100, 204, 304):
            body = b""
        elif "content-length" in headers:
            assert "transfer-encoding" not in headers
            body = await self.reader.readexactly(int(headers["content-length"]))
        elif "transfer-encoding" in headers:
            body = await self._chunks()
        else:
            body = await self.reader.read()
        return Answer(status, headers, body)

    async def ask(self, data: bytes) -> Answer:
        self.send(data)
        return await self.answer(data.split(b" ")[0].decode())

    async def ended(self) -> bool:
        """Whether the server closes the connection without another byte."""
        with contextlib.suppress(ConnectionError):
            return await self.reader.read() == b""
        return True

    async def _chunks(self) -> bytes:
        parts = []
        while size := int(await self.reader.readline(), 16):
            parts.append(await self.reader.readexactly(size))
            assert await self.reader.readexactly(2) == b"\r\n"
        assert await self.reader.readexactly(2) == b"\r\n"
        return b"".join(parts)


@contextlib.asynccontextmanager
async def serving(
    app: App, idle_seconds: float = IDLE_SECONDS
) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    """Gives a function that connects."""
    sock = listen("127.0.0.1", 0)
    address = sock.getsockname()[:2]
    server = HttpServer(app, sock, idle_seconds)
    await server.start()
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection(*address), server, connect))
        return clients[-1]

    try:
        yield connect
    finally:
        server.hurry()
        await server.stop()
        for client in clients:
            client.writer.close()
            with contextlib.suppress(OSError):
                await client.writer.wait_closed()


def play(
    app: App,
    scene: Callable[[Client], Coroutine[Any, Any, None]],
    loop: str = "uvloop",
    idle_seconds: float = IDLE_SECONDS,
) -> None:
    """Run ``scene`` with a connection to a server of ``app``."""

    async def main() -> None:
        async with serving(app, idle_seconds) as connect:
            await asyncio.wait_for(scene(await connect()), 20)

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())


def answer_with(request: HttpRequest, body: bytes, status: int = 200) -> None:
    """A whole response."""
    shown = b"" if request.method == "HEAD" else body
    request.respond(status, [], shown, b"%d" % len(body))
