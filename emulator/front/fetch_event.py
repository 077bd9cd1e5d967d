"""One HTTP request as a fetch event: sent to the isolate, its answer sent to the client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final

from emulator.diagnostics.report import Report
from emulator.fleet.isolate import ClientLeft, Exchange, Isolate, IsolateDied
from emulator.fleet.slot import Unavailable, WorkerSlot
from emulator.front.error_answer import ErrorAnswer, explain
from emulator.front.record import Record
from emulator.wire.channel import InStream, OutStream, StreamBroken, StreamCancelled
from emulator.wire.frames import Answer, Failed, HeaderLines

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}

_NO_REQUEST_BODY: Final = frozenset(("GET", "HEAD"))
_BODY_HEADERS: Final = frozenset((b"content-length", b"transfer-encoding"))
_NO_RESPONSE_BODY: Final = frozenset((101, 204, 205, 304))
# Of the connection, not of the message (RFC 9110, section 7.6.1); the server sets its own.
_HOP_BY_HOP: Final = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)


class ResponseBroken(Exception):
    """The response's body failed after its head was sent: only the connection can tell the client."""


class FetchEvent:
    """Runs once. ``watch`` may be called at any time to notice a client that leaves early."""

    __slots__ = (
        "_body",
        "_exchange",
        "_isolate",
        "_out",
        "_receive",
        "_record",
        "_root",
        "_scope",
        "_send",
        "_slot",
        "_watcher",
    )

    def __init__(
        self, slot: WorkerSlot, root: str, record: Record, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._slot = slot
        self._root = root
        self._record = record
        self._scope = scope
        self._receive = receive
        self._send = send
        self._body: bytes | None = None
        self._out: OutStream | None = None
        self._isolate: Isolate | None = None
        self._exchange: Exchange | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def run(self, method: str, url: str, headers: HeaderLines, cf: str) -> None:
        """Dispatch and answer. Raises ``ResponseBroken`` when the connection must be cut."""
        more = False
        if method not in _NO_REQUEST_BODY or _announces_body(self._scope["headers"]):
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            more = message.get("more_body", False)
            self._body = message.get("body") or None
        try:
            answer = await self._answer(method, url, headers, cf, more)
            if type(answer) is Answer:
                await self._respond(method, answer)
            elif type(answer) is Failed:
                await self.send_error([answer.report], 500)
        except Unavailable as unavailable:
            self._record.work_over(None)
            await self.send_error(unavailable.reports, 500)
        except ClientLeft:
            self._record.respond_over(0)
        finally:
            if self._watcher is not None:
                self._watcher.cancel()
            if self._out is not None:
                self._out.close("The response ended before the request's body was read.")
            self._record.respond_over(0)

    async def _answer(
        self, method: str, url: str, headers: HeaderLines, cf: str, more: bool
    ) -> Answer | Failed | None:
        """The answer; once more from a fresh isolate where one died and a replay is harmless."""
        replays = 1 if method in _NO_REQUEST_BODY and not more else 0
        while True:
            isolate = self._isolate = self._slot.active or await self._slot.available()
            body: bytes | OutStream | None = self._body
            if more:
                body = self._out = isolate.streams.open()
            exchange = isolate.dispatch(method, url, headers, cf, body, self._record.work_over)
            self._exchange = exchange
            if self._out is not None:
                self._watcher = asyncio.get_running_loop().create_task(self._upload(self._out))
            try:
                return await exchange.answer
            except IsolateDied as died:
                if not replays:
                    await self.send_error([_died(method, str(died))], 503)
                    return None
                replays -= 1
                self._record.replay()
                self._stop_watching()

    def watch(self) -> None:
        """Start to wait for the client to leave; then the event is aborted.

        Not before the event is dispatched: until then the request's body is still being read.
        """
        if self._watcher is None and self._exchange is not None and not self._record.ended:
            self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave()

    def _leave(self) -> None:
        if not self._record.ended and self._isolate is not None and self._exchange is not None:
            self._isolate.abort(self._exchange)
            self._record.respond_over(0)

    def _stop_watching(self) -> None:
        # A watcher is cancelled only between two reads; the next one starts where it stopped.
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None

    async def _upload(self, out: OutStream) -> None:
        """Send the rest of the request's body, then watch for the client to leave."""
        data, more = self._body or b"", True
        try:
            while more:
                if data:
                    await out.write(data)
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    out.close("The client disconnected.")
                    self._leave()
                    return
                data, more = message.get("body", b""), message.get("more_body", False)
            await out.write(data)
            out.close()
        except (StreamCancelled, StreamBroken):
            # The Worker wants no more. Many clients write all before they read the answer,
            # so the rest is taken and dropped.
            pass
        await self._watch()

    async def _respond(self, method: str, answer: Answer) -> None:
        status, body = answer.status, answer.body
        stream = self._exchange.stream if self._exchange is not None else None
        headers, length = [], b""
        for name, value in answer.headers:
            key = name.lower()
            if key == "content-length":
                length = value.encode()
            elif key not in _HOP_BY_HOP:
                headers.append((name.encode(), value.encode()))
        empty = method == "HEAD" or status in _NO_RESPONSE_BODY
        if stream is None and status not in _NO_RESPONSE_BODY and (method != "HEAD" or body):
            length = b"%d" % len(body or b"")  # type: ignore[arg-type]
        if status == 205:
            length = b"0"
        if length and (status == 205 or status not in _NO_RESPONSE_BODY):
            headers.append((b"content-length", length))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        if stream is not None and empty:
            stream.cancel("The response has no body.")
        if stream is not None and not empty:
            try:
                await self._stream(stream)
            except ResponseBroken:
                self._record.respond_over(status, "cut off: its body failed")
                raise
        else:
            data = b"" if empty or body is None else body
            await self._send({"type": "http.response.body", "body": data})
        self._record.respond_over(status, answer.status_text or PHRASES.get(status, ""))

    async def _stream(self, stream: InStream) -> None:
        self.watch()
        send = self._send
        try:
            while (data := await stream.read()) is not None:
                if data:
                    await send({"type": "http.response.body", "body": data, "more_body": True})
        except StreamBroken as broken:
            raise ResponseBroken(str(broken)) from None
        except asyncio.CancelledError:
            stream.cancel("The server is stopping.")
            raise
        await send({"type": "http.response.body", "body": b""})

    async def send_error(self, reports: list[Report], status: int) -> None:
        """Answer with reports in the format that the client prefers."""
        answer = explain(reports, self._scope["headers"], self._root, status)
        await send_answer(answer, self._scope["method"], self._send)
        self._record.respond_over(status, PHRASES.get(status, ""))


def _announces_body(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name in _BODY_HEADERS for name, _ in headers)


async def send_answer(answer: ErrorAnswer, method: str, send: Send) -> None:
    """Send a response of the front's own."""
    headers = [*answer.headers, (b"content-length", b"%d" % len(answer.body))]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})


def _died(method: str, how: str) -> Report:
    replayed = method in _NO_REQUEST_BODY
    twice = "It was sent again to a fresh isolate, which ended, too: the request itself seems to end it."
    once = f"Only GET and HEAD requests are sent again by themselves; this {method} may have had effects."
    return Report(
        code="isolate-died",
        what="The Worker's isolate ended before it answered this request.",
        why=f"Its process ended ({how}). {twice if replayed else once}",
        fix="Look for what ends the process: os._exit, a crash in a native extension, too much memory."
        if replayed
        else "Send the request again.",
    )
