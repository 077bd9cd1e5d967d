"""Connections of the HTTP server: how long they may be idle, the order of answers, how they end."""

from __future__ import annotations

import asyncio
import time

import pytest
from http_peer import LOOPS, Client, answer_with, play

from emulator.front.http_request import HttpRequest
from emulator.front.protocol import LINGER_SECONDS, MOST_WAITING

IDLE_SECONDS = 0.2


def get(target: str = "/a?b", *lines: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"GET {target} HTTP/{version}", "Host: localhost", *lines, "", ""]).encode()


def answer_target(request: HttpRequest) -> None:
    answer_with(request, request.target)


def answer_slowly(request: HttpRequest) -> None:
    asyncio.get_running_loop().call_later(3 * IDLE_SECONDS, answer_target, request)


def test_an_idle_connection_is_closed() -> None:
    async def scene(client: Client) -> None:
        assert (await client.ask(get())).body == b"/a?b"
        idle_since = time.monotonic()
        assert await client.ended()
        assert time.monotonic() - idle_since > IDLE_SECONDS / 2

    play(answer_target, scene, idle_seconds=IDLE_SECONDS)


def test_a_slow_answer_is_no_idle_connection() -> None:
    async def scene(client: Client) -> None:
        assert (await client.ask(get())).body == b"/a?b"
        assert (await client.ask(get())).body == b"/a?b"
        assert await client.ended()

    play(answer_slowly, scene, idle_seconds=IDLE_SECONDS)


def test_an_answer_before_the_body_has_come_is_no_idle_connection() -> None:
    async def scene(client: Client) -> None:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        assert (await client.answer()).body == b"/"
        await asyncio.sleep(2 * IDLE_SECONDS)
        client.send(b"cd")
        assert (await client.ask(get())).body == b"/a?b"
        assert await client.ended()

    play(answer_target, scene, idle_seconds=IDLE_SECONDS)


@pytest.mark.parametrize("loop", LOOPS)
def test_requests_sent_ahead_are_answered_in_order(loop: str) -> None:
    async def scene(client: Client) -> None:
        paths = [f"/{number}" for number in range(5 * MOST_WAITING)]
        client.send(b"".join(map(get, paths)))
        assert [(await client.answer()).body.decode() for _ in paths] == paths

    def app(request: HttpRequest) -> None:
        # Some at once, some later: none may overtake another.
        if request.target.endswith(b"7"):
            asyncio.get_running_loop().call_later(0.001, answer_target, request)
        else:
            answer_target(request)

    play(app, scene, loop)


def test_thousands_of_requests_in_one_packet_are_no_recursion() -> None:
    async def scene(client: Client) -> None:
        client.send(get("/") * 5000)
        for _ in range(5000):
            assert (await client.answer()).body == b"/"

    play(answer_target, scene)


def test_offers_of_other_protocols_in_one_packet_are_no_recursion() -> None:
    async def scene(client: Client) -> None:
        client.send(get("/", "Connection: Upgrade", "Upgrade: h2c") * 3000)
        for _ in range(3000):
            assert (await client.answer()).body == b"/"

    play(answer_target, scene)


def test_a_client_that_does_not_read_is_not_answered_ahead() -> None:
    begun = 0

    def app(request: HttpRequest) -> None:
        nonlocal begun
        begun += 1
        answer_with(request, b"x" * 2_000_000)

    async def scene(client: Client) -> None:
        client.send(get() * 50)
        await asyncio.sleep(0.2)
        assert begun < 10
        for _ in range(50):
            assert len((await client.answer()).body) == 2_000_000

    play(app, scene)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_what_follows_the_last_request_is_ignored(version: str) -> None:
    async def scene(client: Client) -> None:
        client.send(get("/one"))
        client.send(get("/two", "Connection: close", version=version) + get("/three") + b"\0garbage")
        assert (await client.answer()).body == b"/one"
        last = await client.answer()
        assert (last.body, last.headers["connection"]) == (b"/two", "close")
        assert await client.ended()

    play(answer_target, scene)


def test_http_1_0_keeps_the_connection_when_the_client_asks_for_it() -> None:
    async def scene(client: Client) -> None:
        for _ in range(2):
            kept = await client.ask(get("/one", "Connection: Keep-Alive", version="1.0"))
            assert (kept.body, kept.headers["connection"]) == (b"/one", "keep-alive")
        last = await client.ask(get("/two", version="1.0"))
        assert (last.body, last.headers["connection"]) == (b"/two", "close")
        assert await client.ended()

    play(answer_target, scene)


def test_a_stream_ends_with_the_connection_for_http_1_0() -> None:
    async def stream(request: HttpRequest) -> None:
        request.start(200, [])
        await request.write(b"all")
        request.finish()

    async def scene(client: Client) -> None:
        answer = await client.ask(get("/", "Connection: keep-alive", version="1.0"))
        assert (answer.body, answer.headers) == (b"all", {"connection": "close"})

    play(lambda request: request.spawn(stream(request)), scene)


