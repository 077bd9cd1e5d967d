"""A check as text for the terminal, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from emulator.diagnostics.render import location, render_json, render_terminal, width
from emulator.diagnostics.report import Report
from emulator.diagnostics.upload import size_text
from emulator.project.check.result import Checked
from emulator.project.check.used import Used

SCHEMA: Final = 1
"""The version of the JSON; it changes when a key goes away or gets another meaning."""

_LISTED: Final = 5
_LANGUAGES: Final = {"python": "Python", "javascript": "JavaScript", "wasm": "WebAssembly without JavaScript"}
_TOLD: Final = frozenset(("warn", "error"))
_WORDS: Final = {
    "vendored": "vendored",
    "runtime": "brought by the runtime",
    "declared": "pywrangler vendors it",
    "listed": "in requirements.txt",
    "missing": "not in the upload",
}


def as_text(found: Checked, color: bool, here: str, told: set[str]) -> Iterator[str]:
    """The lines of one Worker. Paths are shown relative to ``here``.

    ``told`` gathers warnings that are about no place: each is shown for the first Worker only.
    """
    project = found.project
    bold = "\x1b[1m{}\x1b[0m" if color else "{}"
    main = location(str(project.main), here)
    yield f"{bold.format(project.name)}  {main} ({_LANGUAGES[project.kind]}), plan {project.plan.name}"
    if found.upload is not None:
        yield found.upload.line()
    if found.start.loaded:
        yield f"Worker Startup Time: {found.start.cpu_us / 1000:.0f} ms"
    yield from (f"  {line}" for line in _aligned(_rows(found)))
    for level, text in found.start.logs:
        if level in _TOLD:
            yield f"  printed while it loads: {text}"
    for report in found.reports:
        if _placeless(report) and report.what in told:
            continue
        if _placeless(report):
            told.add(report.what)
        yield ""
        yield render_terminal(report, color, here)


def summary(found: Sequence[Checked], other: Sequence[Report]) -> str:
    """``Checked 2 Workers: 1 mistake, 3 warnings.``; what is shown once counts once."""
    reports = [*other, *(report for each in found for report in each.reports)]
    errors = sum(report.severity == "error" for report in reports)
    placeless = [report.what for report in reports if _placeless(report)]
    warnings = len(reports) - errors - len(placeless) + len(set(placeless))
    workers = f"{len(found)} Worker{'' if len(found) == 1 else 's'}"
    parts = [f"{errors} mistake{'' if errors == 1 else 's'}"] if errors else []
    parts += [f"{warnings} warning{'' if warnings == 1 else 's'}"] if warnings else []
    return f"Checked {workers}: {', '.join(parts) or 'nothing to mend'}."


def _placeless(report: Report) -> bool:
    """Whether it is a warning about no place, such as that of another Python, which is the same for all."""
    return report.where is None and report.severity == "warning"


def as_json(found: Sequence[Checked], other: Sequence[Report], here: str) -> dict[str, Any]:
    """The schema of docs/check.md. ``other`` are mistakes of what is no Worker."""
    failed = any(report.severity == "error" for report in other)
    return {
        "version": SCHEMA,
        "ok": not failed and all(each.ok for each in found),
        "workers": [_worker(each, here) for each in found],
        "reports": [render_json(report, here)["error"] for report in other],
    }


def _worker(found: Checked, here: str) -> dict[str, Any]:
    project, start = found.project, found.start
    return {
        "name": project.name,
        "ok": found.ok,
        "config": location(str(project.config.path), here),
        "main": location(str(project.main), here),
        "kind": project.kind,
        "environment": project.config.environment,
        "plan": project.plan.name,
        "upload": _upload(found, here),
        "startup": _startup(found),
        "handlers": list(start.handlers),
        "limits": [_limit(used) for used in found.used],
        "packages": [package._asdict() for package in found.packages],
        "logs": [{"level": level, "text": text} for level, text in start.logs],
        "reports": [render_json(report, here)["error"] for report in found.reports],
    }


def _upload(found: Checked, here: str) -> dict[str, Any] | None:
    if found.upload is None:
        return None
    files = [{"path": location(path, here), "bytes": size} for path, size in found.upload.files.items()]
    return {
        "bytes": found.upload.bytes,
        "gzip_bytes": found.upload.gzip_bytes,
        "bundled": found.upload.bundle_bytes is not None,
        "exact": not found.upload.why_inexact,
        "files": files,
        "not_counted": [{"package": name, "bytes": size} for name, size in found.provided.items()],
    }


def _startup(found: Checked) -> dict[str, Any] | None:
    if not found.start.loaded:
        return None
    return {"cpu_ms": found.start.cpu_us / 1000, "memory_bytes": found.start.memory_bytes or None}


def _limit(used: Used) -> dict[str, Any]:
    return {
        "name": used.name,
        "what": used.what,
        "used": round(used.used, 6),
        "limit": used.limit,
        "unit": used.unit,
        "ok": used.fits,
        "note": used.note,
    }


def _rows(found: Checked) -> Iterator[tuple[str, str, str]]:
    for used in found.used:
        yield used.name, used.text(), f"{used.what}{': ' if used.note else ''}{used.note}"
    if found.upload is not None and len(found.upload.files) > 1:
        for size, path in found.upload.biggest(str(found.project.root), _LISTED):
            yield "", size, path
    for package in found.packages:
        yield "package", package.name, _WORDS[package.source]
    for name, provided in found.provided.items():
        if provided:
            yield "not counted", size_text(provided), f"{name}: the runtime has it"
    if found.project.build is not None:
        yield "build", "not run", found.project.build.command


def _aligned(rows: Iterator[tuple[str, str, str]]) -> Iterator[str]:
    table = list(rows)
    widths = [max((width(row[column]) for row in table), default=0) for column in range(2)]
    for row in table:
        first, second = (cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=False))
        yield f"{first}  {second}  {row[2]}"
