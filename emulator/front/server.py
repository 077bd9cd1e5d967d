"""The HTTP server: a listening socket, and uvicorn on it."""

from __future__ import annotations

import logging
import socket
from typing import Any, Final

import uvicorn

from emulator.front.protocol import TargetProtocol

BACKLOG: Final = 2048
GRACE_SECONDS: Final = 1
"""How long requests may go on when the server is told to stop."""


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
    """uvicorn without its own signals, logs and start-up: the application owns these."""

    def __init__(self, app: Any, sock: socket.socket) -> None:
        # Its only messages at this level are those about connections that we cut on purpose.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        config = uvicorn.Config(
            app,
            http=TargetProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        config.load()
        self._sockets = [sock]
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)

    async def start(self) -> None:
        """Accept connections."""
        await self._server.startup(sockets=self._sockets)

    def hurry(self) -> None:
        """Do not wait for requests under way any longer."""
        self._server.force_exit = True

    async def stop(self) -> None:
        """Accept no more, give requests under way their time, then cut them."""
        await self._server.shutdown(sockets=self._sockets)
