"""What a plan allows of variables, cron triggers and Workers, held against wrangler files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from emulator.config import Config
from emulator.config.document import KeyPath
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.limits import Plan

if TYPE_CHECKING:
    from emulator.project.project import Project

_KB: Final = 1024


def plan_mistakes(config: Config, plan: Plan) -> list[Report]:
    """A report for each thing of one project that there is more of than its plan allows."""
    return [*_variable_mistakes(config, plan), *_cron_mistakes(config, plan)]


def account_mistakes(projects: Sequence[Project]) -> list[Report]:
    """The same for what is counted for all Workers together: the Workers themselves, and cron triggers.

    Projects may have plans of their own; each is held against the plan of the project that exceeds it.
    """
    reports: list[Report] = []
    told: set[str] = set()
    crons = 0
    for count, project in enumerate(projects, 1):
        plan, config = project.plan, project.config
        own = cron_expressions(config)
        crons += len(own)
        facts: dict[str, Any] = {"plan": plan.name, "name": project.name}
        if _exceeds(plan, "workers", count) and "workers-too-many" not in told:
            told.add("workers-too-many")
            limit = _limit(plan, "workers")
            where = config.value_place("name")
            used = str(len(projects))
            reports.append(explain("workers-too-many", used=used, limit=limit, where=where, **facts))
        if own and _exceeds(plan, "crons", crons) and "crons-too-many" not in told:
            told.add("crons-too-many")
            limit = _limit(plan, "crons")
            where = _cron_place(config, max(0, len(own) - (crons - int(limit))))
            total = sum(len(cron_expressions(project.config)) for project in projects)
            reports.append(explain("crons-too-many", used=str(total), limit=limit, where=where, **facts))
    return reports


def cron_expressions(config: Config) -> list[str]:
    """``triggers.crons`` of the environment, else of the top level."""
    triggers = config.effective("triggers")
    crons = triggers.get("crons") if isinstance(triggers, Mapping) else None
    return list(crons) if isinstance(crons, list) else []


def _variable_mistakes(config: Config, plan: Plan) -> list[Report]:
    # What comes from the environment of this process is never uploaded.
    names = [name for name in config.vars if name not in config.process_vars]
    reports: list[Report] = []
    if _exceeds(plan, "variables", len(names)):
        limit = _limit(plan, "variables")
        reports.append(
            explain(
                "variables-too-many",
                used=str(len(names)),
                limit=limit,
                plan=plan.name,
                name=config.name,
                where=config.variable_place(names[int(limit)]) or config.key_place("vars"),
            )
        )
    for name in names:
        size = variable_size(config.vars[name])
        if _exceeds(plan, "variable_kb", size / _KB):
            facts: dict[str, Any] = {
                "used": _kb(size),
                "limit": f"{plan.values['variable_kb']:g} KB",
                "name": name,
            }
            where = config.variable_place(name)
            reports.append(explain("variable-too-big", plan=plan.name, where=where, **facts))
    return reports


def variable_size(value: Any) -> int:
    """Bytes of a variable as it is uploaded: text as it is, other values as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))


def _cron_mistakes(config: Config, plan: Plan) -> list[Report]:
    crons = cron_expressions(config)
    if not _exceeds(plan, "crons", len(crons)):
        return []
    limit = _limit(plan, "crons")
    facts: dict[str, Any] = {"used": str(len(crons)), "limit": limit, "plan": plan.name, "name": config.name}
    return [explain("crons-too-many", where=_cron_place(config, int(limit)), **facts)]


def _cron_place(config: Config, index: int) -> Place:
    path: KeyPath = (*config.effective_path("triggers"), "crons", index)
    place = config.document.value_place(*path) if config.document else None
    return place or config.value_place("triggers")


def _exceeds(plan: Plan, name: str, used: float) -> bool:
    limit = plan.values[name]
    return limit is not None and used > limit


def _limit(plan: Plan, name: str) -> str:
    """The value of a limit that counts things: whole ones."""
    return str(int(plan.values[name] or 0))


def _kb(size: int) -> str:
    return f"{size / _KB:,.1f}".removesuffix(".0") + " KB"
