"""The languages of entry points: which are served, and what to do about the others."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

Kind = Literal["python", "javascript", "wasm"]

_KINDS: Final[dict[str, Kind]] = {
    ".py": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".wasm": "wasm",
}

_COMPILED: Final = {
    ".ts": "TypeScript",
    ".mts": "TypeScript",
    ".cts": "TypeScript",
    ".tsx": "TypeScript with JSX",
    ".jsx": "JavaScript with JSX",
}


def kind_of(main: Path) -> Kind | None:
    """What the entry point is; None for what is not served."""
    return _KINDS.get(main.suffix.lower())


def refusal(main: str, line: str, build: str, where: Place) -> Report:
    """Why ``main`` is not served; ``line`` names another one, ``build`` is a section that makes it."""
    suffix = Path(main).suffix.lower()
    if suffix in _COMPILED:
        language = _COMPILED[suffix]
        return explain("main-not-compiled", main=main, language=language, line=line, build=build, where=where)
    if suffix == ".go":
        return explain("main-go-source", main=main, line=line, where=where)
    if suffix == ".cjs":
        return explain("main-commonjs", main=main, where=where)
    return explain("main-unknown-language", main=main, suffix=suffix or "no extension", where=where)
