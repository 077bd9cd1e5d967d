"""From what the user named on the command line to projects."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator.config import find_config
from emulator.config.words import close_matches, worker_name
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.limits.choose import names_limits
from emulator.project.entry import shown_path, sources
from emulator.project.go import BRIDGE, has_go_source
from emulator.project.plan_mistakes import account_mistakes
from emulator.project.project import Project, ProjectError, open_project
from emulator.project.watch import SKIPPED_DIRECTORIES


def find_projects(paths: Sequence[Path]) -> list[Path]:
    """The wrangler files meant by project directories, wrangler files, or directories of projects.

    Each once, in the order given; those of a directory of projects in alphabetical order. Raises
    ``ProjectError`` with a report for each path that leads to no project.
    """
    found: dict[Path, Path] = {}
    reports: list[Report] = []
    for given in paths:
        path = Path(os.path.abspath(given))
        configs, report = _find(path)
        reports += [report] if report else []
        for config in configs:
            found.setdefault(config.resolve(), config)
    if reports:
        raise ProjectError(reports)
    return list(found.values())


def open_projects(
    paths: Sequence[Path],
    environment: str | None = None,
    overrides: Mapping[str, str] | None = None,
    process_env: Mapping[str, str] = os.environ,
    limits: str | None = None,
) -> list[Project]:
    """Find and open all projects, under the plan ``limits`` (default: their own).

    Raises ``ProjectError`` with the mistakes of all of them.
    """
    projects: list[Project] = []
    reports: list[Report] = []
    for config in find_projects(paths):
        try:
            projects.append(open_project(config, environment, overrides, process_env, limits))
        except ProjectError as error:
            # A file of limits that is wrong is wrong for all of them.
            reports += [report for report in error.reports if report not in reports]
    reports += name_clashes(projects)
    reports += account_mistakes(projects)
    if any(report.severity == "error" for report in reports):
        raise ProjectError(reports)
    return projects


def name_clashes(projects: Sequence[Project]) -> list[Report]:
    """A report for each project whose name an earlier one has."""
    first: dict[str, Project] = {}
    reports: list[Report] = []
    for project in projects:
        other = first.setdefault(project.name, project)
        if other is not project:
            place = other.config.value_place("name")
            shown = f"{place.file}:{place.line}" if place.line else place.file
            where = project.config.value_place("name")
            reports.append(explain("duplicate-worker-name", name=project.name, other=shown, where=where))
    return reports


def _find(path: Path) -> tuple[list[Path], Report | None]:
    if path.is_file():
        if names_limits(path):
            return [], explain("limits-file-as-project", path=path, quoted=shlex.quote(str(path)))
        if path.suffix.lower() in (".toml", ".json", ".jsonc"):
            return [path], None
        return [], explain("not-a-wrangler-file", path=path, directory=_project_above(path) or path.parent)
    if not path.is_dir():
        return [], explain("no-such-path", path=path, suggestion=_near(path))
    if config := find_config(path):
        return [config], None
    below = [config for child in _children(path) if (config := find_config(child))]
    return below, None if below else _no_file(path)


def _children(directory: Path) -> list[Path]:
    try:
        children = sorted(directory.iterdir())
    except OSError:
        return []
    return [child for child in children if child.is_dir() and child.name not in SKIPPED_DIRECTORIES]


def _no_file(directory: Path) -> Report:
    above = _project_above(directory)
    elsewhere = ""
    if above:
        elsewhere = f"\n\nOr did you mean the project above? cfw-emu serve {shown_path(above, directory)}"
    name = worker_name(directory.name) or "my-worker"
    language, script = _language(directory)
    return explain(
        "no-wrangler-file",
        directory=directory,
        name=name,
        elsewhere=elsewhere,
        language=language,
        script=script,
        where=Place(str(directory)),
    )


def _language(directory: Path) -> tuple[str, str]:
    """What a directory without a wrangler file is written in, and its likely JavaScript entry."""
    if (directory / "go.mod").is_file() or has_go_source(directory):
        return ("go-bridge" if (directory / BRIDGE).is_file() else "go"), ""
    files = list(sources(directory, 2))
    scripts = [path for path in files if path.name in ("index.js", "worker.js", "index.mjs", "worker.mjs")]
    if scripts and not any(path.suffix == ".py" for path in files):
        return "javascript", shown_path(scripts[0], directory)
    return "python", ""


def _project_above(path: Path) -> Path | None:
    return next((parent for parent in path.parents if find_config(parent)), None)


def _near(path: Path) -> str:
    names = [child.name for child in _children(path.parent)] if path.parent.is_dir() else []
    near = close_matches(path.name, names)
    if near:
        return f"Did you mean {near[0]}?\n\ncfw-emu serve {path.parent / near[0]}"
    return "Check the path; without one, the current directory is served."
