"""Stopping JavaScript that runs, so that it cannot go on by catching what stopped it.

QuickJS asks its interrupt handler every 10,000 calls and branches, and what the handler throws then passes
by all ``catch`` and ``finally``. But C code of the engine turns it into an ordinary rejection, and code after
it would run until the handler is asked again. So after the first interrupt the engine's countdown is set to
its end each time: then even the engine's own call of ``reject`` is stopped, and the promise stays pending.

10,000 calls may be sorts of a million items, so ticks of CPU time set the countdown to its end as well.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

from . import c_api, ticks

_INT_BYTES: Final = 4
_SHORT_COUNT: Final = 1000
"""Calls and branches between two questions, where there are no ticks."""

_SPAN: Final = 200
"""Difference in branches between the two loops that show where the countdown is."""


class Interrupts:
    """The interrupts of one engine. ``context`` is the binding's."""

    def __init__(self, api: ctypes.PyDLL, context: Any) -> None:
        self._context = context
        self.stopped = False
        """Whether JavaScript was stopped; whoever has dealt with it sets it back."""
        self._countdown = _find_countdown(api, context)
        self._ticks = ticks.clearing(ctypes.addressof(self._countdown)) if self._countdown else None
        self._ticking = False

    def start_ticks(self) -> None:
        """Have the engine ask the handler every few milliseconds at least, where the system has timers."""
        if self._ticks is None:
            return
        if not self._ticking:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._context))  # for ever: a late tick writes to it
        self._ticking = self._ticks.start()

    def stop_ticks(self) -> None:
        """The handler is gone."""
        if self._ticks is not None:
            self._ticks.stop()
        self._ticking = False

    def poll_next(self) -> None:
        """Have the engine ask the handler at its very next call or branch."""
        if self._countdown is not None:
            self._countdown.value = 1

    def handler(self, callback: Callable[[], bool]) -> Callable[[], bool]:
        """The engine's handler, which asks ``callback``. An error in that stops JavaScript as well."""

        def poll() -> bool:
            stop = True
            try:
                stop = callback()
            except RecursionError:
                stop = False  # its own limits end such code
            finally:
                if stop:
                    self.stopped = True
                    self.poll_next()
                elif not self._ticking and self._countdown is not None:
                    self._countdown.value = _SHORT_COUNT
            return stop

        return poll


def _find_countdown(api: ctypes.PyDLL, context: Any) -> ctypes.c_int | None:
    """``interrupt_counter`` of the context (quickjs.c), found by what loops of known lengths take from it.

    The structure is the engine's own and its layout that of one version. None if it is not found.
    """
    start = c_api.pointer(context)
    if start is None:
        return None
    size = api.js_malloc_usable_size(start, start)
    fields = (ctypes.c_int * (size // _INT_BYTES)).from_address(start)
    loop = context.eval("(count) => { for (let i = 0; i < count; i++); }", "cfw-emu:countdown")

    def taken(count: int) -> list[int]:
        before = list(fields)
        loop(count)
        return [old - new for old, new in zip(before, fields, strict=True)]

    for _ in range(2):  # the countdown may begin anew during a loop, but not twice
        changes = zip(taken(_SPAN), taken(2 * _SPAN), strict=True)
        found = [at for at, (short, long) in enumerate(changes) if long - short in (_SPAN, 2 * _SPAN)]
        if len(found) == 1:
            return ctypes.c_int.from_address(start + found[0] * _INT_BYTES)
    return None
