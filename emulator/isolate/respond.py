"""From what a handler returned to an answer on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any, Final, Protocol

from emulator.wire.channel import InStream, OutStream, StreamBroken, StreamCancelled, Streams
from emulator.wire.frames import Headers

from .bridge.bridge import Bridge
from .events import CURRENT, EventContext
from .realm.engine import Undefined, Value
from .realm.host.text import utf8

Pump = Callable[[], Awaitable[None]]

_SAID_LENGTH: Final = ":content-length"
"""What entry.js calls the length that a Worker says a stream has, which promises none."""

LONG_BODY_BYTES: Final = 8 * 1024 * 1024
"""A longer body goes out in pieces, as fast as the client takes it: the front holds little of it."""


def respond(
    bridge: Bridge,
    streams: Streams,
    response: Any,
    again: Callable[[Callable[[], bytes]], bytes],
    take: Callable[[int], InStream | None],
) -> tuple[int, str, Headers, bytes | int | None, Pump | None]:
    """Take a JS Response apart: status, reason, headers, body, and what pumps a streamed body.

    ``take`` gives an incoming stream, to pass it on as it is; ``again`` makes what there may be no memory
    for (``MemoryWatch.again``).
    Raises ``JsException`` (TypeError) for anything that is no Response or is used up.
    """
    taken = bridge.invoke("take", bridge.convert.to_js(response))
    status, text, lines, body = taken.to_python()
    headers = header_pairs(lines)
    if body is None:
        return status, text, headers, None, None
    if isinstance(body, int):
        out = streams.open()
        return status, text, of_stream(headers, CURRENT.get()), out.id, NativePump(take(body), out).run
    if body is not Undefined:
        return whole(streams, status, text, headers, again(lambda: utf8(body)))
    body = bridge.invoke("takenBody")
    if body.get("getReader") is Undefined:
        return whole(streams, status, text, headers, again(body.to_bytes))
    stream = streams.open()
    return status, text, of_stream(headers, CURRENT.get()), stream.id, BodyPump(bridge, stream, body).run


def whole(
    streams: Streams, status: int, text: str, headers: Headers, body: bytes
) -> tuple[int, str, Headers, bytes | int, Pump | None]:
    """An answer whose body is all here; one with a long body has a pump for it."""
    if len(body) <= LONG_BODY_BYTES:
        return status, text, headers, body, None
    out = streams.open()
    return status, text, sized(headers, len(body)), out.id, NativePump(LongBody(body), out).run


def sized(headers: Headers, size: int) -> Headers:
    """``headers`` with the length that the body has, whatever they said."""
    others = [pair for pair in headers if pair[0].lower() != "content-length"]
    return [*others, ("content-length", str(size))]


def of_stream(headers: Headers, event: EventContext | None) -> Headers:
    """The headers of a response with a stream: the length that the Worker says counts for ``HEAD`` alone."""
    if not headers or headers[-1][0] != _SAID_LENGTH:
        return headers
    said = [("content-length", headers[-1][1])] if event is not None and event.method == "HEAD" else []
    return [*headers[:-1], *said]


def header_pairs(lines: str | Value) -> Headers:
    """The headers of text that has a line for each name and each value."""
    # The engine hands over long concatenated strings as values of its own.
    text = lines if lines.__class__ is str else str(lines)
    if not text:
        return []
    items = iter(text.split("\n"))
    return list(zip(items, items, strict=True))


class Source(Protocol):
    """What a ``NativePump`` sends: an ``InStream``, or a ``LongBody``."""

    async def read(self) -> bytes | None:
        """The next part, ``None`` at the end. Raises ``StreamBroken``."""

    def cancel(self, reason: str = "") -> None:
        """Nobody wants more."""


class LongBody:
    """A body that is all here."""

    def __init__(self, data: bytes) -> None:
        self._data: bytes | None = data

    async def read(self) -> bytes | None:
        """All of it, once."""
        data, self._data = self._data, None
        return data

    def cancel(self, reason: str = "") -> None:
        """Let go of it."""
        self._data = None


class NativePump:
    """Sends what no code of the Worker makes any more, as the platform does: it costs the Worker nothing."""

    def __init__(self, source: Source | None, out: OutStream) -> None:
        self._source = source
        self._out = out

    async def run(self) -> None:
        """Return when all is sent or the reader left; raise what the source failed with."""
        context = copy_context()
        context.run(CURRENT.set, None)
        loop: Any = asyncio.get_running_loop()
        task = loop.make_task(self._run(), context)  # no event pays for it
        try:
            await task
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def _run(self) -> None:
        source, out = self._source, self._out
        if source is None:
            out.close("The stream is over.")
            return
        try:
            while (data := await source.read()) is not None:
                await out.write(data)
        except StreamBroken as error:
            out.close(str(error))
            raise
        except StreamCancelled as error:
            source.cancel(str(error) or "The reader left.")
        except asyncio.CancelledError:
            source.cancel("cancelled")
            out.close("cancelled")
            raise
        else:
            out.close()


class BodyPump:
    """Sends a ReadableStream chunk by chunk, as fast as the other side takes it."""

    def __init__(self, bridge: Bridge, stream: OutStream, body: Value) -> None:
        self._bridge = bridge
        self._stream = stream
        self._body: Value | None = body
        self._loop = asyncio.get_running_loop()
        self._sending: asyncio.Task[None] | None = None
        self._finished: asyncio.Future[BaseException | None] = self._loop.create_future()

    async def run(self) -> None:
        """Return when all is sent or the reader left; raise what the body failed with."""
        function = self._bridge.engine.function
        cancel = self._bridge.realm.platform.get("pumpBody")(
            self._body,
            function(self._on_chunk, "onChunk"),
            function(self._on_end, "onEnd"),
            function(self._on_error, "onError"),
        )
        try:
            error = await self._finished
        except asyncio.CancelledError:
            cancel(Undefined)
            self._stream.close("cancelled")
            raise
        finally:
            # A cycle through both heaps would never be collected.
            self._body = self._sending = None
        if isinstance(error, StreamCancelled | StreamBroken):
            cancel(str(error))
            return
        self._stream.close(None if error is None else str(error))
        if error is not None:
            raise error

    def _finish(self, error: BaseException | None) -> None:
        if not self._finished.done():
            self._finished.set_result(error)

    def _on_chunk(self, buffer: Value, resume: Value, *_: Any) -> Any:
        self._sending = self._loop.create_task(self._send(buffer.to_bytes(), resume))
        return Undefined

    def _on_end(self, *_: Any) -> Any:
        self._finish(None)
        return Undefined

    def _on_error(self, error: Any = None, *_: Any) -> Any:
        self._finish(self._bridge.errors.from_js(error))
        return Undefined

    async def _send(self, data: bytes, resume: Value) -> None:
        try:
            await self._stream.write(data)
        except (StreamCancelled, StreamBroken) as error:
            self._finish(error)
        else:
            resume()
