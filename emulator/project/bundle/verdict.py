"""Whether a JavaScript Worker fits its plan: by its bundle where one can be made, else by what is certain."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, NamedTuple

from msgspec import structs

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.diagnostics.upload import package_facts, packed_size, size_text, too_big
from emulator.project.bundle.esbuild import EsbuildFailed
from emulator.project.bundle.wrangler import Bundle, bundle
from emulator.project.project import Project

_BUNDLED: Final = (".js", ".mjs", ".cjs", ".jsx", ".json")
"""Modules that become part of the bundle, of which esbuild drops what nothing uses."""


class Verdict(NamedTuple):
    bundle: Bundle | None = None
    """None: none could be made."""
    problem: str = ""
    """Why esbuild made none; empty where there is no esbuild."""
    report: Report | None = None
    """An error: it does not fit. A warning: it may not fit. None: it fits."""


def size_verdict(
    project: Project,
    files: Mapping[str, int],
    too_big_as_written: Report | None,
    process_env: Mapping[str, str] = os.environ,
) -> Verdict:
    """Judge a JavaScript Worker that consists of ``files`` (absolute path -> bytes, as they are written).

    ``too_big_as_written`` is the report of these; None when they fit, or are not known. A bundle may be
    bigger than its modules: it names each function for the stack traces. Takes the time that esbuild takes:
    up to some seconds.
    """
    problem = ""
    made = None
    try:
        made = bundle(project.config, project.main, process_env)
    except EsbuildFailed as error:
        problem = str(error)
    if made is None:
        doubted = too_big_as_written and (_doubt(project, files, problem) or too_big_as_written)
        return Verdict(None, problem, doubted)
    limit = project.plan.size_bytes
    report = _refusal(project, made, too_big_as_written) if 0 < limit < made.bytes else None
    return Verdict(made, "", report)


def _refusal(project: Project, made: Bundle, as_written: Report | None) -> Report:
    """The bundle does not fit."""
    files, root = made.files, str(project.root)
    scripts = len(made.main) * 2 > made.bytes
    facts = {"scripts": True, "bundled": True, **package_facts(files, made.bytes)} if scripts else {}
    packed = packed_size([*(content for _, content in made.modules), made.main])
    plan = project.plan
    report = too_big(files, plan.size_bytes, plan.name, root, total=made.bytes, packed=packed, **facts)
    # What to do about a big module that is no JavaScript does not depend on the bundle.
    return report if scripts or as_written is None else structs.replace(report, fix=as_written.fix)


def _doubt(project: Project, files: Mapping[str, int], problem: str) -> Report | None:
    """A warning, unless what is uploaded in any case is too big by itself."""
    certain = sum(size for path, size in files.items() if not _may_shrink(path))
    plan = project.plan
    if certain > plan.size_bytes:
        return None
    return explain(
        "size-not-exact",
        total=size_text(sum(files.values())),
        certain=size_text(certain),
        limit=size_text(plan.size_bytes),
        plan=plan.name,
        problem=problem,
        where=Place(str(project.main)),
    )


def _may_shrink(path: str) -> bool:
    return "/node_modules/" in path.replace(os.sep, "/") and path.endswith(_BUNDLED)
