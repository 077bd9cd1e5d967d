"""Errors of JavaScript Workers as reports: V8's words, the user's frames, and which known mistake it is."""

from __future__ import annotations

import itertools
from typing import Any, Final, NamedTuple

from emulator.diagnostics.known import encodable, explain
from emulator.diagnostics.own_files import is_own
from emulator.diagnostics.report import Place, Report
from emulator.wire.frames import Limits

from ..realm.engine import Undefined, Value
from .hints import foreign_hint
from .mistakes import Clues, recognise
from .source import Source, Sources
from .stacks import Frame, parse_stack
from .syntax import syntax_facts
from .v8_messages import pattern_position, v8_message

_FRAMES: Final = 8
"""Frames that a report shows at each end of a deep stack."""

_SAME: Final = 4
"""Frames that a report shows of a function that calls itself at one place."""

_ENGINE_CLASSES: Final = frozenset(
    (
        "EvalError",
        "InternalError",
        "RangeError",
        "ReferenceError",
        "SyntaxError",
        "TypeError",
        "URIError",
    )
)
_LONGEST_LINE: Final = 2000
"""Characters of an exception's text that a report shows."""

_IN_PROMISE: Final = "(in promise) "


class Thrown(NamedTuple):
    """What was thrown, as the engine tells it."""

    is_error: bool
    name: str = ""
    js_class: str = ""
    """The name of its constructor: a class of the program's own is never reworded."""
    message: str = ""
    stack: str = ""
    text: str = ""
    """How a value that is no Error is shown."""
    causes: str = ""
    """``[cause]: Error: why``, a line for each."""


