"""What ``serve`` prints before it is ready: the Workers, their bindings, the plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from emulator.limits import Plan
from emulator.limits.show import summary
from emulator.project import Project

_LONGEST: Final = 60


def banner(projects: Sequence[tuple[Project, frozenset[str]]], address: str) -> Iterator[str]:
    """The lines; each project comes with the names of its secrets, whose values are not shown."""
    for number, (project, secrets) in enumerate(projects):
        where = f"  {named_address(project.name, address)}" if len(projects) > 1 else ""
        first = "  (and any other host)" if where and number == 0 else ""
        yield f"{project.name}  {project.main}{where}{first}"
        for name, value in sorted(project.config.vars.items()):
            shown = "(hidden)" if name in secrets else _shown(value)
            yield f"  env.{name} = {shown}"
    yield from _plans([project for project, _ in projects])


def named_address(name: str, address: str) -> str:
    """``http://<name>.localhost:PORT`` for a Worker."""
    return f"http://{name}.localhost:{address.rpartition(':')[2]}"


def _plans(projects: Sequence[Project]) -> Iterator[str]:
    """A line for each plan that is in force; with several, whose it is."""
    plans: list[tuple[Plan, list[str]]] = []
    for project in projects:
        names = next((names for plan, names in plans if plan == project.plan), None)
        if names is None:
            names = []
            plans.append((project.plan, names))
        names.append(project.name)
    for plan, names in plans:
        yield f"plan  {summary(plan)}" + (f"  ({', '.join(names)})" if len(plans) > 1 else "")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
