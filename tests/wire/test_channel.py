from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from struct import pack
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.wire.channel import (
    FRONT_FIRST_ID,
    ISOLATE_FIRST_ID,
    Channel,
    ChannelError,
    StreamBroken,
    StreamCancelled,
    Streams,
)
from emulator.wire.frames import (
    MAX_FRAME,
    WINDOW,
    Abort,
    Call,
    Cancel,
    Chunk,
    Done,
    End,
    Event,
    Log,
    Pull,
    Return,
    ToFront,
    ToIsolate,
)

ids = st.integers(0, 2**53)
text = st.text(max_size=50)
bodies = st.none() | ids | st.binary(max_size=3000)
headers = st.lists(st.tuples(text, text), max_size=5)
json = st.recursive(
    st.none() | st.booleans() | ids | text, lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
events = st.builds(Event, ids, st.just("fetch"), text, text, text, text, bodies)
to_isolate = st.one_of(
    events,
    st.builds(Abort, ids),
    st.builds(Return, ids, json, bodies, st.none() | st.tuples(text, text)),
    st.builds(Chunk, ids, st.binary(max_size=3000)),
    st.builds(End, ids, st.none() | text),
    st.builds(Pull, ids, ids),
    st.builds(Cancel, ids, text),
)


def encoded(frame: Any) -> bytes:
    data = msgspec.msgpack.encode(frame)
    return pack("!I", len(data)) + data


@given(st.lists(to_isolate, max_size=8), st.data())
@settings(max_examples=150, deadline=None)
def test_frames_cut_anywhere_arrive_intact(frames: list[Any], data: st.DataObject) -> None:
    stream = b"".join(map(encoded, frames))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    arrived: list[Any] = []
    lost: list[Any] = []
    channel = Channel(ToIsolate, arrived.append, lost.append)
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        channel.data_received(stream[start:end])
    assert arrived == frames
    channel.connection_lost(None)
    assert lost == [None]


def test_one_byte_at_a_time() -> None:
    frames = [Done(7, 99), Log(0, "log", "你好")]
    arrived: list[Any] = []
    channel = Channel(ToFront, arrived.append, lambda _: None)
    for byte in b"".join(map(encoded, frames)):
        channel.data_received(bytes([byte]))
    assert arrived == frames


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pack("!I", 3) + b"\xc1\xc1\xc1", "malformed frame"),
        (encoded([99, 1]), "malformed frame"),
        (encoded(Done(1, 1))[:4] + b"\x00" * 10, "malformed frame"),
        (pack("!I", MAX_FRAME + 1), "67,108,865 bytes"),
    ],
)
def test_a_bad_frame_ends_the_channel_with_its_reason(data: bytes, message: str) -> None:
    lost: list[Any] = []
    arrived: list[Any] = []
    channel = Channel(ToFront, arrived.append, lost.append)
    channel.data_received(encoded(Done(1, 2)) + data + encoded(Done(3, 4)))
    assert arrived == [Done(1, 2)]
    assert isinstance(lost[0], ChannelError)
    assert message in str(lost[0])
    channel.connection_lost(None)
    assert len(lost) == 1


def test_an_end_in_the_middle_of_a_frame_is_an_error() -> None:
    lost: list[Any] = []
    channel = Channel(ToFront, lambda _: None, lost.append)
    channel.data_received(encoded(Done(1, 2))[:-1])
    channel.connection_lost(None)
    assert isinstance(lost[0], ChannelError)


class Side:
    """One end of a connected pair, with its streams."""

    def __init__(self, receives: Any, first_id: int) -> None:
        self.channel = Channel(receives, self.on_frame, self.on_lost)
        self.streams = Streams(self.channel, first_id)
        self.frames: asyncio.Queue[Any] = asyncio.Queue()
        self.sizes: list[int] = []

    def on_frame(self, frame: Any) -> None:
        if isinstance(frame, Chunk):
            self.sizes.append(len(frame.data))
        if self.streams.handle(frame):
            return
        body = getattr(frame, "body", None)
        self.frames.put_nowait((frame, self.streams.incoming(body) if isinstance(body, int) else None))

    def on_lost(self, exc: Exception | None) -> None:
        self.streams.lost(exc)


