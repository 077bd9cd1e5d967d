"""Host functions that reach the world outside through ``RealmIO``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..io import RealmIO
from .text import well_formed


def printable(text: str) -> str:
    """``text`` as UTF-8 can carry it: JavaScript strings may have lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return well_formed(text)
    return text


def functions(io: Callable[[], RealmIO]) -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``."""
    return {
        "setTimer": lambda delay_ms, repeat, fire: io().set_timer(float(delay_ms), repeat, fire),
        "clearTimer": lambda timer: io().clear_timer(int(timer)),
        "log": lambda level, text: io().log(level, printable(text)),
        "promiseState": lambda promise: promise.promise_state,
        "monotonic": lambda: time.monotonic() * 1000,
    }
