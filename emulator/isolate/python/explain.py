"""Exceptions of a Worker as reports: which known mistake it is, and the user's own frames."""

from __future__ import annotations

import asyncio
import linecache
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.own_files import is_own
from emulator.diagnostics.report import Place, Report
from emulator.diagnostics.subrequest_causes import is_failed_fetch
from emulator.wire.frames import Limits

from ..bridge.handles import Lent
from .exceptions import background, exception_line, hint, message_of, nearest
from .import_mistakes import Mistake, import_mistake, syntax_mistake
from .suspended import suspended_frames

__all__ = ["NOT_RESPONSE", "Explainer", "exception_line", "load_report", "place"]

_SEQUENCE: Final = "Incorrect type: the provided value is not of type 'Sequence'."
NOT_RESPONSE: Final = "Incorrect type for Promise: the Promise did not resolve to 'Response'."
_BODY_USED: Final = ("Body has already been used", "Body already used", "body is already used")
_GLOBAL_SCOPE: Final = "Disallowed operation called within global scope"
_LOST: Final = "Network connection lost"
_BORROWED: Final = "borrowed proxy was automatically destroyed at the end of a function call"
_ITERATED: Final = "borrowed proxy was automatically destroyed when an iterator was exhausted"
_TOO_MANY: Final = "Too many subrequests by single Worker invocation"
_NEEDS_NEW: Final = "class constructors must be invoked with 'new'"

_FRAMES: Final = 8
"""Frames that a report shows at each end of a deep stack."""


class Explainer:
    """Makes reports for one Worker, whose files lie below ``root`` and whose entry point is ``main``."""

    def __init__(
        self, root: str, main: str = "", last_lent: Callable[[], Lent | None] = lambda: None
    ) -> None:
        self._root = root.rstrip("/") + "/"
        self._main = main
        self._last_lent = last_lent
        self.limits = Limits()
        """Those of the Worker."""
        self.absent: Mapping[str, str] = {}
        """As of ``WorkerSpec``."""

    def report(
        self, error: BaseException, event: str = "", handler_at: Place | None = None, **facts: Any
    ) -> Report:
        """The known mistake behind ``error``, else the uncaught exception itself.

        ``handler_at`` is the place for mistakes that have no line of their own.
        """
        frames = self.frames(error)
        where = frames[-1] if frames else handler_at
        line = exception_line(error)
        subrequest = facts.pop("subrequest", "")
        if isinstance(error, SyntaxError):
            (code, known), at = syntax_mistake(error, self._main)
            if code != "syntax-error" or (at is not None and self.is_users(at.file)):
                where = at
        else:
            code, known = self._recognise(error, where)
        lent = self._last_lent() if code == "borrowed-proxy" else None
        if lent is not None and self.is_users(lent.file):
            where = place(lent.file, lent.line, function=lent.function)
        if subrequest and code == "uncaught-exception":
            code, known = "after-failed-subrequest", {"subrequest": subrequest, **known}
        elif subrequest and code == "subrequest-failed":
            known = {"subrequest": subrequest.replace(f"{_LOST}: ", "")}
        facts = {**facts, **known}
        return explain(code, where=where, frames=frames, exception=line, event=event, **facts)

    def frames(self, error: BaseException) -> list[Place]:
        """The user's frames of a traceback, outermost first; the middle of a deep stack is left out."""
        found: list[Place] = []
        frames = [
            (frame, line)
            for frame, line in traceback.walk_tb(error.__traceback__)
            if self.is_users(frame.f_code.co_filename)
        ]
        left_out = len(frames) - 2 * _FRAMES
        if left_out > 0:
            del frames[_FRAMES:-_FRAMES]
        for frame, line in frames:
            found.append(place(frame.f_code.co_filename, line, function=frame.f_code.co_qualname))
        if left_out > 0:
            found.insert(_FRAMES, Place(f"... {_about(left_out)} more frames"))
        if not found and error.__cause__ is not None:
            return self.frames(error.__cause__)
        return found

    def here(self) -> Place | None:
        """The innermost of the user's frames that run now."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not self.is_users(frame.f_code.co_filename):
            frame = frame.f_back
        if frame is None:
            return None
        return place(frame.f_code.co_filename, frame.f_lineno, function=frame.f_code.co_qualname)

    def waiting(self, task: asyncio.Task[Any] | None) -> list[Place]:
        """The user's frames of a suspended task, outermost first."""
        return [
            place(frame.f_code.co_filename, frame.f_lineno, function=frame.f_code.co_qualname)
            for frame in (suspended_frames(task) if task is not None else ())
            if self.is_users(frame.f_code.co_filename)
        ]

    def is_users(self, filename: str) -> bool:
        """Whether a file is the project's own, not a package in it."""
        return is_own(filename, self._root)

    def _recognise(self, error: BaseException, where: Place | None) -> Mistake:
        message = message_of(error)
        if isinstance(error, ImportError):
            with suppress(OSError):
                found = import_mistake(error, self._main, where, self.is_users)
                if found is not None:
                    return found
        if isinstance(error, SystemExit):
            return "exit-called", {}
        if isinstance(error, AttributeError) and _is_env(error.obj):
            name, names = error.name or "", _env_names()
            if name in self.absent:
                return "env-not-emulated", {"name": name, "key": self.absent[name]}
            similar = nearest(name, names)
            return "env-missing", {"name": name, "similar": similar, "known": ", ".join(names)}
        code = _by_message(message)
        if code == "subrequest-failed":
            return code, {"subrequest": f"failed: {message}"}
        if code == "subrequests-exceeded":
            return code, {"limit": f"{self.limits.subrequests:g}"}
        if code:
            return code, {}
        told = [hint(error), *background(error, self._at)]
        return "uncaught-exception", {"hint": "\n".join(text for text in told if text)}

    def _at(self, error: BaseException) -> str:
        frames = self.frames(error)
        return f" ({frames[-1].file.removeprefix(self._root)}:{frames[-1].line})" if frames else ""


