"""Mistakes in using a WebAssembly module from JavaScript: its imports, and exports that it lacks."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final, NamedTuple

from emulator.diagnostics.go_exports import find_export_mistakes
from emulator.diagnostics.go_targets import build_target
from emulator.diagnostics.report import Place

from ..direct.go_source import GoSource
from ..wasm.sections import Sections, read
from .source import Source

_LINK: Final = re.compile(
    r'WebAssembly\.(?:instantiate|Instance)\(\): (?:Import #\d+ "(?P<module>.*?)"|Imports argument)',
    re.DOTALL,
)
_IMPORTED: Final = re.compile(
    r"""\bimport\s+(?P<name>[\w$]+)\s+from\s*(?P<quote>["'])(?P<path>[^"'\n]+\.wasm)"""
)
_CALLED: Final = re.compile(r"(?P<callee>[\w$.]+) is not a function")
_LISTED: Final = 12
_LARGEST: Final = 64 * 1024 * 1024
"""Bytes; larger modules are not looked into."""


class WasmFile(NamedTuple):
    """A ``.wasm`` that a file imports, and under which name."""

    path: str
    shown: str
    name: str
    sections: Sections


def wasm_files(file: str, source: Source) -> list[WasmFile]:
    """The modules that ``file`` imports and that can be read."""
    text = source.text.decode("utf-8", "replace")
    found = []
    for match in _IMPORTED.finditer(text):
        path = Path(file).parent / match["path"]
        try:
            if path.stat().st_size <= _LARGEST:
                sections = read(path.read_bytes())
                found.append(WasmFile(str(path), os.path.basename(path), match["name"], sections))
        except (OSError, IndexError, ValueError):
            continue
    return found


def imports_mistake(message: str, file: str, source: Source) -> dict[str, Any] | None:
    """The facts of ``js-wasm-imports``."""
    found = _LINK.match(message)
    if found is None:
        return None
    wanted = found["module"]
    for wasm in wasm_files(file, source):
        imports = [(each.module, each.name) for each in wasm.sections.imports]
        if wanted is None or any(module == wanted for module, _ in imports):
            names = _listed([f"{module}.{name}" for module, name in imports])
            functions = [
                (each.module, each.name) for each in wasm.sections.imports if each.kind == "function"
            ]
            return {
                "file": wasm.shown,
                "module": wasm.name,
                "imports": names,
                "target": build_target(imports),
                "functions": functions[:_LISTED],
            }
    return None


def export_mistake(message: str, file: str, source: Source) -> tuple[dict[str, Any], Place | None] | None:
    """The facts of ``js-wasm-export``, and the line of the Go source that fails to export the function."""
    found = _CALLED.fullmatch(message)
    if found is None:
        return None
    owner, _, name = found["callee"].rpartition(".")
    if not owner.endswith("exports") and (owner or not _taken_from_exports(name, source)):
        return None
    files = wasm_files(file, source)
    if not files or any(export.name == name for wasm in files for export in wasm.sections.exports):
        return None
    wasm = files[0]
    go = GoSource([os.path.dirname(wasm.path)])
    place, kind = _go_mistake(go, name)
    declared = go.function(name)
    names = [export.name for export in wasm.sections.exports]
    facts = {
        "file": wasm.shown,
        "name": name,
        "present": _listed(names) or "nothing",
        "mistake": kind,
        "declared": declared.source if declared is not None else "",
        "stale": bool(declared and not kind),
        "similar": next((each for each in names if each.lower() == name.lower()), ""),
    }
    return facts, place


def _taken_from_exports(name: str, source: Source) -> bool:
    """Whether the file has ``const { name } = instance.exports``."""
    text = source.text.decode("utf-8", "replace")
    pattern = rf"\{{[^{{}}]*(?<![\w$]){re.escape(name)}(?![\w$])[^{{}}]*\}}\s*=[^;\n]*\bexports\b"
    return re.search(pattern, text) is not None


def _go_mistake(go: GoSource, name: str) -> tuple[Place | None, str]:
    for path, text in go.files.items():
        for mistake in find_export_mistakes(text, [name]):
            line = text.split("\n")[mistake.line - 1].rstrip("\r")
            return Place(path, mistake.line, 1, source=line), mistake.kind
    return None, ""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
