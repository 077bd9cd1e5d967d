"""Rejected promises that nobody handles, told once the jobs that might handle them have run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..loop import RealmLoop
from ..realm.engine import Engine


class RejectionWatch:
    """Calls ``unhandled(reason)``, in the context of the code that rejected the promise."""

    def __init__(self, engine: Engine, loop: RealmLoop, unhandled: Callable[[Any], None]) -> None:
        self._engine = engine
        self._loop = loop
        self._unhandled = unhandled
        self._reasons: dict[int, Any] = {}

    def start(self) -> None:
        """Watch from now on."""
        self._engine.track_rejections(self._changed)

    def _changed(self, promise: int, reason: Any, handled: bool) -> None:
        if handled:
            self._reasons.pop(promise, None)
            return
        self._reasons[promise] = reason
        # The realm's jobs run after each callback: in the next one it is settled who handles what.
        self._loop.call_soon(self._judge, promise)

    def _judge(self, promise: int) -> None:
        if promise in self._reasons:
            self._unhandled(self._reasons.pop(promise))