def place(file: str, line: int, column: int = 0, function: str = "") -> Place:
    """A place with its source line."""
    return Place(file, line, column, function, linecache.getline(file, line).rstrip("\n"))


def load_report(explainer: Explainer, error: BaseException, main: str) -> Report:
    """Why the Worker does not load: syntax, imports, or what its top level raised."""
    return explainer.report(error, handler_at=place(main, 1))


def _by_message(message: str) -> str:
    if message.startswith(_SEQUENCE):
        return "headers-plain-dict"
    if message == NOT_RESPONSE:
        return "not-a-response"
    if any(sign in message for sign in _BODY_USED):
        return "body-used"
    if _BORROWED in message:
        return "borrowed-proxy"
    if _ITERATED in message:
        return "iterated-proxy"
    if _GLOBAL_SCOPE in message:
        return "global-scope"
    if message == _NEEDS_NEW:
        return "new-missing"
    if _TOO_MANY in message:
        return "subrequests-exceeded"
    return "subrequest-failed" if is_failed_fetch(message) else ""


def _is_env(found: Any) -> bool:
    """Whether ``found`` is the Worker's ``env``, bare or as the SDK wraps it."""
    helper = import_module("_pyodide_entrypoint_helper")
    with suppress(AttributeError):
        inner = vars(found).get("_env", found) if hasattr(found, "__dict__") else found
        return bool(inner == helper.cloudflareWorkersModule.env)
    return False


def _env_names() -> list[str]:
    import js

    return list(js.Object.keys(import_module("_pyodide_entrypoint_helper").cloudflareWorkersModule.env))


def _about(number: int) -> str:
    """Deep recursion ends at a depth that says nothing to the user."""
    return str(number) if number < 100 else f"over {number // 100 * 100:,}"