async def connected() -> tuple[Side, Side]:
    front, isolate = Side(ToFront, FRONT_FIRST_ID), Side(ToIsolate, ISOLATE_FIRST_ID)
    loop = asyncio.get_running_loop()
    for side, sock in zip((front, isolate), socket.socketpair(), strict=True):
        sock.setblocking(False)
        await loop.create_unix_connection(lambda side=side: side.channel, sock=sock)  # type: ignore[misc]
    return front, isolate


def run(scenario: Callable[[Side, Side], Awaitable[None]]) -> None:
    async def main() -> None:
        front, isolate = await connected()
        try:
            await scenario(front, isolate)
        finally:
            front.channel.abort()
            isolate.channel.abort()
            await asyncio.sleep(0)

    asyncio.run(main())


async def start_stream(isolate: Side, front: Side) -> tuple[Any, Any]:
    out = isolate.streams.open()
    isolate.channel.send(Call(1, 1, "fetch", "fetch", {}, out.id))
    _, incoming = await front.frames.get()
    return out, incoming


def test_a_long_stream_arrives_in_order_in_small_frames() -> None:
    async def scenario(front: Side, isolate: Side) -> None:
        out, incoming = await start_stream(isolate, front)
        data = bytes(range(256)) * 8192

        async def produce() -> None:
            await out.write(data)
            out.close()

        task = asyncio.create_task(produce())
        assert b"".join([chunk async for chunk in incoming]) == data
        await task
        assert max(front.sizes) <= 64 * 1024
        assert len(front.streams) == len(isolate.streams) == 0

    run(scenario)


def test_the_producer_waits_for_the_consumer() -> None:
    async def scenario(front: Side, isolate: Side) -> None:
        out, incoming = await start_stream(isolate, front)
        task = asyncio.create_task(out.write(bytes(4 * WINDOW)))
        await asyncio.sleep(0.05)
        assert sum(front.sizes) == WINDOW
        read = 0
        while read < 4 * WINDOW:
            read += len(await incoming.read())
            await asyncio.sleep(0)
            assert sum(front.sizes) <= read + WINDOW
        await task

    run(scenario)


def test_cancel_stops_the_producer() -> None:
    async def scenario(front: Side, isolate: Side) -> None:
        out, incoming = await start_stream(isolate, front)
        task = asyncio.create_task(out.write(bytes(4 * WINDOW)))
        await incoming.read()
        incoming.cancel("enough")
        with pytest.raises(StreamCancelled, match="enough"):
            await task
        out.close()
        with pytest.raises(StreamBroken, match="enough"):
            await incoming.read()
        assert len(front.streams) == len(isolate.streams) == 0

    run(scenario)


def test_a_failure_of_the_source_breaks_the_stream_after_its_data() -> None:
    async def source() -> Any:
        yield b"some"
        raise ValueError("boom")

    async def scenario(front: Side, isolate: Side) -> None:
        out, incoming = await start_stream(isolate, front)
        await out.write_all(source())
        assert await incoming.read() == b"some"
        with pytest.raises(StreamBroken, match="boom"):
            await incoming.read()

    run(scenario)


def test_a_lost_channel_breaks_both_ends_of_its_streams() -> None:
    async def scenario(front: Side, isolate: Side) -> None:
        out, incoming = await start_stream(isolate, front)
        task = asyncio.create_task(out.write(bytes(4 * WINDOW)))
        await incoming.read()
        front.channel.abort()
        with pytest.raises(StreamBroken):
            while await incoming.read():
                pass
        with pytest.raises(StreamBroken):
            await task

    run(scenario)


