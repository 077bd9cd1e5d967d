"""A project that has been opened: its configuration, and what an isolate needs to load it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from msgspec import structs

from emulator.config import Config, ConfigError, load_config
from emulator.config.names import unemulated_bindings
from emulator.config.settings import load_settings
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.limits import Plan, plan_for, plan_named
from emulator.project.build import Build, build_of
from emulator.project.cache import wasm_cache
from emulator.project.entry import entry_mistakes, main_of, shown_path
from emulator.project.languages import Kind, kind_of
from emulator.project.plan_mistakes import plan_mistakes
from emulator.project.upload import size_mistake
from emulator.project.watch import EDITOR_FILES, glob_pattern, is_skipped, matters_by_name
from emulator.wire.frames import Limits, ModuleRule, WorkerSpec

_NEW_VENDOR_PATH: Final = ("python_workers_force_new_vendor_path", "2025-08-11")
"""Flag and date from which ``vendor/`` is no longer on ``sys.path``."""


class ProjectError(Exception):
    """The project cannot be served; ``reports`` holds all its mistakes, errors first, then warnings."""

    def __init__(self, reports: list[Report]) -> None:
        super().__init__("\n".join(report.what for report in reports if report.severity == "error"))
        self.reports = reports


@dataclass(frozen=True)
class Metering:
    """How CPU time is held against the plan."""

    flexible: bool = False
    """What events leave of their CPU time is saved up for others."""
    cpu_scale: float = 1.0
    """Measured CPU time is multiplied by this, for a machine that is faster than the platform."""


@dataclass(frozen=True)
class Project:
    """A Worker's directory, checked: the entry point may be served, and exists or will be built."""

    config: Config
    main: Path
    """The entry point, absolute."""
    kind: Kind = "python"
    """What the entry point is."""
    build: Build | None = None
    """How it is made, when it is not served from its sources as they are."""
    cache: str = ""
    """Absolute path of the directory for compiled WebAssembly; empty: keep none."""
    plan: Plan = field(default_factory=lambda: plan_named("off"))
    """The limits that are in force."""
    metering: Metering = Metering()

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def root(self) -> Path:
        return self.config.root

    @property
    def warnings(self) -> tuple[Report, ...]:
        return self.config.warnings

    @cached_property
    def watch_roots(self) -> tuple[Path, ...]:
        """Directories to watch, recursively; none lies inside another."""
        roots = [self.root]
        wanted = [self.main.parent, *(self.build.watched if self.build else ())]
        for path in sorted(wanted, key=lambda path: len(path.parts)):
            if os.path.exists(path) and not any(path.is_relative_to(root) for root in roots):
                roots.append(path)
        return tuple(roots)

    @cached_property
    def _watch_bases(self) -> tuple[Path, ...]:
        """The watched directories as named and, where links lead to them, as they really are."""
        return tuple(dict.fromkeys(base for root in self.watch_roots for base in (root, root.resolve())))

    def matters(self, path: Path) -> bool:
        """Whether a saved (or removed) file must reload the Worker."""
        path = Path(os.path.abspath(path))
        if path == self.main or path in self.config.files:
            return True
        bases = (base for base in self._watch_bases if path.is_relative_to(base))
        relative = next((path.relative_to(base) for base in bases), None)
        if relative is None or is_skipped(relative) or EDITOR_FILES.fullmatch(path.name):
            return False
        return matters_by_name(path.name) or self._is_module(path)

    def _is_module(self, path: Path) -> bool:
        """Whether a rule of the project makes the file a module."""
        names = [path.name, *(os.path.relpath(path, base) for base in (self.root, self.main.parent))]
        return any(glob.fullmatch(name) for glob in self._globs for name in names)

    @cached_property
    def _globs(self) -> list[re.Pattern[str]]:
        return [glob_pattern(glob) for rule in self.config.rules for glob in rule["globs"]]

    def spec(self) -> WorkerSpec:
        """What an isolate needs to load this version of the Worker."""
        config = self.config
        return WorkerSpec(
            name=config.name,
            root=str(config.root),
            main=str(self.main),
            compatibility_date=config.compatibility_date,
            compatibility_flags=list(config.compatibility_flags),
            vars=dict(config.vars),
            config_path=str(config.path),
            packages=[str(path) for path in self.package_directories()],
            kind=self.kind,
            rules=[
                ModuleRule(rule["type"], list(rule["globs"]), bool(rule.get("fallthrough")))
                for rule in config.rules
            ],
            cache="" if self.kind == "python" else self.cache,
            limits=self._limits(),
            absent=self._absent(),
        )

    def _absent(self) -> dict[str, str]:
        data = self.config.document.data if self.config.document else {}
        if self.config.environment:  # bindings are not inherited
            data = (data.get("env") or {}).get(self.config.environment) or {}
        return unemulated_bindings(data)

    def _limits(self) -> Limits:
        limits = self.plan.for_isolate(self.metering.flexible, self.metering.cpu_scale)
        # The size of a Python Worker is known before it has an isolate.
        return structs.replace(limits, size_bytes=0) if self.kind == "python" else limits

    def size_mistake(self) -> Report | None:
        """Why the Worker is not served, when its upload is bigger than the plan allows.

        Only for Python, whose modules are told by its directory; an isolate knows what the others import.
        """
        if self.kind != "python" or not self.plan.size_bytes:
            return None
        return size_mistake(self.config, self.main, self.package_directories(), self.plan)

    def package_directories(self) -> list[Path]:
        """The directories of vendored packages, as far as they exist."""
        names = ["python_modules"]
        flag, day = _NEW_VENDOR_PATH
        if flag not in self.config.compatibility_flags and self.config.compatibility_date < day:
            names.append("vendor")
        places = dict.fromkeys((self.root, self.main.parent))
        return [path for name in names for place in places if (path := place / name).is_dir()]


def open_project(
    config_path: Path,
    environment: str | None = None,
    overrides: Mapping[str, str] | None = None,
    process_env: Mapping[str, str] = os.environ,
    limits: str | None = None,
) -> Project:
    """Read a project by its wrangler file. Raises ``ProjectError``, also for mistakes in that file.

    ``limits`` is a plan or the path of a file of limits, in place of what ``cfw-emu.toml`` says.
    """
    try:
        config = load_config(config_path, environment, overrides, process_env)
        settings = load_settings(config.root)
        plan = plan_for(limits, settings, config)
    except ConfigError as error:
        raise ProjectError(error.reports) from error
    config = replace(
        config,
        warnings=(*config.warnings, *settings.warnings),
        files=(*config.files, settings.path, *plan.files),
    )
    try:
        main = main_of(config)
        build = build_of(config, main) if main else None
        mistakes = entry_mistakes(config, main, build)
    except OSError as error:
        # A name that is too long for the system, say.
        path = shown_path(config.main or config.root, config.root)
        where = config.value_place("main")
        reason = error.strerror or str(error)
        raise ProjectError([explain("file-unreadable", path=path, reason=reason, where=where)]) from error
    mistakes += plan_mistakes(config, plan)
    kind = kind_of(main) if main else None
    if mistakes or main is None or kind is None:
        raise ProjectError([*mistakes, *config.warnings])
    return Project(config, main, kind, build, wasm_cache(process_env), plan)
