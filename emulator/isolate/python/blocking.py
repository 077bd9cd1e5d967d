"""Calls that block elsewhere and only suspend their caller on the platform.

From Pyodide 0.28 on, ``asyncio.run``, ``loop.run_until_complete`` and ``time.sleep`` wait as ``run_sync``
does: other events go on meanwhile. The platform loads Pyodide with ``enableRunUntilComplete``.
Source: https://pyodide.org/en/0.28.2/usage/api/js-api.html#exports.PyodideConfig.enableRunUntilComplete
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from typing import Any

from ..bridge.promises import Promises
from ..events import CURRENT


def install(promises: Promises) -> None:
    """Replace ``asyncio.run``, ``asyncio.new_event_loop`` and ``time.sleep``.

    At the module's top level they do what they always did.
    """

    def may_suspend() -> bool:
        return CURRENT.get() is not None and promises.can_run_sync()

    def new_event_loop() -> asyncio.AbstractEventLoop:
        if CURRENT.get() is None:
            return original_new_loop()
        return AnotherLoop(asyncio.get_running_loop())  # type: ignore[abstract]

    original_new_loop = asyncio.new_event_loop
    asyncio.new_event_loop = asyncio.events.new_event_loop = new_event_loop
    asyncio.run = _run(asyncio.run, may_suspend)
    time.sleep = _sleep(time.sleep, may_suspend, promises.run_sync)


class AnotherLoop(asyncio.AbstractEventLoop):
    """What ``asyncio.new_event_loop()`` gives: the isolate's one loop under another identity.

    Tasks belong to that one, so cancelling all tasks of this loop, as ``asyncio.Runner`` does at its
    end, reaches nobody.
    """

    def __init__(self, real: asyncio.AbstractEventLoop) -> None:
        self._real = real

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "_real"), name)


def _run(original: Callable[..., Any], may_suspend: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(original)
    def run(main: Any, *, debug: bool | None = None, loop_factory: Any = None) -> Any:
        if loop_factory is None and may_suspend():
            return asyncio.get_running_loop().run_until_complete(main)
        # CPython 3.11 has no `loop_factory`.
        options = {} if loop_factory is None else {"loop_factory": loop_factory}
        return original(main, debug=debug, **options)

    return run


def _sleep(
    original: Callable[[Any], None], may_suspend: Callable[[], bool], run_sync: Callable[[Any], Any]
) -> Callable[[Any], None]:
    @functools.wraps(original)
    def sleep(seconds: Any, /) -> None:
        if isinstance(seconds, int | float) and seconds > 0 and may_suspend():
            run_sync(asyncio.sleep(seconds))
        else:
            original(seconds)

    return sleep
