"""A plan as text: one line for the banner, a table for ``cfw-emu limits``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from emulator.diagnostics.render import width
from emulator.limits.plans import LIMITS, Limit, Plan, shown

COLUMNS: Final = ("limit", "value", "", "enforced", "error", "checked", "source")

_NAMED: Final = {
    "cpu_ms": "CPU",
    "memory_mb": "memory",
    "size_mib": "size",
    "requests_per_day": "requests",
    "subrequests": "subrequests",
}
"""The limits that the banner names."""


def summary(plan: Plan) -> str:
    """The plan in one line, without promising more than is done: what is enforced, then what is not yet."""
    limits = [limit for limit in LIMITS if limit.name in _NAMED and plan.values[limit.name] is not None]
    if not limits:
        return f"{plan.name}: no limits"
    enforced = ", ".join(_named(limit, plan) for limit in limits if limit.enforced)
    waiting = ", ".join(_named(limit, plan) for limit in limits if not limit.enforced)
    parts = [enforced, f"not enforced yet: {waiting}" if waiting else ""]
    return f"{plan.name}: {'; '.join(part for part in parts if part)}"


def _named(limit: Limit, plan: Plan) -> str:
    value = shown(limit, plan.values[limit.name])
    number, _, rest = value.partition(" ")
    # 50 subrequests a request, but 10 ms CPU.
    if rest.startswith("a "):
        return f"{number} {_NAMED[limit.name]} {rest}"
    return f"{value} {_NAMED[limit.name]}"


def rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    """The table, a row of ``COLUMNS`` for each limit; the third column says what it is and who changed it."""
    for limit in LIMITS:
        value = plan.values[limit.name]
        what = limit.what
        if limit.name in plan.changed:
            what += f" (from {plan.changed[limit.name]})"
        enforced = "" if value is None else "yes" if limit.enforced else "not yet"
        yield limit.name, shown(limit, value), what, enforced, limit.code, limit.checked, limit.source


def plain(plan: Plan) -> Iterator[str]:
    """The table as aligned lines, without colour, for files and pipes."""
    table = [COLUMNS, *rows(plan)]
    widths = [max(width(row[column]) for row in table) for column in range(len(COLUMNS))]
    for row in table:
        padded = (cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()
