"""The report of ``serve --report``: what each route needed, and whether that fits the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from emulator.diagnostics.render import width
from emulator.journal.routes import Route, Row
from emulator.limits.plans import DEFAULT_PLAN, LIMITS, MIB, Plan, plan_named, shown

_COLUMNS: Final = ("requests", "CPU p50", "p99", "max", "memory", "subrequests")
_MOST_ROWS: Final = 50
_PATH_WIDTH: Final = 48
_NARROW: Final = 0.8
"""The share of a budget from which on a route fits narrowly."""
_RED, _GREEN, _BOLD, _DIM = "31", "32", "1", "2"

_REFUSED: Final[Mapping[str, str]] = {
    "requests": "the day's requests were used up",
    "worker-loop": "Workers called each other too deeply",
    "url": "URL too long",
    "headers": "request headers too big",
    "body": "request body too big",
    "response-headers": "response headers too big",
    "startup": "the start needed too much",
    "size": "the Worker is too big",
}
"""The limits that are answered without a measure of their own, by the name in ``cf-emu-limit``."""


def judging(plan: Plan) -> Plan:
    """The plan that routes are held against: the one in force, or the free one where there are no limits."""
    return plan_named(DEFAULT_PLAN) if plan.base == "off" and not plan.changed else plan


def budget_us(plan: Plan) -> float:
    """The CPU time that a request may need, in microseconds; 0: any."""
    return (judging(plan).values["cpu_ms"] or 0) * 1000


def problems(route: Route, plan: Plan) -> list[str]:
    """What of a route does not fit ``plan``; empty: all of it fits."""
    values, found = plan.values, []
    cpu, memory, subrequests = values["cpu_ms"], values["memory_mb"], values["subrequests"]
    if route.over:
        of = f"{route.over:,} of {route.count:,} requests"
        found.append(f"{of} over {cpu:,g} ms CPU" if cpu else f"{of} cut for their CPU time")
    if memory and (route.memory_bytes > memory * MIB or "memory" in route.exceeded):
        found.append(f"more than {memory:,g} MB of memory")
    if subrequests and route.subrequests > subrequests:
        found.append(f"more than {subrequests:,g} subrequests")
    for limit, count in route.exceeded.items():
        if limit in _REFUSED:
            found.append(f"{_REFUSED[limit]} ({count:,})")
    return found


def report_lines(rows: Iterable[Row], plans: Mapping[str, Plan], color: bool = False) -> Iterator[str]:
    """The report as lines of text. ``plans`` has the plan in force of each Worker."""
    by_worker: dict[str, list[Row]] = {}
    for row in rows:
        by_worker.setdefault(row.worker, []).append(row)
    if not by_worker:
        yield "Limits report: there were no requests."
        return
    for worker, some in sorted(by_worker.items()):
        yield from _worker_lines(worker, some, judging(plans[worker]), color)
        yield ""
    yield _paint(
        "CPU as measured on this machine; docs/limits.md tells how the platform compares.", _DIM, color
    )


def report_json(rows: Iterable[Row], plans: Mapping[str, Plan]) -> dict[str, Any]:
    """The report as plain data: ``{"fits": true, "routes": [{worker, method, path, requests, ...}]}``."""
    routes = [_row_json(row, judging(plans[row.worker])) for row in rows]
    routes.sort(key=lambda route: (route["worker"], route["path"], route["method"]))
    return {"fits": not any(route["problems"] for route in routes), "routes": routes}


def _row_json(row: Row, plan: Plan) -> dict[str, Any]:
    route, cpu = row.route, row.route.cpu
    times = {"p50": cpu.at(0.5), "p99": cpu.at(0.99), "max": cpu.greatest} if cpu.count else {}
    return {
        "worker": row.worker,
        "plan": plan.name,
        "method": row.method,
        "path": row.path,
        "requests": route.count,
        "cpu_ms": {name: round(value / 1000, 3) for name, value in times.items()},
        "cpu_budget_ms": plan.values["cpu_ms"],
        "over_cpu": route.over,
        "memory_mb": round(route.memory_bytes / MIB, 1) if route.memory_bytes else None,
        "subrequests": route.subrequests,
        "exceeded": dict(route.exceeded),
        "problems": problems(route, plan),
    }


def _worker_lines(worker: str, rows: list[Row], plan: Plan, color: bool) -> Iterator[str]:
    rows.sort(key=lambda row: _order(row, plan))
    yield _paint(f"Limits report of {worker}, plan {_summary(plan)}", _BOLD, color)
    yield ""
    cells = [("route", *_COLUMNS), *(_cells(row) for row in rows[:_MOST_ROWS])]
    widths = [max(width(row[column]) for row in cells) for column in range(len(cells[0]))]
    yield "  " + _paint(_aligned(cells[0], widths), _DIM, color)
    for row, text in zip(rows, cells[1:], strict=False):
        yield f"  {_aligned(text, widths)}  {_verdict(row.route, plan, color)}"
    if rows[_MOST_ROWS:]:
        yield f"  ... and {len(rows) - _MOST_ROWS:,} more routes"
    yield ""
    yield _conclusion(rows, plan, color)


def _order(row: Row, plan: Plan) -> tuple[bool, int, int, str, str]:
    """What does not fit comes first, then what is asked for most, then what needs most."""
    route = row.route
    return not problems(route, plan), -route.count, -route.cpu.greatest, row.path, row.method


def _summary(plan: Plan) -> str:
    named = {"cpu_ms": "CPU", "memory_mb": "memory", "subrequests": "subrequests"}
    parts = []
    for limit in LIMITS:
        value = plan.values[limit.name]
        if limit.name in named and value is not None:
            number = shown(limit, value).removesuffix(" a request")
            parts.append(f"{number} {named[limit.name]}")
    return f"{plan.name}: {', '.join(parts)}" if parts else plan.name


def _cells(row: Row) -> tuple[str, ...]:
    route, cpu = row.route, row.route.cpu
    times = (cpu.at(0.5), cpu.at(0.99), cpu.greatest)
    memory = f"{route.memory_bytes / MIB:,.0f} MB" if route.memory_bytes else "-"
    return (
        f"{row.method} {_shortened(row.path)}",
        f"{route.count:,}",
        *(_milliseconds(value) if cpu.count else "-" for value in times),
        memory,
        f"{route.subrequests:,}",
    )


def _verdict(route: Route, plan: Plan, color: bool) -> str:
    found = problems(route, plan)
    if found:
        return _paint("✘ " + ", ".join(found), _RED, color)
    budget, memory = budget_us(plan), plan.values["memory_mb"] or 0
    if route.cpu.greatest > budget * _NARROW > 0 or route.memory_bytes > memory * MIB * _NARROW > 0:
        return _paint("fits narrowly", _GREEN, color)
    return _paint("fits", _GREEN, color)


def _conclusion(rows: Sequence[Row], plan: Plan, color: bool) -> str:
    bad = [row for row in rows if problems(row.route, plan)]
    if not bad:
        return _paint(f"Fits the plan {plan.name}.", _GREEN, color)
    some = f"{len(bad):,} of {len(rows):,} routes" if rows[1:] else "its only route"
    return _paint(f"Does not fit the plan {plan.name}: {some} (✘).", _RED, color)


def _milliseconds(microseconds: float) -> str:
    value = microseconds / 1000
    return f"{value:,.0f} ms" if value >= 99.5 else f"{value:.1f} ms" if value >= 0.995 else f"{value:.2f} ms"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """The first cell to the left, the others to the right."""
    first, *rest = (" " * (wide - width(cell)) for cell, wide in zip(cells, widths, strict=True))
    return "  ".join([cells[0] + first, *(pad + cell for pad, cell in zip(rest, cells[1:], strict=True))])


def _shortened(path: str) -> str:
    if width(path) <= _PATH_WIDTH:
        return path
    while width(path) >= _PATH_WIDTH:
        path = path[: min(len(path), _PATH_WIDTH) - 1]
    return path + "…"


def _paint(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
