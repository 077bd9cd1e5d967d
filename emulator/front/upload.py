"""The body of a request on its way to the isolate, when it is not whole at once."""

from __future__ import annotations

from collections.abc import Callable

from emulator.front.http_request import HttpRequest
from emulator.wire.channel import OutStream, StreamBroken, StreamCancelled


class Upload:
    """Sends a body through ``out``: ``begin``, which is taken already, and what follows.

    With more than ``most`` bytes, ``too_big`` is called with the size so far and whether more follows;
    the text that it gives breaks the stream.
    """

    def __init__(
        self,
        request: HttpRequest,
        out: OutStream,
        begin: bytes,
        most: int,
        too_big: Callable[[int, bool], str],
    ) -> None:
        self._request = request
        self._out = out
        self._data = begin
        self._more = True
        self._most = most
        self._too_big = too_big

    async def run(self) -> None:
        """Send, and take what nobody wants."""
        try:
            await self._send()
            return
        except (StreamCancelled, StreamBroken):
            self._data = b""
        # The Worker wants or gets no more. Many clients write all before they read the answer,
        # so the rest is taken and dropped.
        while self._more and (part := await self._request.read()) is not None:
            self._more = part[1]

    async def _send(self) -> None:
        out, size = self._out, len(self._data)
        while self._more:
            if self._data:
                await out.write(self._data)
            part = await self._request.read()
            if part is None:
                out.close("The client disconnected.")
                return
            self._data, self._more = part
            size += len(self._data)
            if size > self._most:
                text = self._too_big(size, self._more)
                out.close(text)
                raise StreamBroken(text)
        await out.write(self._data)
        out.close()
