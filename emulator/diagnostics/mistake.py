"""The shape of a known mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Known(NamedTuple):
    """The texts of one mistake, as ``str.format`` templates, and its usual severity."""

    what: str
    why: str
    fix: str
    severity: str = "error"
    derive: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Further texts for the templates, worked out from the given facts."""
