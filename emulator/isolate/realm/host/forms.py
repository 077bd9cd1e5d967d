"""Host function that finds the parts of a multipart/form-data body (RFC 7578, RFC 2046)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from ..engine import Value
from ..realm import HostError

_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
_NO_START: Final = "No initial boundary string (or you have a truncated message)."
_NO_SUCCESSOR: Final = "Boundary string was not succeeded by CRLF, LF, or '--'."
_NO_HEAD: Final = "No multipart message header termination found."
_NO_END: Final = "No subsequent boundary string after multipart message."


def part_offsets(body: bytes, boundary: str) -> list[tuple[int, int, int, int]]:
    """For each part: start and end of its head, start and end of its content.

    As on the platform, lines may end in LF alone. Raises ``HostError`` (TypeError, the
    platform's messages) for a body that is not well-formed.
    """
    opening = b"--" + boundary.encode()
    at = body.find(opening)
    if at < 0:
        raise HostError("TypeError", _NO_START)
    at += len(opening)
    parts: list[tuple[int, int, int, int]] = []
    while not body.startswith(b"--", at):
        head = _after_line_end(body, at)
        split = _END_OF_HEAD.search(body, head)
        if split is None:
            raise HostError("TypeError", _NO_HEAD)
        end = body.find(b"\n" + opening, split.end())
        if end < 0:
            raise HostError("TypeError", _NO_END)
        content_end = end - 1 if end > split.end() and body[end - 1] == 0x0D else end
        parts.append((head, split.start(), split.end(), content_end))
        at = end + 1 + len(opening)
    return parts


def _after_line_end(body: bytes, at: int) -> int:
    for line_end in (b"\r\n", b"\n"):
        if body.startswith(line_end, at):
            return at + len(line_end)
    raise HostError("TypeError", _NO_SUCCESSOR)


def functions() -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``. The offsets cross as one comma-separated text."""

    def offsets(body: Value, boundary: str) -> str:
        return ",".join(str(n) for part in part_offsets(body.to_bytes(), boundary) for n in part)

    return {"multipartOffsets": offsets}
