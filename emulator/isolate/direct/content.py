"""Headers in and out of a Worker without JavaScript, and what its Content-Type is by default."""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from emulator.wire.frames import HeaderLines, Headers

JSON: Final = ("Content-Type", "application/json")
TEXT: Final = ("Content-Type", "text/plain;charset=UTF-8")

NULL_BODY: Final = frozenset((204, 205, 304))
"""Statuses of responses without a body. https://fetch.spec.whatwg.org/#null-body-status"""

_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN: Final = re.compile(r"[\0\r\n]")
_SPACE: Final = b" \t\r\n"
_MAY_BE_JSON: Final = frozenset((b"{", b"[", b" ", b"\t", b"\r", b"\n"))
_BRACKETS: Final = frozenset((tuple(b"{}"), tuple(b"[]")))


class InvalidHeader(Exception):
    """A line of response headers is none."""

    def __init__(self, line: str, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


def request_lines(flat: HeaderLines) -> bytes:
    """``name: value`` lines, names in lower case and sorted, as iterating ``request.headers`` gives them."""
    if not flat:
        return b""
    parts = flat.split("\n")
    names, values = parts[::2], parts[1::2]
    order = _order(tuple(names)) if len(values) == len(names) else None
    if order is not None:
        template, pick = order
        text: str = template % pick(values)
        return text.encode("utf-8", "replace")
    found: dict[str, str] = {}
    for name, value in zip(names, values, strict=False):
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return "".join([f"{name}: {found[name]}\n" for name in sorted(found)]).encode("utf-8", "replace")


@lru_cache(maxsize=256)
def _order(names: tuple[str, ...]) -> tuple[str, itemgetter[Any]] | None:
    """For two or more names of which none comes twice: the lines with gaps for the values, and their order.

    Clients send the same names again and again.
    """
    lower = [name.lower() for name in names]
    if len(lower) < 2 or len(set(lower)) < len(lower):
        return None
    order = sorted(range(len(lower)), key=lower.__getitem__)
    return "".join([f"{lower[at].replace('%', '%%')}: %s\n" for at in order]), itemgetter(*order)


def response_headers(block: bytes) -> Headers:
    """The headers of ``Name: value`` lines. Raises ``InvalidHeader``."""
    headers = []
    for line in block.decode("utf-8", "replace").split("\n"):
        line = line.strip(" \t\r")
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise InvalidHeader(line, "This line has no colon.")
        if _NAME.fullmatch(name) is None:
            raise InvalidHeader(line, "A name has letters, digits and - only, and no space before the colon.")
        if _FORBIDDEN.search(value):
            raise InvalidHeader(line, "A value has no control characters.")
        headers.append((name, value.strip(" \t")))
    return headers


def content_type(body: bytes) -> tuple[str, str]:
    """The header of a response that names none: JSON for ``{...}`` and ``[...]``, else text."""
    if body[:1] in _MAY_BE_JSON:
        text = body.strip(_SPACE)
        if len(text) > 1 and (text[0], text[-1]) in _BRACKETS:
            return JSON
    return TEXT
