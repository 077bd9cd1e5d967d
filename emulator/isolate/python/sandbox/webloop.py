"""What the event loop of a Worker cannot do, as in Pyodide's ``WebLoop``.

https://pyodide.org/en/0.28.2/usage/api/python-api/webloop.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

from ...events import CURRENT


def _missing(name: str) -> Any:
    def refuse(self: Any, *args: Any, **options: Any) -> NoReturn:
        raise NotImplementedError(f"{name}() is not available on Workers")

    refuse.__name__ = name
    return refuse


def _missing_async(name: str) -> Any:
    async def refuse(self: Any, *args: Any, **options: Any) -> NoReturn:
        raise NotImplementedError(f"{name}() is not available on Workers; use fetch()")

    refuse.__name__ = name
    return refuse


class WorkerLoop(asyncio.SelectorEventLoop):
    """A loop without threads, sockets, processes and signals."""

    add_signal_handler = _missing("add_signal_handler")
    remove_signal_handler = _missing("remove_signal_handler")
    set_default_executor = _missing("set_default_executor")

    getaddrinfo = _missing_async("getaddrinfo")
    getnameinfo = _missing_async("getnameinfo")
    create_connection = _missing_async("create_connection")
    create_datagram_endpoint = _missing_async("create_datagram_endpoint")
    create_server = _missing_async("create_server")
    create_unix_server = _missing_async("create_unix_server")
    connect_accepted_socket = _missing_async("connect_accepted_socket")
    connect_read_pipe = _missing_async("connect_read_pipe")
    connect_write_pipe = _missing_async("connect_write_pipe")
    sendfile = _missing_async("sendfile")
    sock_connect = _missing_async("sock_connect")
    start_tls = _missing_async("start_tls")
    subprocess_exec = _missing_async("subprocess_exec")
    subprocess_shell = _missing_async("subprocess_shell")

    # The isolate starts and ends its loop; code of events meets one that runs for ever, and no other.

    def run_until_complete(self, future: Any) -> Any:
        """Suspend the caller until ``future`` is done; the others go on meanwhile.

        Where the runtime has no ``run_sync`` (Pyodide 0.26) it is a task that is given.
        """
        if CURRENT.get() is None:
            return super().run_until_complete(future)
        import pyodide.ffi

        run_sync = getattr(pyodide.ffi, "run_sync", None)
        return asyncio.ensure_future(future) if run_sync is None else run_sync(future)

    def run_forever(self) -> None:
        """Run the loop; nothing for code of events."""
        if CURRENT.get() is None:
            super().run_forever()

    def stop(self) -> None:
        """End the loop. NotImplementedError for code of events."""
        if CURRENT.get() is not None:
            raise NotImplementedError("stop() is not available on Workers")
        super().stop()

    def close(self) -> None:
        """Close the loop; nothing for code of events."""
        if CURRENT.get() is None:
            super().close()

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Call ``func`` at once: there are no threads. The future is done already."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except BaseException as error:
            future.set_exception(error)
        return future
