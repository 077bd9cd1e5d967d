"""Host functions for outbound fetch and for byte streams, over ``RealmIO``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine import Value
from ..io import RealmIO


def functions(io: Callable[[], RealmIO]) -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``. Bodies and chunks arrive as ArrayBuffers or views."""

    def fetch(method: str, url: str, headers: Value, body: Any, redirect: str, settle: Value) -> int:
        data = body.to_bytes() if isinstance(body, Value) else None if body is None else int(body)
        return io().fetch(method, url, [str(part) for part in headers.to_python()], data, redirect, settle)

    return {
        "ioFetch": fetch,
        "ioCancelFetch": lambda call: io().cancel_fetch(int(call)),
        "ioReadStream": lambda stream, deliver: io().read_stream(int(stream), deliver),
        "ioCancelStream": lambda stream, reason: io().cancel_stream(int(stream), reason),
        "ioOpenStream": lambda: io().open_stream(),
        "ioWriteStream": lambda stream, data, ready: io().write_stream(int(stream), data.to_bytes(), ready),
        "ioCloseStream": lambda stream, error: io().close_stream(int(stream), error),
    }
