"""How a project is built: the command of its wrangler file, or TinyGo for a Go project."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from emulator.config import Config
from emulator.project.go import (
    WASM,
    has_go_source,
    imported_wasm,
    is_go_project,
    is_go_source,
    newest_go_source,
)
from emulator.project.watch import EDITOR_FILES, is_skipped

TINYGO: Final = "tinygo"


@dataclass(frozen=True)
class Build:
    """One command, what it makes, and which saved files make it necessary again."""

    root: Path
    """The project's directory."""
    command: str
    """As a shell reads it."""
    cwd: Path
    product: Path
    """The file that must be there afterwards."""
    custom: bool
    """The command is the user's own; else it is TinyGo, which may not be installed."""
    required: bool
    """Without the product, the Worker cannot run."""
    watched: tuple[Path, ...] = ()
    """Files and directories whose change runs the command again."""
    go: bool = False
    """Go sources below ``root`` run it again, too."""

    def wants(self, path: Path) -> bool:
        """Whether a saved (or removed) file makes a build necessary."""
        path = Path(os.path.abspath(path))
        if EDITOR_FILES.fullmatch(path.name):
            return False
        if self.go and is_go_source(path) and _below(path, self._roots):
            return True
        return _below(path, self._watched)

    @cached_property
    def _roots(self) -> tuple[Path, ...]:
        return tuple({self.root, self.root.resolve()})

    @cached_property
    def _watched(self) -> tuple[Path, ...]:
        """As named and, where links lead to them, as they really are."""
        return tuple({base for directory in self.watched for base in (directory, directory.resolve())})

    def is_due(self) -> bool:
        """Whether the project must be built before it is first served.

        A command of the user's runs always, as in wrangler. TinyGo runs when the product is missing or older
        than a source.
        """
        return self.custom or not self.product.exists() or self.stale_by() > 0

    def stale_by(self) -> float:
        """How many seconds the newest Go source is newer than the product; negative when it is older."""
        try:
            return newest_go_source(self.root)[0] - self.product.stat().st_mtime
        except OSError:
            return 0.0


def build_of(config: Config, main: Path) -> Build | None:
    """The build of a project with this entry point; None when it is served from its sources as they are."""
    root = config.root
    go = is_go_project(root) and has_go_source(root) and main.suffix in (".js", ".mjs", ".wasm")
    command = config.build.get("command")
    if isinstance(command, str) and command.strip():
        cwd = Path(os.path.normpath(root / str(config.build.get("cwd") or "")))
        return Build(root, command, cwd, main, True, True, _watched(root, config.build), go)
    if not go:
        return None
    imported = None if main.suffix == ".wasm" else imported_wasm(main)
    product = main if main.suffix == ".wasm" else imported or root / WASM
    required = main.suffix == ".wasm" or imported is not None
    return Build(root, tinygo_command(root, product), root, product, False, required, go=True)


def tinygo_command(root: Path, product: Path) -> str:
    """The guide's command, with the name of what it makes."""
    name = shlex.quote(Path(os.path.relpath(product, root)).as_posix())
    return f"{TINYGO} build -o {name} -target wasm-unknown ./..."


def _watched(root: Path, build: Mapping[str, Any]) -> tuple[Path, ...]:
    """``watch_dir``: relative to the wrangler file, ``./src`` when it is not given, as in wrangler."""
    given = build.get("watch_dir") or "./src"
    names = [name for name in ([given] if isinstance(given, str) else given) if "\0" not in name]
    return tuple(Path(os.path.normpath(root / _without_glob(name))) for name in names)


def _without_glob(name: str) -> str:
    """The directory that a pattern such as ``src/**/*.go`` begins with."""
    first = re.search(r"[*?{\[]", name)
    return name if first is None else name[: first.start()].rpartition("/")[0] or "."


def _below(path: Path, bases: tuple[Path, ...]) -> bool:
    return any(
        path == base or (path.is_relative_to(base) and not is_skipped(path.relative_to(base)))
        for base in bases
    )
