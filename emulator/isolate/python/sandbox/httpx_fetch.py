"""``httpx`` over the realm's ``fetch``, as its build for Pyodide works: Workers have no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx

_OF_THE_CONNECTION: Final = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}
)
"""Request headers that ``fetch`` makes itself."""

_OF_THE_CODING: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Response headers that no longer hold: ``fetch`` gives decoded bytes."""


def install() -> None:
    """Make clients use ``fetch`` unless they are given a transport of their own."""
    import httpx._client
    import httpx._transports.default

    for module in (httpx, httpx._client, httpx._transports.default):
        replaced: Any = module
        replaced.AsyncHTTPTransport = AsyncFetchTransport
        replaced.HTTPTransport = FetchTransport


class _Body(httpx.AsyncByteStream):
    """The body of a JS Response, read as it is asked for."""

    def __init__(self, response: Any) -> None:
        self._stream = response.body
        self._reader: Any = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if not self._stream:
            return
        self._reader = self._stream.getReader()
        while not (step := await self._reader.read()).done:
            yield step.value.to_bytes()

    async def aclose(self) -> None:
        if self._reader is not None:
            await self._reader.cancel()


async def _fetch(request: httpx.Request, body: bytes) -> Any:
    """The JS Response; httpx's own errors when it cannot be had."""
    import js
    from pyodide.ffi import JsException, to_js

    headers = [
        [name, value] for name, value in request.headers.multi_items() if name not in _OF_THE_CONNECTION
    ]
    options = {"method": request.method, "headers": headers, "redirect": "manual"}
    if body:
        options["body"] = to_js(body)
    timeout = request.extensions.get("timeout", {}).get("read")
    init = to_js(options, dict_converter=js.Object.fromEntries)
    try:
        return await asyncio.wait_for(js.fetch(str(request.url), init), timeout)
    except TimeoutError as error:
        raise httpx.ReadTimeout("the answer took too long", request=request) from error
    except JsException as error:
        raise httpx.ConnectError(str(error), request=request) from error


def _headers(response: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, value in response.headers if name not in _OF_THE_CODING]


class AsyncFetchTransport(httpx.AsyncBaseTransport):
    """What ``httpx.AsyncClient`` sends its requests with."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Options about connections have no meaning here."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` by ``fetch``."""
        response = await _fetch(request, await request.aread())
        return httpx.Response(response.status, headers=_headers(response), stream=_Body(response))


class FetchTransport(httpx.BaseTransport):
    """What ``httpx.Client`` sends its requests with: it waits for the whole answer."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Options about connections have no meaning here."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` by ``fetch`` and wait."""
        import pyodide.ffi

        # Not in every version's stubs.
        ffi: Any = pyodide.ffi

        async def whole() -> httpx.Response:
            response = await _fetch(request, request.read())
            content = (await response.arrayBuffer()).to_bytes()
            return httpx.Response(response.status, headers=_headers(response), content=content)

        answer: httpx.Response = ffi.run_sync(whole())
        return answer
