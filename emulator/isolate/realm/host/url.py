"""Host functions of url.js: the WHATWG URL parser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import ada_url

_SETTERS: Final = frozenset(
    ("protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash")
)


def parse(url: str, base: str | None) -> str | None:
    """The href of ``url``, relative to ``base`` if given; None when it is not a valid URL."""
    try:
        return str(ada_url.URL(url, base).href)
    except ValueError:
        return None


def change(href: str, part: str, value: str) -> str:
    """The href after setting ``part`` to ``value``; unchanged when the value is refused."""
    assert part in _SETTERS
    url = ada_url.URL(href)
    try:
        setattr(url, part, value)
    except ValueError:
        return href
    return str(url.href)


def functions() -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``."""
    return {"parseURL": parse, "changeURL": change}
