"""Reports of what goes wrong in a Worker without JavaScript. The texts are in ``known_direct``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.go_exports import find_export_mistakes
from emulator.diagnostics.go_targets import build_target
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

from . import adapter
from .abi import Export, Missing, Mistyped
from .backtrace import Frame
from .content import InvalidHeader
from .go_source import GoSource, plain_name
from .instance import OutOfBounds, Trapped

_V8_TRAPS: Final[Mapping[str, str]] = {
    "UNREACHABLE": "RuntimeError: unreachable",
    "MEMORY_OUT_OF_BOUNDS": "RuntimeError: memory access out of bounds",
    "STACK_OVERFLOW": "RangeError: Maximum call stack size exceeded",
    "INTEGER_DIVISION_BY_ZERO": "RuntimeError: divide by zero",
    "INTEGER_OVERFLOW": "RuntimeError: divide result unrepresentable",
    "BAD_CONVERSION_TO_INTEGER": "RuntimeError: float unrepresentable in integer range",
    "TABLE_OUT_OF_BOUNDS": "RuntimeError: table index is out of bounds",
    "INDIRECT_CALL_TO_NULL": "RuntimeError: null function or function signature mismatch",
    "BAD_SIGNATURE": "RuntimeError: null function or function signature mismatch",
    "NULL_REFERENCE": "RuntimeError: dereferencing a null pointer",
    "CAST_FAILURE": "RuntimeError: illegal cast",
    "ARRAY_OUT_OF_BOUNDS": "RuntimeError: array element access out of bounds",
    "ALLOCATION_TOO_LARGE": "RuntimeError: requested new array is too large",
    "HEAP_MISALIGNED": "RuntimeError: operation does not support unaligned accesses",
}
"""wasmtime's trap codes -> what V8 says."""

_FULL_BYTES: Final = 120 * 1024 * 1024
_LISTED: Final = 40
_LISTED_LENGTH: Final = 200

_RESPONSE_EXPORTS: Final = {
    adapter.RESPONSE_FAULT: ("responsePtr", "responseLen"),
    adapter.HEADERS_FAULT: ("responseHeadersPtr", "responseHeadersLen"),
}


