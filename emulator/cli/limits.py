"""``cfw-emu limits``: the numbers of the plan that is in force."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

if TYPE_CHECKING:
    from emulator.diagnostics.report import Report
    from emulator.limits import Plan

_WIDE: Final = 100
"""Columns of a terminal from which the errors are shown, too."""
_NARROW: Final = 70
"""Columns of a terminal from which there is room for what a limit is."""
_LEAST: Final = 56
"""Columns of a terminal from which there is room for more than names and values."""
_WHAT: Final = 2
"""Which cell of a row says what the limit is."""


@click.command(short_help="Show the limits of the plan in force.")
@click.argument("path", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@click.option("--limits", metavar="PLAN", help="free, free-2026, paid, off, or a TOML file of limits.")
@click.option("--env", "-e", "environment", metavar="NAME", help="Environment of the wrangler file.")
@click.pass_context
def limits(context: click.Context, path: Path | None, limits: str | None, environment: str | None) -> None:
    """Show the limits of the plan that is in force for the project at PATH.

    Without PATH: for the project in the current directory, or the plan alone where there is none. PATH may be
    a file of limits, too.
    """
    from emulator.config import ConfigError
    from emulator.project import ProjectError

    try:
        plan, warnings = _plan(path, limits, environment)
    except (ConfigError, ProjectError) as error:
        print_reports(error.reports)
        context.exit(1)
    print_reports(warnings)
    _print_plan(plan)


def _plan(path: Path | None, limits: str | None, environment: str | None) -> tuple[Plan, list[Report]]:
    """The plan, and what is wrong with the settings that choose it: a misspelled key changes nothing."""
    from emulator.app import plan_in_force
    from emulator.config import find_config
    from emulator.config.settings import SETTINGS_NAME, Settings, load_settings
    from emulator.limits import plan_for
    from emulator.limits.choose import is_limits_file
    from emulator.project import find_projects

    if path is not None and path.name == SETTINGS_NAME and path.is_file():
        path = path.parent
        if find_config(path) is None:
            settings = load_settings(path)
            return plan_for(limits, settings), list(settings.warnings)
    elif path is not None and is_limits_file(path):
        if limits is not None:
            raise click.UsageError(f"{path} and --limits {limits} are two plans: leave out one of them.")
        return plan_for(str(path), Settings(path)), []
    plan = plan_in_force(path, limits, environment)
    here = Path.cwd()
    alone = path is None and find_config(here) is None
    root = here if alone else find_projects([path or here])[0].parent
    return plan, list(load_settings(root).warnings)


def _print_plan(plan: Plan) -> None:
    from emulator.limits.show import plain, summary

    click.echo(f"plan  {summary(plan)}\n")
    if sys.stdout.isatty():
        _print_table(plan)
    else:
        for line in plain(plan):
            click.echo(line)


def _print_table(plan: Plan) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from emulator.limits.show import COLUMNS, rows

    console = Console()
    # Sources, and on narrow terminals more, would leave no room for the rest.
    shown = [COLUMNS.index(name) for name in ("limit", "value", "enforced", "error")]
    shown = shown[: 4 if console.width >= _WIDE else 3 if console.width >= _LEAST else 2]
    if console.width >= _NARROW:
        shown.append(_WHAT)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in shown:
        justify: Literal["left", "right"] = "right" if COLUMNS[column] == "value" else "left"
        table.add_column(COLUMNS[column], justify=justify, no_wrap=column != _WHAT)
    for row in rows(plan):
        style = "bold" if row[3] == "yes" else "dim" if not row[3] else ""
        table.add_row(*(row[column] for column in shown), style=style)
    console.print(table)
    console.print(
        "Sources and the days of the checks: docs/limits.md, or `cfw-emu limits | cat`.", style="dim"
    )


def print_reports(reports: list[Report]) -> None:
    """On standard error, in colour where that is a terminal."""
    import os

    from emulator.diagnostics.render import render_terminal

    color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    for report in reports:
        click.echo(render_terminal(report, color, os.getcwd()) + "\n", err=True)
