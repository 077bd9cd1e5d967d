"""The application of the HTTP server: finds the Worker for a host and makes each request a fetch event.

The hot path has no framework in it; what is not a Worker's (``/cdn-cgi/``) is a Starlette
application of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import getrandbits
from typing import Any, Final

from emulator.fleet.slot import WorkerSlot
from emulator.front.asgi import run_asgi
from emulator.front.error_answer import plain
from emulator.front.fetch_event import FetchEvent, send_answer
from emulator.front.http_request import HttpRequest
from emulator.front.record import Record
from emulator.front.request_cf import RequestCf
from emulator.front.request_limits import RequestLimits
from emulator.front.target import hostname, origin, url_of
from emulator.journal.events import Journal
from emulator.limits.allowance import Allowance
from emulator.wire.frames import HeaderLines

ACCEPT_ENCODING: Final = "br, gzip"
"""What the edge sends to every Worker; the client's own is ``request.cf.clientAcceptEncoding``."""

SCHEME: Final = "http"

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
_SPECIAL: Final = _REPLACED | {b"host", b"upgrade", b"cf-ew-via"}

_MARGIN: Final = 8
"""Bytes on the wire for a character of the headers, at most."""


@dataclass(eq=False)
class Site:
    """One Worker as the gateway serves it."""

    name: str
    root: str
    slot: WorkerSlot
    cf: RequestCf
    requests: Allowance
    """What is left of the requests that the account has in a day."""
    limits: RequestLimits
    """Those of the Worker's plan."""


class Gateway:
    """Routes by ``Host``: ``<name>.localhost`` by name, any other host to the first site."""

    def __init__(self, sites: Sequence[Site], journal: Journal, local: Callable[[], Any]) -> None:
        self._sites = {site.name.lower(): site for site in sites}
        self._default = sites[0]
        self._journal = journal
        self._make_local = local
        self._local: Any = None
        self._locate = lru_cache(maxsize=1024)(self._find)

    def __call__(self, request: HttpRequest) -> None:
        """Answer ``request``, now or later."""
        headers, host, encoding, websocket, via, dropped = _read_headers(request.headers)
        target = request.target
        try:
            base, site = self._locate(SCHEME, host or _own_host(request))
            url = url_of(base, target) if request.method != "CONNECT" else ""
        except ValueError as error:
            send_answer(plain(400, f"Bad Request: {error}\n"), request)
            return
        if not url:
            send_answer(plain(405, "CONNECT asks for a proxy, which this is not.\n"), request)
        elif target.startswith(b"/cdn-cgi/"):
            request.spawn(self._serve_local(request))
        elif site is None:
            send_answer(self._unknown_host(host), request)
        elif websocket:
            send_answer(_no_websockets(), request)
        else:
            path = url[len(base) :].partition("?")[0]
            event = self._event(site, url, path, headers, encoding, request)
            doubtful = len(event.headers) + dropped > site.limits.headers // _MARGIN
            if via or doubtful or not request.complete or len(url) > site.limits.url:
                event.hops = site.limits.hops(via) if via else 0
                refusal = site.limits.refusal(event.label, url, request.headers, event.hops)
                if refusal is not None:
                    event.refuse(refusal, 413, tell=True)
                    return
            if site.requests.take():
                event.start()
            else:
                request.spawn(_take_anew(site, event, event.label))

    def _event(
        self, site: Site, url: str, path: str, headers: list[bytes], encoding: str, request: HttpRequest
    ) -> FetchEvent:
        cf = site.cf
        client = request.client
        before, after = _edge(client[0] if client else "127.0.0.1", cf.country, cf.colo)
        ray = f"{getrandbits(64):016x}"
        lines = f"{_lines(headers)}{before}{ray}{after}"
        record = Record(self._journal, site.name, request.method, path)
        event = FetchEvent(site.slot, site.root, record, request, url, lines, site.limits, site.requests)
        event.cf = cf.text(request.http_version, encoding)
        return event

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

    async def _serve_local(self, request: HttpRequest) -> None:
        if self._local is None:
            self._local = self._make_local()
        await run_asgi(self._local, request)


async def _take_anew(site: Site, event: FetchEvent, label: str) -> None:
    """Serve the request if there is something left after all."""
    if await site.requests.take_anew():
        await event.run()
    else:
        event.refuse(site.requests.refusal(label), 429)


def _read_headers(
    raw: list[tuple[bytes, bytes]],
) -> tuple[list[bytes], bytes, str, bool, bytes, int]:
    """The headers for the Worker, ``Host``, ``Accept-Encoding``, whether a WebSocket is wanted.

    And ``CF-EW-Via``, and the bytes of what the Worker does not get.
    """
    headers: list[bytes] = []
    host, encoding, websocket, via, dropped = b"", "", False, b"", 0
    for name, value in raw:
        if name in _SPECIAL:
            if name == b"host":
                # Two are a mistake (RFC 9112, section 3.2); joined, they are no valid name.
                host = host + b" " + value if host else value
            elif name == b"upgrade":
                websocket = value.lower() == b"websocket"
            elif name == b"cf-ew-via":
                via = value
            else:
                dropped += len(value)
                if name == b"accept-encoding":
                    encoding = value.decode("latin-1")
                continue
        headers += (name, value)
    return headers, host, encoding, websocket, via, dropped


def _lines(client: list[bytes]) -> HeaderLines:
    """The client's headers, which the platform reads as UTF-8, with a line end."""
    return b"\n".join(client).decode("utf-8", "replace") + "\n" if client else ""


@lru_cache(maxsize=64)
def _edge(address: str, country: str, colo: str) -> tuple[HeaderLines, HeaderLines]:
    """The headers of the edge, before and after the Ray ID."""
    # fmt: off
    before = (
        "accept-encoding", ACCEPT_ENCODING,
        "cf-connecting-ip", address,
        "cf-ipcountry", country,
        "cf-ray", "",
    )
    after = (
        f"-{colo}",
        "cf-visitor", f'{{"scheme":"{SCHEME}"}}',
        "x-forwarded-proto", SCHEME,
        "x-real-ip", address,
    )
    # fmt: on
    return "\n".join(before), "\n".join(after)


def _own_host(request: HttpRequest) -> bytes:
    """For HTTP/1.0 without ``Host``. Raises ``ValueError`` for later ones, of which each names its host."""
    if request.http_version == "1.1":
        raise ValueError("no host")
    server = request.server
    return f"{server[0]}:{server[1]}".encode() if server is not None else b"localhost"


def _no_websockets() -> Any:
    return plain(501, "WebSocket upgrades are not emulated yet: cfw-emu answers plain HTTP requests only.\n")
