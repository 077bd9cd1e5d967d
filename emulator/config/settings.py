"""``cfw-emu.toml``: the emulator's own settings of a project, beside its wrangler file.

Wrangler never reads it, so a wrangler file stays what the platform understands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emulator.config.document import Document, Unreadable, read_document
from emulator.config.keys import KEYS
from emulator.config.model import ConfigError
from emulator.config.words import close_matches, show
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

SETTINGS_NAME: Final = "cfw-emu.toml"

SETTINGS: Final[Mapping[str, str]] = {"limits": "free"}
"""Each key, and an example of its value."""


@dataclass(frozen=True)
class Settings:
    """The settings of one project; ``None``: not given."""

    path: Path
    """Where the file is, or would be."""
    limits: str | None = None
    """The name of a plan, or the path of a file of limits, relative to this one."""
    limits_place: Place | None = None
    warnings: tuple[Report, ...] = ()


def load_settings(root: Path) -> Settings:
    """The settings of the project in ``root``; all defaults without a file. Raises ``ConfigError``."""
    path = root / SETTINGS_NAME
    if not path.exists():
        return Settings(path)
    try:
        document = read_document(path)
    except Unreadable as error:
        raise ConfigError([error.report]) from error
    warnings = tuple(_unknown(document, key) for key in document.data if key not in SETTINGS)
    value = document.data.get("limits")
    if value is not None and not isinstance(value, str):
        raise ConfigError([_not_text(document, value), *warnings])
    return Settings(path, value, document.value_place("limits"), warnings)


def _not_text(document: Document, value: object) -> Report:
    fix = 'limits = "free"'
    if isinstance(value, Mapping):
        fix = 'limits = "limits.toml"\n\nand the numbers in that file (docs/limits.md).'
    return explain(
        "config-wrong-type",
        key="limits",
        expected="text: the name of a plan, or the path of a file",
        value=show(value),
        fix=fix,
        where=document.value_place("limits"),
    )


def _unknown(document: Document, key: str) -> Report:
    near = close_matches(key.lower().replace("-", "_"), list(SETTINGS))
    if near:
        suggestion = f'Did you mean "{near[0]}"?'
    elif key in KEYS:
        suggestion = f'"{key}" belongs in the wrangler file.'
    else:
        suggestion = f"Remove it. The keys are: {', '.join(SETTINGS)}"
    where = document.key_place(key)
    return explain("settings-unknown-key", key=key, suggestion=suggestion, where=where)
