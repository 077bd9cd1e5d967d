"""Which plan is in force: by the command line, ``cfw-emu.toml``, a file of limits and the wrangler file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from emulator.config import CONFIG_NAMES, Config, ConfigError
from emulator.config.document import Document, Unreadable, read_document
from emulator.config.keys import KEYS
from emulator.config.settings import Settings
from emulator.config.words import close_matches, show
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.limits.plans import DEFAULT_PLAN, LIMITS, PLANS, Limit, Plan, plan_named

_BY_NAME: Final[Mapping[str, Limit]] = {limit.name: limit for limit in LIMITS}
_WRANGLER: Final = ("cpu_ms", "subrequests")
"""The keys of ``limits`` in a wrangler file.
https://developers.cloudflare.com/workers/wrangler/configuration/#limits"""

_LONGEST: Final = 200
"""Characters of a name of a plan that a message repeats."""

_GREATEST: Final = 2**53
"""JavaScript counts no further, and no limit is anywhere near it."""


def plan_for(choice: str | None, settings: Settings, config: Config | None = None) -> Plan:
    """The plan that ``--limits`` (``choice``) asks for, else the settings, else ``free``.

    The wrangler file's own ``limits`` lower it. A path in ``choice`` is relative to the current directory,
    one in the settings to their file. Raises ``ConfigError``.
    """
    if choice is not None:
        plan = _plan(choice, Path.cwd(), None)
    elif settings.limits is not None:
        plan = _plan(settings.limits, settings.path.parent, settings.limits_place)
    else:
        plan = plan_named(DEFAULT_PLAN)
    return plan if config is None else _lowered(plan, config)


def is_limits_file(path: Path) -> bool:
    """Whether ``path`` is a TOML file, but no wrangler file: by its name, or by having none of its keys."""
    if path.suffix.lower() != ".toml" or path.name in CONFIG_NAMES or not path.is_file():
        return False
    try:
        data = read_document(path).data
    except Unreadable:
        # The name is all there is to go by.
        return not path.name.startswith("wrangler")
    return data.keys().isdisjoint(KEYS)


def names_limits(path: Path) -> bool:
    """Whether ``path`` is surely a file of limits: it has keys of one."""
    if not is_limits_file(path):
        return False
    try:
        return not read_document(path).data.keys().isdisjoint({"plan", *_BY_NAME})
    except Unreadable:
        return False


def _plan(choice: str, base: Path, where: Place | None) -> Plan:
    if choice in PLANS:
        return plan_named(choice)
    path = Path(os.path.abspath(base / choice))
    if not os.path.isfile(path):
        raise ConfigError([_unknown_plan(choice, path, where)])
    return _from_file(path)


def _unknown_plan(choice: str, path: Path, where: Place | None) -> Report:
    near = close_matches(choice.lower().replace("_", "-"), list(PLANS))
    suggestion = f"Did you mean {near[0]}?" if near else ""
    name = near[0] if near else DEFAULT_PLAN
    line = f'limits = "{name}"' if where else f"cfw-emu serve --limits {name}"
    facts: dict[str, Any] = {"plan": choice, "path": path}
    if len(choice) > _LONGEST:
        facts = {"plan": f"{choice[:_LONGEST]}…", "path": "of that name"}
    return explain("limits-unknown-plan", suggestion=suggestion, line=line, where=where, **facts)


def _from_file(path: Path) -> Plan:
    if path.suffix.lower() != ".toml":
        problem = "its name does not end in .toml"
        raise ConfigError(
            [explain("limits-bad-file", file=path.name, problem=problem, where=Place(str(path)))]
        )
    try:
        document = read_document(path)
    except Unreadable as error:
        raise ConfigError([error.report]) from error
    reports: list[Report] = []
    base = _base(document, reports)
    values = dict(base.values)
    for key, value in document.data.items():
        if key == "plan":
            continue
        if key not in _BY_NAME:
            reports.append(_unknown_limit(document, key))
        elif value == "off":
            values[key] = None
        elif _is_number(value):
            values[key] = value
        else:
            reports.append(_bad_value(document, key, value))
    if reports:
        raise ConfigError(reports)
    changed = {key: path.name for key in document.data if key in _BY_NAME}
    return Plan(path.name, base.base, values, changed, (path,))


def _base(document: Document, reports: list[Report]) -> Plan:
    name = document.data.get("plan", DEFAULT_PLAN)
    if isinstance(name, str) and name in PLANS:
        return plan_named(name)
    near = close_matches(name, list(PLANS)) if isinstance(name, str) else []
    suggestion = f"Did you mean {near[0]}?" if near else ""
    where = document.value_place("plan")
    facts: dict[str, Any] = {"file": document.source.path.name, "suggestion": suggestion}
    reports.append(explain("limits-unknown-base", plan=show(name), where=where, **facts))
    return plan_named(DEFAULT_PLAN)


def _unknown_limit(document: Document, key: str) -> Report:
    near = close_matches(key.lower().replace("-", "_"), list(_BY_NAME))
    # A name without its unit, or with another one: memory, size_mb.
    near = near or [name for name in _BY_NAME if name.split("_")[0] == key.lower().split("_")[0]][:1]
    suggestion = f"Did you mean {near[0]}?" if near else "Remove it."
    return explain("limits-unknown-key", key=key, suggestion=suggestion, where=document.key_place(key))


def _bad_value(document: Document, key: str, value: object) -> Report:
    limit = _BY_NAME[key]
    example = next((v for v in (limit.free, limit.paid) if v is not None), 1)
    where = document.value_place(key)
    facts: dict[str, Any] = {"value": show(value), "unit": _unit(limit), "line": f"{key} = {example:g}"}
    return explain("limits-bad-value", key=key, where=where, **facts)


def _lowered(plan: Plan, config: Config) -> Plan:
    """The plan with ``limits.cpu_ms`` and ``limits.subrequests`` of the wrangler file."""
    values, changed = dict(plan.values), dict(plan.changed)
    reports: list[Report] = []
    for key in _WRANGLER:
        value = config.limits.get(key)
        if value is None:
            continue
        if not _is_number(value):
            reports.append(_bad_wrangler_value(config, key, value))
        elif (most := _most(plan, key)) is not None and value <= most and value != values[key]:
            values[key], changed[key] = value, config.path.name
    if reports:
        raise ConfigError(reports)
    return replace(plan, values=values, changed=changed)


def _most(plan: Plan, key: str) -> float | None:
    """How high the wrangler file may set a limit; None: the plan has none, and gets none."""
    value = plan.values[key]
    raised = _BY_NAME[key].paid_most if plan.base == "paid" and key not in plan.changed else None
    return value if value is None or raised is None else raised


def _bad_wrangler_value(config: Config, key: str, value: object) -> Report:
    limit = _BY_NAME[key]
    own = ("env", config.environment, "limits", key) if config.environment else ("limits", key)
    document = config.document
    path = next((p for p in (own, ("limits", key)) if document and p in document.marks), None)
    where = document.value_place(*path) if document and path else config.value_place("limits")
    line = document.line(key, f"{limit.free:g}").rstrip(",") if document else f"{key} = {limit.free:g}"
    facts: dict[str, Any] = {"value": show(value), "unit": _unit(limit), "line": line}
    return explain("limits-bad-value", key=f"limits.{key}", where=where, **facts)


def _unit(limit: Limit) -> str:
    return f" ({limit.unit})" if limit.unit else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _GREATEST
