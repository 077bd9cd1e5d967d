"""Requests as they are read, and responses as they are written, byte by byte where it matters."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable

import pytest
from http_peer import LOOPS, Client, answer_with, play

from emulator.front.http_request import HttpRequest, ResponseBroken

HOST = b"Host: localhost\r\n"
GET = b"GET /x HTTP/1.1\r\n" + HOST + b"\r\n"


def echo(request: HttpRequest) -> None:
    """Answers with the body once it is here."""

    async def run() -> None:
        body = b""
        while (part := await request.read()) is not None:
            body += part[0]
            if not part[1]:
                answer_with(request, body)
                return

    request.spawn(run())


def streaming(*parts: bytes, length: bytes = b"") -> Callable[[HttpRequest], None]:
    async def run(request: HttpRequest) -> None:
        request.start(200, [b"x-a: 1\r\n"], length)
        for part in parts:
            await request.write(part)
        request.finish()

    return lambda request: request.spawn(run(request))


def post(body: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join([b"POST /x HTTP/1.1", b"Host: a", *lines, b"", body])


CHUNKED = b"Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (post(b"", b"Content-Length: 0"), b""),
        (post(b""), b""),
        (post(b"abc", b"Content-Length: 3"), b"abc"),
        (post(b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n", CHUNKED), b"abcd"),
        (post(b"3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n", CHUNKED), b"abc"),
        (post(b"0\r\n\r\n", CHUNKED), b""),
        (post(b"1\r\nx\r\n" * 3000 + b"0\r\n\r\n", CHUNKED), b"x" * 3000),
    ],
)
@pytest.mark.parametrize("pieces", [False, True])
def test_bodies(sent: bytes, body: bytes, pieces: bool) -> None:
    async def scene(client: Client) -> None:
        for _ in range(2):
            step = max(1, len(sent) // 97) if pieces else len(sent)
            for at in range(0, len(sent), step):
                client.send(sent[at : at + step])
                if pieces:
                    await asyncio.sleep(0.001)
            assert (await client.answer()).body == body

    play(echo, scene)


def test_fields_after_the_body_are_no_headers() -> None:
    seen: list[HttpRequest] = []

    def app(request: HttpRequest) -> None:
        seen.append(request)
        echo(request)

    async def scene(client: Client) -> None:
        await client.ask(post(b"0\r\nX-Trailer: 1\r\n\r\n", CHUNKED))
        await client.ask(GET)
        assert [name for name, _ in seen[0].headers] == [b"host", b"transfer-encoding"]
        assert seen[1].headers == [(b"host", b"localhost")]

    play(app, scene)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_body_that_nobody_reads_does_not_fill_the_memory(loop: str) -> None:
    request: list[HttpRequest] = []

    async def scene(client: Client) -> None:
        client.send(post(b"x" * 10_000_000, b"Content-Length: 10000000"))
        await asyncio.sleep(0.3)
        assert len(request[0].take()) < 1_000_000
        answer_with(request[0], b"enough")
        # The rest is dropped, and the connection goes on.
        assert (await client.answer()).body == b"enough"
        client.send(GET)
        while len(request) < 2:
            await asyncio.sleep(0.01)
        answer_with(request[1], b"next")
        assert (await client.answer()).body == b"next"

    play(request.append, scene, loop)


def test_100_continue_is_sent_when_the_body_is_wanted() -> None:
    async def scene(client: Client) -> None:
        for _ in range(2):
            assert (await client.ask(post(b"", b"Expect: 100-continue", b"Content-Length: 3"))).status == 100
            answer = await client.ask(b"abc")
            assert (answer.body, "connection" in answer.headers) == (b"abc", False)

    play(echo, scene)


def test_no_100_continue_when_the_body_is_not_wanted_or_here() -> None:
    async def scene(client: Client) -> None:
        answer = await client.ask(post(b"abc", b"Expect: 100-continue", b"Content-Length: 3"))
        assert (answer.status, answer.body, "connection" in answer.headers) == (413, b"no", False)
        # Now it waits: what it sends next may be the body or a request.
        answer = await client.ask(post(b"", b"Expect: 100-continue", b"Content-Length: 3"))
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert await client.ended()

    play(lambda request: answer_with(request, b"no", 413), scene)


def test_http_1_0_knows_no_100_continue_and_no_chunks() -> None:
    async def scene(client: Client) -> None:
        sent = b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        client.send(sent)
        await asyncio.sleep(0.05)
        answer = await client.ask(b"x")
        assert (answer.status, answer.headers) == (200, {"x-a": "1", "connection": "close"})
        assert answer.body == b"onetwo"

    play(streaming(b"one", b"", b"two"), scene)


@pytest.mark.parametrize("loop", LOOPS)
def test_streams_go_in_chunks_or_by_length(loop: str) -> None:
    async def scene(client: Client) -> None:
        for _ in range(2):
            answer = await client.ask(GET)
            assert answer.body == b"onetwo"
            assert answer.headers["x-a"] == "1"

    play(streaming(b"one", b"", b"two"), scene, loop)
    play(streaming(b"one", b"", b"two", length=b"6"), scene, loop)


@pytest.mark.parametrize("length", [b"5", b"7"])
def test_a_stream_of_the_wrong_length_is_cut(length: bytes) -> None:
    async def scene(client: Client) -> None:
        client.send(GET)
        data = await client.reader.read()
        assert b"content-length: " + length in data
        assert len(data.partition(b"\r\n\r\n")[2]) != int(length)

    play(streaming(b"one", b"two", length=length), scene)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_broken_stream_never_looks_whole(version: bytes) -> None:
    async def run(request: HttpRequest) -> None:
        request.start(200, [])
        await request.write(b"some")
        await asyncio.sleep(0.05)
        raise ResponseBroken("boom")

    async def scene(client: Client) -> None:
        client.send(GET.replace(b"1.1", version))
        try:
            data = await client.reader.read()
        except ConnectionResetError:
            return
        assert version == b"1.1"
        assert not data.endswith(b"0\r\n\r\n")

    play(lambda request: request.spawn(run(request)), scene)


def test_head() -> None:
    async def scene(client: Client) -> None:
        answer = await client.ask(GET.replace(b"GET", b"HEAD"))
        assert answer.headers["content-length"] == "5"
        assert (await client.ask(GET)).body == b"whole"

    play(lambda request: answer_with(request, b"whole"), scene)


@pytest.mark.parametrize("status", [204, 304])
def test_responses_without_a_body_keep_the_connection(status: int) -> None:
    async def scene(client: Client) -> None:
        for _ in range(2):
            answer = await client.ask(GET)
            assert (answer.status, answer.headers) == (status, {})

    play(lambda request: request.respond(status, [], b""), scene)


def test_101_ends_the_connection() -> None:
    async def scene(client: Client) -> None:
        client.send(GET)
        assert b"connection: close" in await client.reader.read()

    play(lambda request: request.respond(101, [], b""), scene)


def test_a_slow_reader_holds_up_the_writer() -> None:
    written = 0

    async def run(request: HttpRequest) -> None:
        nonlocal written
        request.start(200, [])
        for _ in range(200):
            await request.write(b"x" * 100_000)
            written += 1
        request.finish()

    async def scene(client: Client) -> None:
        client.send(GET)
        await asyncio.sleep(0.3)
        assert written < 150
        assert len((await client.answer()).body) == 20_000_000

    play(lambda request: request.spawn(run(request)), scene)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_leaves_is_told_of_once(loop: str) -> None:
    left: list[str] = []

    def app(request: HttpRequest) -> None:
        target = request.target.decode()
        request.on_left = lambda: left.append(target)
        if target == "/answered":
            answer_with(request, b"")

    async def scene(client: Client) -> None:
        await client.ask(GET.replace(b"/x", b"/answered"))
        client.send(GET + GET.replace(b"/x", b"/waiting"))
        await asyncio.sleep(0.05)
        client.writer.close()
        async with asyncio.timeout(10):
            while not left:
                await asyncio.sleep(0.01)
        assert left == ["/x"]

    play(app, scene, loop)


def test_reading_ends_when_the_client_leaves() -> None:
    ends: list[object] = []

    async def run(request: HttpRequest) -> None:
        while (part := await request.read()) is not None:
            ends.append(part)
        ends.append(part)

    async def scene(client: Client) -> None:
        client.send(post(b"abc", b"Content-Length: 10"))
        await asyncio.sleep(0.05)
        client.writer.close()
        async with asyncio.timeout(10):
            while None not in ends:
                await asyncio.sleep(0.01)
        assert ends == [(b"abc", True), None]

    play(lambda request: request.spawn(run(request)), scene)


def test_a_malformed_body_ends_its_request() -> None:
    left: list[bytes] = []

    def app(request: HttpRequest) -> None:
        request.on_left = lambda: left.append(request.target)

    async def scene(client: Client) -> None:
        client.send(post(b"3\r\nabc\r\n", CHUNKED))
        await asyncio.sleep(0.05)
        assert left == []
        assert (await client.ask(b"nonsense\r\n")).status == 400
        assert left == [b"/x"]
        assert await client.ended()

    play(app, scene)


@pytest.mark.parametrize("first", [b"POST", b"PUT"])
def test_an_offer_of_another_protocol_does_not_hide_the_body(first: bytes) -> None:
    """As Java's HTTP client sends its first request."""
    offer = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAEAAEAAAAIAAAAB")

    async def scene(client: Client) -> None:
        sent = post(b"abc", *offer, b"Content-Length: 3").replace(b"POST", first)
        client.send(sent[:-2])
        await asyncio.sleep(0.05)
        client.send(sent[-2:] + post(b"1\r\nx\r\n0\r\n\r\n", *offer, CHUNKED) + GET)
        assert (await client.answer()).body == b"abc"
        assert (await client.answer()).body == b"x"
        assert (await client.answer()).body == b""

    play(echo, scene)


