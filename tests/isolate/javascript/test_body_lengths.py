"""The length of a streamed body is the one that the network announced, while nobody has touched it.

What is expected here is what workerd does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from isolates import Exchange, Isolate, LoadWorker, fetching

from emulator.wire.channel import InStream
from emulator.wire.frames import Answer, Call

ANNOUNCED = (("Content-Length", "6"),)


def length(exchange: Exchange) -> list[str]:
    """The lengths that the head of an answer tells."""
    answer = exchange.answer()
    assert isinstance(answer, Answer)
    return [value for name, value in answer.headers if name.lower() == "content-length"]


def upload(isolate: Isolate, headers: tuple[tuple[str, str], ...] = ANNOUNCED) -> Exchange:
    stream = isolate.upload()
    exchange = isolate.begin("POST", headers=headers, body=stream)

    async def send() -> None:
        await stream.write(b"abc")
        await stream.write(b"def")
        stream.close()

    isolate.wait(send())
    return exchange


@pytest.mark.parametrize(
    "passed_on",
    [
        "return new Response(request.body)",
        "return new Response(request.body, { headers: { 'Content-Length': '2' } })",
        "return new Response(new Response(request.body).body)",
        "return new Response(new Request(request).body)",
        "return new Response(request.clone().body)",
        "request.body.getReader().releaseLock(); return new Response(request.body)",
    ],
)
def test_of_a_request(serve: LoadWorker, passed_on: str) -> None:
    exchange = upload(serve(fetching(passed_on)))
    assert length(exchange) == ["6"]
    assert exchange.reply().body == b"abcdef"


@pytest.mark.parametrize(
    ("headers", "passed_on"),
    [
        ((), "return new Response(request.body)"),
        (ANNOUNCED, "return new Response(request.body.pipeThrough(new TransformStream()))"),
        (ANNOUNCED, "return new Response(request.body.pipeThrough(new IdentityTransformStream()))"),
    ],
)
def test_unknown(serve: LoadWorker, headers: tuple[tuple[str, str], ...], passed_on: str) -> None:
    exchange = upload(serve(fetching(passed_on)), headers)
    assert length(exchange) == []
    assert exchange.reply().body == b"abcdef"


async def told_length(call: Call, body: bytes | InStream | None) -> tuple[int, list[tuple[str, str]], bytes]:
    """Answers with the length that a subrequest announces."""
    assert isinstance(body, InStream)
    assert b"".join([data async for data in body])
    flat = call.args["headers"]
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return 200, [], " ".join(value for name, value in pairs if name.lower() == "content-length").encode()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("fetch('http://example.com/', { method: 'POST', body: request.body })", "6"),
        ("fetch('http://example.com/', request)", "6"),
        (
            "fetch('http://example.com/', { method: 'POST', body: request.body, headers: { 'Content-Length': '2' } })",
            "6",
        ),
        (
            "fetch('http://example.com/', { method: 'POST', headers: { 'Content-Length': '6' },"
            " body: request.body.pipeThrough(new TransformStream()) })",
            "",
        ),
    ],
)
def test_of_a_subrequest(serve: LoadWorker, sent: str, expected: str) -> None:
    isolate = serve(fetching(f"return new Response(await (await {sent}).text())"))
    isolate.outside = told_length
    assert upload(isolate).reply().text == expected


async def streamed(
    call: Call, body: bytes | InStream | None
) -> tuple[int, list[tuple[str, str]], AsyncIterator[bytes]]:
    async def parts() -> AsyncIterator[bytes]:
        for part in () if call.args["method"] == "HEAD" else (b"abc", b"def"):
            yield part

    return 200, [("content-length", "6")], parts()


@pytest.mark.parametrize(
    ("answer", "expected", "body"),
    [
        ("fetch('http://example.com/')", ["6"], b"abcdef"),
        ("new Response((await fetch('http://example.com/')).body)", ["6"], b"abcdef"),
        ("new Response((await fetch('http://example.com/', { method: 'HEAD' })).body)", [], b""),
    ],
)
def test_of_an_answer_from_elsewhere(
    serve: LoadWorker, answer: str, expected: list[str], body: bytes
) -> None:
    isolate = serve(fetching(f"return {answer}"))
    isolate.outside = streamed
    exchange = isolate.begin()
    assert length(exchange) == expected
    assert exchange.reply().body == body


@pytest.mark.parametrize(
    ("answer", "of_head"),
    [
        ("new Response(new ReadableStream({}), { headers: { 'Content-Length': '3' } })", ["3"]),
        ("new Response(new ReadableStream({}))", []),
        ("fetch('http://example.com/', request)", ["6"]),
    ],
)
def test_of_an_answer_to_head(serve: LoadWorker, answer: str, of_head: list[str]) -> None:
    isolate = serve(fetching(f"return {answer}"))
    isolate.outside = streamed
    exchange = isolate.begin("HEAD")
    assert length(exchange) == of_head
    exchange.abort()


def test_what_the_worker_says_of_a_stream(serve: LoadWorker) -> None:
    isolate = serve(
        fetching("""
        const empty = new ReadableStream({ start: (controller) => controller.close() });
        return new Response(empty, { headers: { "Content-Length": "3", "X-A": "1" } });
        """)
    )
    exchange = isolate.begin("GET")
    answer = exchange.answer()
    assert isinstance(answer, Answer)
    assert [name.lower() for name, _ in answer.headers] == ["x-a"]
    assert exchange.reply().body == b""
