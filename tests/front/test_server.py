"""The HTTP server: how it begins and stops, and what uvicorn gets to know of our connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from http_peer import LOOPS, Client, answer_with, play

from emulator.front.http_request import HttpRequest
from emulator.front.protocol import HttpConnection
from emulator.front.server import GRACE_SECONDS, listen

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def answer_hello(request: HttpRequest) -> None:
    answer_with(request, b"hello")


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def uvicorn_with(app: Any, **settings: Any) -> uvicorn.Server:
    config = uvicorn.Config(
        app, http=HttpConnection, interface="asgi3", proxy_headers=False, log_config=None, **settings
    )
    return uvicorn.Server(config)


async def connected(address: tuple[str, int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*address)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


def test_listen_refuses_a_port_in_use() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(OSError):
        listen(*first.getsockname())


def test_a_server_that_stops_takes_no_more_connections() -> None:
    async def scene(client: Client) -> None:
        address = client.writer.get_extra_info("peername")
        assert (await client.ask(GET)).body == b"hello"
        await client.server.stop()
        with pytest.raises(ConnectionError), socket.socket() as other:
            other.connect(address)

    play(answer_hello, scene)


@pytest.mark.parametrize("loop", LOOPS)
def test_hurry_ends_the_wait_of_a_server_that_stops(loop: str) -> None:
    begun: list[HttpRequest] = []

    async def scene(client: Client) -> None:
        client.send(GET)
        await until(lambda: begun)
        stopping = asyncio.create_task(client.server.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        client.server.hurry()
        answer = await client.answer()
        assert (answer.status, answer.body) == (503, b"The server is stopping.\n")
        assert await client.ended()
        await stopping

    play(begun.append, scene, loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_task_that_will_not_end_does_not_keep_the_server(loop: str) -> None:
    released = asyncio.Event()

    async def stubborn(request: HttpRequest) -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    async def scene(client: Client) -> None:
        client.send(GET)
        await asyncio.sleep(0.05)
        await asyncio.wait_for(client.server.stop(), 5 * GRACE_SECONDS)
        assert not released.is_set()
        assert (await client.answer()).status == 503
        assert await client.ended()
        released.set()

    play(lambda request: request.spawn(stubborn(request)), scene, loop)


def test_uvicorn_knows_connections_and_tasks() -> None:
    answering = asyncio.Event()

    async def answer_later(request: HttpRequest) -> None:
        await answering.wait()
        answer_hello(request)

    async def main() -> None:
        with listen("127.0.0.1", 0) as sock:
            server = uvicorn_with(lambda request: request.spawn(answer_later(request)))
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            reader, writer = await connected(sock.getsockname())
            state = server.server_state
            writer.write(GET)
            await until(lambda: state.tasks)
            assert len(state.connections) == len(state.tasks) == 1
            assert state.total_requests == 0
            server.should_exit = True  # waits for the request
            await asyncio.sleep(0.3)
            assert not serving.done()
            answering.set()
            assert b"connection: close" in await reader.readuntil(b"hello")
            await serving
            assert state.total_requests == 1
            assert not state.connections and not state.tasks
            await closed(writer)

    asyncio.run(asyncio.wait_for(main(), 20))


def test_uvicorn_counts_requests() -> None:
    async def main() -> None:
        with listen("127.0.0.1", 0) as sock:
            server = uvicorn_with(answer_hello, limit_max_requests=3)
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            reader, writer = await connected(sock.getsockname())
            writer.write(3 * GET)
            assert (await reader.read()).count(b"hello") == 3
            await serving
            await closed(writer)

    asyncio.run(asyncio.wait_for(main(), 20))


def test_uvicorn_cancels_tasks_that_take_too_long() -> None:
    async def main() -> None:
        with listen("127.0.0.1", 0) as sock:
            server = uvicorn_with(
                lambda request: request.spawn(asyncio.sleep(3600)), timeout_graceful_shutdown=0
            )
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            reader, writer = await connected(sock.getsockname())
            writer.write(GET)
            await until(lambda: server.server_state.tasks)
            server.should_exit = True
            await serving
            assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
            await closed(writer)

    asyncio.run(asyncio.wait_for(main(), 20))
