"""What the edge refuses before it reaches a Worker, and what it refuses of a Worker's answer.

Only that there are limits, and that a body which is too big gets 413, is documented; the other statuses
are those of RFC 9110 and RFC 6585. A KB is 1,024 bytes here, an MB 1,048,576.
https://developers.cloudflare.com/workers/platform/limits/#request-and-response-limits
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.limits import Plan

KB: Final = 1024
MB: Final = 1024 * 1024

CHAIN: Final = 16
"""Where ``CF-EW-Via`` starts to count down, when the plan has no limit of its own."""

_MOST_DIGITS: Final = 4300
"""What ``int`` takes; the parser of HTTP takes no more than 2**64."""

_LINE: Final = 4
"""Bytes of a header line beside name and value: ``": "`` and the end of the line."""


@dataclass(frozen=True)
class RequestLimits:
    """The limits of a plan in bytes; what has no limit has ``sys.maxsize``."""

    plan: str = "off"
    url: int = sys.maxsize
    headers: int = sys.maxsize
    body: int = sys.maxsize
    response_headers: int = sys.maxsize
    chain: int = 0
    """How many Workers may call one another; 0: any number."""

    @staticmethod
    def of(plan: Plan) -> RequestLimits:
        """Those of a plan."""
        return RequestLimits(
            plan.name,
            _bytes(plan.values["url_kb"], KB),
            _bytes(plan.values["request_headers_kb"], KB),
            _bytes(plan.values["request_body_mb"], MB),
            _bytes(plan.values["response_headers_kb"], KB),
            max(1, int(plan.values["worker_loop"])) if plan.values["worker_loop"] is not None else 0,
        )

    def refusal(
        self, event: str, url: str, headers: Sequence[tuple[bytes, bytes]], hops: int
    ) -> Report | None:
        """Why a request is not given to its Worker. ``event`` is what the report calls it."""
        if len(url) > self.url:
            return self._too_much("url-too-long", event, len(url), self.url)
        size = headers_size(headers)
        length = next((content_length(value) for name, value in headers if name == b"content-length"), 0)
        if size > self.headers:
            return self._too_much("request-headers-too-big", event, size, self.headers)
        if length > self.body:
            return self.body_too_big(event, length)
        if 0 < self.chain <= hops:
            return explain("worker-loop", depth=str(self.chain), plan=self.plan, event=event)
        return None

    def body_too_big(self, event: str, size: int, more: bool = False) -> Report:
        """The body of a request has ``size`` bytes, or (``more``) at least as many."""
        return self._too_much("request-body-too-big", event, size, self.body, "more than " if more else "")

    def response_headers_too_big(self, event: str, size: int) -> Report:
        return self._too_much("response-headers-too-big", event, size, self.response_headers)

    def hops(self, via: bytes) -> int:
        """How many Workers called one another before a request, by its ``CF-EW-Via``; that counts down."""
        chain = self.chain or CHAIN
        if not via.isdigit() or len(via) > 9:
            return 0
        return max(0, chain - int(via))

    def _too_much(self, code: str, event: str, used: int, limit: int, about: str = "") -> Report:
        shown, allowed = size_text(used), size_text(limit)
        if shown == allowed and not about:
            shown, allowed = f"{used:,} bytes", f"{limit:,} bytes"
        return explain(code, used=about + shown, limit=allowed, plan=self.plan, event=event)


def headers_size(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Bytes that header lines take on the wire (HTTP/1.1)."""
    return sum(len(name) + len(value) + _LINE for name, value in headers)


def content_length(value: bytes) -> int:
    """The value of the header as a number; 0 when it is none."""
    return min(int(value), sys.maxsize) if value.isdigit() and len(value) < _MOST_DIGITS else 0


def size_text(size: int) -> str:
    """``16 KB``, ``17.3 KB``, ``100 MB``, ``900 bytes``."""
    for unit, name in ((MB, "MB"), (KB, "KB")):
        if size >= unit:
            return f"{size / unit:,.1f}".removesuffix(".0") + f" {name}"
    return f"{size:,} bytes"


def _bytes(value: float | None, unit: int) -> int:
    return sys.maxsize if value is None else max(1, int(value * unit))