class DirectExplainer:
    """Makes the reports of one Worker."""

    def __init__(self, root: str, main: str) -> None:
        self.main = main
        self.shown = os.path.relpath(main, root) if main.startswith(root) else main
        """How messages call the file."""
        self._directories = (os.path.dirname(main), root)
        self._source: GoSource | None = None

    def _go(self) -> GoSource:
        if self._source is None:
            self._source = GoSource(self._directories)
        return self._source

    # ---- loading ------------------------------------------------------------

    def load_failure(self, code: str, **facts: Any) -> Report:
        """A report about the file itself."""
        return explain(code, where=Place(self.main), file=self.shown, **facts)

    def imports(self, imports: list[tuple[str, str]]) -> Report:
        """The module wants ``(module, name)`` imports, and there are none."""
        names = _shortened([f"{module}.{name}" for module, name in imports])
        return self.load_failure("direct-wasm-imports", imports=names, target=build_target(imports))

    def missing(self, missing: Missing, exports: Mapping[str, Export]) -> Report:
        """Exports of the ABI are not there; looks into the Go source for the reason."""
        place, kind = self._export_mistake(missing.names)
        stale = [name for name in missing.names if not kind and self._go().function(name)]
        return explain(
            "direct-export-missing",
            where=place or Place(self.main),
            file=self.shown,
            missing=_list(missing.names),
            names=missing.names,
            present=_shortened([f"{name} {export}" for name, export in exports.items()]),
            mistake=kind,
            stale=", ".join(stale),
            near="" if place else _near(missing.names, exports),
        )

    def mistyped(self, mistyped: Mistyped) -> Report:
        """An export of the ABI has another type."""
        return explain(
            "direct-export-mistyped",
            where=self._go().function(mistyped.name) or Place(self.main),
            file=self.shown,
            name=mistyped.name,
            names=[mistyped.name],
            found=str(mistyped.found),
            wanted=mistyped.wanted,
        )

    def start_failure(self, trapped: Trapped, during: str) -> Report:
        """``_initialize``, ``_start`` or the module's start function trapped."""
        return self._trap("direct-start-failed", trapped, during, "", file=self.shown)

    # ---- requests -----------------------------------------------------------

    def trap(self, trapped: Trapped, event: str) -> Report:
        """A request made the module trap."""
        during = plain_name(trapped.frames[-1].function) if trapped.frames else "handle"
        return self._trap("direct-trap", trapped, during, event)

    def _trap(self, code: str, trapped: Trapped, during: str, event: str, **facts: Any) -> Report:
        places = _without_repetition([self._place(frame) for frame in reversed(trapped.frames)])
        # The innermost that is the user's: what fails in a library is called from there.
        where = next((place for place in reversed(places) if place.source), None)
        if where is None:
            where = self._go().function(during)
        if where is None:
            where = places[-1] if places else Place(self.main, function=plain_name(during))
        return explain(
            code,
            where=where,
            frames=places,
            exception=_V8_TRAPS.get(trapped.code) or f"RuntimeError: {_words(trapped.code)}",
            event=event,
            trap=trapped.code,
            during=during,
            memory=trapped.memory // (1024 * 1024),
            full=trapped.memory >= _FULL_BYTES and trapped.code == "UNREACHABLE",
            **facts,
        )

    def _place(self, frame: Frame) -> Place:
        """Only places in the user's own files have their source line."""
        name = plain_name(frame.function)
        if frame.line:
            path, source = self._go().line(frame.file, frame.line, name)
            return Place(path, frame.line, frame.column, name, source)
        return self._go().function(name) or Place(self.main, function=name)

    def out_of_bounds(self, wrong: OutOfBounds, event: str) -> Report:
        """The module named a place outside of its memory."""
        if wrong.fault == adapter.ALLOC_FAULT:
            return explain(
                "direct-alloc-out-of-bounds",
                where=self._go().function("alloc") or Place(self.main, function="alloc"),
                exception="RangeError: offset is out of bounds",
                event=event,
                names=["alloc"],
                pointer=wrong.pointer,
                length=wrong.length,
                memory=wrong.memory,
            )
        pointer_name, length_name = _RESPONSE_EXPORTS[wrong.fault]
        problem = f"Invalid typed array length: {wrong.length}"
        if wrong.pointer > wrong.memory:
            problem = f"Start offset {wrong.pointer} is outside the bounds of the buffer"
        return explain(
            "direct-response-out-of-bounds",
            where=self._go().function(length_name) or Place(self.main, function=length_name),
            exception=f"RangeError: {problem}",
            event=event,
            names=[pointer_name, length_name],
            pointer_name=pointer_name,
            length_name=length_name,
            pointer=wrong.pointer,
            length=wrong.length,
            memory=wrong.memory,
        )

    def status(self, status: int, event: str) -> Report:
        """A status that no response can have."""
        return explain(
            "direct-status",
            where=self._go().function("getStatus") or Place(self.main, function="getStatus"),
            exception="RangeError: Responses may only be constructed with status codes in the range "
            "200 to 599, inclusive.",
            event=event,
            status=status,
        )

    def header(self, invalid: InvalidHeader, event: str) -> Report:
        """A line of response headers that is none."""
        name = "responseHeadersPtr"
        line = invalid.line if len(invalid.line) <= 100 else invalid.line[:100] + "..."
        return explain(
            "direct-header-invalid",
            where=self._go().function(name) or Place(self.main, function=name),
            exception="TypeError: Invalid header value."
            if "value" in invalid.problem
            else "TypeError: Invalid header name.",
            event=event,
            line=repr(line),
            problem=invalid.problem,
        )

    # ---- the Go source ------------------------------------------------------

    def _export_mistake(self, names: list[str]) -> tuple[Place | None, str]:
        """The first line of the Go source that fails to export one of ``names``, and the kind of mistake."""
        for path, text in self._go().files.items():
            for mistake in find_export_mistakes(text, names):
                lines = text.splitlines()
                source = lines[mistake.line - 1] if mistake.line <= len(lines) else ""
                return Place(path, mistake.line, 1, source=source), mistake.kind
        return None, ""


def _shortened(items: list[str]) -> str:
    more = f" and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
    return ", ".join(item[:_LISTED_LENGTH] for item in items[:_LISTED]) + more or "no exports at all"


def _without_repetition(places: list[Place]) -> list[Place]:
    """A recursion, told twice."""
    return [place for at, place in enumerate(places) if at < 2 or places[at - 2 : at] != [place, place]]


def _words(code: str) -> str:
    return code.replace("_", " ").lower() or "wasm trap"


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _near(missing: list[str], exports: Mapping[str, Export]) -> str:
    """What the exports tell about how the module is meant to be used."""
    lower = {name.lower(): name for name in exports}
    similar = [f"{lower[name.lower()]} is not {name}" for name in missing if name.lower() in lower]
    if similar:
        return f"Upper and lower case matter: {', '.join(similar)}."
    if "handle" in missing and ("_start" in exports or "main" in exports):
        return "It looks like a program that runs once: main() is not called for requests, exports are."
    if "handle" in missing and "fetch" in lower:
        return "A request is handled by the export `handle`, not by `fetch`."
    return ""
