"""Host function that finds the parts of a multipart/form-data body (RFC 7578, RFC 2046)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from ..engine import Value
from ..realm import HostError

_MALFORMED: Final = "Malformed multipart/form-data body: "


def part_offsets(body: bytes, boundary: str) -> list[tuple[int, int, int]]:
    """For each part: start of its head, end of its head, end of its content.

    The content starts four bytes (an empty line) after the end of the head. Raises
    ``HostError`` (TypeError) for a body that is not well-formed.
    """
    delimiter = re.compile(b"--" + re.escape(boundary.encode()) + rb"(--|[ \t]*\r\n)")
    found = _next_line(delimiter, body, 0)
    if found is None:
        raise HostError("TypeError", _MALFORMED + "the boundary of the Content-Type does not occur.")
    parts: list[tuple[int, int, int]] = []
    while found[1] != b"--":
        head = found.end()
        head_end = head - 2 if body.startswith(b"\r\n", head) else body.find(b"\r\n\r\n", head)
        found = _next_line(delimiter, body, head_end + 4) if head_end >= 0 else None
        if found is None:
            raise HostError("TypeError", _MALFORMED + "a part has no end.")
        parts.append((head, head_end, found.start() - 2))
    return parts


def _next_line(delimiter: re.Pattern[bytes], body: bytes, start: int) -> re.Match[bytes] | None:
    """The next delimiter at the start of a line. Its pattern begins with a literal, which is fast to find."""
    for found in delimiter.finditer(body, start):
        if found.start() == 0 or body.endswith(b"\r\n", 0, found.start()):
            return found
    return None


def functions() -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``. The offsets cross as one comma-separated text."""

    def offsets(body: Value, boundary: str) -> str:
        return ",".join(str(n) for part in part_offsets(body.to_bytes(), boundary) for n in part)

    return {"multipartOffsets": offsets}
