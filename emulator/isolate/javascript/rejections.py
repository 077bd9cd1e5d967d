"""Rejected promises that nobody handles, told once the jobs that might handle them have run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..loop import RealmLoop
from ..realm.engine import Engine, Value


class RejectionWatch:
    """Calls ``unhandled(reason)``, in the context of the code that rejected the promise."""

    def __init__(self, engine: Engine, loop: RealmLoop, unhandled: Callable[[Any], None]) -> None:
        self._engine = engine
        self._loop = loop
        self._unhandled = unhandled
        self._rejected: dict[int, tuple[Value, Any]] = {}
        """Promise and reason. The promise must stay alive: another one at its address had its number."""

    def start(self) -> None:
        """Watch from now on."""
        self._engine.track_rejections(self._changed)

    def _changed(self, number: int, promise: Value, reason: Any, handled: bool) -> None:
        if handled:
            self._rejected.pop(number, None)
            return
        self._rejected[number] = (promise, reason)
        # The realm's jobs run after each callback: in the next one it is settled who handles what.
        self._loop.call_soon(self._judge, number)

    def _judge(self, number: int) -> None:
        if number in self._rejected:
            self._unhandled(self._rejected.pop(number)[1])
