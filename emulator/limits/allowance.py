"""A quota of a day or month under a plan: what may be used of it, what is, and when people are told."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.journal.events import Notice
from emulator.limits.periods import is_monthly, resets
from emulator.limits.plans import Limit, Plan

MARKS: Final = (("info", 0.5), ("warn", 0.8), ("error", 1.0))
"""The shares of a quota at which the terminal tells what is used, and how important that is."""


class Row:
    """The count of one quota in its present period, by all Workers and processes."""

    __slots__ = ("base", "name", "period", "total")

    def __init__(self, name: str, period: str) -> None:
        self.name = name
        self.period = period
        self.total: float = 0
        """What is used, as far as this process knows."""
        self.base: float = 0
        """``total`` when it was last handed over; the rest was counted since."""


class Keeper(Protocol):
    """What an allowance needs of the ledger."""

    reset_command: str
    """The command line that counts from zero again."""

    def wake(self) -> None:
        """See what day it is, and begin to hand over what is counted."""

    async def refresh(self) -> None:
        """Learn what other processes have counted, or reset."""

    def clock(self) -> float:
        """Seconds since 1970."""


class Allowance:
    """Counts what is used of a quota, and refuses what would exceed it. For use in the event loop only."""

    __slots__ = ("__weakref__", "_ceiling", "_keeper", "_limit", "_reached", "_row", "_tell", "plan", "value")

    def __init__(
        self, limit: Limit, plan: Plan, row: Row, keeper: Keeper, tell: Callable[[Notice], None]
    ) -> None:
        self.plan = plan
        """The plan whose quota it is."""
        self.value = plan.values[limit.name]
        """How much may be used; None: any amount."""
        self._limit = limit
        self._row = row
        self._keeper = keeper
        self._tell = tell
        self._reached = 0
        """How many of the marks were told."""
        self._ceiling: float = -1
        """Up to here a count needs no look: below the next mark, and the keeper is awake."""

    def take(self, amount: float = 1) -> bool:
        """Count ``amount``; False, and nothing is counted, when it would exceed the quota."""
        total = self._row.total + amount
        if total > self._ceiling:
            return self._look(amount)
        self._row.total = total
        return True

    async def take_anew(self, amount: float = 1) -> bool:
        """``take`` once more after a refusal, in case that the counts were reset since."""
        await self._keeper.refresh()
        return self.take(amount)

    def give_back(self, amount: float = 1) -> None:
        """Undo a ``take`` of what was not used after all."""
        self._keeper.wake()
        self._row.total = max(0.0, self._row.total - amount)  # another day may have begun

    def add(self, amount: float) -> None:
        """Count what is known only afterwards, such as the rows that a query has read."""
        if self._row.total + amount > self._ceiling:
            self._keeper.wake()
        self._row.total += amount
        if self._row.total > self._ceiling:
            self.look()

    @property
    def used(self) -> float:
        """What was used in this period, by all Workers."""
        if self._ceiling < 0:
            self._keeper.wake()
        return self._row.total

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left."""
        return self.value is not None and self.used >= self.value

    def refusal(self, event: str = "") -> Report:
        """Why a request is refused; ``event`` is its label."""
        limit, until = amount_text(self.value or 0), resets(self._keeper.clock())
        command = self._keeper.reset_command
        return explain(
            "requests-exceeded",
            event=event,
            limit=limit,
            plan=self.plan.name,
            resets=until,
            command=command,
        )

    def look(self) -> None:
        """Tell of a mark that was passed; the keeper calls it when the total is another one."""
        value, total = self.value, self._row.total
        if value is None:
            self._ceiling = math.inf
            return
        reached = sum(total >= share * value for _, share in MARKS)
        if reached > self._reached:
            self._tell(Notice(MARKS[reached - 1][0], self._told(total, value)))
        self._reached = reached
        if reached == len(MARKS):
            self._ceiling = value
        else:
            self._ceiling = math.nextafter(MARKS[reached][1] * value, -math.inf)

    def sleep(self) -> None:
        """Look at the next count, whatever it is."""
        self._ceiling = -1

    def _look(self, amount: float) -> bool:
        self._keeper.wake()
        total = self._row.total + amount
        if self.value is not None and total > self.value:
            return False
        self._row.total = total
        self.look()
        return True

    def _told(self, total: float, value: float) -> str:
        monthly = is_monthly(self._limit.name)
        what = self._limit.what[0].upper() + self._limit.what[1:]
        period = "this month" if monthly else "today"
        share = int(total * 100 / value)
        used = f"{amount_text(total)} of {amount_text(value)} ({share}%)"
        text = f"{what} {period}: {used}, plan {self.plan.name}"
        if total < value:
            return text
        until = "the month is over" if monthly else resets(self._keeper.clock())
        command = self._keeper.reset_command
        return f"{text}. The next ones are refused until {until}; `{command}` counts from zero."


def amount_text(value: float) -> str:
    """A count as people write it: ``100,000``, ``12.50``."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
