"""Random values are refused while the Worker's own modules load, as on the platform.

A Worker's memory after loading is a snapshot that all its isolates start from, so values made
then would not be random. Packages may ask for them at import (the platform lets known ones
do so); the Worker's own code may not.
"""

from __future__ import annotations

import functools
import os
import random
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from .notices import Notices

_EIO: Final = 29
"""Emscripten's number for an I/O error."""

_FUNCTIONS: Final = (
    *("betavariate", "binomialvariate", "choice", "choices", "expovariate", "gammavariate", "gauss"),
    *("getrandbits", "lognormvariate", "normalvariate", "paretovariate", "randbytes", "randint", "random"),
    *("randrange", "sample", "shuffle", "triangular", "uniform", "vonmisesvariate", "weibullvariate"),
)

_GO_BETWEENS: Final = frozenset({"random", "secrets", "uuid", __name__})
"""Modules that ask for entropy on behalf of their caller."""


class EntropyGuard:
    """Says no until ``in_event`` was true once."""

    def __init__(self, in_event: Callable[[], bool], notices: Notices) -> None:
        self._in_event = in_event
        self._notices = notices
        self._open = False

    def install(self) -> None:
        """Put the guard before ``os.urandom`` and the functions of ``random``."""
        for name in _FUNCTIONS:
            if hasattr(random, name):
                error = RuntimeError(f"Cannot use random.{name}() outside of request context")
                setattr(random, name, self._guarded(getattr(random, name), error))
        urandom = self._guarded(os.urandom, OSError(_EIO, "I/O error"))
        os.urandom = random._urandom = urandom  # type: ignore[attr-defined]

    def _guarded(self, original: Callable[..., Any], error: Exception) -> Any:
        @functools.wraps(original)
        def call(*args: Any, **options: Any) -> Any:
            if not self._open and self._refuses(sys._getframe(1)):
                self._notices.once("entropy")
                raise type(error)(*error.args)
            return original(*args, **options)

        return call

    def _refuses(self, frame: FrameType | None) -> bool:
        if self._in_event():
            self._open = True
            return False
        while frame is not None and frame.f_globals.get("__name__") in _GO_BETWEENS:
            frame = frame.f_back
        return frame is not None and self._notices.is_users(frame)
