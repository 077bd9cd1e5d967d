"""From what a handler returned to an answer on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from emulator.wire.channel import OutStream, StreamBroken, StreamCancelled, Streams
from emulator.wire.frames import Headers

from .bridge.bridge import Bridge
from .realm.engine import Undefined, Value

Pump = Callable[[], Awaitable[None]]


def respond(
    bridge: Bridge, streams: Streams, response: Any
) -> tuple[int, str, Headers, bytes | int | None, Pump | None]:
    """Take a JS Response apart: status, reason, headers, body, and what pumps a streamed body.

    Raises ``JsException`` (TypeError) for anything that is no Response or is used up.
    """
    taken = bridge.invoke("take", bridge.convert.to_js(response))
    status, text, flat, body = taken.to_python()
    headers = list(zip(flat[::2], flat[1::2], strict=True))
    if body is None:
        return status, text, headers, None, None
    if body is not Undefined:
        return status, text, headers, body.encode("utf-8", "surrogatepass"), None
    body = bridge.invoke("takenBody")
    if body.get("getReader") is Undefined:
        return status, text, headers, body.to_bytes(), None
    stream = streams.open()
    return status, text, headers, stream.id, lambda: _pump(bridge, stream, body)


async def _pump(bridge: Bridge, stream: OutStream, body: Value) -> None:
    """Send a ReadableStream chunk by chunk, as fast as the other side takes it."""
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[BaseException | None] = loop.create_future()

    def finish(error: BaseException | None = None) -> None:
        if not finished.done():
            finished.set_result(error)

    async def send(data: bytes, resume: Value) -> None:
        try:
            await stream.write(data)
        except (StreamCancelled, StreamBroken) as error:
            finish(error)
        else:
            resume()

    def on_chunk(buffer: Value, resume: Value, *_: Any) -> Any:
        loop.create_task(send(buffer.to_bytes(), resume))
        return Undefined

    def on_error(error: Any = None, *_: Any) -> Any:
        finish(bridge.errors.from_js(error))
        return Undefined

    engine = bridge.engine
    cancel = bridge.realm.platform.get("pumpBody")(
        body,
        engine.function(on_chunk, "onChunk"),
        engine.function(lambda *_: finish() or Undefined, "onEnd"),
        engine.function(on_error, "onError"),
    )
    try:
        error = await finished
    except asyncio.CancelledError:
        cancel(Undefined)
        stream.close("cancelled")
        raise
    if isinstance(error, StreamCancelled | StreamBroken):
        cancel(str(error))
        return
    stream.close(None if error is None else str(error))
    if error is not None:
        raise error
