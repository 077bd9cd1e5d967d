"""A channel: frames over one connected socket, on either side of the wire.

``Channel`` is the asyncio protocol of the socket; ``Streams`` beside it carries the bodies
that are too long, or too slow, to travel inside a frame. Both sides use the same classes:

    channel = Channel(ToFront, on_frame, on_lost)
    await loop.create_unix_connection(lambda: channel, sock=sock)
    streams = Streams(channel, first_id=FRONT_FIRST_ID)

``on_frame`` gives stream frames to ``streams.handle`` and calls ``streams.incoming`` for a
stream id at once, before it returns, since the first chunk may follow in the same read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from functools import lru_cache
from struct import Struct as Layout
from typing import Any, Final, cast

import msgspec

from emulator.wire.frames import MAX_FRAME, WINDOW, Cancel, Chunk, End, Frame, Pull

CHUNK: Final = 64 * 1024
"""Bytes; longer pieces of a stream are cut so that other frames get between them."""

FRONT_FIRST_ID: Final = 2
ISOLATE_FIRST_ID: Final = 1

_LENGTH: Final = Layout("!I")
_PULL_STEP: Final = WINDOW // 4
_SHORT: Final = 4096
"""Bytes that a socket whose buffer is empty takes at once."""


class ChannelError(Exception):
    """The two sides have lost step: a frame was malformed or too long."""


class StreamBroken(Exception):
    """A stream ended by a failure of its producer or of the channel."""


class StreamCancelled(Exception):
    """The reader of a stream wants no more of it."""


def _anew(error: Exception) -> Exception:
    """To raise: the one that a stream keeps would keep the frames, and data, of those who were told."""
    return type(error)(*error.args)


@lru_cache
def _decoder(receives: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(receives)


class Channel(asyncio.Protocol):
    """Sends and receives frames; ``receives`` is the union of frames that may arrive.

    ``on_lost`` is called once: with ``None`` after an orderly end, else with what broke.
    With ``flushed=False`` the owner calls ``flush`` after each turn of its event loop.
    """

    def __init__(
        self,
        receives: Any,
        on_frame: Callable[[Any], None],
        on_lost: Callable[[Exception | None], None],
        flushed: bool = True,
    ) -> None:
        self._flushed = flushed
        self._decode = _decoder(receives).decode
        self._encode_into = msgspec.msgpack.Encoder().encode_into
        self._on_frame = on_frame
        self._on_lost = on_lost
        self.make_room: Callable[[], None] | None = None
        """Called before more is written than a socket takes at once: the transport copies the rest."""
        self._partial = bytearray()
        self._need = 0
        self._out = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transport: asyncio.Transport | None = None
        self._lost = False

    @property
    def lost(self) -> bool:
        """Whether the connection is over."""
        return self._lost

    @property
    def waiting_bytes(self) -> int:
        """What was sent and has not left yet."""
        transport = self._transport
        return len(self._out) + (transport.get_write_buffer_size() if transport is not None else 0)

    def send(self, frame: Frame) -> None:
        """Send ``frame``; all frames of one loop iteration leave in one write.

        Frames sent before the connection is made wait for it; after its end they vanish,
        as ``on_lost`` has told.
        """
        if self._lost:
            return
        out = self._out
        start = len(out)
        if not start and self._flushed and self._loop is not None:
            self._loop.call_soon(self.flush)
        try:
            self._encode_into(frame, out, start + 4)
        except BaseException:  # e.g. MemoryError
            del out[start:]
            raise
        size = len(out) - start - 4
        if size > MAX_FRAME:
            del out[start:]
            raise ChannelError(f"a frame of {size:,} bytes is longer than the {MAX_FRAME:,} allowed")
        _LENGTH.pack_into(out, start, size)

    def close(self) -> None:
        """Send what waits, then end the connection."""
        if self._transport is not None and not self._lost:
            self.flush()
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._fail(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._loop = asyncio.get_running_loop()
        self.flush()

    def data_received(self, data: bytes) -> None:
        partial = self._partial
        if not partial:
            used = self._parse(data)
            if used < len(data):
                partial += memoryview(data)[used:]
            return
        partial += data
        if len(partial) >= self._need:
            used = self._parse(partial)
            if not self._lost:
                del partial[:used]

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None and self._partial:
            exc = ChannelError("the connection ended in the middle of a frame")
        self._fail(exc)

    def _parse(self, data: bytes | bytearray) -> int:
        """Handle each whole frame in ``data``; gives how many bytes they took."""
        view, end, at = memoryview(data), len(data), 0
        self._need = 4
        while end - at >= 4 and not self._lost:
            (size,) = _LENGTH.unpack_from(data, at)
            if size > MAX_FRAME:
                self._fail(ChannelError(f"a frame of {size:,} bytes: {MAX_FRAME:,} are allowed"))
                break
            stop = at + 4 + size
            if stop > end:
                self._need = 4 + size
                break
            try:
                frame = self._decode(view[at + 4 : stop])
            except msgspec.MsgspecError as error:
                self._fail(ChannelError(f"a malformed frame: {error}"))
                break
            at = stop
            self._on_frame(frame)
        view.release()
        return at

    def flush(self) -> None:
        """Write what waits."""
        if self._out and self._transport is not None and not self._lost:
            if self.make_room is not None and self.waiting_bytes > _SHORT:
                self.make_room()  # what the transport has no memory for would be lost
            out, self._out = self._out, bytearray()
            self._transport.write(out)

    def _fail(self, exc: Exception | None) -> None:
        if self._lost:
            return
        self._lost = True
        self._out = bytearray()
        if self._transport is not None:
            self._transport.abort()
        self._on_lost(exc)


class OutStream:
    """The producer's end of a stream. Made by ``Streams.open``."""

    def __init__(self, streams: Streams, stream: int) -> None:
        self.id = stream
        self._streams = streams
        self._credit = WINDOW
        self._waiter: asyncio.Future[None] | None = None
        self._stopped: Exception | None = None
        self._closed = False

    @property
    def stopped(self) -> Exception | None:
        """Why no more can be written (``StreamCancelled``, ``StreamBroken``), or ``None``."""
        return self._stopped

    @property
    def waits(self) -> bool:
        """Whether the consumer must take something before more can be written."""
        return self._credit <= 0 and self._stopped is None

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send ``data``; returns when all of it is on its way. One writer at a time."""
        view = memoryview(data).cast("B")
        while view.nbytes:
            while self._credit <= 0 and self._stopped is None:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
            self._check()
            size = min(CHUNK, self._credit, view.nbytes)
            self._credit -= size
            self._streams.channel.send(Chunk(self.id, bytes(view[:size])))
            view = view[size:]
        self._check()

    async def write_all(self, source: AsyncIterable[bytes]) -> None:
        """Send all of ``source`` and close; a failure of ``source`` breaks the stream."""
        try:
            async for data in source:
                await self.write(data)
        except StreamCancelled:
            return
        except Exception as error:
            self.close(str(error) or type(error).__name__)
            return
        except BaseException:
            self.close("cancelled")
            raise
        finally:
            if isinstance(source, AsyncGenerator):
                await source.aclose()
        self.close()

    def close(self, error: str | None = None) -> None:
        """End the stream, with ``error`` as a failure. Only the first call counts."""
        if not self._closed:
            self._closed = True
            self._streams.forget(self.id)
            if self._stopped is None:
                self._streams.channel.send(End(self.id, error))

    def _check(self) -> None:
        if self._stopped is not None:
            raise _anew(self._stopped)

    def _allow(self, size: int) -> None:
        self._credit += size
        self._wake()

    def _stop(self, why: Exception) -> None:
        self._stopped = why
        self._streams.forget(self.id)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class InStream:
    """The consumer's end of a stream: an async iterator of chunks. Made by ``Streams.incoming``."""

    def __init__(self, streams: Streams, stream: int) -> None:
        self.id = stream
        self._streams = streams
        self._chunks: deque[bytes] = deque()
        self._unpulled = 0
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._error: Exception | None = None

    @property
    def waits(self) -> bool:
        """Whether a reader waits for the producer."""
        return self._waiter is not None and not self._waiter.done()

    def __aiter__(self) -> InStream:
        return self

    async def __anext__(self) -> bytes:
        data = await self.read()
        if data is None:
            raise StopAsyncIteration
        return data

    async def read(self) -> bytes | None:
        """The next chunk, ``None`` at the end. Raises ``StreamBroken``. One reader at a time."""
        while not self._chunks:
            if self._error is not None:
                raise _anew(self._error)
            if self._ended:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data = self._chunks.popleft()
        self._unpulled += len(data)
        if self._unpulled >= _PULL_STEP and not self._ended:
            self._streams.channel.send(Pull(self.id, self._unpulled))
            self._unpulled = 0
        return data

    def cancel(self, reason: str = "") -> None:
        """Want no more: what waits is dropped and the producer is told."""
        if not self._ended:
            self._finish(StreamBroken(reason or "the stream was cancelled"))
            self._streams.forget(self.id)
            self._streams.channel.send(Cancel(self.id, reason))
        self._chunks.clear()

    def _receive(self, data: bytes) -> None:
        self._chunks.append(data)
        self._wake()

    def _finish(self, error: Exception | None) -> None:
        self._ended = True
        self._error = error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Streams:
    """All streams of one channel. ``first_id`` keeps the two sides' ids apart."""

    def __init__(self, channel: Channel, first_id: int) -> None:
        self.channel = channel
        self._next = first_id
        self._open: dict[int, OutStream | InStream] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self) -> OutStream:
        """Start a stream to the other side; put its ``id`` as the body of a frame."""
        stream = OutStream(self, self._next)
        self._next += 2
        self._open[stream.id] = stream
        return stream

    def incoming(self, stream: int) -> InStream:
        """The stream that a received frame names as its body. Call it while handling that frame."""
        made = InStream(self, stream)
        self._open[stream] = made
        return made

    def handle(self, frame: Any) -> bool:
        """Take a ``Chunk``, ``End``, ``Pull`` or ``Cancel``; False for any other frame.

        Frames of streams that are over on this side are on time for nobody, and ignored.
        """
        kind = type(frame)
        if kind is not Chunk and kind is not Pull and kind is not End and kind is not Cancel:
            return False
        stream = self._open.get(frame.stream)
        if isinstance(stream, InStream):
            if kind is Chunk:
                stream._receive(frame.data)
            elif kind is End:
                self.forget(stream.id)
                stream._finish(None if frame.error is None else StreamBroken(frame.error))
        elif isinstance(stream, OutStream):
            if kind is Pull:
                stream._allow(frame.size)
            elif kind is Cancel:
                stream._stop(StreamCancelled(frame.reason))
        return True

    def await_the_other_side(self, streams: Iterable[int]) -> bool:
        """Whether one of the streams of these ids goes on when the other side sends or takes something."""
        found = (self._open.get(stream) for stream in streams)
        return any(stream.waits for stream in found if stream is not None)

    def break_off(self, stream: int, error: str) -> None:
        """End a stream to the other side as a failure, whatever feeds it; one that is over stays as it is."""
        found = self._open.get(stream)
        if isinstance(found, OutStream):
            found.close(error)

    def lost(self, exc: Exception | None = None) -> None:
        """The channel is over: break every stream."""
        why = StreamBroken(str(exc) if exc else "the connection between the front and the isolate ended")
        for stream in list(self._open.values()):
            if isinstance(stream, InStream):
                stream._finish(why)
            else:
                stream._stop(why)
        self._open.clear()

    def forget(self, stream: int) -> None:
        """Drop a stream that is over."""
        self._open.pop(stream, None)
