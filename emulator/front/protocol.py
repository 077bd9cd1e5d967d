"""HTTP/1 on one connection: requests are handed to the application, and answered in order.

uvicorn runs this in the place of its own HTTP protocols. A request is given to the application as soon
as its head is here, in a plain call: most are answered without a task, and by one write.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, cast

from emulator.front.http_request import STOPPING, Address, HttpRequest
from emulator.front.request_reader import RequestReader

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

App = Callable[[HttpRequest], None]
"""Takes each request; must answer it, or see to it that it is answered, and not block."""

_RESET: Final = struct.pack("ii", 1, 0)
"""Do not linger (socket(7)): what is not sent yet is dropped, and the other side gets an error."""

LINGER_SECONDS: Final = 2.0
"""How long a connection that is over is read from, while its client still sends."""

MOST_WAITING: Final = 64
"""Pipelined requests that may wait before reading pauses."""


class HttpConnection(asyncio.Protocol):
    """One client. Pipelined requests wait for their turn.

    The parameters, ``shutdown`` and what the server's state is told are uvicorn's contract. Its
    ``app`` is an ``App``, called without ASGI. One timer looks after an idle connection from one
    response to the next.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.client: Address | None = None
        self.server: Address | None = None
        self.closing = False
        """Whether the response under way is the last one."""
        self.write: Callable[[bytes], None]
        self._app = cast(App, config.loaded_app)
        self._idle_seconds: float = config.timeout_keep_alive
        self._state = server_state
        self._connections: set[Any] = server_state.connections
        self._loop = _loop or asyncio.get_running_loop()
        self._reader = RequestReader(self)
        self._waiting = self._reader.waiting
        self._transport: asyncio.Transport
        self._answering: HttpRequest | None = None
        """The request that the application has."""
        self._advancing = False
        self._may_linger = True
        self._paused = False
        self._write_paused = False
        self._writable: asyncio.Future[None] | None = None
        self._idle_since = 0.0
        """Time of the loop at which the last response was complete; 0 while a request is under way."""
        self._idle_timer: asyncio.TimerHandle | None = None

    # ---- called by the transport --------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.write = self._transport.write
        self.client = _address(transport.get_extra_info("peername"))
        self.server = _address(transport.get_extra_info("sockname"))
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._reader.close()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self.resume_writing()
        if self._answering is not None:
            self.break_off(self._answering)

    def data_received(self, data: bytes) -> None:
        self._idle_since = 0.0
        self._reader.feed(data)
        if self._answering is None:
            self._next()
        if len(self._waiting) > MOST_WAITING:
            self.pause_reading()

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        if self._waiting:
            self._next()

    # ---- reading ------------------------------------------------------------

    def pause_reading(self) -> None:
        """More has come than can be worked on now."""
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """The application wants more of a body, or has time for more requests."""
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def break_off(self, request: HttpRequest) -> None:
        """The client went away, or the body of its request is malformed: nobody waits for the response."""
        if request is self._answering:
            self._answering = None
            if request.started:
                self._transport.close()
            request.leave()

    # ---- answering ----------------------------------------------------------

    def _next(self) -> None:
        """Give the application the next request, unless one is under way; else begin to be idle."""
        if self._advancing or self._transport.is_closing():
            return
        self._advancing = True
        while self._answering is None and self._waiting and not self._write_paused:
            request = self._answering = self._waiting.popleft()
            try:
                self._app(request)
            except Exception:
                traceback.print_exc(file=sys.stderr)
                request.fail()
        self._advancing = False
        if self._answering is None and not self._waiting:
            self._rest()

    def _rest(self) -> None:
        if self._reader.refusal:
            if self._may_linger:  # else it is sent already
                self.write(self._reader.refusal)
                self.cut(orderly=True)
        elif self._reader.between_requests:
            self._idle_since = self._loop.time()
            if self._idle_timer is None:
                self._idle_timer = self._loop.call_later(self._idle_seconds, self._look_whether_idle)

    def response_over(self, request: HttpRequest) -> None:
        """Called by the request under way."""
        self._answering = None
        self._state.total_requests += 1
        if self.closing or not request.keep_alive:
            self.cut(orderly=True)
            return
        if self._paused and len(self._waiting) <= MOST_WAITING:
            self.resume_reading()
        self._next()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run ``work`` in a task that the server knows, and cancels when it stops."""
        tasks = self._state.tasks
        task = self._loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def drain(self) -> None:
        """Return when the client's side can take more."""
        if self._write_paused:
            self._writable = self._loop.create_future()
            await self._writable

    def cut(self, orderly: bool) -> None:
        """End the connection: after what was written is sent when it is ``orderly``, else by a reset."""
        self._reader.stop()
        if orderly:
            if self._may_linger and self._reader.cut_short and not self._transport.is_closing():
                self._linger()
            else:
                self._transport.close()
            return
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def _linger(self) -> None:
        """Wait for the client's end: to close while it sends is a reset, which loses the answer."""
        self._may_linger = False
        self._transport.write_eof()
        self.resume_reading()
        self._loop.call_later(LINGER_SECONDS, self._transport.close)

    # ---- called by the server -----------------------------------------------

    def shutdown(self) -> None:
        """Take no more requests; end when the one under way is answered."""
        self.closing = True
        self._may_linger = False
        self._waiting.clear()
        if self._answering is None:
            self.cut(orderly=True)

    def abandon(self) -> None:
        """End now; a client that waits for an answer is told why there is none."""
        self._may_linger = False
        request = self._answering
        if request is not None:
            on_left, request.on_left = request.on_left, None
            request.fail(503, STOPPING)
            if on_left is not None:
                on_left()
        self.cut(orderly=True)

    def _look_whether_idle(self) -> None:
        self._idle_timer = None
        if self._idle_since:
            left = self._idle_since + self._idle_seconds - self._loop.time()
            if left > 0:
                self._idle_timer = self._loop.call_later(left, self._look_whether_idle)
            else:
                self.cut(orderly=True)


def _address(info: Any) -> Address | None:
    return (str(info[0]), int(info[1])) if isinstance(info, tuple) else None
