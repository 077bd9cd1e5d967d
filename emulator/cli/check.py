"""``cfw-emu check``: what a deploy would say and more, without serving anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emulator.diagnostics.report import Report
    from emulator.fleet.launch import ForkServerProcess
    from emulator.fleet.trial import Trial
    from emulator.project import Project
    from emulator.project.check import Checked, Start


@click.command(short_help="Tell what a deploy would say, without serving.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or JSON for programs (docs/check.md).",
)
@click.option("--limits", metavar="PLAN", help="free, free-2026, paid, off, or a TOML file of limits.")
@click.option("--env", "-e", "environment", metavar="NAME", help="Environment of the wrangler file.")
@click.option("--strict", is_flag=True, help="Warnings count as mistakes.")
@click.pass_context
def check(
    context: click.Context,
    paths: tuple[Path, ...],
    form: str,
    limits: str | None,
    environment: str | None,
    strict: bool,
) -> None:
    """Check the Workers at PATH (default: the current directory), and end with 1 if there is a mistake.

    Loads each Worker as `serve` does, measures its upload and its start, and looks for mistakes that its
    source shows. Nothing is served, built, or written into the project.
    """
    from emulator.fleet.launch import launch
    from emulator.fleet.trial import NoForkServer
    from emulator.project.check import counts

    projects, reports = _open(paths or (Path("."),), environment, limits)
    try:
        found = _check(projects, context.obj or launch()) if projects else []
    except NoForkServer:
        click.echo("The fork server could not start, so no Worker can be loaded.", err=True)
        context.exit(1)
    (_print_json if form == "json" else _print_text)(found, reports)
    told = [*reports, *(report for each in found for report in each.reports)]
    context.exit(any(report.severity == "error" or (strict and counts(report)) for report in told))


def _open(
    paths: Sequence[Path], environment: str | None, limits: str | None
) -> tuple[list[Project], list[Report]]:
    """The projects that can be opened, and what is wrong with the others."""
    from emulator.project import ProjectError, find_projects, name_clashes, open_project
    from emulator.project.plan_mistakes import account_mistakes

    configs: list[Path] = []
    reports: list[Report] = []
    for path in paths:
        try:
            configs += [config for config in find_projects([path]) if config not in configs]
        except ProjectError as error:
            reports += error.reports
    projects: list[Project] = []
    for config in configs:
        try:
            projects.append(open_project(config, environment, limits=limits))
        except ProjectError as error:
            # A file of limits that is wrong is wrong for all of them.
            reports += [report for report in error.reports if report not in reports]
    return projects, [*reports, *name_clashes(projects), *account_mistakes(projects)]


def _check(projects: Sequence[Project], fork_server: ForkServerProcess) -> list[Checked]:
    from emulator.fleet.trial import try_loading
    from emulator.project.check import Start, can_load, checked

    if any(project.kind != "python" for project in projects):
        fork_server.warm()
    ready = [project for project in projects if can_load(project)]
    trials = dict(zip(map(id, ready), try_loading([p.spec() for p in ready], fork_server), strict=True))
    return [
        checked(project, _start(trials[id(project)]) if id(project) in trials else Start())
        for project in projects
    ]


def _start(trial: Trial) -> Start:
    from emulator.project.check import Start

    loaded = trial.loaded
    if loaded is None:
        return Start(files=trial.files, reports=trial.reports, logs=trial.logs)
    return Start(
        loaded=True,
        cpu_us=loaded.cpu_us,
        memory_bytes=trial.memory_bytes,
        handlers=loaded.handlers,
        files=trial.files,
        reports=trial.reports,
        logs=trial.logs,
    )


def _print_text(found: Sequence[Checked], reports: Sequence[Report]) -> None:
    from emulator.diagnostics.render import render_terminal
    from emulator.project.check import as_text, summary

    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    here = os.getcwd()
    told: set[str] = set()
    for each in found:
        for line in as_text(each, color, here, told):
            click.echo(line)
        click.echo()
    for report in reports:
        click.echo(render_terminal(report, color, here) + "\n")
    click.echo(summary(found, reports))


def _print_json(found: Sequence[Checked], reports: Sequence[Report]) -> None:
    import json

    from emulator.project.check import as_json

    click.echo(json.dumps(as_json(found, reports, os.getcwd()), ensure_ascii=False, indent=2))