def test_frames_of_one_iteration_leave_in_one_write() -> None:
    writes: list[bytes] = []

    class Transport(asyncio.Transport):
        def write(self, data: Any) -> None:
            writes.append(bytes(data))

    async def scenario() -> None:
        channel = Channel(ToFront, lambda _: None, lambda _: None)
        channel.send(Abort(0))
        channel.connection_made(Transport())
        channel.send(Abort(1))
        channel.send(Abort(2))
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert writes == [encoded(Abort(0)), encoded(Abort(1)) + encoded(Abort(2))]


def test_a_frame_that_is_too_long_to_send_leaves_the_channel_usable() -> None:
    async def scenario(front: Side, isolate: Side) -> None:
        isolate.channel.send(Done(1, 1))
        with pytest.raises(ChannelError, match="longer than"):
            isolate.channel.send(Chunk(1, bytes(MAX_FRAME)))
        isolate.channel.send(Done(2, 2))
        assert [(await front.frames.get())[0] for _ in range(2)] == [Done(1, 1), Done(2, 2)]

    run(scenario)


def test_whether_streams_go_on_without_this_side() -> None:
    async def scene() -> None:
        sent: list[Any] = []
        channel: Any = type("Sent", (), {"send": lambda self, frame: sent.append(frame)})()
        streams = Streams(channel, ISOLATE_FIRST_ID)
        out, source = streams.open(), streams.incoming(2)
        both = (out.id, source.id)
        assert not streams.await_the_other_side((*both, 99))
        reading = asyncio.ensure_future(source.read())
        await asyncio.sleep(0)
        assert streams.await_the_other_side(both)
        streams.handle(Chunk(source.id, b"x"))
        assert await reading == b"x"
        assert not streams.await_the_other_side(both)
        await out.write(bytes(WINDOW))
        assert streams.await_the_other_side(both)
        streams.handle(Cancel(out.id))
        assert not streams.await_the_other_side(both)

    asyncio.run(scene())


def test_the_end_of_a_stream_does_not_keep_what_was_written() -> None:
    async def scene() -> None:
        channel: Any = type("Sent", (), {"send": lambda self, frame: None})()
        out = Streams(channel, ISOLATE_FIRST_ID).open()
        out._stop(StreamCancelled("enough"))
        for _ in range(2):
            with pytest.raises(StreamCancelled, match="enough"):
                await out.write(b"data")
        assert out.stopped is not None
        assert out.stopped.__traceback__ is None

    asyncio.run(scene())


class Full:
    """A transport that takes more only when there was room made."""

    def __init__(self, waiting: int) -> None:
        self.waiting, self.written, self.room = waiting, b"", False

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def make_room(self) -> None:
        self.room = True

    def write(self, data: bytearray) -> None:
        if not self.room:
            raise MemoryError
        self.written += data


@pytest.mark.parametrize(("waiting", "size"), [(0, 100_000), (100_000, 1)])
def test_room_is_made_before_a_transport_keeps_what_it_cannot_send(waiting: int, size: int) -> None:
    frames, transport = [Chunk(1, bytes(size))], Full(waiting)
    channel = Channel(ToFront, frames.append, lambda _: None, flushed=False)
    channel.make_room = transport.make_room
    channel._transport = transport  # type: ignore[assignment]
    channel.send(frames[0])
    channel.flush()
    assert transport.written == encoded(frames[0])


def test_a_frame_that_cannot_be_encoded_leaves_nothing_behind() -> None:
    async def scene() -> None:
        ours, theirs = socket.socketpair()
        arrived: list[Any] = []
        sender = Channel(ToIsolate, arrived.append, lambda _: None)
        receiver = Channel(ToFront, arrived.append, lambda _: None)
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: sender, sock=ours)
        await loop.create_unix_connection(lambda: receiver, sock=theirs)
        sender.send(Done(1, 1))
        with pytest.raises(TypeError):
            sender.send(Call(1, 1, "x" * 5000, "y", object()))
        sender.send(Done(2, 2))
        while len(arrived) < 2:
            await asyncio.sleep(0.01)
        assert arrived == [Done(1, 1), Done(2, 2)]
        sender.abort()
        receiver.abort()

    asyncio.run(scene())
