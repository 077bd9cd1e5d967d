"""Wrangler's module rules: which imports are files of their own beside the bundle, and which files are added.

https://developers.cloudflare.com/workers/wrangler/configuration/#bundling
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

_DEFAULTS: Final[Sequence[Mapping[str, Any]]] = (
    {"type": "Text", "globs": ["**/*.txt", "**/*.html", "**/*.sql"]},
    {"type": "Data", "globs": ["**/*.bin"]},
    {"type": "CompiledWasm", "globs": ["**/*.wasm", "**/*.wasm?module"]},
)
_JAVASCRIPT: Final = ("ESModule", "CommonJS")
_HIDDEN: Final = ".wrangler"


class Rule(NamedTuple):
    type: str
    globs: Sequence[str]

    @property
    def is_javascript(self) -> bool:
        return self.type in _JAVASCRIPT


class Rules(NamedTuple):
    """The rules of a project with wrangler's own behind them."""

    used: Sequence[Rule]
    ignored: Sequence[Rule]
    """Those behind one of the same type that does not say ``fallthrough``."""


def rules_of(own: Sequence[Mapping[str, Any]]) -> Rules:
    """``own``: the ``rules`` of a wrangler file."""
    used: list[Rule] = []
    ignored: list[Rule] = []
    ended: set[str] = set()
    for rule in (*own, *_DEFAULTS):
        (ignored if rule["type"] in ended else used).append(Rule(rule["type"], rule["globs"]))
        if not rule.get("fallthrough"):
            ended.add(rule["type"])
    return Rules(used, ignored)


def import_pattern(glob: str) -> str:
    """A regular expression, Python's or Go's, for the text of imports: ``*`` is any characters."""
    return f"^{'.*'.join(map(re.escape, re.split(r'[*]+', glob)))}$"


def path_pattern(glob: str) -> re.Pattern[str]:
    """The same for paths of files: only ``**`` reaches across directories."""
    parts: list[str] = []
    for part in re.split(r"((?:^|(?<=/))\*{2,}(?:/|$)|\*+)", glob):
        if part.startswith("**") and (part.endswith("/") or glob.endswith(part)):
            parts.append(r"(?:[^/]*(?:/|$))*")
        else:
            parts.append("[^/]*" if part.startswith("*") else re.escape(part))
    return re.compile("".join(parts), re.DOTALL)


def additional_modules(root: Path, entry: Path, config: Path, rules: Rules) -> dict[str, str]:
    """Files below ``root`` that rules make modules (``find_additional_modules``), by name: absolute path.

    In wrangler's order, without the entry point and the wrangler file.
    """
    globs = [path_pattern(glob) for rule in rules.used for glob in rule.globs]
    found: dict[str, str] = {}
    for path in _files(str(root), str(root / _HIDDEN)):
        name = os.path.relpath(path, root).replace(os.sep, "/")
        if path not in (str(entry), str(config)) and any(glob.fullmatch(name) for glob in globs):
            found[name] = path
    return found


def _files(directory: str, hidden: str) -> Iterator[str]:
    try:
        with os.scandir(directory) as scanned:
            entries = sorted(scanned, key=lambda entry: os.fsencode(entry.name))
    except OSError:
        return
    for entry in entries:
        # Links to directories are not followed: wrangler's own walk takes them for files.
        if not entry.is_dir(follow_symlinks=False):
            if entry.is_file():
                yield entry.path
        elif entry.path != hidden:
            yield from _files(entry.path, hidden)
