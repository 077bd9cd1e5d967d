"""Requests whose isolate died: whether they are sent again, and what their clients are told if not."""

from __future__ import annotations

from typing import Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.fleet.exchange import IsolateDied

_REPEATABLE: Final = frozenset(("GET", "HEAD"))
_MOST: Final = 20


class Replays:
    """Whether one request is sent again: when its own code had no part in the death of its isolate.

    ``whole``: all of its body is here, so that it can be sent again.
    """

    __slots__ = ("_blamed", "_left", "_method", "_whole")

    def __init__(self, method: str, whole: bool) -> None:
        self._method = method
        self._whole = whole
        self._blamed = False
        self._left = _MOST

    def allow(self, died: IsolateDied) -> bool:
        """Once if it was this request's code that ran, more often if it was a neighbour's."""
        again = self._whole and self._left > 0 and (self._method in _REPEATABLE or not died.begun)
        if died.guilty:
            again = again and not self._blamed
            self._blamed = True
        self._left -= again
        return again

    def report(self, died: IsolateDied, event: str) -> Report:
        """What the client is told when it is not sent again. ``event`` is what the report calls it."""
        code = "isolate-died-again" if self._left < _MOST else "isolate-died"
        return explain(code, how=str(died), method=self._method, event=event, where=died.where)
