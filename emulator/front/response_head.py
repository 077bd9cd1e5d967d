"""The head of a response: status lines, and header fields as they go to the client."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Final

PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
STATUS_LINES: Final = {
    status: f"HTTP/1.1 {status} {PHRASES.get(status, '')}\r\n".encode() for status in range(100, 1000)
}

# RFC 9110, sections 5.1 and 5.5. What is not a field would end the head early, or add to it; other control
# characters go out as they are, as workerd sends them.
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_VALUE: Final = re.compile(r"[\x00\n\r]")
# Of the connection, not of the message (RFC 9110, section 7.6.1); the server sets its own.
_HOP_BY_HOP: Final = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
)
_LONG: Final = 256


class InvalidField(ValueError):
    """A header whose name or value cannot be sent."""


def field(name: str, value: str) -> bytes:
    """``name: value`` with its line end, the name in lower case; empty for a field of the connection.

    Raises ``InvalidField``. Responses repeat most of their headers: short ones are made once.
    """
    return _made_once(name, value) if len(value) < _LONG else _field(name, value)


def fields_of(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """The fields of a response of the front's own, whose headers are known to be valid."""
    return [b"%b: %b\r\n" % pair for pair in headers]


def _field(name: str, value: str) -> bytes:
    if not _NAME.fullmatch(name):
        raise InvalidField(f"Invalid HTTP header name {name[:100]!r}.")
    if _NOT_IN_VALUE.search(value):
        raise InvalidField(f"Invalid HTTP header value of {name[:100]!r}.")
    key = name.lower()
    return b"" if key in _HOP_BY_HOP else f"{key}: {value}\r\n".encode()


_made_once = lru_cache(maxsize=512)(_field)
