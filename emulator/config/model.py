"""What a wrangler file says, for one environment, as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.config.document import Document
from emulator.config.keys import KEYS
from emulator.diagnostics.report import Place, Report


class ConfigError(Exception):
    """The wrangler file cannot be used; ``reports`` holds all its mistakes, errors first, then warnings."""

    def __init__(self, reports: list[Report]) -> None:
        super().__init__("\n".join(report.what for report in reports if report.severity == "error"))
        self.reports = reports


@dataclass(frozen=True)
class Config:
    """A checked wrangler file, with the environment's inheritance and the local variables applied.

    https://developers.cloudflare.com/workers/wrangler/configuration/
    """

    path: Path
    """The wrangler file, absolute."""
    root: Path
    """Its directory."""
    name: str
    main: Path | None
    """The entry point, absolute, whether it exists or not."""
    compatibility_date: str
    compatibility_flags: tuple[str, ...]
    vars: Mapping[str, Any]
    """JSON values: the file's, then .dev.vars or .env, then the overrides."""
    environment: str | None
    warnings: tuple[Report, ...]
    files: tuple[Path, ...]
    """Every file that was read, or would be if it existed."""
    build: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[Mapping[str, Any], ...] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    dev: Mapping[str, Any] = field(default_factory=dict)
    document: Document | None = field(default=None, repr=False, compare=False)
    """The parsed file, for places."""
    process_vars: frozenset[str] = frozenset()
    """Variables that come from the environment of this process."""
    local_places: Mapping[str, Place | None] = field(default_factory=dict, repr=False, compare=False)
    """Where local files set variables (without the source line, which may be a secret).

    None: the command line or the environment of this process does.
    """

    def key_place(self, key: str) -> Place:
        """Where ``key`` stands: in the environment, else at the top level, else the file as a whole."""
        return self._place(key, value=False)

    def value_place(self, key: str) -> Place:
        """Where the value of ``key`` stands."""
        return self._place(key, value=True)

    def variable_place(self, name: str) -> Place | None:
        """Where the value of a variable comes from; None: from the command line or this process."""
        if name in self.local_places:
            return self.local_places[name]
        own: tuple[str, ...] = ("env", self.environment) if self.environment else ()
        for path in ((*own, "vars", name), ("vars", name)):
            if self.document is not None and path in self.document.marks:
                return self.document.value_place(*path)
        return None

    def has(self, key: str) -> bool:
        """Whether the file gives ``key``, at the top level or in the environment."""
        return self._path(key) is not None

    def effective(self, key: str) -> Any:
        """The value of ``key`` that holds for the environment, as the file has it; None without one."""
        value: Any = self.document.data if self.document else {}
        for part in self.effective_path(key):
            value = value.get(part)
        return value

    def effective_path(self, key: str) -> tuple[str, ...]:
        """Where that value stands or would: in the environment, or at the top level if that is inherited."""
        data = self.document.data if self.document else {}
        environments = data.get("env")
        own = environments.get(self.environment) if isinstance(environments, Mapping) else None
        if isinstance(own, Mapping) and self.environment is not None:
            inherits = key not in KEYS or KEYS[key].scope != "own"
            if own.get(key) is not None or not inherits:
                return ("env", self.environment, key)
        return (key,)

    def _path(self, key: str) -> tuple[str, ...] | None:
        if self.document is None:
            return None
        own = ("env", self.environment, key) if self.environment else (key,)
        return next((path for path in (own, (key,)) if path in self.document.marks), None)

    def _place(self, key: str, value: bool) -> Place:
        path = self._path(key)
        if self.document is None or path is None:
            return Place(str(self.path))
        place = self.document.value_place(*path) if value else self.document.key_place(*path)
        return place or Place(str(self.path))
