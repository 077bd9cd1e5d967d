"""The days and months that the platform's quotas are counted for: those of UTC."""

from __future__ import annotations

import time
from typing import Final

from emulator.limits.plans import LIMITS

DAY_SECONDS: Final = 86_400

_DAILY: Final = "_per_day"
_MONTHLY: Final = "_per_month"

COUNTED: Final = tuple(limit.name for limit in LIMITS if limit.name.endswith((_DAILY, _MONTHLY)))
"""The limits that are quotas of a day or a month."""


def period_of(name: str, now: float) -> str:
    """The period that ``name`` is counted for at ``now`` (seconds since 1970): ``2026-09-05`` or ``2026-09``.

    A count begins anew at 00:00 UTC. https://developers.cloudflare.com/workers/platform/limits/#daily-requests
    """
    return time.strftime("%Y-%m" if is_monthly(name) else "%Y-%m-%d", time.gmtime(now))


def seconds_left(now: float) -> float:
    """Seconds from ``now`` to the end of the day."""
    return DAY_SECONDS - now % DAY_SECONDS


def resets(now: float) -> str:
    """When the day's counts begin anew, as people say it: ``00:00 UTC, in 3 h 12 min``."""
    left = seconds_left(now)
    hours, minutes = divmod(int(left) // 60, 60)
    if not hours and not minutes:
        return f"00:00 UTC, in {max(1, int(left))} s"
    return f"00:00 UTC, in {f'{hours} h ' if hours else ''}{minutes} min"


def is_monthly(name: str) -> bool:
    """Whether ``name`` is counted for a month, not for a day."""
    return name.endswith(_MONTHLY)
