"""Coroutines that nobody awaited, told with the line that made them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report

from .explain import Explainer, place


def watch_coroutines(explainer: Explainer, tell: Callable[[Report], object]) -> None:
    """From now on ``tell`` each place once that makes a coroutine which is never awaited."""
    told: set[tuple[str, int]] = set()

    def unawaited(coroutine: Any) -> None:
        file, line, function = (coroutine.cr_origin or (("", 0, ""),))[0]
        # Coroutines of an event that is ended for want of memory come here, too, while there is none.
        with suppress(MemoryError):
            if explainer.is_users(file) and (file, line) not in told:
                told.add((file, line))
                where = place(file, line, function=function)
                tell(explain("never-awaited", name=coroutine.__qualname__, where=where))

    # One frame: the caller. CPython calls this hook from a coroutine's finalizer.
    sys.set_coroutine_origin_tracking_depth(1)
    warnings._warn_unawaited_coroutine = unawaited  # type: ignore[attr-defined]
