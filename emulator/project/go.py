"""Go projects: what makes one, its sources, and the WebAssembly that they become."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from emulator.project.watch import SKIPPED_DIRECTORIES

WASM: Final = "worker.wasm"
BRIDGE: Final = "worker.js"
"""The two files of the guide's shape: the compiled program, and the JavaScript that calls it."""

_MODULE_FILES: Final = ("go.mod", "go.sum")
_WASM_IMPORT: Final = r"""^[ \t]*import\b[^"'`;]{0,500}["'](\.{1,2}/[^"'\n]{1,500}\.wasm)(?:\?module)?["']"""
"""Compiled when it is needed: most projects are not Go's."""
_READ_BYTES: Final = 1_000_000


def is_go_project(root: Path) -> bool:
    """Whether ``root`` holds ``go.mod`` beside Go source or a compiled ``worker.wasm``."""
    return (root / "go.mod").is_file() and (has_go_source(root) or (root / WASM).is_file())


def has_go_source(root: Path) -> bool:
    """Whether there is anything to compile in ``root`` itself."""
    try:
        names = os.listdir(root)
    except OSError:
        return False
    return any(name.endswith(".go") and not name.endswith("_test.go") for name in names)


def is_go_source(path: Path) -> bool:
    """Whether saving the file may change what the compiler makes."""
    return (path.suffix == ".go" and not path.name.endswith("_test.go")) or path.name in _MODULE_FILES


def newest_go_source(root: Path) -> tuple[float, Path | None]:
    """The latest time of a change (``st_mtime``) among the Go sources below ``root``, and whose it is."""
    newest: tuple[float, Path | None] = (0.0, None)
    for path in go_sources(root):
        try:
            changed = path.stat().st_mtime
        except OSError:
            continue
        if changed > newest[0]:
            newest = (changed, path)
    return newest


def imported_wasm(script: Path) -> Path | None:
    """The one ``.wasm`` file that a JavaScript module imports by a relative path; None: none, or several."""
    try:
        with script.open("rb") as file:
            text = file.read(_READ_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    found = {os.path.normpath(script.parent / name) for name in re.findall(_WASM_IMPORT, text, re.MULTILINE)}
    return Path(found.pop()) if len(found) == 1 else None


def go_sources(root: Path) -> Iterator[Path]:
    """Everything below ``root`` that a compiler of Go would read, in no order."""
    for directory, names, files in os.walk(root):
        # The go command, too, passes over directories that begin with a dot or an underscore.
        names[:] = [n for n in names if n not in SKIPPED_DIRECTORIES and not n.startswith((".", "_"))]
        yield from (path for name in files if is_go_source(path := Path(directory, name)))
