"""The ASGI application: finds the Worker for a host and makes each request a fetch event.

The hot path has no framework in it; what is not a Worker's (``/cdn-cgi/``) is a Starlette
application of its own.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import getrandbits
from typing import Any, Final

from emulator.fleet.slot import WorkerSlot
from emulator.front.error_answer import plain
from emulator.front.fetch_event import FetchEvent, Receive, ResponseBroken, Scope, Send, send_answer
from emulator.front.record import Record
from emulator.front.request_cf import RequestCf
from emulator.front.target import hostname, origin, url_of
from emulator.journal.events import Journal
from emulator.wire.frames import HeaderLines

ACCEPT_ENCODING: Final = "br, gzip"
"""What the edge sends to every Worker; the client's own is ``request.cf.clientAcceptEncoding``."""

_REPLACED: Final = frozenset(
    (
        b"accept-encoding",
        b"cf-connecting-ip",
        b"cf-ipcountry",
        b"cf-ray",
        b"cf-visitor",
        b"x-forwarded-proto",
        b"x-real-ip",
    )
)
_SPECIAL: Final = _REPLACED | {b"host", b"upgrade"}

_WATCH_SECONDS: Final = 0.2
"""Requests under way for longer have a task that notices a client that leaves."""


@dataclass(eq=False)
class Site:
    """One Worker as the gateway serves it."""

    name: str
    root: str
    slot: WorkerSlot
    cf: RequestCf


class Gateway:
    """Routes by ``Host``: ``<name>.localhost`` by name, any other host to the first site."""

    def __init__(self, sites: Sequence[Site], journal: Journal, local: Callable[[], Any]) -> None:
        self._sites = {site.name.lower(): site for site in sites}
        self._default = sites[0]
        self._journal = journal
        self._make_local = local
        self._local: Any = None
        self._locate = lru_cache(maxsize=1024)(self._find)
        self._under_way: dict[FetchEvent, int] = {}
        self._tick = 0
        self._sweeping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the gateway takes HTTP only, not {scope['type']}")
        try:
            await self._serve(scope, receive, send)
        except ResponseBroken:
            # Returning without the last chunk makes the server cut the connection.
            return
        except Exception:
            traceback.print_exc(file=sys.stderr)
            raise

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, host, encoding, websocket = _read_headers(scope["headers"])
        target: bytes = scope.get("target") or _target(scope)
        try:
            base, site = self._locate(scope["scheme"], host or _own_host(scope))
            url = url_of(base, target)
        except ValueError as error:
            await send_answer(plain(400, f"Bad Request: {error}\n"), scope["method"], send)
            return
        if target.startswith(b"/cdn-cgi/"):
            await self._serve_local(scope, receive, send)
        elif site is None:
            await send_answer(self._unknown_host(host), scope["method"], send)
        elif websocket:
            await send_answer(_no_websockets(), scope["method"], send)
        else:
            path = url[len(base) :].partition("?")[0]
            await self._serve_worker(site, url, path, headers, encoding, scope, receive, send)

    async def _serve_worker(
        self,
        site: Site,
        url: str,
        path: str,
        headers: list[bytes],
        encoding: str,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        method = scope["method"]
        cf = site.cf
        client = scope["client"]
        address = client[0] if client else "127.0.0.1"
        scheme = scope["scheme"]
        # fmt: off
        edge = (
            "accept-encoding", ACCEPT_ENCODING,
            "cf-connecting-ip", address,
            "cf-ipcountry", cf.country,
            "cf-ray", f"{getrandbits(64):016x}-{cf.colo}",
            "cf-visitor", '{"scheme":"' + scheme + '"}',
            "x-forwarded-proto", scheme,
            "x-real-ip", address,
        )
        # fmt: on
        record = Record(self._journal, site.name, method, path)
        event = FetchEvent(site.slot, site.root, record, scope, receive, send)
        self._under_way[event] = self._tick
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._sweep)
        try:
            await event.run(method, url, _lines(headers, edge), cf.text(scope["http_version"], encoding))
        finally:
            del self._under_way[event]

    def _sweep(self) -> None:
        """Watch over what is under way since before the last sweep: cheap for quick requests."""
        for event, tick in self._under_way.items():
            if tick < self._tick:
                event.watch()
        self._tick += 1
        self._sweeping = bool(self._under_way)
        if self._sweeping:
            asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._sweep)

    def _find(self, scheme: str, host: bytes) -> tuple[str, Site | None]:
        name = hostname(host)
        if name.endswith(".localhost"):
            return origin(scheme, host), self._sites.get(name.removesuffix(".localhost"))
        return origin(scheme, host), self._default

    def _unknown_host(self, host: bytes) -> Any:
        port = host.decode("latin-1").rpartition(":")[2]
        port = f":{port}" if port.isdecimal() else ""
        lines = [f"  http://{name}.localhost{port}/" for name in self._sites]
        text = f"No Worker is called {hostname(host)!r}. These are served:\n" + "\n".join(lines) + "\n"
        return plain(404, text)

    async def _serve_local(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._local is None:
            self._local = self._make_local()
        await self._local(scope, receive, send)


def _read_headers(raw: list[tuple[bytes, bytes]]) -> tuple[list[bytes], bytes, str, bool]:
    """The headers for the Worker, ``Host``, ``Accept-Encoding``, and whether a WebSocket is wanted."""
    headers: list[bytes] = []
    host, encoding, websocket = b"", "", False
    for name, value in raw:
        if name in _SPECIAL:
            if name == b"host":
                host = host or value
            elif name == b"upgrade":
                websocket = value.lower() == b"websocket"
            else:
                if name == b"accept-encoding":
                    encoding = value.decode("latin-1")
                continue
        headers += (name, value)
    return headers, host, encoding, websocket


def _lines(client: list[bytes], edge: tuple[str, ...]) -> HeaderLines:
    """The client's headers, which the platform reads as UTF-8, and those of the edge."""
    own = "\n".join(edge)
    return b"\n".join(client).decode("utf-8", "replace") + "\n" + own if client else own


def _own_host(scope: Scope) -> bytes:
    """For HTTP/1.0 without ``Host``."""
    server = scope.get("server")
    return f"{server[0]}:{server[1]}".encode() if server and server[1] else b"localhost"


def _target(scope: Scope) -> bytes:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return path + b"?" + scope["query_string"] if scope["query_string"] else path


def _no_websockets() -> Any:
    return plain(501, "WebSocket upgrades are not emulated yet: cfw-emu answers plain HTTP requests only.\n")
