"""What the realm asks of the world outside: timers, logs, outbound fetch, streams."""

from __future__ import annotations

from typing import Any, Final, Protocol

from .engine import Value

GLOBAL_SCOPE: Final = (
    "Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), "
    "setting a timeout, and generating random values are not allowed within global scope. "
    "To fix this error, perform this operation within a handler."
)
"""The platform's words for I/O at the top level of a module."""


class RealmIO(Protocol):
    """Implemented by the isolate on its event loop; by a fake in tests of the realm.

    Every ``Value`` argument is a JS function to be called later, once per its contract;
    the implementation runs pending jobs after each such call.
    """

    def set_timer(self, delay_ms: float, repeat: bool, fire: Value) -> int:
        """Call ``fire()`` after ``delay_ms``, or every ``delay_ms``; gives a timer id >= 1."""
        ...

    def clear_timer(self, timer: int) -> None:
        """Forget a timer. Unknown ids are ignored."""
        ...

    def log(self, level: str, text: str) -> None:
        """One console call; ``level`` is debug, log, info, warn or error."""
        ...

    def fetch(
        self,
        method: str,
        url: str,
        headers: list[str],
        body: bytes | int | None,
        redirect: str,
        settle: Value,
    ) -> int:
        """Send a request; gives a call id for ``cancel_fetch``.

        ``headers`` is flat: name, value, name, value... ``body`` is whole bytes or a stream
        id from ``open_stream``. Later ``settle(null, answer)`` with ``answer`` a JS array
        ``[status, statusText, flat headers, url, redirected, body]`` (``body``: null,
        ArrayBuffer or the id of a stream to read), or ``settle(message)`` on failure.
        """
        ...

    def cancel_fetch(self, call: int) -> None:
        """The Worker aborted; ``settle`` will not be called any more."""
        ...

    def read_stream(self, stream: int, deliver: Value) -> None:
        """Call ``deliver(null, ArrayBuffer)``, ``deliver(null, null)`` at the end, or ``deliver(message)``.

        One read at a time per stream.
        """
        ...

    def cancel_stream(self, stream: int, reason: str) -> None:
        """The Worker wants no more of an incoming stream."""
        ...

    def open_stream(self) -> int:
        """Start an outgoing stream; gives its id."""
        ...

    def write_stream(self, stream: int, data: bytes, ready: Value) -> None:
        """Send ``data``; ``ready(null)`` when more may be written, ``ready(message)`` if the reader left."""
        ...

    def close_stream(self, stream: int, error: str | None) -> None:
        """End an outgoing stream, with ``error`` as a failure."""
        ...

    def context(self) -> Any:
        """The current event's id; ``None`` at the top level of a module."""
        ...
