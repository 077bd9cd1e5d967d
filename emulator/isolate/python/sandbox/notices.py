"""What was withheld from a Worker, said once per kind, with the line that asked for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final

from emulator.diagnostics.own_files import is_own

TEXTS: Final[Mapping[str, str]] = {
    "process": "Workers cannot start processes (subprocess, os.system, fork, multiprocessing). "
    "Do the work in Python, or call a service with fetch().",
    "thread": "Workers have no threads. Use asyncio instead: await, asyncio.gather(), asyncio.create_task(); "
    "asyncio.to_thread() runs its function at once.",
    "socket": "Workers have no raw sockets. Use fetch() (`from workers import fetch`), "
    "pyodide.http.pyfetch() or httpx.",
    "signal": "Workers get no signals and cannot send any; a handler is kept but never called. "
    "For a timeout use asyncio.timeout().",
    "exit": "A Worker cannot end its isolate. Return a response, or raise an exception.",
    "module": "Workers do not have the module {0}: it needs an operating system.",
    "host-file": "{0} exists on this computer, but a Worker sees only its own files. Put the file into the "
    "project, or keep the data in a binding (KV, R2, D1).",
    "relative-file": 'relative paths start at "/" on Workers, so {0} was not found; the project has {1}. '
    "Use Path(__file__).parent / {2}.",
    "read-only": "The files of a Worker are read-only ({0}). Write to /tmp, which lasts as long as the "
    "isolate, or to a binding (KV, R2, D1).",
    "entropy": "Random values are not available while a Worker's module loads: they would be the same in "
    "every isolate. Make them inside a handler.",
}


class Notices:
    """Warns of each kind of withheld thing at most once. ``root`` is the Worker's directory."""

    def __init__(self, root: str, log: Callable[[str, str], None]) -> None:
        self._root = root.rstrip("/") + "/"
        self._log = log
        self._said: set[str] = set()

    def once(self, kind: str, *details: str) -> None:
        """Log the text of ``kind`` unless that was done before."""
        if kind in self._said:
            return
        self._said.add(kind)
        place = self._place()
        self._log("warn", f"{place}{': ' if place else ''}{TEXTS[kind].format(*details)}")

    def is_users(self, frame: FrameType) -> bool:
        """Whether ``frame`` runs the Worker's own code, not that of a package it brings along."""
        return is_own(frame.f_code.co_filename, self._root)

    def user_frame(self) -> FrameType | None:
        """The innermost frame of the Worker's own code."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not self.is_users(frame):
            frame = frame.f_back
        return frame

    def _place(self) -> str:
        frame = self.user_frame()
        return (
            "" if frame is None else f"{frame.f_code.co_filename.removeprefix(self._root)}:{frame.f_lineno}"
        )
