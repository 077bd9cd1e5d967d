"""The size of what a Worker was loaded from, against its plan."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.go_targets import build_target
from emulator.diagnostics.report import Report
from emulator.diagnostics.upload import package_facts, size_text, too_big
from emulator.wire.frames import WorkerSpec

from .wasm.sections import read as read_sections

_SHARE: Final = 4
"""A module is named when it is at least this part of the whole."""

_DEBUG_SHARE: Final = 10
"""Leaving out debug information is worth the first place when it is at least this part of the whole."""


def exceeds(spec: WorkerSpec, files: Mapping[str, int]) -> bool:
    """Whether these files (path -> bytes) are more than the Worker's plan allows."""
    return 0 < spec.limits.size_bytes < sum(files.values())


def size_report(spec: WorkerSpec, files: Mapping[str, int]) -> Report:
    """Why the Worker is not served; ``files`` exceed its plan."""
    facts: dict[str, Any] = {}
    total = sum(files.values())
    wasm = [path for path in files if path.partition("?")[0].lower().endswith(".wasm")]
    biggest = max(wasm, key=lambda path: files[path], default="")
    if biggest and files[biggest] * _SHARE > total:
        facts |= _wasm_facts(biggest, spec, total)
    scripts = sum(size for path, size in files.items() if path not in wasm)
    if scripts * 2 > total:
        facts["scripts"] = True
        facts |= package_facts(files, total)
    return too_big(files, spec.limits.size_bytes, spec.limits.plan, spec.root, **facts)


def _wasm_facts(path: str, spec: WorkerSpec, total: int) -> dict[str, Any]:
    """Which compiler made the module, and what of it is not needed to run."""
    shown = os.path.relpath(path, spec.root)
    facts: dict[str, Any] = {"file": shown, "name": shlex.quote(shown)}
    try:
        with open(path, "rb") as file:
            sections = read_sections(file.read())
    except Exception:  # not wasm at all: that is told once it fits
        return facts
    target = build_target((each.module, each.name) for each in sections.imports)
    facts["go"] = target == "go-js"
    debug = sum(len(data) for name, data in sections.custom if name == "name" or name.startswith(".debug"))
    if debug:
        facts["debugged"] = f" {size_text(debug)} of it are debug information and names."
    if debug * _DEBUG_SHARE > total or (debug and total - debug <= spec.limits.size_bytes):
        facts["debug"] = size_text(debug)
        facts["enough"] = "; without them it fits" if total - debug <= spec.limits.size_bytes else ""
    return facts
