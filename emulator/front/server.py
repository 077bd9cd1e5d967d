"""The HTTP server: a listening socket, and uvicorn on it."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Final, cast

from emulator.front.protocol import App, HttpConnection

if TYPE_CHECKING:
    from emulator.front.free_memory import FreeMemory

BACKLOG: Final = 2048
GRACE_SECONDS: Final = 1
"""How long requests may go on when the server is told to stop."""
IDLE_SECONDS: Final = 5.0
"""How long a connection stays open without a request."""
TRIM_SECONDS: Final = 10.0
"""How often an idle server looks whether it has much memory to give back."""
_CUT_SECONDS: Final = 0.1
"""How long tasks may take to end when they are cancelled."""


def listen(host: str, port: int) -> socket.socket:
    """A bound socket (port 0: any free port). Raises ``OSError``."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        # Another program may be bound, too, with SO_REUSEADDR: only listening shows it.
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


class HttpServer:
    """uvicorn, with ``HttpConnection`` as its HTTP protocol.

    Signals, logs and start-up are the application's.
    """

    def __init__(self, app: App, sock: socket.socket, idle_seconds: float = IDLE_SECONDS) -> None:
        import uvicorn

        # Its only messages at this level are those about requests that are cut on purpose.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        config = uvicorn.Config(
            app,
            http=HttpConnection,
            ws="none",
            lifespan="off",
            interface="asgi3",  # so that uvicorn wraps nothing around the application
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=idle_seconds,  # type: ignore[arg-type]  # only HttpConnection reads it
        )
        config.load()
        self._sockets = [sock]
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        self._memory: FreeMemory | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Accept connections."""
        await self._server.startup(sockets=self._sockets)
        self._timer = asyncio.get_running_loop().call_later(TRIM_SECONDS, self._trim)

    def hurry(self) -> None:
        """Do not wait for requests under way any longer."""
        self._server.force_exit = True
        self._cut()

    async def stop(self) -> None:
        """Accept no more, give requests under way their time, then cut them.

        At most ``GRACE_SECONDS`` and two tenths of a second, of which uvicorn takes one in any case.
        """
        if self._timer is not None:
            self._timer.cancel()
        await self._server.shutdown(sockets=self._sockets)
        self._cut()
        tasks = self._server.server_state.tasks
        if tasks:
            await asyncio.wait(tasks, timeout=_CUT_SECONDS)
        # What was written last leaves with the next turns of the loop.
        await asyncio.sleep(0)

    def _trim(self) -> None:
        if self._memory is None:
            from emulator.front.free_memory import FreeMemory

            self._memory = FreeMemory()
        if not self._server.server_state.tasks:
            self._memory.look()
        self._timer = asyncio.get_running_loop().call_later(TRIM_SECONDS, self._trim)

    def _cut(self) -> None:
        """End what is under way. uvicorn cancels tasks at most: not every request is answered by one."""
        state = self._server.server_state
        for connection in list(cast("set[HttpConnection]", state.connections)):
            connection.abandon()
        for task in state.tasks:
            task.cancel("The server is stopping.")
