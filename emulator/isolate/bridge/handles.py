"""Handles: references from JavaScript to Python objects, with an end of life."""

from __future__ import annotations

import sys
from typing import Any, Final, NamedTuple

_DESTROYED: Final = 'Object has already been destroyed\nThe object was of type "{type}".'
_BORROWED: Final = (
    " This borrowed proxy was automatically destroyed at the end of a function call. "
    "Try using create_proxy or create_once_callable."
)
_ITERATED: Final = " This borrowed proxy was automatically destroyed when an iterator was exhausted."


class Lent(NamedTuple):
    """A line of Python that lent an object to JavaScript."""

    file: str
    line: int
    function: str


class PyHandle:
    """What a PyProxy in JavaScript holds. ``target`` is gone once it is ``dead``."""

    __slots__ = ("_kind", "dead", "dead_end", "lent", "returned", "roundtrip", "target")

    def __init__(self, target: Any, roundtrip: bool = False) -> None:
        self.target = target
        self.roundtrip = roundtrip
        """Whether it comes back to Python as a ``JsProxy`` instead of as ``target``."""
        self.dead = False
        self.lent: Lent | None = None
        """Where the Python call is that borrowed a callable, once that call is over."""
        self.returned: Any = None
        self.dead_end = ""
        """What the epitaph adds for the way in which it died."""
        self._kind: type = object

    def destroy(self) -> None:
        """End its life; later use from JavaScript throws ``epitaph``. Idempotent."""
        if not self.dead:
            self.dead = True
            self._kind = type(self.target)
            self.target = None

    def end_iteration(self) -> None:
        """The iterator that made it is exhausted or closed."""
        if not self.dead:
            self.destroy()
            self.dead_end = _ITERATED

    def end_borrowing(self) -> None:
        """The call that borrowed it is over."""
        if not self.dead:
            if callable(self.target):
                self.lent = _caller()
            self.destroy()
            self.dead_end = _BORROWED

    @property
    def epitaph(self) -> str:
        """The platform's words for the use of a dead handle."""
        return _DESTROYED.format(type=self._kind.__name__) + self.dead_end


class CapturingHandle(PyHandle):
    """A callable that gets JavaScript's ``this`` as its first argument."""

    __slots__ = ()


class IterationHandle(PyHandle):
    """An iterator that JavaScript drives; what it gave out ends with it."""

    __slots__ = ("given",)

    def __init__(self, target: Any) -> None:
        super().__init__(target)
        self.given: list[PyHandle] = []

    def destroy(self) -> None:
        """End the iteration. Idempotent."""
        super().destroy()
        for handle in self.given:
            handle.end_iteration()


def _caller() -> Lent | None:
    """The innermost frame outside of the bridge."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        if not frame.f_globals.get("__name__", "").startswith("emulator."):
            return Lent(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname)
    return None


class DeadHandleError(Exception):
    """JavaScript used a PyProxy after its end; reaches JavaScript as ``Error``."""


class Missing:
    """The type of ``MISSING``."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()
"""No such property, no further item: told apart from undefined and ``None``."""
