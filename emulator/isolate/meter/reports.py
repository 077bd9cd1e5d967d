"""What the meter tells of events, and of starts, that took too long."""

from __future__ import annotations

import linecache
from math import ceil

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.wire.frames import Limits
from emulator.wire.recorder import BLOCKED_SECONDS

from ..events import EventContext
from .profile import Line


class Reports:
    """Those of one Worker, whose plan has ``limits`` and whose files lie below ``root``."""

    def __init__(self, limits: Limits, root: str) -> None:
        self._limits = limits
        self._root = root

    def cut(self, event: EventContext, over: bool) -> Report:
        """Why ``event`` is cut, in the act or when its handler was ``over``."""
        line = event.cut_at or (event.profile.hottest() if event.profile else None)
        where = place(line) if line else None
        if event.blocked:
            return explain("blocked", where=where, event=event.label, seconds=BLOCKED_SECONDS)
        return explain(
            "cpu-exceeded",
            where=where,
            event=event.label,
            budget=_milliseconds(self._limits.cpu_ms),
            used=self._shown(event.cpu_ns),
            plan=self._limits.plan,
            when="counted when it was over" if over and not event.cuts else "cut while it ran",
            hottest=event.profile.text(self._root) if event.profile else "",
            stage="answered" if event.answered else "",
            flexible=self._limits.flexible,
        )

    def nobodys(self, line: Line | None, spent_ns: int) -> Report:
        """Why a callback that works for no event was cut."""
        return explain(
            "cpu-exceeded",
            where=place(line) if line else None,
            budget=_milliseconds(self._limits.cpu_ms),
            used=self._shown(spent_ns),
            plan=self._limits.plan,
            when="cut while it ran",
            stage="nobody",
        )

    def startup(self, spent_ns: int, imports: str, line: Line | None) -> Report:
        """Why the Worker is not served: its start took too long. ``imports``: what took most of it."""
        return explain(
            "startup-cpu-exceeded",
            limit=_milliseconds(self._limits.startup_cpu_ms),
            used=self._shown(spent_ns),
            plan=self._limits.plan,
            imports=imports,
            where=place(line) if line else None,
        )

    def _shown(self, cpu_ns: int) -> str:
        return _milliseconds(cpu_ns * self._limits.cpu_scale / 1e6)


def place(line: Line) -> Place:
    """A line with its source."""
    source = linecache.getline(line.file, line.number).rstrip("\n")
    return Place(line.file, line.number, 0, line.function, source)


def _milliseconds(value: float) -> str:
    """Rounded up, so that what is over a limit looks like that."""
    return f"{value:,.0f} ms" if value == int(value) or value >= 100 else f"{ceil(value * 10) / 10:.1f} ms"
