"""The URL that a Worker sees: what the client asked for, in the WHATWG form."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Dot segments, backslashes, and every character that the URL parser would escape in a path
# or a query. Without a match the parser would give back the same text.
_NEEDS_PARSER: Final = re.compile(rb"/\.|\\|%2[eE]|[^!$%&()*+,\-./0-9:;=?@A-Z\[\]_a-z|~]")


_LONGEST_HOST: Final = 1024
"""Bytes; a name has 255 at most (RFC 1035, section 2.3.4). What is longer is not worth remembering."""


@lru_cache(maxsize=1024)
def origin(scheme: str, host: bytes) -> str:
    """``scheme://host[:port]``, host as the URL parser writes it. Raises ``ValueError``."""
    import ada_url

    text = host.decode("latin-1")
    if len(text) > _LONGEST_HOST:
        raise ValueError("the host is too long")
    if re.search(r"[/?#@\\\s]", text) or not text:
        raise ValueError(f"invalid host {text!r}")
    return ada_url.URL(f"{scheme}://{text}/").origin


def hostname(host: bytes) -> str:
    """The name part of a ``Host`` value, lower-case."""
    return re.sub(r":\d*$", "", host.decode("latin-1")).lower()


def url_of(base: str, target: bytes) -> str:
    """The URL for a request target (path and query as sent) at an origin. Raises ``ValueError``."""
    if target[:1] != b"/":
        target = _origin_form(target)
    text = base + target.decode("latin-1")
    if _NEEDS_PARSER.search(target) is None:
        return text
    import ada_url

    url = ada_url.URL(text)
    url.hash = ""
    return url.href


def _origin_form(target: bytes) -> bytes:
    """The path and query of an absolute-form target; ``/`` for the target of ``OPTIONS *``."""
    if target == b"*":
        return b"/"
    import ada_url

    url = ada_url.URL(target.decode("latin-1"))
    return (url.pathname + url.search).encode("latin-1")
