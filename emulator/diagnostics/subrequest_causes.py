"""Why a subrequest failed, by the message that fetch() throws, and what to do about it."""

from __future__ import annotations

import re
from typing import Final

_THROWN: Final = re.compile(
    r"Network connection lost|^(?:Too many redirects|Invalid Location header|A request with a one-time-use)\b"
)
"""What fetch() throws when no response came, or its body broke off."""

_MANUAL: Final = 'With redirect "manual" fetch() gives it as it is: look at its Location header.'

_CAUSES: Final = tuple(
    (re.compile(pattern), advice)
    for pattern, advice in (
        (r"Too many redirects", f"The other side answers each redirect with another one. {_MANUAL}"),
        (r"Invalid Location header", f"The other side answered a redirect that names no URL. {_MANUAL}"),
        (
            r"one-time-use body",
            "The other side redirects a request whose body is a stream, which cannot be sent twice: give "
            "fetch() bytes or text, or the address that the redirect leads to.",
        ),
        (r"Fetch API cannot load", "fetch() knows addresses of http: and https: only."),
        (r"has no address", "There is no host of that name: check how it is written."),
        (r"nothing listens on", "fetch() reached nobody: check the host and the port, and that it runs."),
        (
            r"\bSSL\b|certificate",
            "The two did not agree on TLS: check that https is spoken at that port, and the certificate.",
        ),
        (r"status line", "What the other side answered is no HTTP: check the port."),
        (
            r"disconnected|closed connection|[Cc]onnection reset",
            "The other side ended the connection before its answer was complete: look at its log.",
        ),
        (r"[Tt]imed? ?out", "The other side did not answer in time: check that it runs, or ask for less."),
    )
)


_UNKNOWN: Final = "The connection to the other side failed: check the address."


def is_failed_fetch(message: str) -> bool:
    """Whether an error with that message is a subrequest's."""
    return _THROWN.search(message) is not None


def advice_for(failure: str) -> str:
    """A sentence or two about a failed subrequest, by what was told of it."""
    return next((advice for pattern, advice in _CAUSES if pattern.search(failure)), _UNKNOWN)
