"""How much of a plan's limits a Worker uses before it answers a single request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emulator.config import Config
from emulator.diagnostics.upload import size_text
from emulator.limits import LIMITS, Plan
from emulator.limits.plans import MIB, shown
from emulator.project.plan_mistakes import cron_expressions, variable_size

_KB: Final = 1_024
_BY_NAME: Final = {limit.name: limit for limit in LIMITS}
_DIGITS: Final = {"KB": 2, "MB": 1}
"""Decimals that are shown, by unit."""


@dataclass(frozen=True)
class Used:
    """One limit, and how much of it is used."""

    name: str
    """As ``cfw-emu limits`` lists it."""
    used: float
    """In the limit's unit."""
    limit: float | None
    """None: the plan has no such limit."""
    note: str = ""
    """What uses the most of it."""

    @property
    def what(self) -> str:
        return _BY_NAME[self.name].what

    @property
    def unit(self) -> str:
        return _BY_NAME[self.name].unit

    @property
    def fits(self) -> bool:
        return self.limit is None or self.used <= self.limit

    def text(self) -> str:
        """``0.12 of 1 MiB``."""
        used = f"{round(self.used, _DIGITS.get(self.unit, 0)):,g}"
        if self.unit == "MiB":
            used = size_text(round(self.used * MIB))
        return f"{used} of {shown(_BY_NAME[self.name], self.limit)}" if self.limit is not None else used


def used_limits(
    plan: Plan, config: Config, counted_bytes: int | None, startup_us: int | None, startup_bytes: int | None
) -> list[Used]:
    """The limits that show without a request. ``None``: the Worker did not get so far."""
    values = plan.values
    found: list[Used] = []
    if counted_bytes is not None:
        found.append(Used("size_mib", counted_bytes / MIB, values["size_mib"]))
    if startup_us is not None:
        found.append(Used("startup_cpu_ms", startup_us / 1_000, values["startup_cpu_ms"]))
    if startup_bytes:
        found.append(Used("startup_memory_mb", startup_bytes / MIB, values["startup_memory_mb"]))
    # What comes from the environment of this process is never uploaded.
    uploaded = {name: value for name, value in config.vars.items() if name not in config.process_vars}
    sizes = {name: variable_size(value) for name, value in uploaded.items()}
    found.append(Used("variables", len(sizes), values["variables"]))
    if sizes:
        biggest = max(sizes, key=lambda name: sizes[name])
        found.append(Used("variable_kb", sizes[biggest] / _KB, values["variable_kb"], biggest))
    if crons := cron_expressions(config):
        found.append(Used("crons", len(crons), values["crons"]))
    return found
