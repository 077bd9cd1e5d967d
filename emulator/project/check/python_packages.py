"""The packages that a Python Worker imports: which of them the platform would not have."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from emulator.config import Config
from emulator.diagnostics.known import explain
from emulator.diagnostics.known_load import DISTRIBUTIONS
from emulator.diagnostics.python_platform import ABSENT_MODULES, gone
from emulator.diagnostics.report import Place, Report
from emulator.project.check.pyodide_builds import BUILT
from emulator.project.check.python_source import PythonFile
from emulator.project.runtime_packages import PROVIDED, dependencies, normalized, package_of, requirements

_RUNTIME: Final = frozenset(
    {
        *("js", "pyodide", "pyodide_js", "pyodide_http", "_pyodide", "_pyodide_core", "micropip"),
        *("_pyodide_entrypoint_helper", "_cloudflare_compat_flags", "workers", "asgi"),
    }
)
"""Modules that the runtime brings besides the standard library."""

_SDK: Final = frozenset({"workers", "asgi"})
_SDK_OUTSIDE: Final = ("enable_python_external_sdk", "disable_python_external_sdk", "2026-04-21")
"""The flag, its opposite, and the date from which the runtime no longer brings the SDK."""

_WASM: Final = b"\x00asm"
_NATIVE_SUFFIXES: Final = (".so", ".pyd", ".dylib", ".dll")


class Package(NamedTuple):
    """A package that the Worker imports."""

    name: str
    """Of the distribution, normalized."""
    module: str
    """As it is imported."""
    source: str
    """``vendored``, ``runtime``, ``declared`` (in pyproject.toml: pywrangler vendors it), ``listed`` (in
    requirements.txt only), or ``missing``."""


@dataclass
class Packages:
    """Judges the imports of one project; ``directories`` are those of its vendored packages."""

    config: Config
    directories: Sequence[Path]

    def of(self, files: Sequence[PythonFile]) -> tuple[list[Package], list[Report]]:
        """The packages that the files import, each once, and what is wrong with them."""
        found: dict[str, Package] = {}
        reports: list[Report] = []
        told: set[str] = set()
        for file, given in ((each, given) for each in files for given in each.imports):
            package = None if self._is_standard(given.top) else self._package(given.top)
            if package is not None and not (given.context.optional and package.source == "missing"):
                found.setdefault(given.top, package)
            # What stands in a try has another way; the rest is told where it is first needed.
            if given.context.optional or given.top in told:
                continue
            told.add(given.top)
            where = file.place(given.node, given.context.function)
            report = self._mistake(package, where) if package else self._standard(given.top, where)
            reports += [report] if report else []
        return list(found.values()), [*reports, *self._native_files()]

    # ---- what an import means ----------------------------------------------------

    def _is_standard(self, top: str) -> bool:
        if top in _SDK and self._sdk_is_outside:
            return False
        return top in _RUNTIME or top in sys.stdlib_module_names or bool(gone(top, (9, 9)))

    def _package(self, top: str) -> Package:
        name = self._distribution(top)
        if self._vendored(top):
            source = "vendored"
        elif top in _SDK:
            source = "declared" if self._uses_pywrangler else "missing"
        elif name in PROVIDED:
            source = "runtime" if name in self._listed or self._needed(name, self._listed) else "missing"
        elif name in self._dependencies or self._needed(name, self._dependencies):
            source = "declared"
        else:
            source = "listed" if name in self._listed else "missing"
        return Package(name, top, source)

    def _distribution(self, top: str) -> str:
        if top in _SDK:
            return "workers-runtime-sdk"
        if top in DISTRIBUTIONS:
            return normalized(DISTRIBUTIONS[top])
        if package_of(top) in self._listed or package_of(top) in PROVIDED:
            return package_of(top)
        installed = self._installed.get(top)
        return normalized(installed[0]) if installed else package_of(top)

    def _vendored(self, top: str) -> bool:
        return any(
            (directory / top).is_dir()
            or (directory / f"{top}.py").is_file()
            or any(directory.glob(f"{top}.*.so"))
            for directory in self.directories
        )

    @staticmethod
    def _needed(name: str, parents: Iterable[str]) -> bool:
        """Whether one of the packages needs this one, as far as installed ones can tell."""
        waiting, seen = list(parents), set()
        while waiting:
            parent = waiting.pop()
            if parent not in seen:
                seen.add(parent)
                children = _needs(parent)
                if name in children:
                    return True
                waiting += children
        return False

    # ---- mistakes ----------------------------------------------------------------

    def _standard(self, module: str, where: Place) -> Report | None:
        """A module of the standard library that the platform's Python does not have."""
        since = gone(module, self._version)
        if since or module in ABSENT_MODULES:
            return explain("stdlib-module-missing", module=module, since=since, where=where)
        return None

    def _mistake(self, package: Package, where: Place) -> Report | None:
        name, module, source = package
        if source in ("vendored", "runtime"):
            return None
        facts: dict[str, Any] = {"module": module, "package": name, "where": where}
        if module in _SDK:
            return explain("sdk-not-vendored", **facts) if source == "missing" else None
        if name in PROVIDED:
            return explain("package-not-listed", **facts)
        if self._is_native(name):
            return explain("package-native", **facts)
        if source == "missing":
            return explain("package-not-uploaded", installed=module in self._installed, **facts)
        return explain("package-not-vendored", **facts) if source == "listed" else None

    def _is_native(self, name: str) -> bool:
        """Whether the package has code for a machine, and Pyodide has no build of it."""
        if name in BUILT or name.removesuffix("-headless") in BUILT or name in PROVIDED:
            return False
        try:
            wheel = importlib.metadata.distribution(name).read_text("WHEEL") or ""
        except (importlib.metadata.PackageNotFoundError, OSError, ValueError):
            return False
        return "root-is-purelib: false" in wheel.lower()

    def _native_files(self) -> Iterator[Report]:
        """Vendored packages with code for this machine, once each."""
        found: dict[str, list[Path]] = {}
        for directory in self.directories:
            for path in sorted(directory.rglob("*")):
                if path.suffix in _NATIVE_SUFFIXES and _is_for_a_machine(path):
                    name = package_of(path.relative_to(directory).parts[0])
                    found.setdefault(name, []).append(path)
        for name, paths in found.items():
            more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
            file = paths[0].name + more
            where = Place(str(paths[0]))
            yield explain("package-native", where=where, package=name, file=file, vendored=True)

    # ---- what the project says ---------------------------------------------------

    @cached_property
    def _dependencies(self) -> frozenset[str]:
        return frozenset(dependencies(self.config.root))

    @cached_property
    def _listed(self) -> frozenset[str]:
        return self._dependencies.union(requirements(self.config.root))

    @cached_property
    def _installed(self) -> Mapping[str, Sequence[str]]:
        """Top-level module -> the distributions of the running Python that have it."""
        found = importlib.metadata.packages_distributions()
        # A damaged installation may have no name.
        return {module: named for module, names in found.items() if (named := [n for n in names if n])}

    @property
    def _uses_pywrangler(self) -> bool:
        return (self.config.root / "pyproject.toml").is_file()

    @property
    def _sdk_is_outside(self) -> bool:
        on, off, date = _SDK_OUTSIDE
        flags = self.config.compatibility_flags
        return off not in flags and (on in flags or self.config.compatibility_date >= date)

    @property
    def _version(self) -> tuple[int, int]:
        """The CPython of production for this project."""
        flags = self.config.compatibility_flags
        if any(f"python_workers_{name}" in flags for name in ("20260610", "20260817", "development")):
            return 3, 14
        newer = self.config.compatibility_date >= "2025-09-29" or "python_workers_20250116" in flags
        return (3, 13) if newer and "disable_python_workers_20250116" not in flags else (3, 12)


def _needs(name: str) -> list[str]:
    """The packages that an installed distribution requires, normalized."""
    try:
        listed = importlib.metadata.requires(name) or []
    except (importlib.metadata.PackageNotFoundError, OSError, ValueError):
        return []
    plain = [item.partition(";")[0] for item in listed if "extra ==" not in item]
    return [normalized(_head(item)) for item in plain]


def _head(requirement: str) -> str:
    end = next((i for i, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), len(requirement))
    return requirement[:end]


def _is_for_a_machine(path: Path) -> bool:
    """Whether a shared library is anything but WebAssembly."""
    try:
        with path.open("rb") as file:
            return file.read(4) != _WASM
    except OSError:
        return False
