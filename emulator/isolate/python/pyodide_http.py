"""``pyodide.http`` as of 0.28, for the older ``pyodide`` packages (see ``pyodide_compat``).

Source: https://pyodide.org/en/0.28.2/usage/api/python-api/http.html
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import js
from pyodide.ffi import JsException, to_js

__all__: Final = ["AbortError", "BodyUsedError", "FetchResponse", "HttpStatusError", "pyfetch"]


class HttpStatusError(OSError):
    """The status is 4xx or 5xx; raised by ``raise_for_status``."""

    __module__ = "pyodide.http"

    def __init__(self, status: int, status_text: str, url: str) -> None:
        self.status = status
        self.status_text = status_text
        self.url = url
        kind = "Client" if status < 500 else "Server"
        super().__init__(f"{status} {kind} Error: {status_text} for url: {url}")


class BodyUsedError(OSError):
    """The body was read before."""

    __module__ = "pyodide.http"

    def __init__(self, *args: Any) -> None:
        super().__init__("Response body is already used")


class AbortError(OSError):
    """The request failed or was aborted; ``reason`` is the JS error."""

    __module__ = "pyodide.http"

    def __init__(self, reason: Any) -> None:
        self.reason = reason
        super().__init__(getattr(reason, "message", str(reason)))


class FetchResponse:
    """A JS Response for Python code."""

    __module__ = "pyodide.http"

    def __init__(
        self, url: str, js_response: Any, abort_controller: Any = None, abort_signal: Any = None
    ) -> None:
        self._url = url
        self.js_response = js_response
        self.abort_controller = abort_controller
        self.abort_signal = abort_signal

    @property
    def body_used(self) -> bool:
        """Whether the body was read."""
        return bool(self.js_response.bodyUsed)

    @property
    def headers(self) -> Any:
        """The headers, as a dict."""
        return js.Object.fromEntries(self.js_response.headers.entries()).to_py()

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return bool(self.js_response.ok)

    @property
    def redirected(self) -> bool:
        """Whether a redirect was followed."""
        return bool(self.js_response.redirected)

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.js_response.status)

    @property
    def status_text(self) -> str:
        """The reason phrase."""
        return str(self.js_response.statusText)

    @property
    def type(self) -> str:
        """The type of the response: ``default``, ``error``..."""
        return str(self.js_response.type)

    @property
    def url(self) -> str:
        """The final URL, empty for responses made by hand."""
        return str(self.js_response.url)

    def _raise_if_failed(self) -> None:
        if self.abort_signal is not None and self.abort_signal.aborted:
            raise AbortError(self.abort_signal.reason)
        if self.js_response.bodyUsed:
            raise BodyUsedError

    def raise_for_status(self) -> None:
        """Raise ``HttpStatusError`` for 4xx and 5xx."""
        if 400 <= self.status < 600:
            raise HttpStatusError(self.status, self.status_text, self.url)

    def clone(self) -> FetchResponse:
        """An identical copy whose body is read apart."""
        if self.js_response.bodyUsed:
            raise BodyUsedError
        return type(self)(self._url, self.js_response.clone(), self.abort_controller, self.abort_signal)

    def abort(self, reason: Any = None) -> None:
        """Abort the request, where the controller is known."""
        if self.abort_controller is None:
            raise ValueError("abort_controller is not set")
        self.abort_controller.abort(reason)

    async def buffer(self) -> Any:
        """The body as an ArrayBuffer."""
        self._raise_if_failed()
        return await self.js_response.arrayBuffer()

    async def text(self) -> str:
        """The body as text."""
        self._raise_if_failed()
        return str(await self.js_response.text())

    string = text

    async def json(self, **kwargs: Any) -> Any:
        """The body as JSON; ``kwargs`` go to ``json.loads``."""
        return json.loads(await self.text(), **kwargs)

    async def memoryview(self) -> Any:
        """The body as a memoryview."""
        return (await self.buffer()).to_memoryview()

    async def bytes(self) -> bytes:
        """The body as bytes."""
        return (await self.buffer()).to_bytes()  # type: ignore[no-any-return]

    async def _into_file(self, file: Any) -> None:
        (await self.buffer()).to_file(file)

    async def _create_file(self, path: str) -> None:
        with open(path, "xb") as file:
            await self._into_file(file)

    async def unpack_archive(self, *, extract_dir: str | None = None, format: str | None = None) -> None:
        """Unpack the body by ``shutil.unpack_archive``."""
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / self._url.rsplit("/", 1)[-1]
            path.write_bytes(await self.bytes())
            shutil.unpack_archive(path, extract_dir, format)


async def pyfetch(
    request: Any, /, *, signal: Any = None, fetcher: Any = None, **kwargs: Any
) -> FetchResponse:
    """Fetch a URL (or JS Request) by ``fetcher``, the global ``fetch`` by default."""
    controller = js.AbortController.new()
    if signal is not None:
        signal = js.AbortSignal.any(to_js([signal, controller.signal]))
    else:
        signal = controller.signal
    kwargs["signal"] = signal
    options = to_js(kwargs, dict_converter=js.Object.fromEntries)
    try:
        response = await (fetcher or js.fetch)(request, options)
    except JsException as error:
        raise AbortError(error) from None
    return FetchResponse(str(request), response, controller, signal)
