"""What the platform answers when a limit is exceeded, and our header that names the limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from emulator.diagnostics.report import Report

LIMIT_HEADER: Final = b"cf-emu-limit"
"""A header of the emulator's own: which limit an answer is about."""


class LimitAnswer(NamedTuple):
    """How a request that exceeded a limit is answered.

    https://developers.cloudflare.com/workers/observability/errors/
    """

    status: int
    """The HTTP status."""
    number: int
    """The platform's error number, as in ``error code: 1102``; 0 when it has none."""
    limit: str
    """The value of the header ``cf-emu-limit``."""


LIMIT_ANSWERS: Final[Mapping[str, LimitAnswer]] = {
    "cpu-exceeded": LimitAnswer(503, 1102, "cpu"),
    "memory-exceeded": LimitAnswer(503, 1102, "memory"),
    "requests-exceeded": LimitAnswer(429, 1027, "requests"),
    # No page of the platform states the status of 1019; other failures of Workers (1101) have 500.
    "worker-loop": LimitAnswer(500, 1019, "worker-loop"),
    "url-too-long": LimitAnswer(414, 0, "url"),
    "request-headers-too-big": LimitAnswer(431, 0, "headers"),
    "request-body-too-big": LimitAnswer(413, 0, "body"),
    "response-headers-too-big": LimitAnswer(500, 1101, "response-headers"),
    "startup-cpu-exceeded": LimitAnswer(500, 0, "startup"),
    "startup-memory-exceeded": LimitAnswer(500, 0, "startup"),
    "worker-too-big": LimitAnswer(500, 0, "size"),
}
"""By the code of the report. A code that is not here is no limit that a client is told of."""


def limit_answer(reports: Sequence[Report]) -> LimitAnswer | None:
    """How an answer that consists of ``reports`` is sent; None when the first is not about a limit."""
    return LIMIT_ANSWERS.get(reports[0].code) if reports else None
