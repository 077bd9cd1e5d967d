"""Which files of a project matter to the running Worker."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

SKIPPED_DIRECTORIES: Final = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        "__pycache__",
        ".venv",
        "venv",
        ".venv-workers",
        ".cfw-emu",
        ".wrangler",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".idea",
        ".vscode",
    }
)
"""Directories whose files never make a Worker."""

MODULE_SUFFIXES: Final = frozenset(
    {".py", ".txt", ".html", ".sql", ".bin", ".json", ".jsonc", ".wasm", ".js", ".mjs", ".cjs", ".pth"}
)
"""Code, and the text and data modules of wrangler's default rules."""

_SETTINGS: Final = re.compile(r"cfw-emu\.toml|wrangler\.(toml|jsonc?)|\.dev\.vars(\..+)?|\.env(\..+)?")
EDITOR_FILES: Final = re.compile(
    r"4913|.*~|.*\.sw[a-z]|\.#.*|#.*#|.*\.tmp|.*\.bak|.*___jb_(tmp|old)___|\.goutputstream-.*|.*\.part|.*\.crdownload"
)


def is_skipped(relative: PurePath) -> bool:
    """Whether a path, relative to the project, lies in a directory that is never watched."""
    return any(part in SKIPPED_DIRECTORIES for part in relative.parts[:-1])


def matters_by_name(name: str) -> bool:
    """Whether saving a file of this name must reload the Worker."""
    if EDITOR_FILES.fullmatch(name):
        return False
    return bool(_SETTINGS.fullmatch(name)) or PurePath(name).suffix.lower() in MODULE_SUFFIXES


def glob_pattern(glob: str) -> re.Pattern[str]:
    """What a glob of ``rules`` may mean as a path: ``*`` is any characters, ``/`` included, as in wrangler.

    Wrangler compares with the text of an import, which may begin at any directory.
    """
    parts = re.split(r"\*+", re.sub(r"^(\.{1,2}/)+", "", glob))
    return re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
