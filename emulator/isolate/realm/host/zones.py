"""Host function of locale_dates.js: the clocks of the world."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_NAME: Final = 64
_CAPITAL: Final = re.compile(r"(?<![A-Za-z])(?!(?:of|es|au)\b|of_|es_|au_)[a-z]+")


@functools.lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    # Letters in another case are put right by rule: to list all names takes longer than a request may.
    for spelling in (name, _CAPITAL.sub(lambda word: word[0].capitalize(), name.lower())):
        try:
            return ZoneInfo(spelling)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return None


def zone_at(name: str, ms: float) -> str | None:
    """Minutes east of Greenwich and the abbreviation ("-300 EST") of a time zone at ``ms`` since 1970.

    ``name`` is one of the IANA database, in any case; None for any other.
    """
    zone = _zone(name) if len(name) <= _LONGEST_NAME else None
    if zone is None:
        return None
    try:
        local = (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone)
    except (OverflowError, ValueError):  # NaN, or a year that Python does not count to
        local = _EPOCH.astimezone(zone)
    minutes = (local.utcoffset() or timedelta()).total_seconds() / 60
    return f"{minutes:g} {local.tzname()}"


def functions() -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``."""
    return {"zoneAt": zone_at}
