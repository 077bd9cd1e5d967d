"""How big the upload of a project is, and whether its plan has room for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.limits import plan_named
from emulator.project.bundle.verdict import Verdict, size_verdict
from emulator.project.check.measure import Measured, measure, measure_bundle
from emulator.project.project import Project
from emulator.project.upload import upload_of

_AS_WRITTEN: Final = "modules as they are written"


class Sizes(NamedTuple):
    """What a check tells about the upload."""

    upload: Measured | None = None
    """None: nobody knows which modules there are, because the Worker does not load."""
    counted: int | None = None
    """Bytes that count against the plan."""
    provided: Mapping[str, int] = {}
    """Packages that the plan does not count, by name, and what of them is vendored."""
    reports: tuple[Report, ...] = ()


def sizes_of(project: Project, files: Mapping[str, int], too_big: Report | None, loaded: bool) -> Sizes:
    """Measure ``project``.

    ``files``: the bytes of what a Worker without Python was loaded from; ``too_big``: the report of these.
    """
    if project.kind == "python":
        return _python_sizes(project)
    main = str(project.main)
    if project.kind == "wasm" or not project.main.is_file():
        measured = measure(main, files) if files else None
        return Sizes(measured, measured.bytes if measured else None, {}, (too_big,) if too_big else ())
    verdict = size_verdict(project, files, too_big)
    measured = _javascript_size(main, files, verdict)
    reports = [verdict.report] if verdict.report else []
    if verdict.problem and loaded:
        # Without a bundle, there is no deploy either.
        reports.append(explain("bundle-failed", problem=verdict.problem, where=Place(main)))
    return Sizes(measured, measured.bytes if measured else None, {}, tuple(reports))


def _javascript_size(main: str, files: Mapping[str, int], verdict: Verdict) -> Measured | None:
    if verdict.bundle is not None:
        return measure_bundle(verdict.bundle)
    return replace(measure(main, files), why_inexact=_AS_WRITTEN) if files else None


def _python_sizes(project: Project) -> Sizes:
    directories = project.package_directories()
    upload = upload_of(project.config, project.main, directories, project.plan)
    # Wrangler tells the size of everything, whatever the plan counts.
    whole = upload_of(project.config, project.main, directories, plan_named("off"))
    mistake = project.size_mistake()
    measured = measure(str(project.main), whole.modules, whole.packages)
    return Sizes(measured, upload.size, upload.provided, (mistake,) if mistake else ())
