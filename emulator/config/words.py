"""Words of a wrangler file in messages: names, key paths, values, near misses."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final

from emulator.config.document import KeyPath

LABEL_MAX: Final = 63
"""Characters of one part of a host name (RFC 1035, section 2.3.4)."""


def worker_name(text: str) -> str:
    """The nearest valid Worker name; empty when nothing of ``text`` can stay."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")[:LABEL_MAX].rstrip("-")


def close_matches(word: str, possible: Sequence[str]) -> list[str]:
    """The nearest of the possible words, if one is near enough to be meant."""
    from difflib import get_close_matches

    return get_close_matches(word, possible, 1, 0.6)


def show(value: object) -> str:
    """A value as JSON, at most 80 characters of it."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def dotted(path: KeyPath) -> str:
    """``("env", "x", "routes", 0)`` -> ``env.x.routes[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
