"""Host function that finds the parts of a multipart/form-data body (RFC 7578, RFC 2046)."""

from __future__ import annotations

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
    delimiter = b"--" + boundary.encode()
    at = 0 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter) + 2
    if at == 1:
        raise HostError("TypeError", _MALFORMED + "the boundary of the Content-Type does not occur.")
    parts: list[tuple[int, int, int]] = []
    at += len(delimiter)
    while not body.startswith(b"--", at):
        line_end = body.find(b"\r\n", at)
        if line_end < 0 or body[at:line_end].strip(b" \t"):
            raise HostError("TypeError", _MALFORMED + "a boundary is not alone on its line.")
        head = line_end + 2
        head_end = line_end if body.startswith(b"\r\n", head) else body.find(b"\r\n\r\n", head)
        end = -1 if head_end < 0 else body.find(b"\r\n" + delimiter, head_end + 2)
        if end < 0:
            raise HostError("TypeError", _MALFORMED + "a part has no end.")
        parts.append((head, head_end, end))
        at = end + 2 + len(delimiter)
    return parts


def functions() -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``. The offsets cross as one comma-separated text."""

    def offsets(body: Value, boundary: str) -> str:
        return ",".join(str(n) for part in part_offsets(body.to_bytes(), boundary) for n in part)

    return {"multipartOffsets": offsets}
