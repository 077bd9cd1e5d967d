"""Requests out of bytes: what a client sends means the same wherever the network cuts it."""

from __future__ import annotations

import itertools
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.front.protocol import HttpConnection
from emulator.front.request_reader import BAD_REQUEST, HEAD_TOO_LONG, MAX_HEAD, RequestReader

MESSAGES = [
    text.replace("\n", "\r\n").encode()
    for text in (
        "GET / HTTP/1.1\nHost: a\n\n",
        "\n\nGET /你好?名=值 HTTP/1.1\nHost: a\nX-名: no\n\n",
        "GET /你好?名=值 HTTP/1.1\nHost: a\nX-A: 你好 GET /\n\n",
        "POST /a HTTP/1.1\nHost: a\nContent-Length: 7 \n\nGET / é",
        "POST /é HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n5;x=y\nhello\n0\nX-T: é\n\n",
        "POST / HTTP/1.1\nHost: a\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n",
        "POST / HTTP/1.1\nHost: a\nContent-Length: 4\nContent-Length: 5\n\nabcd",
        "POST / HTTP/1.1\nHost: a\nExpect: 100-continue \nContent-Length: 2\n\nab",
        "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\nfffffffffffffffff\nab",
        "POST / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: h2c\nContent-Length: 3\n\nabc",
        "GET / HTTP/1.1\nHost: a\nX-A: 1\n 2\n\n",
        "GET / HTTP/1.1\nHost: a\nX-A: 1\0\n\n",
        "GET / HTTP/1.0\nConnection: keep-alive\n\n",
        "OPTIONS * HTTP/1.1\nHost: a\nConnection: close\n\n",
        "CONNECT a:80 HTTP/1.1\nHost: a\n\n",
        "nonsense",
    )
]


class Connection:
    """Counts what the reader asks of it."""

    def __init__(self) -> None:
        self.broken = 0
        self.pauses = 0

    def break_off(self, request: object) -> None:
        self.broken += 1

    def pause_reading(self) -> None:
        self.pauses += 1


def reading() -> tuple[RequestReader, Connection]:
    connection = Connection()
    return RequestReader(cast(HttpConnection, connection)), connection


def read(parts: list[bytes]) -> Any:
    """All that was understood."""
    reader, connection = reading()
    for part in parts:
        reader.feed(part)
    requests = [
        (
            request.method,
            request.target,
            request.headers,
            request.complete,
            request.keep_alive,
            request.expects_continue and not request.complete,
            request.take(),
        )
        for request in reader.waiting
    ]
    return requests, reader.refusal, connection.broken


@given(st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=4), st.data())
def test_where_the_bytes_are_cut_makes_no_difference(messages: list[bytes], data: st.DataObject) -> None:
    # Only at the end: in one packet with the end of a body, a target must be ASCII.
    bodies = [message for message in messages if b"Content-Length" in message or b"chunked" in message]
    sent = b"".join([message for message in messages if message not in bodies] + bodies[:1])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    parts = [sent[start:end] for start, end in itertools.pairwise([0, *cuts, len(sent)])]
    assert read(parts) == read([sent])


@pytest.mark.parametrize("message", MESSAGES)
def test_byte_by_byte(message: bytes) -> None:
    assert read([message[at : at + 1] for at in range(len(message))]) == read([message])


def test_targets_that_are_not_ascii_in_one_packet() -> None:
    requests, refusal, _ = read(["GET /你 HTTP/1.1\r\nHost: é\r\n\r\n".encode() * 3])
    assert not refusal
    assert [(target, headers) for _, target, headers, *_ in requests] == [
        (b"/%E4%BD%A0", [(b"host", "é".encode())])
    ] * 3


def test_space_behind_a_value_is_not_part_of_it() -> None:
    requests, *_ = read([b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2 \t\r\nX-A: \t 1 2 \r\n\r\nab"])
    assert requests[0][2] == [(b"host", b"a"), (b"content-length", b"2"), (b"x-a", b"1 2")]


def test_nobody_waits_for_100_continue_without_a_body() -> None:
    reader, _ = reading()
    reader.feed(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n")
    assert not reader.waiting[0].expects_continue


def test_an_offer_of_another_protocol_does_not_hide_that_the_client_waits() -> None:
    reader, _ = reading()
    lines = b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"
    reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")
    assert reader.waiting[0].expects_continue


@pytest.mark.parametrize("endless", [b"0\r\nX-T: ", b"0\r\n" + b"X-T: 1\r\n" * 9, b"5;"])
def test_what_stands_around_a_body_does_not_fill_the_memory(endless: bytes) -> None:
    reader, connection = reading()
    reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + endless)
    request = reader.waiting.popleft()
    more = b"X-T: 1\r\n" * 8192 if endless.endswith(b"\n") else b"x" * 65536
    for _ in range(2 * MAX_HEAD // len(more)):
        reader.feed(more)
    assert reader.refusal == HEAD_TOO_LONG
    assert connection.broken == 1
    assert len(request.headers) == 2


def test_a_long_body_is_no_long_head() -> None:
    reader, _ = reading()
    reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (4 * MAX_HEAD))
    for _ in range(4):
        reader.feed(b"x" * MAX_HEAD)
    assert not reader.refusal
    assert reader.waiting[0].complete


def test_smuggled_requests_are_refused() -> None:
    body = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    for fields in (
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(body),
        b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(body),
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n",
        b"Transfer-Encoding: chunked, gzip\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 0\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"X: 1\nContent-Length: 5\r\n",
    ):
        requests, refusal, *_ = read([b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n" + body])
        assert (requests, refusal) == ([], BAD_REQUEST), fields
