"""npm packages on disk: what their ``package.json`` says about entry points.

https://nodejs.org/api/packages.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

CONDITIONS: Final = ("workerd", "worker", "browser", "import", "default")
"""What wrangler's bundling takes of conditional exports."""

_MAIN_FIELDS: Final = ("browser", "module", "main")
"""esbuild's order for the platform "browser", which wrangler builds for."""


class Package(NamedTuple):
    """One directory with a ``package.json``, or without one."""

    directory: str
    data: dict[str, Any]
    broken: str = ""
    """Why ``package.json`` cannot be read."""

    @classmethod
    def read(cls, directory: str) -> Package:
        try:
            with open(os.path.join(directory, "package.json"), encoding="utf-8-sig") as file:
                data = json.load(file)
        except (FileNotFoundError, NotADirectoryError):
            return cls(directory, {})
        except (OSError, ValueError, RecursionError) as error:
            return cls(directory, {}, str(error))
        if not isinstance(data, dict):
            return cls(directory, {}, "not a JSON object")
        return cls(directory, data)

    @property
    def name(self) -> str:
        name = self.data.get("name")
        return name if isinstance(name, str) else os.path.basename(self.directory)

    @property
    def exports(self) -> Any:
        """``exports``, or None: then any file of the package can be imported."""
        return self.data.get("exports")

    def entries(self) -> Iterator[str]:
        """What stands for the whole package where there are no ``exports``, in order."""
        renamed = self.data.get("browser")
        for field in _MAIN_FIELDS:
            entry = self.data.get(field)
            if isinstance(entry, str) and entry:
                if isinstance(renamed, dict):
                    bare = entry.removeprefix("./")
                    entry = next((v for k in (entry, bare, f"./{bare}") if (v := renamed.get(k))), entry)
                if isinstance(entry, str):
                    yield entry

    def exported(self, subpath: str) -> str | None:
        """The file of ``subpath`` ("." or "./x"), relative to the package; None when it is not exported."""
        exports = self.exports
        if not (isinstance(exports, dict) and any(key.startswith(".") for key in exports)):
            exports = {".": exports}
        return _inside(_match(exports, subpath))

    def imported(self, name: str) -> str | None:
        """What the package's own ``#name`` stands for: a file, or another package."""
        imports = self.data.get("imports")
        return _match(imports, name) if isinstance(imports, dict) else None

    def offered(self) -> list[str]:
        """The subpaths that are exported, as specifiers."""
        exports = self.exports
        if not (isinstance(exports, dict) and any(key.startswith(".") for key in exports)):
            return [self.name]
        return [self.name + key[1:] for key in exports if key.startswith(".")]


def _inside(target: str | None) -> str | None:
    if target is None or not target.startswith("./") or ".." in target.split("/"):
        return None
    return target


def _match(table: dict[str, Any], key: str) -> str | None:
    """Exact keys first, then the pattern ("./lib/*") with the longest beginning."""
    if key in table and "*" not in key:
        return _target(table[key], "")
    best, filling = "", ""
    for pattern in table:
        before, star, after = pattern.partition("*")
        fits = (
            star
            and key.startswith(before)
            and key.endswith(after)
            and len(key) > len(before) + len(after) - 1
        )
        if fits and len(before) >= len(best.partition("*")[0]):
            best, filling = pattern, key[len(before) : len(key) - len(after)]
    return _target(table[best], filling) if best else None


def _target(value: Any, filling: str, depth: int = 0) -> str | None:
    if depth > 20:
        return None
    if isinstance(value, str):
        return value.replace("*", filling) if filling else value
    if isinstance(value, list):
        return next((found for item in value if (found := _target(item, filling, depth + 1))), None)
    if isinstance(value, dict):
        for condition, inner in value.items():
            if condition in CONDITIONS and (found := _target(inner, filling, depth + 1)):
                return found
    return None


def package_name(specifier: str) -> tuple[str, str]:
    """``@scope/name/sub`` -> (``@scope/name``, ``./sub``); the package itself is ``.``."""
    parts = specifier.split("/")
    size = 2 if specifier.startswith("@") and len(parts) > 1 else 1
    rest = "/".join(parts[size:])
    return "/".join(parts[:size]), f"./{rest}" if rest else "."


def node_modules(directory: str) -> Iterator[str]:
    """The ``node_modules`` directories that a file in ``directory`` may import from, nearest first."""
    while True:
        if os.path.basename(directory) != "node_modules":
            place = os.path.join(directory, "node_modules")
            if os.path.isdir(place):
                yield place
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent


def nearest_package(directory: str) -> Package | None:
    """The package that files in ``directory`` belong to."""
    while os.path.basename(directory) != "node_modules":
        if os.path.isfile(os.path.join(directory, "package.json")):
            return Package.read(directory)
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return None