def test_connect_ends_the_connection() -> None:
    async def scene(client: Client) -> None:
        client.send(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01")
        answer = await client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"a:1", "close")
        assert await client.ended()

    play(lambda request: answer_with(request, request.target), scene)


def test_a_target_that_is_not_ascii_is_escaped() -> None:
    async def scene(client: Client) -> None:
        for _ in range(2):
            answer = await client.ask("GET /你好?q=ü HTTP/1.1\r\nHost: a\r\nX-Name: 好\r\n\r\n".encode())
            assert answer.body == b"/%E4%BD%A0%E5%A5%BD?q=%C3%BC \xe5\xa5\xbd"

    def app(request: HttpRequest) -> None:
        answer_with(request, request.target + b" " + dict(request.headers)[b"x-name"])

    play(app, scene)


def test_an_answer_that_is_cancelled_before_it_begins_leaves_no_coroutine() -> None:
    async def late() -> None:
        raise AssertionError("it begins after all")

    work = late()

    def app(request: HttpRequest) -> None:
        before = asyncio.all_tasks()
        request.spawn(work)
        for task in asyncio.all_tasks() - before:
            task.cancel()

    async def scene(client: Client) -> None:
        client.send(GET)
        async with asyncio.timeout(10):
            while inspect.getcoroutinestate(work) != inspect.CORO_CLOSED:
                await asyncio.sleep(0.01)

    play(app, scene)
