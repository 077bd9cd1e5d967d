"""Requests for an ASGI application: the emulator's own pages have a framework, Workers' requests none.

What such an application sends is trusted: its header fields are not looked at.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

from emulator.front.http_request import HttpRequest


async def run_asgi(app: Any, request: HttpRequest) -> None:
    """Answer ``request`` by ``app`` (https://asgi.readthedocs.io/en/stable/specs/www.html)."""
    await app(scope_of(request), _Receive(request), _Send(request))


def scope_of(request: HttpRequest) -> dict[str, Any]:
    """The connection scope of a request."""
    path, _, query = request.target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": request.http_version,
        "method": request.method,
        "scheme": "http",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": request.headers,
        "client": request.client,
        "server": request.server,
    }


class _Receive:
    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._more = True

    async def __call__(self) -> MutableMapping[str, Any]:
        if self._more and (part := await self._request.read()) is not None:
            data, self._more = part
            return {"type": "http.request", "body": data, "more_body": self._more}
        await self._request.wait_over()
        return {"type": "http.disconnect"}


class _Send:
    """Holds the head back until the first part of the body: most responses have no other."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._head: tuple[int, list[bytes], bytes] | None = None

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._head = _head(message)
            return
        request, data, more = self._request, message.get("body", b""), message.get("more_body", False)
        if self._head is not None:
            (status, fields, length), self._head = self._head, None
            if request.method == "HEAD" or not more:
                body = b"" if request.method == "HEAD" else data
                request.respond(status, fields, body, length or b"%d" % len(data))
                return
            request.start(status, fields, length)
        await request.write(data)
        if not more:
            request.finish()


def _head(message: MutableMapping[str, Any]) -> tuple[int, list[bytes], bytes]:
    fields, length = [], b""
    for name, value in message.get("headers", ()):
        if name.lower() == b"content-length":
            length = value
        else:
            fields.append(b"%b: %b\r\n" % (name.lower(), value))
    return message["status"], fields, length
