"""Where a suspended task waits: its chain of awaits, innermost last."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

_DEPTH: Final = 100
"""Awaits that are followed at most: two tasks may wait for each other."""

_STEPS: Final = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))


def suspended_frames(task: asyncio.Task[Any]) -> Iterator[FrameType]:
    """The frames that ``task`` is suspended in, outermost first, through tasks that it awaits."""
    waits: Any = task.get_coro()
    for _ in range(_DEPTH):
        if waits is None:
            return
        for frame_name, next_name in _STEPS:
            frame = getattr(waits, frame_name, None)
            if frame is not None:
                yield frame
                waits = getattr(waits, next_name)
                break
        else:
            waits = _behind(waits)


def _behind(wait: Any) -> Any:
    """The coroutine or async generator behind a future's iterator, a step of a generator, a future."""
    if isinstance(wait, asyncio.Task):
        return None if wait.done() else wait.get_coro()
    if asyncio.isfuture(wait):
        # What gather() and wait_for() give names the tasks that it waits for.
        children = getattr(wait, "_children", ())
        return next((child for child in children if not child.done()), None)
    found = gc.get_referents(wait) if not isinstance(wait, str | bytes | dict | list) else []
    for referent in found:
        if inspect.isasyncgen(referent) or inspect.iscoroutine(referent) or asyncio.isfuture(referent):
            return referent
    return None
