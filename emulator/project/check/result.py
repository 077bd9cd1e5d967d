"""What a check of one project found, and how it is put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.project.check.measure import Measured
from emulator.project.check.python_packages import Package
from emulator.project.check.sizes import sizes_of
from emulator.project.check.static import look_at
from emulator.project.check.used import Used, used_limits
from emulator.project.project import Project

_SEEN_BEFORE: Final = frozenset(
    ("package-not-installed", "stdlib-module-missing", "uncaught-exception", "exit-called", "js-uncaught")
)
"""What loading says about a line of which the source had told more."""
_BETTER_KNOWN: Final = frozenset(("import-error-project", "src-prefix"))
"""What loading says about an import that is no package."""
_ABOUT_CFW_EMU: Final = frozenset(("python-version", "config-not-emulated"))
_COMMONJS: Final = frozenset(("commonjs-module", "commonjs-name"))
"""What loading says once, and the source at each ``require``."""
_TOO_BIG: Final = "worker-too-big"
_EVENTS: Final = {"scheduled": ("triggers", "crons"), "queue": ("queues", "consumers")}
"""Handlers that are enough, and the keys of the wrangler file that call them."""


@dataclass(frozen=True)
class Start:
    """What loading the Worker in an isolate told."""

    loaded: bool = False
    cpu_us: int = 0
    memory_bytes: int = 0
    handlers: Sequence[str] = ()
    files: Mapping[str, int] = field(default_factory=dict)
    """Bytes of each file that was loaded; empty for Python."""
    reports: Sequence[Report] = ()
    logs: Sequence[tuple[str, str]] = ()
    """Level and text of what it printed."""


@dataclass(frozen=True)
class Checked:
    """One project, checked."""

    project: Project
    start: Start
    upload: Measured | None
    """None: nobody knows which modules it has, because it does not load."""
    provided: Mapping[str, int]
    """Packages that the plan does not count, by name, and what of them is vendored."""
    used: Sequence[Used]
    packages: Sequence[Package]
    reports: Sequence[Report]
    """Errors first."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; warnings are not."""
        return not any(report.severity == "error" for report in self.reports)


def counts(report: Report) -> bool:
    """Whether a warning is about the Worker, not about what cfw-emu cannot do like the platform."""
    return report.code not in _ABOUT_CFW_EMU


def can_load(project: Project) -> bool:
    """Whether the entry point is there; what a build makes may not be."""
    return project.main.exists()


def checked(project: Project, start: Start) -> Checked:
    """Everything about ``project``, which ``start`` tells how it loads."""
    findings = look_at(project, list(start.files))
    too_big = next((report for report in start.reports if report.code == _TOO_BIG), None)
    sizes = sizes_of(project, start.files, too_big, start.loaded)
    used = used_limits(
        project.plan,
        project.config,
        sizes.counted,
        start.cpu_us if start.loaded else None,
        start.memory_bytes,
    )
    static = [*project.warnings, *sizes.reports, *findings.reports]
    loading = [report for report in start.reports if report is not too_big]
    reports = _merged(static, [*loading, *_handlers(project, start)])
    return Checked(project, start, sizes.upload, sizes.provided, used, findings.packages, reports)


def _handlers(project: Project, start: Start) -> list[Report]:
    """A JavaScript Worker that answers no request; the others are told when they are loaded."""
    if not start.loaded or project.kind != "javascript" or "fetch" in start.handlers:
        return []
    for event, (table, key) in _EVENTS.items():
        configured = project.config.effective(table)
        if event in start.handlers and isinstance(configured, Mapping) and configured.get(key):
            return []
    has = ", ".join(start.handlers)
    severity = "warning" if set(start.handlers) & set(_EVENTS) else "error"
    where = Place(str(project.main))
    return [explain("default-without-fetch", has=has, kind="object", where=where, severity=severity)]


def _merged(static: Sequence[Report], loading: Sequence[Report]) -> list[Report]:
    """Each mistake once, errors first, in the order of the files that they are in."""
    lines = {_line(report) for report in static if report.where and report.where.line}
    known = {_line(report) for report in loading if report.code in _BETTER_KNOWN}
    static = [r for r in static if not (r.code == "package-not-uploaded" and _line(r) in known)]
    if any(report.code in _COMMONJS for report in loading):
        static = [r for r in static if r.code != "js-node-global"]
    news = [r for r in loading if not (r.code in _SEEN_BEFORE and _line(r) in lines)]
    found: list[Report] = []
    for report in [*news, *static]:
        if not any(
            (report.code, report.where) == (other.code, other.where) for other in found if other.where
        ):
            found.append(report)
    files = list(dict.fromkeys(report.where.file for report in found if report.where))
    return sorted(found, key=lambda report: (report.severity != "error", *_position(report, files)))


def _position(report: Report, files: Sequence[str]) -> tuple[int, int, int]:
    place = report.where
    return (files.index(place.file), place.line, place.column) if place else (-1, 0, 0)


def _line(report: Report) -> tuple[str, int]:
    return (report.where.file, report.where.line) if report.where else ("", 0)
