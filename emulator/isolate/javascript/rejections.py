"""Rejected promises that nobody handles, told once the jobs that might handle them have run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..loop import RealmLoop
from ..realm.engine import Engine, Value

_MOST_TOLD: Final = 10_000


class RejectionWatch:
    """Calls ``unhandled(promise, reason)``, in the context of the code that rejected the promise.

    A promise that is handled after that is what ``handled(promise)`` is called with.
    """

    def __init__(
        self,
        engine: Engine,
        loop: RealmLoop,
        unhandled: Callable[[Value, Any], None],
        handled: Callable[[Value], None],
    ) -> None:
        self._engine = engine
        self._loop = loop
        self._unhandled = unhandled
        self._handled = handled
        self._rejected: dict[int, tuple[Value, Any]] = {}
        """Promise and reason. The promise must stay alive: another one at its address had its number."""
        self._told: set[int] = set()
        """Numbers of promises that were unhandled; one that is freed gives its number to another."""

    def start(self) -> None:
        """Watch from now on."""
        self._engine.track_rejections(self._changed)

    def _changed(self, number: int, promise: Value, reason: Any, handled: bool) -> None:
        if not handled:
            self._told.discard(number)
            self._rejected[number] = (promise, reason)
            # The realm's jobs run after each callback: in the next one it is settled who handles what.
            self._loop.call_soon(self._judge, number)
        elif self._rejected.pop(number, None) is None and number in self._told:
            self._told.discard(number)
            self._loop.call_soon(self._handled, promise)

    def _judge(self, number: int) -> None:
        if number in self._rejected:
            if len(self._told) >= _MOST_TOLD:
                self._told.clear()
            self._told.add(number)
            self._unhandled(*self._rejected.pop(number))
