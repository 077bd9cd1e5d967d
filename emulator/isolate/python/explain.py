"""Exceptions of a Worker as reports: which known mistake it is, and the user's own frames."""

from __future__ import annotations

import asyncio
import linecache
import sys
import traceback
from pathlib import Path
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

from ..bridge.errors import JsException

_SEQUENCE: Final = "Incorrect type: the provided value is not of type 'Sequence'."
_NOT_RESPONSE: Final = "Incorrect type for Promise: the Promise did not resolve to 'Response'."
_BODY_USED: Final = ("Body has already been used", "Body already used", "body is already used")
_GLOBAL_SCOPE: Final = "Disallowed operation called within global scope"
_LOST: Final = "Network connection lost"


class Explainer:
    """Makes reports for one Worker, whose files lie below ``root``."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") + "/"

    def report(
        self, error: BaseException, event: str = "", handler_at: Place | None = None, **facts: Any
    ) -> Report:
        """The known mistake behind ``error``, else the uncaught exception itself.

        ``handler_at`` is the place for mistakes that have no line of their own.
        """
        frames = self.frames(error)
        where = frames[-1] if frames else handler_at
        line = exception_line(error)
        code, known = _recognise(error)
        subrequest = facts.pop("subrequest", "")
        if subrequest and code == "uncaught-exception":
            code, known = "after-failed-subrequest", {"subrequest": subrequest}
        elif subrequest and code == "subrequest-failed":
            known = {"subrequest": subrequest}
        facts = {**known, **facts}
        return explain(code, where=where, frames=frames, exception=line, event=event, **facts)

    def frames(self, error: BaseException) -> list[Place]:
        """The user's frames of a traceback, outermost first."""
        found: list[Place] = []
        for frame, line in traceback.walk_tb(error.__traceback__):
            if self.is_users(frame.f_code.co_filename):
                found.append(place(frame.f_code.co_filename, line, function=frame.f_code.co_qualname))
        return found

    def waiting(self, task: asyncio.Task[Any] | None) -> list[Place]:
        """The user's frames of a suspended task, outermost first."""
        found: list[Place] = []
        coroutine: Any = None if task is None else task.get_coro()
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None)
            if frame is not None and self.is_users(frame.f_code.co_filename):
                found.append(
                    place(frame.f_code.co_filename, frame.f_lineno, function=frame.f_code.co_qualname)
                )
            coroutine = getattr(coroutine, "cr_await", None)
        return found

    def is_users(self, filename: str) -> bool:
        """Whether a file is the project's own, not a package in it."""
        return filename.startswith(self._root) and "/python_modules/" not in filename


def place(file: str, line: int, column: int = 0, function: str = "") -> Place:
    """A place with its source line."""
    return Place(file, line, column, function, linecache.getline(file, line).rstrip("\n"))


def exception_line(error: BaseException) -> str:
    """The last line of a traceback, e.g. ``ValueError: boom``."""
    if isinstance(error, JsException):
        return str(error).strip().rsplit("\n", 1)[-1]
    lines = traceback.format_exception_only(error)
    return lines[-1].strip() if lines else type(error).__name__


def _message(error: BaseException) -> str:
    if isinstance(error, JsException):
        return str(getattr(error, "message", ""))
    return str(error)


def _recognise(error: BaseException) -> tuple[str, dict[str, Any]]:
    message = _message(error)
    if message.startswith(_SEQUENCE):
        return "headers-plain-dict", {}
    if message == _NOT_RESPONSE:
        return "not-a-response", {}
    if any(sign in message for sign in _BODY_USED):
        return "body-used", {}
    if "borrowed proxy was automatically destroyed" in message:
        return "borrowed-proxy", {}
    if _GLOBAL_SCOPE in message:
        return "global-scope", {}
    if _LOST in message:
        return "subrequest-failed", {"subrequest": message}
    return "uncaught-exception", {}


def load_report(explainer: Explainer, error: BaseException, main: str) -> Report:
    """Why the Worker does not load: syntax, imports, or what its top level raised."""
    if isinstance(error, SyntaxError) and error.filename:
        where = Place(
            error.filename, error.lineno or 0, error.offset or 0, "", (error.text or "").rstrip("\n")
        )
        return explain(
            "syntax-error", where=where, frames=[where], exception=exception_line(error), message=error.msg
        )
    frames = explainer.frames(error)
    where = frames[-1] if frames else place(main, 1)
    if isinstance(error, ImportError):
        code, facts = _import_mistake(explainer, error, Path(main).parent)
        if code:
            return explain(code, where=where, frames=frames, exception=exception_line(error), **facts)
    return explainer.report(error)


def _import_mistake(explainer: Explainer, error: ImportError, directory: Path) -> tuple[str, dict[str, Any]]:
    name = error.name or ""
    if str(error).startswith("cannot import name") and name == "js":
        wanted = str(error).split("'")[1]
        return "js-name-missing", {"name": wanted, "similar": _similar_global(wanted)}
    if not isinstance(error, ModuleNotFoundError):
        if not error.path or not explainer.is_users(error.path):
            return "", {}
        wanted = getattr(error, "name_from", None) or str(error).split("'")[1]
        names = [known for known in vars(sys.modules.get(name, object)) if not known.startswith("_")]
        return "import-error-project", {"module": f"{name}.{wanted}", "similar": _nearest(wanted, names)}
    top = name.split(".")[0]
    if top == "src":
        return "src-prefix", {"module": name}
    local = [path.stem for path in directory.iterdir() if path.suffix == ".py" or path.is_dir()]
    similar = _nearest(top, local)
    if "." in name and (directory / top).exists():
        return "import-error-project", {"module": name, "similar": ""}
    if similar:
        return "import-error-project", {"module": name, "similar": similar}
    return "package-not-installed", {"module": name}


def _similar_global(name: str) -> str:
    import js

    return _nearest(name, [candidate for candidate in dir(js) if not candidate.startswith("_")])


def _nearest(name: str, candidates: list[str]) -> str:
    from difflib import get_close_matches

    by_case = {candidate.lower(): candidate for candidate in candidates}
    if name.lower() in by_case:
        return by_case[name.lower()]
    return next(iter(get_close_matches(name, candidates, 1)), "")
