"""Promises and futures: each side awaits the other's."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final

from ..realm.engine import Value
from .handles import PyHandle

if TYPE_CHECKING:
    from .bridge import Bridge

NO_SUSPENDER: Final = (
    "Cannot stack switch because the Python entrypoint was a synchronous function. "
    "Use pyFunc.callPromising() to fix."
)


class Promises:
    """Adapters in both directions. Needs a running event loop."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def future(self, promise: Value, borrowed: list[PyHandle] | None = None) -> asyncio.Future[Any]:
        """A future that settles as ``promise`` does; then the borrowed handles end."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def settle(ok: bool, value: Any) -> None:
            try:
                if future.done():
                    return
                if ok:
                    future.set_result(self._bridge.convert.to_py(value))
                else:
                    future.set_exception(self._bridge.errors.rejected(value))
            except BaseException as error:
                future.set_exception(_settable(error))
            finally:
                # Not earlier: the promise may resolve to what was lent.
                for handle in borrowed or ():
                    handle.end_borrowing()

        engine = self._bridge.engine
        self._bridge.guard(
            self._bridge.helper("settle"),
            promise,
            engine.function(lambda value=None, *_: settle(True, value), "resolved"),
            engine.function(lambda error=None, *_: settle(False, error), "rejected"),
        )
        return future

    def schedule(self, awaitable: Awaitable[Any], resolve: Value, reject: Value) -> None:
        """Await ``awaitable`` for JavaScript and settle a promise with the outcome."""
        future = asyncio.ensure_future(awaitable)
        bridge = self._bridge

        def done(finished: asyncio.Future[Any]) -> None:
            if finished.cancelled():
                reject(bridge.errors.to_js(asyncio.CancelledError()))
                return
            error = finished.exception()
            if error is not None:
                reject(bridge.errors.to_js(error))
            else:
                bridge.invoke("resolveUnboxed", resolve, bridge.convert.to_js(finished.result()))

        future.add_done_callback(done)

    def start(self, coroutine: Any) -> asyncio.Future[Any]:
        """Schedule a coroutine that an async callback gave; JavaScript may ignore it."""
        task: asyncio.Task[Any] = asyncio.ensure_future(coroutine)
        return task

    def can_run_sync(self) -> bool:
        """Whether ``run_sync`` may suspend here: not below a JS frame, and on a worker."""
        loop = asyncio._get_running_loop()
        return bool(self._bridge.depth == 0 and getattr(loop, "on_worker", False))

    def run_sync(self, value: Any) -> Any:
        """Wait for a promise, future or coroutine without ``await``; others go on meanwhile.

        TypeError for what cannot be awaited, RuntimeError below a JS frame.
        """
        if not inspect.isawaitable(value):
            raise TypeError(f"run_sync() argument must be awaitable, not {type(value).__name__!r}")
        if not self.can_run_sync():
            if inspect.iscoroutine(value):
                value.close()
            raise RuntimeError(NO_SUSPENDER)
        future: asyncio.Future[Any] = (
            value if asyncio.isfuture(value) else asyncio.ensure_future(_await(value))
        )
        loop: Any = asyncio.get_running_loop()
        return loop.suspend_until(future)


async def _await(value: Awaitable[Any]) -> Any:
    return await value


def _settable(error: BaseException) -> BaseException:
    # A Future refuses StopIteration.
    if isinstance(error, StopIteration):
        wrapped = RuntimeError(f"{type(error).__name__} interacts badly with a Future")
        wrapped.__cause__ = error
        return wrapped
    return error
