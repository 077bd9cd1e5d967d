"""A Worker's answer as an HTTP response."""

from __future__ import annotations

import asyncio
from typing import Final

from emulator.front.http_request import HttpRequest, ResponseBroken
from emulator.front.response_head import PHRASES, field
from emulator.wire.channel import InStream, StreamBroken
from emulator.wire.frames import Answer

_NO_BODY: Final = frozenset((101, 204, 205, 304))


def head_of(answer: Answer) -> tuple[list[bytes], bytes]:
    """The header fields of an answer, and its ``Content-Length``. Raises ``InvalidField``."""
    fields, length = [], b""
    for name, value in answer.headers:
        line = field(name, value)
        if line.startswith(b"content-length:"):
            length = value.encode() if value.isascii() and value.isdigit() else b""
        elif line:
            fields.append(line)
    return fields, length


def phrase_of(answer: Answer) -> str:
    """The status text that the terminal shows."""
    return answer.status_text or PHRASES.get(answer.status, "")


def send_whole(request: HttpRequest, status: int, fields: list[bytes], length: bytes, body: bytes) -> None:
    """Send a response that has no stream; ``length`` is what the Worker says."""
    if status in _NO_BODY:
        body, length = b"", _no_length(status)
    elif body or request.method != "HEAD":
        length = b"%d" % len(body)
        if request.method == "HEAD":
            body = b""
    request.respond(status, fields, body, length)


async def send_stream(
    request: HttpRequest, status: int, fields: list[bytes], length: bytes, stream: InStream
) -> None:
    """Send a response as its body comes. Raises ``ResponseBroken`` where that fails."""
    if request.method == "HEAD" or status in _NO_BODY:
        stream.cancel("The response has no body.")
        request.respond(status, fields, b"", _no_length(status) if status in _NO_BODY else length)
        return
    request.start(status, fields, length)
    try:
        while (data := await stream.read()) is not None:
            await request.write(data)
        request.finish()
    except StreamBroken as broken:
        raise ResponseBroken(str(broken)) from None
    except (ResponseBroken, asyncio.CancelledError):
        stream.cancel("The response is over.")
        raise


def _no_length(status: int) -> bytes:
    return b"0" if status == 205 else b""
