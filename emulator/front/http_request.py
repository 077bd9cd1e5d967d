"""One HTTP request of a connection, and the writing of its response."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from emulator.front.response_head import STATUS_LINES

if TYPE_CHECKING:
    from emulator.front.protocol import HttpConnection

Headers = list[tuple[bytes, bytes]]
Address = tuple[str, int]

NO_BODY: Final = frozenset((101, 204, 304))
"""Statuses whose responses end with their head, whatever it says."""

BODY_HEADERS: Final = frozenset((b"content-length", b"transfer-encoding"))
_END: Final = b"\r\n"
_CLOSE: Final = b"connection: close\r\n\r\n"
_KEEP_ALIVE: Final = b"connection: keep-alive\r\n\r\n"
"""For HTTP/1.0, where it goes without saying that the connection ends."""
_CHUNKED: Final = b"transfer-encoding: chunked\r\n"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_FAILURE: Final = b"Internal Server Error"
STOPPING: Final = b"The server is stopping.\n"
_PLAIN: Final = b"content-type: text/plain;charset=UTF-8\r\n"


class ResponseBroken(Exception):
    """The response failed after its head was sent: only the connection can tell the client."""


class HttpRequest:
    """What the client sent, and how it is answered: ``respond``, or ``start``, ``write``, ``finish``.

    The application takes it in a plain call and answers there and then, or later, or in a task of
    its own (``spawn``).
    """

    __slots__ = (
        "_chunked",
        "_chunks",
        "_connection",
        "_left_to_send",
        "_untaken",
        "_waiter",
        "complete",
        "ended",
        "expects_continue",
        "headers",
        "http_version",
        "keep_alive",
        "left",
        "method",
        "on_left",
        "started",
        "target",
    )

    def __init__(
        self,
        connection: HttpConnection,
        method: str,
        target: bytes,
        headers: Headers,
        http_version: str,
        keep_alive: bool,
    ) -> None:
        self._connection = connection
        self._chunks: list[bytes] = []
        self._untaken = 0
        self._waiter: asyncio.Future[None] | None = None
        self.method = method
        self.target = target
        """Path and query as sent."""
        self.headers = headers
        """Names in lower case."""
        self.http_version = http_version
        self.keep_alive = keep_alive
        """Whether the connection may go on after this response."""
        self.expects_continue = False
        """Whether the client waits for ``100 Continue`` before it sends the body."""
        self.complete = False
        """Whether all of the body is here."""
        self.left = False
        """Whether the client went away before the response was over."""
        self.on_left: Callable[[], None] | None = None
        """Called once when the client goes away before the response is over."""
        self.started = False
        """Whether the head of the response is sent."""
        self.ended = False
        """Whether the response is over."""

    @property
    def client(self) -> Address | None:
        """Host and port of the other side."""
        return self._connection.client

    @property
    def server(self) -> Address | None:
        """Host and port that the client connected to."""
        return self._connection.server

    @property
    def announces_body(self) -> bool:
        """Whether a body follows the head (RFC 9112, section 6.3)."""
        return any(name in BODY_HEADERS for name, _ in self.headers)

    # ---- the body of the request --------------------------------------------

    def take(self) -> bytes:
        """The part of the body that has come and was not taken yet."""
        chunks = self._chunks
        if not chunks:
            return b""
        self._chunks = []
        self._untaken = 0
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def read(self) -> tuple[bytes, bool] | None:
        """The next part of the body, and whether more follows; ``None`` when the client left."""
        if self.expects_continue and not self.over:
            self.expects_continue = False
            self._connection.write(_CONTINUE)
        while not self.over:
            if self._chunks or self.complete:
                return self.take(), not self.complete
            self._connection.resume_reading()
            await self._news()
        return None

    async def wait_over(self) -> None:
        """Return when the response is over, or the client left."""
        while not self.over:
            await self._news()

    @property
    def over(self) -> bool:
        """Whether nobody waits for (more of) the response."""
        return self.ended or self.left

    async def _news(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def add(self, data: bytes) -> int:
        """Take a part of the body from the connection; gives the bytes that wait to be taken."""
        self.expects_continue = False  # it did not wait
        self._chunks.append(data)
        self._untaken += len(data)
        self.wake()
        return self._untaken

    def leave(self) -> None:
        """The client went away."""
        self.left = True
        self._chunks.clear()  # which nobody takes any more
        self.wake()
        on_left, self.on_left = self.on_left, None
        if on_left is not None:
            on_left()

    def wake(self) -> None:
        """Something about this request has changed."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # ---- the response -------------------------------------------------------

    def respond(self, status: int, fields: list[bytes], body: bytes, length: bytes = b"") -> None:
        """Send a whole response: ``fields`` as of ``response_head.field``.

        ``length`` is the value of ``Content-Length``, where there is one. Without a client that
        waits this does nothing.
        """
        if self.over:
            return
        if not length and (status == 101 or (status not in NO_BODY and self.method != "HEAD")):
            # Where the response ends, only the end of the connection tells; 101 has no HTTP after it.
            self.keep_alive = False
        head = self._head(status, fields, length)
        head.append(body)
        self._connection.write(b"".join(head))
        self._end()

    def start(self, status: int, fields: list[bytes], length: bytes = b"") -> None:
        """Send the head of a response whose body follows by ``write``, in chunks if it has no length."""
        if self.over:
            return
        self._left_to_send = int(length) if length else -1
        self._chunked = not length and self.http_version == "1.1"
        if self._chunked:
            fields = [*fields, _CHUNKED]
        elif not length:
            self.keep_alive = False
        self._connection.write(b"".join(self._head(status, fields, length)))

    async def write(self, data: bytes) -> None:
        """Send a part of the body; returns when the client's side can take more.

        Raises ``ResponseBroken`` for more than the announced length.
        """
        if self.over or not data:
            return
        if self._chunked:
            self._connection.write(b"%x\r\n%b\r\n" % (len(data), data))
        elif self._left_to_send < 0:
            self._connection.write(data)
        elif self._left_to_send < len(data):
            raise ResponseBroken("The body is longer than its Content-Length.")
        else:
            self._left_to_send -= len(data)
            self._connection.write(data)
        await self._connection.drain()

    def finish(self) -> None:
        """The body is whole. Raises ``ResponseBroken`` when it is shorter than announced."""
        if self.over:
            return
        if self._left_to_send > 0:
            raise ResponseBroken("The body is shorter than its Content-Length.")
        if self._chunked:
            self._connection.write(b"0\r\n\r\n")
        self._end()

    def cut(self) -> None:
        """End the connection, so that the client knows that its response is not whole."""
        if not self.over:
            # Without chunks or a length an orderly end would pass for the end of the body.
            orderly = not self.started or self._chunked or self._left_to_send >= 0
            self._connection.cut(orderly)

    def fail(self, status: int = 500, text: bytes = _FAILURE) -> None:
        """Answer that the server failed, or cut a response that has begun."""
        self.keep_alive = False
        if self.started:
            self.cut()
        else:
            body = b"" if self.method == "HEAD" else text
            self.respond(status, [_PLAIN], body, b"%d" % len(text))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Answer in a task, which is cancelled when the server stops."""
        task = self._connection.spawn(self._guard(work))
        # One that is cancelled before its first step has not come to it.
        task.add_done_callback(lambda _: work.close())

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ResponseBroken:
            self.cut()
        except asyncio.CancelledError:
            self.fail(503, STOPPING)
            raise
        except Exception:
            traceback.print_exc(file=sys.stderr)
        if not self.over:
            self.fail()

    def _head(self, status: int, fields: list[bytes], length: bytes) -> list[bytes]:
        self.started = True
        if self.expects_continue:
            # Whether the client now sends the body or not is its choice: nobody can tell.
            self.keep_alive = False
        lines = [STATUS_LINES[status], *fields]
        if length:
            lines.append(b"content-length: %b\r\n" % length)
        if not self.keep_alive or self._connection.closing:
            lines.append(_CLOSE)
        else:
            lines.append(_END if self.http_version == "1.1" else _KEEP_ALIVE)
        return lines

    def _end(self) -> None:
        self.ended = True
        self.on_left = None
        if self._waiter is not None:
            self.wake()
        self._connection.response_over(self)
