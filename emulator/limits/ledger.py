"""The ledger: what an account has used of its quotas today (requests, KV reads, D1 rows...).

One state directory stands for one account: all Workers that are served with it count together, by however
many processes. Counting is an addition in memory; four times a second what was counted goes to the file, and
what others counted comes back. https://developers.cloudflare.com/workers/platform/limits/#daily-requests
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from emulator.diagnostics.report import Report
from emulator.journal.events import Explained, Journal, Notice
from emulator.limits.allowance import Allowance, Row
from emulator.limits.ledger_file import Key, LedgerError, LedgerFile
from emulator.limits.periods import COUNTED, period_of, seconds_left
from emulator.limits.plans import LIMITS, Plan

FLUSH_SECONDS: Final = 0.25
"""How long a count may be known to this process alone; a killed process loses no more."""

REFRESH_SECONDS: Final = 0.05
"""How old the counts of other processes may be when something is refused because of them."""

_RETRY_SECONDS: Final = 5.0
_SHORTEST_TIMER: Final = 0.001


_Quota = tuple[str, str, float | None]
"""The names of a limit and of a plan, and the value."""


class _Exchanged(NamedTuple):
    """What a visit to the file brought."""

    saved: bool
    counts: Mapping[Key, float] | None
    """None: they could not be read."""
    problem: Report | None


class Ledger:
    """The counts of one state directory. For use in the event loop; a thread of its own touches the disk.

    A file that cannot be used is told to the journal, under the name of the Worker ``owner``, and counting
    goes on in memory. ``reset_command`` is what users are told to type in order to count from zero again.
    """

    def __init__(
        self,
        directory: Path,
        journal: Journal,
        owner: str,
        reset_command: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self.reset_command = reset_command
        self._journal = journal
        self._owner = owner
        self._damages: list[Report] = []
        self._file = LedgerFile(directory, self._damages.append)
        self._thread = ThreadPoolExecutor(1, "ledger")
        now = clock()
        self._rows = {name: Row(name, period_of(name, now)) for name in COUNTED}
        self._allowances: WeakValueDictionary[_Quota, Allowance] = WeakValueDictionary()
        self._unsaved: dict[Key, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._job: asyncio.Task[None] | None = None
        self._exchanged_at = -math.inf
        self._failed_at = -math.inf
        self._failing = False
        self._closed = False

    def allowance(self, name: str, plan: Plan) -> Allowance:
        """The quota ``name`` (a row of ``LIMITS`` by day or month) under ``plan``, to be kept and counted on.

        Raises ``KeyError`` for another name.
        """
        row = self._rows[name]
        key = name, plan.name, plan.values[name]
        allowance = self._allowances.get(key)
        if allowance is None:
            limit = next(limit for limit in LIMITS if limit.name == name)
            allowance = self._allowances[key] = Allowance(limit, plan, row, self, self._journal)
        return allowance

    def counts(self) -> dict[str, float]:
        """What is used of each quota in its present period, as far as this process knows."""
        self._turn()
        return {name: row.total for name, row in self._rows.items()}

    async def sync(self) -> None:
        """Hand over what was counted, and learn what was counted, or reset, by others and before."""
        await asyncio.shield(self._job or self._start())

    async def refresh(self) -> None:
        """``sync``, unless that is just done."""
        if asyncio.get_running_loop().time() - self._exchanged_at >= REFRESH_SECONDS:
            await self.sync()

    async def close(self) -> None:
        """Write what is not written yet, and give the file back."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._job is not None:
            await self._job
        if self._turn():
            await self.sync()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
        self._thread.shutdown(wait=False)

    def wake(self) -> None:
        """See what day it is; hand over what is counted from now on. Nothing happens when it is awake."""
        if self._timer is None and not self._closed:
            self._turn()
            self._set_timer()
            self._look()

    def _set_timer(self) -> None:
        # The day ends on time, not a quarter of a second later.
        longest = _RETRY_SECONDS if self._failing else FLUSH_SECONDS
        delay = max(_SHORTEST_TIMER, min(longest, seconds_left(self.clock())))
        self._timer = asyncio.get_running_loop().call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        waits = self._turn()
        loop = asyncio.get_running_loop()
        if self._job is None and waits and loop.time() - self._failed_at >= _RETRY_SECONDS:
            self._start()
        if self._job is not None or waits:
            self._set_timer()
        self._look()

    def _turn(self) -> bool:
        """Begin anew what belongs to another period by now; whether anything waits to be written."""
        now = self.clock()
        for row in self._rows.values():
            period = period_of(row.name, now)
            if period != row.period:
                self._hand_over(row)
                row.period, row.total, row.base = period, 0, 0
        return bool(self._unsaved) or any(row.total != row.base for row in self._rows.values())

    def _hand_over(self, row: Row) -> None:
        if row.total != row.base:
            key = row.period, row.name
            self._unsaved[key] = self._unsaved.get(key, 0) + row.total - row.base
            row.base = row.total

    def _start(self) -> asyncio.Task[None]:
        self._job = asyncio.get_running_loop().create_task(self._visit())
        return self._job

    async def _visit(self) -> None:
        self._turn()
        for row in self._rows.values():
            self._hand_over(row)
        amounts, self._unsaved = self._unsaved, {}
        periods = {row.period for row in self._rows.values()}
        saved = False
        loop = asyncio.get_running_loop()
        try:
            exchanged = await loop.run_in_executor(self._thread, self._visit_file, amounts, periods)
            saved = exchanged.saved
        finally:
            self._job = None
            if not saved:
                for key, amount in amounts.items():
                    self._unsaved[key] = self._unsaved.get(key, 0) + amount
        self._exchanged_at = loop.time()
        if exchanged.counts is not None:
            self._learn(exchanged.counts, periods)
        self._report(exchanged.problem)
        self._look()

    def _visit_file(self, amounts: Mapping[Key, float], periods: Collection[str]) -> _Exchanged:
        """Runs in the ledger's thread."""
        problem: Report | None = None
        try:
            self._file.add(amounts)
        except LedgerError as error:
            problem = error.report
        saved = problem is None
        try:
            return _Exchanged(saved, self._file.read(periods), problem)
        except LedgerError as error:
            return _Exchanged(saved, None, problem or error.report)

    def _learn(self, counts: Mapping[Key, float], periods: Collection[str]) -> None:
        for row in self._rows.values():
            if row.period in periods:
                key = row.period, row.name
                since = row.total - row.base
                row.base = counts.get(key, 0) + self._unsaved.get(key, 0)
                row.total = row.base + since

    def _look(self) -> None:
        for allowance in list(self._allowances.values()):
            allowance.look()
            if self._timer is None:
                allowance.sleep()

    def _report(self, problem: Report | None) -> None:
        damages, self._damages[:] = list(self._damages), []
        for report in damages:
            self._journal(Explained(self._owner, report))
        if problem is not None:
            self._failed_at = asyncio.get_running_loop().time()
            if not self._failing:
                self._journal(Explained(self._owner, problem))
        elif self._failing:
            self._journal(Notice("info", "Today's requests are counted on disk again."))
        self._failing = problem is not None
