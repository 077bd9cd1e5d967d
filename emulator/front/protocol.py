"""uvicorn's HTTP protocol, with the request target kept exactly as the client sent it."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ESCAPES = {byte: f"%{byte:02X}" for byte in range(128, 256)}


class TargetProtocol(HttpToolsProtocol):
    """Adds ``scope["target"]``: path and query as sent, where ASGI has them decoded or apart.

    A target with raw UTF-8 (``curl localhost:8787/你好``) is escaped instead of refused.
    """

    def on_url(self, url: bytes) -> None:
        if not url.isascii():
            url = url.decode("latin-1").translate(_ESCAPES).encode("ascii")
        self.url += url

    def on_headers_complete(self) -> None:
        self.scope["target"] = self.url  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()