@pytest.mark.parametrize(
    "garbage",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/3.7\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02",
    ],
)
def test_what_is_no_http_is_refused_when_the_answers_before_are_sent(garbage: bytes) -> None:
    async def scene(client: Client) -> None:
        client.send(get("/one") + get("/two") + garbage)
        assert (await client.answer()).body == b"/one"
        assert (await client.answer()).body == b"/two"
        refusal = await client.answer()
        assert (refusal.status, refusal.headers["connection"]) == (400, "close")
        assert await client.ended()

    def app(request: HttpRequest) -> None:
        asyncio.get_running_loop().call_soon(answer_target, request)

    play(app, scene)


def test_a_head_without_end_is_refused() -> None:
    async def scene(client: Client) -> None:
        client.send(get()[:-2] + b"X-Long: " + b"x" * 2_000_000)
        assert (await client.answer()).status == 431

    play(answer_target, scene)


def test_a_failing_application_is_a_500(capsys: pytest.CaptureFixture[str]) -> None:
    def app(request: HttpRequest) -> None:
        raise ValueError("boom")

    async def scene(client: Client) -> None:
        assert (await client.ask(get())).status == 500
        assert await client.ended()

    play(app, scene)
    assert "boom" in capsys.readouterr().err


def test_idle_connections_end_with_the_server() -> None:
    async def scene(client: Client) -> None:
        await client.ask(get())
        await client.server.stop()
        assert await client.ended()

    play(answer_target, scene)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_request_under_way_is_answered_when_the_server_stops(loop: str) -> None:
    async def scene(client: Client) -> None:
        client.send(get("/one") + get("/two"))
        while not begun:
            await asyncio.sleep(0.01)
        stopping = asyncio.create_task(client.server.stop())
        await asyncio.sleep(0.05)
        answer_target(begun[0])
        answer = await client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"/one", "close")
        assert await client.ended()
        await stopping
        assert len(begun) == 1

    begun: list[HttpRequest] = []
    play(begun.append, scene, loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_request_that_takes_too_long_is_told_that_the_server_stops(loop: str) -> None:
    left = []

    def app(request: HttpRequest) -> None:
        request.on_left = lambda: left.append(request)
        if request.target == b"/task":
            request.spawn(asyncio.sleep(3600))

    async def scene(client: Client) -> None:
        other = await client.connect()
        client.send(get("/task"))
        other.send(get("/plain"))
        await asyncio.sleep(0.05)
        client.server.hurry()
        await client.server.stop()
        for one in (client, other):
            answer = await one.answer()
            assert (answer.status, answer.headers["connection"]) == (503, "close")
            assert await one.ended()
        assert len(left) == 2

    play(app, scene, loop)


def test_a_response_that_streams_is_cut_when_the_server_stops() -> None:
    async def stream(request: HttpRequest) -> None:
        request.start(200, [])
        while True:
            await request.write(b"tick")
            await asyncio.sleep(0.01)

    async def scene(client: Client) -> None:
        client.send(get())
        await client.reader.readuntil(b"tick")
        client.server.hurry()
        await client.server.stop()
        assert not (await client.reader.read()).endswith(b"0\r\n\r\n")

    play(lambda request: request.spawn(stream(request)), scene)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_sends_all_before_it_reads_gets_the_last_answer(loop: str) -> None:
    head = b"POST /early HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 20000000\r\n\r\n"

    async def scene(client: Client) -> None:
        client.send(head + bytes(20_000_000))
        await client.writer.drain()
        assert (await client.answer()).body == b"/early"
        assert await client.ended()

    play(answer_target, scene, loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_sends_much_that_is_no_http_is_told(loop: str) -> None:
    async def scene(client: Client) -> None:
        client.send(b"GARBAGE\r\n" * 1_000_000)
        await client.writer.drain()
        assert (await client.answer()).status == 400
        assert await client.ended()

    play(answer_target, scene, loop)


def test_a_client_that_never_stops_to_send_is_not_read_for_ever() -> None:
    async def scene(client: Client) -> None:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await client.answer()).body == b"/"
        end = time.monotonic() + 10 * LINGER_SECONDS
        with pytest.raises(ConnectionError):
            while time.monotonic() < end:
                client.send(b"1\r\nx\r\n")
                await client.writer.drain()
                await asyncio.sleep(0.05)

    play(answer_target, scene)


def test_what_came_of_a_body_goes_with_its_client() -> None:
    requests: list[HttpRequest] = []

    async def scene(client: Client) -> None:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        while not requests:
            await asyncio.sleep(0.01)
        client.writer.close()
        while not requests[0].left:
            await asyncio.sleep(0.01)
        assert requests[0].take() == b""

    play(requests.append, scene)
