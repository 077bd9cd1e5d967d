"""The isolate's ``RealmIO``: timers on the event loop, all else by frames to the front."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, Final

from emulator.diagnostics.known import encodable, explain
from emulator.wire.channel import Channel, InStream, OutStream, StreamBroken, StreamCancelled, Streams
from emulator.wire.frames import MAX_FRAME, Call, CancelCall, Explain, Limits, Log, Return

from .events import CURRENT, EventContext
from .loop import RealmLoop
from .realm.engine import JSError, Value
from .realm.io import GLOBAL_SCOPE
from .realm.realm import HostError
from .respond import LongBody, NativePump

_LONGEST_WHOLE: Final = MAX_FRAME - 1024 * 1024
"""Bytes of a body that leave room in its frame. It can follow a redirect, which a stream cannot."""

_LONGEST_LOG: Final = 4 * 1024 * 1024
"""Characters of one call of ``console`` that are shown, whatever the plan says."""


class IsolateIO:
    """Implements ``RealmIO``. Whatever waits is counted as pending work of its event."""

    def __init__(self, loop: RealmLoop, channel: Channel, streams: Streams) -> None:
        self._loop = loop
        self._channel = channel
        self._streams = streams
        self._timers: dict[int, tuple[asyncio.TimerHandle, EventContext | None]] = {}
        self._calls: dict[int, tuple[Value, EventContext, Context, str]] = {}
        self._in: dict[int, InStream] = {}
        self._out: dict[int, OutStream] = {}
        self._last_id = 0
        self.on_error: Callable[[JSError], None] = lambda error: None
        self.on_disallowed: Callable[[], None] = lambda: None
        """Called when the top level of a module tries to fetch."""
        self.limits = Limits()
        """Those of the Worker, once it is known."""

    def context(self) -> int | None:
        event = CURRENT.get()
        return None if event is None else event.id

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _event(self) -> EventContext:
        event = CURRENT.get()
        if event is None:
            raise HostError("Error", GLOBAL_SCOPE)
        return event

    def _run(self, function: Value, *args: Any) -> None:
        try:
            function(*args)
        except JSError as error:
            self.on_error(error)

    # ---- timers and logs ----------------------------------------------------

    def set_timer(self, delay_ms: float, repeat: bool, fire: Value) -> int:
        if delay_ms > 0:
            self._event()
        timer = self._next_id()
        self._arm(timer, max(delay_ms, 0.0) / 1000, repeat, fire)
        return timer

    def _arm(self, timer: int, delay: float, repeat: bool, fire: Value) -> None:
        handle = self._loop.call_later(delay, self._fire, timer, delay, repeat, fire)
        self._timers[timer] = handle, CURRENT.get()

    def _fire(self, timer: int, delay: float, repeat: bool, fire: Value) -> None:
        if timer not in self._timers:
            return
        event = CURRENT.get()
        if event is not None and event.over:  # set by code that cleaned up
            del self._timers[timer]
            return
        if repeat:
            self._arm(timer, delay, repeat, fire)
        else:
            del self._timers[timer]
        self._run(fire)

    def clear_timer(self, timer: int) -> None:
        waiting = self._timers.pop(timer, None)
        if waiting is not None:
            waiting[0].cancel()

    def log(self, level: str, text: str) -> None:
        event = CURRENT.get()
        text = encodable(text[:_LONGEST_LOG])
        if event is None or not self.limits.log_kb:
            self._channel.send(Log(event.id if event else 0, level, text))
            return
        limit = int(self.limits.log_kb * 1024)
        before = event.logged
        event.logged = before + (len(text) if text.isascii() else len(text.encode()))
        if event.logged <= limit:
            self._channel.send(Log(event.id, level, text))
        elif before <= limit:
            self._truncate(event, level, text.encode()[: limit - before].decode("utf-8", "ignore"))

    def _truncate(self, event: EventContext, level: str, text: str) -> None:
        """The last that an event logs: what still fits, and a warning."""
        if text:
            self._channel.send(Log(event.id, level, text))
        kb = f"{self.limits.log_kb:g} KB"
        self._channel.send(Explain(event.id, explain("log-truncated", limit=kb, event=event.label)))

    # ---- fetch --------------------------------------------------------------

    def fetch(
        self,
        method: str,
        url: str,
        headers: list[str],
        body: bytes | int | None,
        redirect: str,
        settle: Value,
    ) -> int:
        if CURRENT.get() is None:
            # A promise that is rejected at the top level of a module is one that nobody looks at.
            self.on_disallowed()
        event = self._event()
        if isinstance(body, bytes) and len(body) > _LONGEST_WHOLE:
            headers = [*headers, "Content-Length", str(len(body))]
            body = self._send_long(body)
        with self._loop.aside():
            call = self._next_id()
            event.pending += 1
            self._calls[call] = (settle, event, copy_context(), f"{method} {url}")
            request = {"method": method, "url": url, "headers": headers, "redirect": redirect}
            self._channel.send(Call(call, event.id, "fetch", "fetch", request, body))
        return call

    def _send_long(self, body: bytes) -> int:
        """Send as a stream what is too long for one frame; gives its id."""
        stream = self._streams.open()
        self._loop.create_task(NativePump(LongBody(body), stream).run())
        return stream.id

    def cancel_fetch(self, call: int) -> None:
        waiting = self._calls.pop(call, None)
        if waiting is not None:
            waiting[1].pending -= 1
            self._channel.send(CancelCall(call))

    def returned(self, frame: Return) -> None:
        """The front answered a call. Runs while the frame is handled, so streams open here."""
        waiting = self._calls.pop(frame.call, None)
        if waiting is None or waiting[1].over:
            if isinstance(frame.body, int):
                self.adopt(frame.body, None)
                self.cancel_stream(frame.body, "nobody waits for this response")
            return
        settle, event, context, request = waiting
        if isinstance(frame.body, int):
            self.adopt(frame.body, event)
        event.pending -= 1
        self._note(event, request, frame)
        self._loop.call_soon(self._settle, settle, frame, context=context)

    def _note(self, event: EventContext, request: str, frame: Return) -> None:
        if frame.error is not None:
            event.bad_subrequest = f"{request} failed: {frame.error[1]}"
        elif frame.value["status"] >= 500:
            event.bad_subrequest = (
                f"{request} was answered {frame.value['status']} {frame.value['status_text']}".rstrip()
            )

    def _settle(self, settle: Value, frame: Return) -> None:
        if frame.error is not None:
            js_class, message = frame.error
            self._run(settle, message, js_class)
            return
        with self._loop.aside():
            answer = frame.value
            body: Any = frame.body
            if isinstance(body, bytes):
                body = self._loop.engine.array_buffer(body)
            flat = [item for pair in answer["headers"] for item in pair]
            parts = [answer["status"], answer["status_text"], flat, answer["url"], answer["redirected"], body]
        self._run(settle, None, parts)

    # ---- streams ------------------------------------------------------------

    def adopt(self, stream: int, event: EventContext | None) -> None:
        """A frame that is being handled brings an incoming stream for ``event``."""
        self._in[stream] = self._streams.incoming(stream)
        if event is not None:
            event.streams.add(stream)

    def incoming(self, stream: int) -> InStream | None:
        """The adopted stream of this id, for a reader in Python; ``None`` when it is over."""
        return self._in.get(stream)

    def take(self, stream: int) -> InStream | None:
        """The adopted stream of this id, for one who reads it to its end."""
        return self._in.pop(stream, None)

    def drop(self, event: EventContext) -> None:
        """The event is over: nobody waits for its timers and calls, or reads its streams, any more."""
        for timer in [timer for timer, (_, owner) in self._timers.items() if owner is event]:
            self.clear_timer(timer)
        for call in [call for call, waiting in self._calls.items() if waiting[1] is event]:
            del self._calls[call]
        for stream in event.streams:
            self.cancel_stream(stream, "the event is over")

    def read_stream(self, stream: int, deliver: Value) -> None:
        self._loop.create_task(self._read(stream, deliver))

    async def _read(self, stream: int, deliver: Value) -> None:
        source = self._in.get(stream)
        if source is None:
            self._run(deliver, "The stream is over.")
            return
        event = CURRENT.get()
        if event is not None:
            event.pending += 1
        try:
            data = await source.read()
        except StreamBroken as error:
            self._in.pop(stream, None)
            self._run(deliver, str(error))
            return
        finally:
            if event is not None:
                event.pending -= 1
        if data is None:
            self._in.pop(stream, None)
            self._run(deliver, None, None)
        else:
            self._run(deliver, None, self._loop.engine.array_buffer(data))

    def cancel_stream(self, stream: int, reason: str) -> None:
        source = self._in.pop(stream, None)
        if source is not None:
            source.cancel(reason)

    def open_stream(self) -> int:
        stream = self._streams.open()
        self._out[stream.id] = stream
        return stream.id

    def write_stream(self, stream: int, data: bytes, ready: Value) -> None:
        self._loop.create_task(self._write(stream, data, ready))

    async def _write(self, stream: int, data: bytes, ready: Value) -> None:
        target = self._out.get(stream)
        if target is None:
            self._run(ready, "The stream is over.")
            return
        event = CURRENT.get()
        if event is not None:
            event.pending += 1
        try:
            await target.write(data)
        except (StreamCancelled, StreamBroken) as error:
            self._out.pop(stream, None)
            self._run(ready, str(error) or "The reader left.")
            return
        finally:
            if event is not None:
                event.pending -= 1
        self._run(ready, None)

    def close_stream(self, stream: int, error: str | None) -> None:
        target = self._out.pop(stream, None)
        if target is not None:
            target.close(error)
