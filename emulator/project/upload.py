"""What ``wrangler deploy`` would upload of a Python Worker, by the files' sizes alone.

Wrangler attaches every file below the directory of ``main`` that a rule makes a module (by default .py, .txt,
.html, .sql, .bin and .wasm), and all of ``python_modules`` less ``python_modules.exclude`` (``**/*.pyc``).
https://developers.cloudflare.com/workers/wrangler/configuration/#python-workers
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emulator.config import Config
from emulator.diagnostics.report import Report
from emulator.diagnostics.upload import size_text, too_big
from emulator.limits import Plan
from emulator.project.runtime_packages import PROVIDED, package_of, required
from emulator.project.watch import SKIPPED_DIRECTORIES, glob_pattern

_DEFAULT_RULES: Final[Mapping[str, frozenset[str]]] = {
    "Text": frozenset({".txt", ".html", ".sql"}),
    "Data": frozenset({".bin"}),
    "CompiledWasm": frozenset({".wasm"}),
    "PythonModule": frozenset({".py"}),
}
_MODULE_TYPES: Final = frozenset({*_DEFAULT_RULES, "ESModule", "CommonJS"})
_PACKAGES: Final = ("python_modules", "vendor")


@dataclass(frozen=True)
class Upload:
    """The files of an upload, absolute path -> bytes."""

    modules: Mapping[str, int]
    """The project's own."""
    packages: Mapping[str, int]
    """Those of the packages beside it."""
    provided: Mapping[str, int]
    """Packages that are not counted because the runtime has them, by name; 0: nothing of it lies here."""

    @property
    def files(self) -> dict[str, int]:
        return {**self.modules, **self.packages}

    @property
    def size(self) -> int:
        """Bytes that count."""
        return sum(self.modules.values()) + sum(self.packages.values())


def upload_of(config: Config, main: Path, packages: Iterable[Path], plan: Plan) -> Upload:
    """Measure a Python Worker; ``packages`` are the directories of vendored packages."""
    modules = {path: size for path, size in _modules(config, main)}
    vendored: dict[str, int] = {}
    provided = {} if plan.counts_provided_packages else _asked_for(config.root)
    for directory in packages:
        for entry in _scan(str(directory)):
            files = dict(_files(entry))
            name = package_of(entry.name)
            if name in PROVIDED and not plan.counts_provided_packages:
                provided[name] = provided.get(name, 0) + sum(files.values())
            else:
                vendored |= files
    return Upload(modules, vendored, provided)


def size_mistake(config: Config, main: Path, packages: list[Path], plan: Plan) -> Report | None:
    """Why a Python Worker is not served; None when its upload fits the plan."""
    if not plan.size_bytes:
        return None
    upload = upload_of(config, main, packages, plan)
    if upload.size <= plan.size_bytes:
        return None
    facts: dict[str, Any] = {"beside": _beside(upload.provided)}
    own, theirs = sum(upload.modules.values()), sum(upload.packages.values())
    if theirs * 4 > upload.size:
        facts["vendored"] = size_text(theirs)
        facts["vendored_in"] = " and ".join(os.path.relpath(path, config.root) for path in packages)
    if own * 4 > upload.size:
        facts["directory"] = os.path.relpath(main.parent, config.root)
        if facts["directory"] == ".":
            facts["directory"] = "the project's directory"
    return too_big(upload.files, plan.size_bytes, plan.name, str(config.root), **facts)


def _asked_for(root: Path) -> dict[str, int]:
    return {name: 0 for name in required(root) if name in PROVIDED}


def _beside(provided: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({size_text(size)})" if size else name for name, size in provided.items())


def _modules(config: Config, main: Path) -> Iterator[tuple[str, int]]:
    suffixes, globs = _rules(config)
    base = str(main.parent)
    yield from _sized(str(main))
    for path, size in _walk(base):
        relative = os.path.relpath(path, base)
        if path == str(main) or path == str(config.path):
            continue
        # In a glob, **/ may mean no directory at all.
        names = (relative, f"/{relative}")
        matched = any(glob.fullmatch(name) for glob in globs for name in names)
        if matched or os.path.splitext(path)[1] in suffixes:
            yield path, size


def _rules(config: Config) -> tuple[frozenset[str], list[re.Pattern[str]]]:
    """Suffixes and globs of modules. A rule of the project replaces the default one of its type, unless it
    says ``fallthrough``."""
    own = [rule for rule in config.rules if rule["type"] in _MODULE_TYPES]
    replaced = {rule["type"] for rule in own if not rule.get("fallthrough")}
    kept = [suffixes for kind, suffixes in _DEFAULT_RULES.items() if kind not in replaced]
    return frozenset().union(*kept), [glob_pattern(glob) for rule in own for glob in rule["globs"]]


def _walk(base: str) -> Iterator[tuple[str, int]]:
    """All files below the directory of the entry point, less what never makes a Worker."""
    entries = [entry for entry in _scan(base) if entry.name not in _PACKAGES]
    while entries:
        entry = entries.pop()
        if not _is_directory(entry):
            yield from _sized(entry.path)
        elif entry.name not in SKIPPED_DIRECTORIES:
            entries += _scan(entry.path)


def _files(package: os.DirEntry[str]) -> Iterator[tuple[str, int]]:
    """The files of a package that are uploaded."""
    entries = [package]
    while entries:
        entry = entries.pop()
        if _is_directory(entry):
            entries += _scan(entry.path) if entry.name != "__pycache__" else []
        elif not entry.name.endswith(".pyc"):
            yield from _sized(entry.path)


def _scan(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError:
        return []


def _is_directory(entry: os.DirEntry[str]) -> bool:
    """Links to directories are not followed: wrangler's own walk does not."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _sized(path: str) -> Iterator[tuple[str, int]]:
    """The file and its size; nothing for what is no file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return
    if stat.S_ISREG(found.st_mode):
        yield path, found.st_size
