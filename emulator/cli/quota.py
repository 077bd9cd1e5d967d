"""``cfw-emu quota``: what is used of the day's quotas, and starting anew."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emulator.limits import Plan


@click.command(short_help="Show what is used of the day's quotas, or reset it.")
@click.argument("path", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@click.option("--reset", is_flag=True, help="Count from zero again.")
@click.option("--persist-to", type=click.Path(path_type=Path), metavar="DIR", help="As for serve.")
@click.option("--limits", metavar="PLAN", help="free, free-2026, paid, off, or a TOML file of limits.")
@click.option("--env", "-e", "environment", metavar="NAME", help="Environment of the wrangler file.")
@click.pass_context
def quota(
    context: click.Context,
    path: Path | None,
    reset: bool,
    persist_to: Path | None,
    limits: str | None,
    environment: str | None,
) -> None:
    """Show what was used today of the plan's daily quotas by the project at PATH.

    All Workers that are served with the same local data count together, as those of one account. PATH
    (default: the current directory) is what `serve` was given; a running server takes note of --reset.
    """
    from emulator.app import quotas_in_force
    from emulator.cli.limits import print_reports
    from emulator.config import ConfigError
    from emulator.limits.ledger_file import LedgerError
    from emulator.project import ProjectError

    try:
        plan, directory = quotas_in_force(path, persist_to, limits, environment)
        now = time.time()
        used = _used(directory, now, reset)
    except (ConfigError, ProjectError) as error:
        print_reports(error.reports)
        context.exit(1)
    except LedgerError as error:
        print_reports([error.report])
        context.exit(1)
    for line in _head(plan, directory, now):
        click.echo(line)
    if reset:
        before = ", ".join(f"{amount} {what}" for what, amount, _ in _rows(plan, used) if amount != "0")
        click.echo(f"Counted from zero again; before: {before or 'nothing'}")
        return
    for line in _aligned(_rows(plan, used)):
        click.echo(line)


def _used(directory: Path, now: float, reset: bool) -> dict[str, float]:
    """What is used in the present periods by the name of the quota, before a reset."""
    from emulator.cli.limits import print_reports
    from emulator.limits.ledger_file import LedgerFile
    from emulator.limits.periods import COUNTED, period_of

    file = LedgerFile(directory, lambda report: print_reports([report]))
    periods = {name: period_of(name, now) for name in COUNTED}
    try:
        counts = file.read(set(periods.values()))
        if reset:
            file.reset(set(periods.values()))
    finally:
        file.close()
    return {name: counts.get((period, name), 0) for name, period in periods.items()}


def _head(plan: Plan, directory: Path, now: float) -> Iterator[str]:
    from emulator.limits.periods import period_of, resets

    yield f"plan  {plan.name}"
    yield f"data  {directory}"
    yield f"day   {period_of('requests_per_day', now)}, begins anew at {resets(now)}"
    yield ""


def _rows(plan: Plan, used: Mapping[str, float]) -> Iterator[tuple[str, str, str]]:
    """What it is, how much is used, and how much may be: requests, and whatever else was used."""
    from emulator.limits.allowance import amount_text
    from emulator.limits.plans import LIMITS, shown

    for limit in LIMITS:
        if limit.name in used and (used[limit.name] or limit.name == "requests_per_day"):
            value, amount = plan.values[limit.name], used[limit.name]
            share = "" if value is None else f", {int(amount * 100 / value)}%"
            most = "(no limit)" if value is None else f"of {shown(limit, value)}{share}"
            yield limit.what, amount_text(amount), most


def _aligned(rows: Iterator[tuple[str, str, str]]) -> Iterator[str]:
    table = list(rows)
    widths = [max(len(row[column]) for row in table) for column in range(2)]
    for what, amount, most in table:
        yield f"{what.ljust(widths[0])}  {amount.rjust(widths[1])} {most}"
