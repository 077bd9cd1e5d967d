"""Interrupts WebAssembly: code compiled for it looks at its engine's *epoch* in each function and loop.

That takes 0 to 5 % in most code, 50 % and more in the tightest loops, and loops that carry floating-point
values took six times as long: each look may be a call, which no such register survives. So it is for Workers
that are known to loop without end; without it, only the end of the process stops them.

The epoch advances with the CPU time of the isolate's thread; a store that sees a new one calls back. Apart
from ``runtime.py``, which imports wasmtime.
https://docs.wasmtime.dev/api/wasmtime/struct.Config.html#method.epoch_interruption
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any, Final

from ..realm.ticks import Ticks

INTERRUPTED: Final = "cfw-emu: interrupted"
"""Message of the error that ends a call."""

NEXT_EPOCH: Final = 1

_void = ctypes.c_void_p
_CALLBACK: Final = ctypes.CFUNCTYPE(_void, _void, _void, _void, _void)
"""``(context, data, uint64_t *epochs to go on for, kind*) -> error*``"""


class Epochs:
    """The epochs of this process."""

    def __init__(self) -> None:
        self.compiled_in = False
        """Whether code is compiled so that it can be interrupted. To be set before any is compiled."""
        self.on_tick: Callable[[], bool] | None = None
        """Asked every few milliseconds of CPU time while WebAssembly runs: whether to stop it.

        To be set in the process that runs it, before the first store is made. Must say True until Python, or
        JavaScript that it interrupts, has control again.
        """
        self.on_interrupt: Callable[[], None] = lambda: None
        """Called when WebAssembly is about to be stopped."""
        self.interrupted = False
        """Whether it was stopped since this was last set to False."""
        self._ticks: Ticks | None = None
        self._new_error: Callable[[bytes], int] = lambda message: 0
        self._callback = _CALLBACK(self._reached)

    def callback(self, new_error: Callable[[bytes], int]) -> int:
        """The address of what a store is to call at its deadline. ``new_error(message)`` makes an error*."""
        self._new_error = new_error
        return _address(self._callback)

    def advance(self, increment: int, engine: int) -> None:
        """Have the CPU time of this thread advance the epoch by ``increment(engine)``, both addresses.

        The engine must live for ever.
        """
        if self.on_tick is None or not self.compiled_in:
            return
        if self._ticks is None:
            self._ticks = Ticks(increment, engine)
        self._ticks.start()

    def _reached(self, _context: int, _data: int, go_on: int, _kind: int) -> int | None:
        stop = True
        try:
            stop = self.on_tick is not None and self.on_tick()
        except RecursionError:
            stop = False  # its own limits end such code
        except BaseException:  # nobody is there to get it
            stop = True
        if not stop:
            ctypes.c_uint64.from_address(go_on).value = NEXT_EPOCH
            return None
        self.interrupted = True
        self.on_interrupt()
        return self._new_error(INTERRUPTED.encode())


def _address(function: Any) -> int:
    return ctypes.cast(function, _void).value or 0


@functools.cache
def epochs() -> Epochs:
    """Those of this process."""
    return Epochs()
