"""``serve --report`` while it runs: counts requests by route, and tells at any time what they needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.journal.events import Journal, JournalEvent
from emulator.journal.routes import RouteTable
from emulator.limits.plans import Plan
from emulator.limits.report import budget_us, report_json, report_lines


class RouteReport:
    """What each route of the Workers needed, held against their plans."""

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        """``plans`` has the plan in force of each Worker."""
        self._plans = dict(plans)
        self._budgets = {worker: budget_us(plan) for worker, plan in plans.items()}
        self._routes = RouteTable(self._budgets)

    def beside(self, journal: Journal) -> Journal:
        """A journal that counts requests and gives every event to ``journal``, too."""
        routes = self._routes

        def both(event: JournalEvent) -> None:
            routes(event)
            journal(event)

        return both

    def change(self, worker: str, plan: Plan) -> None:
        """``plan`` is in force for ``worker`` from now on."""
        self._plans[worker] = plan
        self._budgets[worker] = budget_us(plan)

    def lines(self, color: bool = False) -> Iterator[str]:
        """The report for the terminal."""
        return report_lines(self._routes.rows(), self._plans, color)

    def data(self) -> dict[str, Any]:
        """The report as plain data (docs/limits.md)."""
        return report_json(self._routes.rows(), self._plans)
