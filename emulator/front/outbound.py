"""Outbound ``fetch``: what a Worker asks of the network, done by the front.

The call's ``args`` are ``{"method", "url", "headers", "redirect"}`` with ``headers`` flat
(name, value, name, value...) and ``redirect`` one of follow, manual, error. The result's
value is ``{"status", "status_text", "headers", "url", "redirected"}`` with ``headers`` as
pairs; its body is the stream of the response, decompressed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from emulator.fleet.calls import CallFailed, CallResult, Subrequests
from emulator.front.destinations import is_local, near, near_peer, shown_url
from emulator.front.request_limits import CHAIN
from emulator.journal.events import Journal, Notice
from emulator.wire.channel import InStream
from emulator.wire.frames import Call, WorkerSpec

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS: Final = 20
"""https://fetch.spec.whatwg.org/#http-redirect-fetch"""

_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_NO_BODY: Final = frozenset((101, 204, 205, 304))

# Of the connection, or set by the client itself; and the headers that only the edge may set.
_DROPPED: Final = frozenset(
    (
        "cf-connecting-ip",
        "cf-ew-via",
        "cf-worker",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_BODY_HEADERS: Final = frozenset(
    ("content-encoding", "content-language", "content-length", "content-location", "content-type")
)

Pairs = list[tuple[str, str]]


class FetchArgs(msgspec.Struct):
    """The arguments of a fetch call."""

    method: str
    url: str
    headers: list[str]
    redirect: str = "follow"


class Outbound:
    """Serves ``Call`` frames whose target is ``fetch``. One connection pool for all Workers."""

    def __init__(self, journal: Journal = lambda event: None) -> None:
        self._journal = journal
        self._clients: dict[bool, httpx.AsyncClient] = {}

    async def __call__(
        self, spec: WorkerSpec, call: Call, body: bytes | InStream | None, subrequests: Subrequests
    ) -> CallResult:
        """Do one call of an event, which may wait for its turn. Raises ``CallFailed``."""
        if call.target != "fetch":
            raise CallFailed("Error", f"Nothing serves calls to {call.target!r}.")
        try:
            args = msgspec.convert(call.args, FetchArgs)
        except msgspec.ValidationError as error:
            raise CallFailed("TypeError", f"Invalid fetch call: {error}") from None
        _check_scheme(args.url)
        subrequests.add()
        async with subrequests.connection():
            return await self._fetch(spec, args, body, subrequests)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()

    async def _fetch(
        self, spec: WorkerSpec, args: FetchArgs, body: bytes | InStream | None, subrequests: Subrequests
    ) -> CallResult:
        if "httpx" not in sys.modules:
            # Slow to import, so not before the first fetch, and not on the event loop.
            await asyncio.to_thread(import_module, "httpx")
        import httpx

        headers = [pair for pair in _pairs(args.headers) if pair[0].lower() not in _DROPPED]
        headers += _edge_headers(spec, subrequests.hops)
        if isinstance(body, InStream):  # the isolate names its length where it is known
            headers += [pair for pair in _pairs(args.headers) if pair[0].lower() == "content-length"]
        if not any(name.lower() == "accept-encoding" for name, _ in headers):
            headers.append(("Accept-Encoding", self._client(args.url).headers["accept-encoding"]))
        method, url, redirected = args.method, args.url, False
        for _ in range(MAX_REDIRECTS + 1):
            try:
                request = self._request(method, url, headers, body)
                response = await self._send(spec.name, request, url)
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                raise _lost(error, url) from None
            location = _location(response, url)
            if location is None or args.redirect == "manual":
                decodes = self._client(url).headers["accept-encoding"]
                return _result(method, response, _is_decoded(response, decodes), url, redirected)
            await response.aclose()
            if args.redirect == "error":
                raise CallFailed("TypeError", f"Unexpected redirect to {location} (redirect: 'error').")
            method, headers, body = _redirect(response.status_code, method, url, location, headers, body)
            url, redirected = location, True
            _check_scheme(url)
            subrequests.add()
        raise CallFailed("TypeError", "Too many redirects.")

    def _request(self, method: str, url: str, headers: Pairs, body: bytes | InStream | None) -> httpx.Request:
        import httpx

        content = _chunks(body) if isinstance(body, InStream) else body
        raw = [(name.encode("latin-1", "replace"), value.encode()) for name, value in headers]
        request = httpx.Request(method, url, headers=raw, content=content)
        if request.url.host.endswith(".localhost"):
            # Always this machine (RFC 6761, section 6.3), although not every resolver knows.
            # The Host header, set from the URL already, still names the Worker.
            request.extensions["sni_hostname"] = request.url.host
            request.url = request.url.copy_with(host="127.0.0.1")
        if content is None and method in ("POST", "PUT", "PATCH"):
            request.headers["content-length"] = "0"
        return request

    async def _send(self, worker: str, request: httpx.Request, url: str) -> httpx.Response:
        """Send a request; one that production's network could not reach is listed."""
        where = near(urlsplit(url).hostname or "")
        if where:
            self._tell(worker, request.method, url, where)
        response = await self._client(url).send(request, stream=True)
        if not where and (found := near_peer(response.extensions.get("network_stream"))):
            self._tell(worker, request.method, url, found)
        return response

    def _tell(self, worker: str, method: str, url: str, where: str) -> None:
        self._journal(Notice("debug", f"[{worker}] fetch {method} {shown_url(url)} goes to {where}"))

    def _client(self, url: str) -> httpx.AsyncClient:
        """Two clients: proxies of the environment must not be asked for this machine itself."""
        import httpx

        local = is_local(urlsplit(url).hostname or "")
        if local not in self._clients:
            # Workers have no time limit on a subrequest as long as the client waits.
            timeout = httpx.Timeout(None, connect=30.0)
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=15.0)
            # Each request stands alone: no cookie of one is kept for another.
            cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            self._clients[local] = httpx.AsyncClient(
                timeout=timeout, limits=limits, cookies=cookies, trust_env=not local
            )
        return self._clients[local]


def _pairs(flat: list[str]) -> Pairs:
    return list(zip(flat[::2], flat[1::2], strict=True))


def _edge_headers(spec: WorkerSpec, hops: int) -> Pairs:
    """What the platform adds to a subrequest: who sends it, and how long the chain may still become.

    https://developers.cloudflare.com/fundamentals/reference/http-headers/
    """
    left = int(spec.limits.worker_loop or CHAIN) - hops - 1
    return [("CF-Worker", f"{spec.name}.workers.dev"), ("CF-EW-Via", str(max(left, 0)))]


_ONE_TIME_BODY: Final = (
    "A request with a one-time-use body (it was initialized from a stream, not a buffer) encountered a "
    "redirect requiring the body to be retransmitted. To avoid this error in the future, construct this "
    "request from a buffer-like body initializer."
)
"""The platform's words, like those of the other errors of redirects."""


def _check_scheme(url: str) -> None:
    scheme = url.partition(":")[0].lower()
    if scheme not in ("http", "https"):
        raise CallFailed("TypeError", f"Fetch API cannot load: {url}")


async def _chunks(body: InStream) -> AsyncIterator[bytes]:
    async for chunk in body:
        yield chunk


def _location(response: httpx.Response, url: str) -> str | None:
    """Where a redirect leads, ``None`` for any other response."""
    import ada_url

    location = response.headers.get("location")
    if response.status_code not in _REDIRECTS or location is None:
        return None
    try:
        target: str = ada_url.join_url(url, location)
    except ValueError:
        raise CallFailed(
            "TypeError", f"Invalid Location header; unable to follow redirect. ({location!r})"
        ) from None
    return target


def _redirect(
    status: int, method: str, url: str, target: str, headers: Pairs, body: bytes | InStream | None
) -> tuple[str, Pairs, bytes | None]:
    """The next request by the fetch standard: method, headers, body."""
    rewritten = (status in (301, 302) and method == "POST") or (
        status == 303 and method not in ("GET", "HEAD")
    )
    if rewritten:
        method, body = "GET", None
        headers = [pair for pair in headers if pair[0].lower() not in _BODY_HEADERS]
    if isinstance(body, InStream):
        raise CallFailed("TypeError", _ONE_TIME_BODY)
    if urlsplit(url)[:2] != urlsplit(target)[:2]:
        headers = [pair for pair in headers if pair[0].lower() not in ("authorization", "cookie")]
    return method, headers, body


def _result(method: str, response: httpx.Response, decoded: bool, url: str, redirected: bool) -> CallResult:
    headers: Pairs = []
    no_length = decoded or "transfer-encoding" in response.headers  # RFC 9112, section 6.3
    for raw_name, raw_value in response.headers.raw:
        name = raw_name.decode("latin-1").lower()
        if name in ("connection", "keep-alive", "transfer-encoding"):
            continue
        if (decoded and name == "content-encoding") or (no_length and name == "content-length"):
            continue
        headers.append((name, _text(raw_value)))
    value: dict[str, Any] = {
        "status": response.status_code,
        "status_text": response.reason_phrase,
        "headers": headers,
        "url": url,
        "redirected": redirected,
    }
    empty = method == "HEAD" or response.status_code in _NO_BODY
    return CallResult(value, _empty(response) if empty else _body(response, decoded))


def _is_decoded(response: httpx.Response, decodes: str) -> bool:
    """Whether ``aiter_bytes`` undoes the whole ``Content-Encoding``; ``decodes`` lists what it can."""
    encodings = [part.strip().lower() for part in response.headers.get("content-encoding", "").split(",")]
    known = [part.strip() for part in decodes.split(",")]
    return all(part in known for part in encodings)


async def _body(response: httpx.Response, decoded: bool) -> AsyncIterator[bytes]:
    import httpx

    try:
        source = response.aiter_bytes() if decoded else response.aiter_raw()
        async for chunk in source:
            yield chunk
    except httpx.HTTPError as error:
        raise ConnectionError(str(_lost(error))) from None
    finally:
        with contextlib.suppress(Exception):
            await response.aclose()


async def _empty(response: httpx.Response) -> AsyncIterator[bytes]:
    await response.aclose()
    return
    yield b""


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _lost(error: Exception, url: str = "") -> CallFailed:
    return CallFailed("Error", f"Network connection lost: {_reason(error, urlsplit(url).netloc)}")


def _reason(error: BaseException, address: str) -> str:
    """Why a connection failed: what the operating system said first, in words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return f"the name {address.rpartition(':')[0] or address} has no address"
        if isinstance(cause, ConnectionRefusedError):
            return f"nothing listens on {address}"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
