"""Why a build failed, from the output of its command."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.project.build import Build

_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f]")
_PLACES: Final = (
    # Go, esbuild, gcc: ./main.go:12:3: undefined: x
    re.compile(r"^\s*(?:vet: |error: )?(?P<file>[^\s:][^:]*?\.\w{1,6}):(?P<line>\d+)(?::(?P<column>\d+))?"),
    # tsc: src/index.ts(12,3): error TS2304: ...
    re.compile(r"^\s*(?P<file>[^\s(][^(]*?\.\w{1,6})\((?P<line>\d+),(?P<column>\d+)\):"),
    # rustc: --> src/lib.rs:12:3
    re.compile(r"^\s*(?:-->|at)\s+(?P<file>[^:]+?\.\w{1,6}):(?P<line>\d+)(?::(?P<column>\d+))?"),
)
_CONSTRAINTS: Final = "build constraints exclude all Go files"
_NOT_FOUND: Final = (
    re.compile(r"command not found: (?P<program>[\w./+-]+)\s*$"),
    re.compile(r"(?:^|[:\s])(?P<program>[\w./+-]+): (?:command )?not found\s*$"),
    re.compile(r"^make(?:\[\d+\])?: (?P<program>[\w./+-]+): No such file or directory\s*$"),
    re.compile(r"^env: [‘'\"]?(?P<program>[\w.+-]+)[’'\"]?: No such file or directory\s*$"),
)
_GO_VERSION: Final = re.compile(
    r"requires go version (?P<from>\S+) through (?P<to>[^\s,]+), got (?P<got>\S+)"
)
_TAIL_LINES: Final = 12
_TAIL_CHARS: Final = 240
_SOURCE_BYTES: Final = 4_000_000


def is_telling(line: str) -> bool:
    """Whether a line of output may say what is wrong and where; such lines are kept however much follows."""
    text = _ANSI.sub("", line)
    return (
        _CONSTRAINTS in text
        or any(pattern.match(text) for pattern in (*_PLACES, *_NOT_FOUND[2:]))
        or ("not found" in text and any(pattern.search(text) for pattern in _NOT_FOUND[:2]))
        or _GO_VERSION.search(text) is not None
    )


def failure(build: Build, status: int, telling: list[str], last: list[str]) -> Report:
    """The report of a command that ended with ``status`` (negative: by that signal) and this output."""
    telling = [_ANSI.sub("", line).strip() for line in telling]
    facts: dict[str, Any] = {
        "command": build.command,
        "status": _status(status),
        "output": _tail(last),
    }
    if constrained := next((line for line in telling if _CONSTRAINTS in line), None):
        return explain("go-build-constraints", exception=constrained, **facts)
    if version := next((match for line in telling if (match := _GO_VERSION.search(line))), None):
        facts |= version.groupdict()
        return explain("tinygo-go-version", exception=version[0], **facts)
    if program := _missing_program(telling):
        return explain("build-program-missing", program=program, **facts)
    where, text = _first_error(build, telling)
    return explain("build-failed", exception=text, where=where, spot=_spot(where, build), **facts)


def _missing_program(lines: list[str]) -> str:
    for line in lines:
        for pattern in _NOT_FOUND:
            if match := pattern.search(line):
                return Path(match["program"]).name
    return ""


def _first_error(build: Build, lines: list[str]) -> tuple[Place | None, str]:
    """The place and the line of the first error that is in a file which exists."""
    for line in lines:
        if "warning" in line.lower():
            continue
        for match in filter(None, (pattern.match(line) for pattern in _PLACES)):
            for base in (build.cwd, build.root):
                path = base / match["file"].strip()
                if place := _place(path, int(match["line"]), int(match["column"] or 0)):
                    return place, line
    return None, ""


def _place(path: Path, line: int, column: int) -> Place | None:
    try:
        if not path.is_file() or path.stat().st_size > _SOURCE_BYTES:
            return None
        lines = path.read_bytes().split(b"\n")
    except (OSError, ValueError):
        return None
    raw = lines[line - 1].rstrip(b"\r") if 0 < line <= len(lines) else b""
    if path.suffix == ".go" and column:
        # The Go compilers count bytes.
        column = len(raw[: column - 1].decode("utf-8", "ignore")) + 1
    return Place(str(path), line, column, "", raw.decode("utf-8", "replace"))


def _spot(where: Place | None, build: Build) -> str:
    if where is None:
        return "what the output names"
    path = Path(where.file)
    name = path.relative_to(build.root) if path.is_relative_to(build.root) else path
    return f"{name}:{where.line}"


def _tail(lines: list[str]) -> str:
    return "\n".join(_shortened(lines)) or "(It printed nothing.)"


def _shortened(lines: list[str]) -> Iterator[str]:
    for line in lines[-_TAIL_LINES:]:
        text = _ANSI.sub("", line).rstrip()
        yield text if len(text) <= _TAIL_CHARS else text[: _TAIL_CHARS - 1] + "…"


def _status(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
