"""Which Python frames may be cut: the Worker's own and the libraries that it calls, not those that run it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import sysconfig
from functools import cache
from types import FrameType
from typing import Final

_EMULATOR: Final = os.path.realpath(os.path.join(__file__, "..", "..", "..")) + os.sep
_RUNNERS: Final = ("pyodide", "_pyodide", "workers", "greenlet")
"""What stands between the event loop and the Worker: state of theirs must not be left half changed."""
_GENERATED: Final = "<string>"
"""The file of code that was made from text, such as the methods of data classes and named tuples."""


def prepare() -> None:
    """Find what ``nearest`` must know, which it may not do itself: it is called in the middle of imports.

    CPython 3.11's import locks do not survive an import in a signal handler (gh-106176).
    """
    _protected()
    _standard()


@cache
def _protected() -> tuple[str, ...]:
    places = [_EMULATOR, os.path.dirname(asyncio.__file__) + os.sep, contextlib.__file__]
    for name in _RUNNERS:
        with contextlib.suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(name)
            places += [place + os.sep for place in (spec and spec.submodule_search_locations) or ()]
    return tuple(places)


@cache
def _standard() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths["stdlib"] + os.sep, paths["platstdlib"] + os.sep})


@cache
def _is_protected(filename: str) -> bool:
    return filename.startswith(("<frozen ", *_protected()))


@cache
def _is_workers(filename: str) -> bool:
    """Whether it is the Worker's or a package's, rather than the standard library's, which anybody calls."""
    return not filename.startswith(_standard()) or f"{os.sep}site-packages{os.sep}" in filename


def nearest(frame: FrameType | None) -> FrameType | None:
    """The innermost frame, ``frame`` or of its callers, in which an exception may appear anywhere.

    It is the Worker's or a package's, or of the standard library as called by one of these.
    """
    found: FrameType | None = None
    while frame is not None:
        filename = frame.f_code.co_filename
        if filename == _GENERATED:
            filename = _generator(frame)
        if _is_protected(filename):
            found = None
        else:
            found = found or frame
            if filename and _is_workers(filename):
                return found
        frame = frame.f_back
    return None


def _generator(frame: FrameType) -> str:
    """The file whose code made that of ``frame``; "" for a named tuple's, which anybody may call."""
    name, file = (dict.get(frame.f_globals, key) for key in ("__name__", "__file__"))
    if type(name) is str and name.startswith("namedtuple_"):
        return ""
    return file if type(file) is str else _GENERATED
