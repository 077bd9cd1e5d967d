"""How answers of Workers become HTTP responses, in the cases that clients and Workers seldom make."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from emulated import Emulated, project

WORKER = """
import asyncio

async def parts(*texts):
    for text in texts:
        await asyncio.sleep(0.01)
        yield text.encode()

async def fetch(isolate, event, body):
    path = event.url.split("/", 3)[3].partition("?")[0]
    if path == "split":
        return 200, [("x-a", "1\\r\\nx-b: 2")], b"never"
    if path == "name":
        return 200, [("x a", "1")], b"never"
    if path == "split-stream":
        return 200, [("x-a", "1\\r\\nx-b: 2")], parts("never")
    if path == "stream":
        return 200, [("x-a", "1")], parts("one", "", "two")
    if path == "length":
        return 200, [("Content-Length", "6")], parts("one", "two")
    if path == "short":
        return 200, [("Content-Length", "7")], parts("one", "two")
    if path == "long":
        return 200, [("Content-Length", "5")], parts("one", "two")
    if path == "no-number":
        return 200, [("Content-Length", "-1")], parts("one", "two")
    if path == "echo":
        data = b"" if body is None else body if isinstance(body, bytes) else b"".join([c async for c in body])
        return 200, [], data
    if path == "slow":
        await asyncio.sleep(0.05)
    return 200, [], path.encode()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    directory = tmp_path_factory.mktemp("answers")
    with Emulated(project(directory / "a", WORKER, "first"), log=directory / "log") as running:
        yield running


def ask(server: Emulated, path: str, version: str = "1.1", method: str = "GET") -> tuple[bytes, bytes]:
    request = f"{method} /{path} HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    head, _, body = server.raw(request.encode()).partition(b"\r\n\r\n")
    return head.lower(), body


@pytest.mark.parametrize("path", ["split", "name", "split-stream"])
def test_headers_that_are_none_do_not_reach_the_client(server: Emulated, path: str) -> None:
    head, body = ask(server, path)
    assert head.startswith(b"http/1.1 500 ")
    assert b"x-b" not in head
    assert b"never" not in body
    assert ask(server, "next")[1] == b"next"


def test_streams(server: Emulated) -> None:
    head, body = ask(server, "stream")
    assert b"transfer-encoding: chunked" in head
    assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    assert ask(server, "length")[1] == b"onetwo"
    assert b"transfer-encoding: chunked" in ask(server, "no-number")[0]


def test_streams_for_http_1_0(server: Emulated) -> None:
    head, body = ask(server, "stream", "1.0")
    assert b"transfer-encoding" not in head
    assert body == b"onetwo"


def test_heads_of_streams(server: Emulated) -> None:
    assert ask(server, "length", method="HEAD")[0].count(b"content-length: 6") == 1
    head, body = ask(server, "stream", method="HEAD")
    assert b"content-length" not in head
    assert body == b""


@pytest.mark.parametrize("path", ["short", "long"])
def test_a_stream_of_another_length_than_it_says_is_cut(server: Emulated, path: str) -> None:
    head, body = ask(server, path)
    assert head.startswith(b"http/1.1 200 ")
    assert body in (b"one", b"onetwo")
    server.saw(f"GET /{path} 200 cut off")


def test_requests_sent_ahead(server: Emulated) -> None:
    """Whole bodies, slow answers, streams and our own pages on one connection keep their order."""
    get = "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    post = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody"
    last = "GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    sent = get.format("slow") + post + get.format("stream") + get.format("cdn-cgi/unknown")
    answer = server.raw((sent + get.format("slow") + post + last + get.format("never")).encode())
    places = [answer.find(text) for text in (b"slow", b"body", b"one", b"404", b"last")]
    assert places == sorted(places)
    assert -1 not in places
    assert answer.count(b"HTTP/1.1 ") == 7
    assert b"never" not in answer


def test_a_body_that_comes_late(server: Emulated) -> None:
    head = (
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    pieces = b"".join(b"1\r\n%c\r\n" % (97 + index % 26) for index in range(300)) + b"0\r\n\r\n"
    body = server.raw(head + pieces).partition(b"\r\n\r\n")[2]
    assert len(body) == 300
    assert body.startswith(b"abc")


@pytest.mark.parametrize("length", ["Content-Length: 4", "Transfer-Encoding: chunked"])
def test_a_worker_is_called_before_the_body_comes(server: Emulated, length: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(f"POST /early HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"early") and (data := connection.recv(65536)):
            answer += data
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_path_as_people_write_it(server: Emulated) -> None:
    request = "GET /你好 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    assert server.raw(request).endswith(b"%E4%BD%A0%E5%A5%BD")


def test_a_very_long_path_is_not_shown_whole(server: Emulated) -> None:
    head, body = ask(server, "long/" + "x" * 17_000)
    assert head.startswith(b"http/1.1 414 ")
    assert len(body) < 1000
    assert "…".encode() in body
