"""All that the source of a project shows without running it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.project.build import Build
from emulator.project.check.go_comments import comment_mistakes
from emulator.project.check.javascript_names import name_mistakes
from emulator.project.check.python_calls import call_mistakes
from emulator.project.check.python_handlers import handler_mistakes
from emulator.project.check.python_packages import Package, Packages
from emulator.project.check.python_source import reached
from emulator.project.check.wasm_exports import exported_names
from emulator.project.entry import shown_path
from emulator.project.go import go_sources, is_go_project, newest_go_source
from emulator.project.project import Project

_SCRIPTS: Final = (".js", ".mjs")
_NODE_COMPAT: Final = frozenset(("nodejs_compat", "nodejs_compat_v2"))
_DEEPEST: Final = 50


@dataclass
class Findings:
    """What was found in the source of one project."""

    reports: list[Report] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)
    """Those that a Python Worker imports."""


def look_at(project: Project, modules: Sequence[str] = ()) -> Findings:
    """Look at the source of a project; ``modules`` are the files that a JavaScript Worker loaded."""
    found = Findings()
    comments: dict[str, Report] = {}
    if is_go_project(project.root):
        sources = sorted(path for path in go_sources(project.root) if path.suffix == ".go")
        comments = dict(comment_mistakes(sources))
    if project.kind == "python":
        _look_at_python(project, found)
    elif project.kind == "javascript":
        _look_at_javascript(project, modules or [str(project.main)], comments, found)
    found.reports += comments.values()
    if project.build is not None:
        found.reports += _not_built(project.build)
    return found


def _look_at_python(project: Project, found: Findings) -> None:
    files = reached(project.main)
    packages = Packages(project.config, project.package_directories())
    found.packages, reports = packages.of(files)
    found.reports += reports
    env = env_names(project)
    mentioned = frozenset[str]().union(*(file.mentioned for file in files))
    for file in files:
        found.reports += handler_mistakes(file, env, file.path == project.main)
        found.reports += call_mistakes(file, env, mentioned)


def _look_at_javascript(
    project: Project, modules: Sequence[str], missing: Collection[str], found: Findings
) -> None:
    node_compat = not _NODE_COMPAT.isdisjoint(project.config.compatibility_flags)
    env = env_names(project)
    wasm = _only_wasm(project, modules)
    for module in modules:
        path = Path(module)
        if path.suffix in _SCRIPTS and "node_modules" not in path.parts:
            found.reports += name_mistakes(path, node_compat, env, wasm, missing)


def _only_wasm(project: Project, modules: Sequence[str]) -> tuple[str, Sequence[str]] | None:
    """The WebAssembly module of a Worker that has one, by its path in the project, and its exports."""
    files = [Path(module) for module in modules if module.lower().endswith(".wasm")]
    names = exported_names(files[0]) if len(files) == 1 else None
    return None if names is None else (shown_path(files[0], project.root), names)


def _not_built(build: Build) -> Iterator[Report]:
    """A check runs no build: it would write into the project."""
    facts: dict[str, Any] = {"main": shown_path(build.product, build.root), "command": build.command}
    if not build.product.exists():
        if build.required:
            yield explain("check-not-built", **facts)
    elif not build.custom and build.stale_by() > 0:
        source = newest_go_source(build.root)[1] or build.root
        yield explain("check-older-build", source=shown_path(source, build.root), **facts)


def env_names(project: Project) -> frozenset[str]:
    """The names that ``env`` has here or would have on the platform: variables, secrets and bindings."""
    config = project.config
    data: Mapping[str, Any] = config.document.data if config.document else {}
    names = set(config.vars)
    for table in (data, (data.get("env") or {}).get(config.environment) if config.environment else None):
        if isinstance(table, Mapping):
            names.update(_binding_names({k: v for k, v in table.items() if k not in ("env", "name")}))
    return frozenset(names)


def _binding_names(value: Any, depth: int = 0) -> Iterator[str]:
    """Whatever is called ``binding`` or ``name`` anywhere in a table, and required secrets."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in ("binding", "name") and isinstance(item, str):
                yield item
            elif key == "required" and isinstance(item, list):
                yield from (name for name in item if isinstance(name, str))
            else:
                yield from _binding_names(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _binding_names(item, depth + 1)