class JsExplainer:
    """Makes reports for one JavaScript Worker, whose files lie below ``root``; ``main`` is absolute too.

    ``realm`` is the booted realm (or the bridge, which has it). From now on what programs catch there reads
    as on the platform too: run ``catches.instrument(source)`` in place of the source of each module.
    """

    def __init__(self, realm: Any, root: str, main: str) -> None:
        realm = getattr(realm, "realm", realm)
        self._root = root.rstrip("/") + "/"
        self._main = main
        self._sources = Sources()
        self.limits = Limits()
        """Those of the Worker."""
        self._describe: Value = realm.platform.get("describeError")
        self._global_names: Value = realm.platform.get("globalNames")
        show = realm.platform.get("showCaught")
        show(realm.engine.function(self._caught, "v8Message"))

    def report(
        self, thrown: Any, event: str = "", handler_at: Place | None = None, *, kind: str = "", **facts: Any
    ) -> Report:
        """The known mistake behind ``thrown``, else the uncaught exception itself.

        ``thrown`` is any JavaScript value as the engine hands it over, or a JSError. ``handler_at`` is the
        place for mistakes that have no line of their own. ``kind="rejection"`` says that a promise was
        rejected and nobody looked.
        """
        told = self._told(thrown)
        frames = self.frames(told.stack, told.js_class)
        if told.name == "SyntaxError" and _is_module_error(told):
            return self.syntax_report(thrown, event=event)
        line = self._line(told)
        where = frames[-1] if frames else handler_at
        if where is not None and where.file.startswith("wasm://"):
            where = next((frame for frame in reversed(frames) if frame.line), where)
        pattern = self._pattern_place(told)
        if pattern is not None and frames:
            where = frames[-1] = pattern
        name, _, message = line.partition(": ") if told.is_error else ("", "", line)
        clues = Clues(
            name, message, where, frames, self._main, self._root, self._sources, facts, self._globals
        )
        code, known, mended = recognise(clues)
        if mended is not None and code == "js-uncaught" and frames:
            frames[-1] = mended
        if code == "subrequests-exceeded":
            known = {"limit": f"{self.limits.subrequests:g}"}
        if kind == "rejection":
            line = _IN_PROMISE + line
        if told.causes:
            line += "\n" + _cut(encodable(told.causes))
        return explain(
            code, where=mended or where, frames=frames, exception=line, event=event, **{**facts, **known}
        )

    def frames(self, stack: str, error_class: str = "") -> list[Place]:
        """The user's frames of a stack, outermost first; the middle of a deep one is left out.

        So are the constructors of ``error_class``, a class of the program's own that made the error.
        """
        users = [frame for frame in parse_stack(stack) if self.is_users(frame.file)]
        while len(users) > 1 and error_class and users[0].function == error_class:
            del users[0]
        shown: list[Frame | int] = []
        for frame, run in itertools.groupby(users):
            count = len(list(run))
            shown += [frame] * count if count <= _SAME else [frame, frame, count - 2]
        if len(shown) > 2 * _FRAMES + 1:
            cut = shown[_FRAMES:-_FRAMES]
            shown[_FRAMES:-_FRAMES] = [sum(item if isinstance(item, int) else 1 for item in cut)]
        return [
            Place(f"... {_about(item)} more frames") if isinstance(item, int) else self._place(item)
            for item in reversed(shown)
        ]

    def exception_line(self, thrown: Any) -> str:
        """``TypeError: Cannot read properties of undefined (reading 'exports')``."""
        return self._line(self._told(thrown))

    def syntax_report(self, thrown: Any, path: str = "", event: str = "") -> Report:
        """Why the module at ``path`` does not load: its syntax, with the line and the column."""
        told = self._told(thrown)
        found = next((f for f in parse_stack(told.stack) if f.file and not f.is_platform), None)
        message, hint = told.message, ""
        where = None
        if found is not None:
            source = self._sources.get(found.file)
            line, column = self._sources.original(found.file, found.line, found.column)
            if source is not None:
                message, hint, line, column = syntax_facts(source, told.message, line, column)
            where = Place(found.file, line, column, "", _shown_line(source, line))
            hint = foreign_hint(where) or hint
        elif path:
            where = Place(path)
        return explain(
            "js-syntax-error",
            where=where,
            exception=encodable(f"SyntaxError: {message}"),
            event=event,
            message=message,
            hint=hint
            or "The file is not valid JavaScript from this place on; the mistake may be just before it.",
        )

    def is_users(self, file: str) -> bool:
        """Whether a stack's file is the project's own, not a package in it; so is WebAssembly."""
        if file.startswith("wasm://"):
            return True
        return is_own(file, self._root)

    def _globals(self) -> list[str]:
        return [str(name) for name in self._global_names().to_python()]

    # ---- what was thrown ----------------------------------------------------

    def _told(self, thrown: Any) -> Thrown:
        if type(thrown) is Value:
            kind, *texts = (str(part) for part in self._describe(thrown).to_python())
            return Thrown(kind == "error", *texts)
        if isinstance(thrown, BaseException):
            name, colon, message = str(thrown).partition(": ")
            stack = str(getattr(thrown, "js_stack", "") or "")
            if not colon or not name.isidentifier():
                return Thrown(True, "Error", "Error", str(thrown), stack)
            return Thrown(True, name, name, message, stack)
        return Thrown(False, text=_shown(thrown))

    def _line(self, told: Thrown) -> str:
        if not told.is_error:
            return _cut(encodable(told.text))
        name = "RangeError" if told.name == "InternalError" else told.name
        message = told.message
        if told.js_class in _ENGINE_CLASSES:
            message = v8_message(told.js_class, message, parse_stack(told.stack), self._sources)
        return _cut(encodable(f"{name}: {message}" if name and message else name or message))

    def _pattern_place(self, told: Thrown) -> Place | None:
        """Where the pattern is that could not be taken apart: the engine points at what is before it."""
        frames = parse_stack(told.stack)
        if told.js_class != "TypeError" or not frames or not self.is_users(frames[0].file):
            return None
        where = pattern_position(told.message, frames[0], self._sources)
        source = self._sources.get(frames[0].file)
        if where is None or source is None:
            return None
        return Place(frames[0].file, *where, frames[0].function, _shown_line(source, where[0]))

    def _caught(self, name: Any, message: Any, stack: Any, *_: Any) -> Any:
        """What the realm asks for an error that the program caught. Must not raise."""
        return v8_message(str(name), str(message), parse_stack(str(stack)), self._sources)

    def _place(self, frame: Frame) -> Place:
        line, column = self._sources.original(frame.file, frame.line, frame.column)
        source = self._sources.get(frame.file)
        text = _shown_line(source, line)
        return Place(encodable(frame.file), line, column, encodable(frame.function), text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}... ({len(text):,} characters)"


def _shown_line(source: Source | None, line: int) -> str:
    """The text of a line; none of one that no editor shows whole, as in a minified bundle."""
    text = encodable(source.line(line)) if source is not None else ""
    return text if len(text) <= _LONGEST_LINE // 4 else ""


def _is_module_error(told: Thrown) -> bool:
    """Whether the file itself does not parse: then the first frame is a bare place."""
    first = told.stack.lstrip().split("\n", 1)[0]
    return first.startswith("at /") and not first.endswith(")")


def _shown(value: Any) -> str:
    """A primitive as JavaScript prints it."""
    if value is Undefined:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
        text = repr(value)
        return special.get(text, text.removesuffix(".0"))
    return str(value)


def _about(number: int) -> str:
    """Deep recursion ends at a depth that says nothing to the user."""
    if number < 100:
        return str(number)
    step = 100 if number < 1000 else 1000
    return f"over {number // step * step:,}"
