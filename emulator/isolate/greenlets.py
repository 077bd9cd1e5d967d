"""The greenlets that callbacks run on, and what is known of the callback that runs.

A worker greenlet runs one callback after the other. One that waits inside ``suspend_until`` keeps its
greenlet, and the loop goes on with another; one whose code never ends is left for ever.
"""

from __future__ import annotations

import asyncio
from asyncio import events, tasks
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import thread_time_ns
from typing import Any

import greenlet

from emulator.wire.recorder import Cells

from .events import EventContext
from .memory import MemoryWatch
from .python.sandbox.webloop import WorkerLoop
from .realm.engine import Engine


class GreenletLoop(WorkerLoop):
    """Runs callbacks on greenlets; how one callback is run (``_work``) and charged is its subclass's."""

    def __init__(self, engine: Engine, memory: MemoryWatch) -> None:
        super().__init__()
        self.engine = engine
        self.memory = memory
        """Enforced while callbacks of events run."""
        self.cells: Cells = Cells()
        """Of the flight recorder."""
        self.suspended: dict[asyncio.Task[Any], asyncio.Future[Any]] = {}
        """What each task that is inside ``suspend_until`` waits for."""
        self.event: EventContext | None = None
        """Whom the running callback works for; its code may have entered another context."""
        self.started = 0
        self.away_ns = 0
        """CPU that others spent while a suspended callback waited."""
        self.settled_ns = 0
        """CPU of the running callback that ``settle`` has charged already."""
        self.on_exceeded: Callable[[EventContext], None] = lambda event: None
        self._left: list[tuple[greenlet.greenlet, EventContext]] = []
        self._worker: greenlet.greenlet | None = None

    def _work(self, handle: asyncio.Handle) -> str:
        """The body of a worker greenlet: run ``handle``, switch to the parent with "idle", and again."""
        raise NotImplementedError

    def run_jobs(self) -> None:
        """Run the realm's promise jobs."""
        raise NotImplementedError

    # ---- the running callback -----------------------------------------------

    def spent(self) -> int:
        """CPU of the running callback so far, in ns."""
        return thread_time_ns() - self.started - self.away_ns

    def settle(self, event: EventContext) -> int:
        """Charge ``event`` for the running callback so far; gives its CPU in ns."""
        spent = self.spent() - self.settled_ns
        self.settled_ns += spent
        event.cpu_ns += spent
        return event.cpu_ns

    def forgive(self) -> None:
        """What the running callback has spent so far was the emulator's work, not its event's."""
        self.settled_ns = self.spent()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What runs meanwhile is the emulator's work, whoever's callback it is in."""
        began = thread_time_ns()
        try:
            yield
        finally:
            self.away_ns += thread_time_ns() - began

    # ---- greenlets ----------------------------------------------------------

    def run_on_worker(self, handle: asyncio.Handle) -> None:
        """Run ``handle`` on the worker; it may come back suspended inside ``suspend_until``."""
        if self._worker is None:
            self._worker = greenlet.greenlet(self._work)
        worker = self._worker
        end = worker.switch(handle)
        if end != "idle":
            self._worker = None  # suspended: it comes back by itself
            if end == "left":
                self.tell_left()

    def leave_for_ever(self, event: EventContext) -> None:
        """Never come back to the running callback, whose code does not end. Called from within it."""
        worker = greenlet.getcurrent()
        main = worker.parent
        assert main is not None
        self.settle(event)
        event.dead = True
        # Without a reference it would be collected, and woken up for that.
        self._left.append((worker, event))
        task = tasks.current_task(self)
        if task is not None:
            tasks._leave_task(self, task)
        self.cells.running = 0
        self.event = None
        self.memory.relax()
        main.switch("left")

    def tell_left(self) -> None:
        """A callback was left for ever: its event is over."""
        self.on_exceeded(self._left[-1][1])

    @property
    def on_worker(self) -> bool:
        """Whether the current code may be suspended."""
        return greenlet.getcurrent().parent is not None

    def suspend_until(self, future: asyncio.Future[Any]) -> Any:
        """Let the loop run others until ``future`` is done; give its result or raise."""
        worker = greenlet.getcurrent()
        main = worker.parent
        assert main is not None
        task = tasks.current_task(self)
        if self.engine.has_jobs:
            self.run_jobs()
        if not future.done():
            future.add_done_callback(lambda _: self._ready.append(_Resume(worker, self)))  # type: ignore[attr-defined]
            if task is not None:
                self.suspended[task] = future
                tasks._leave_task(self, task)
            left = thread_time_ns()
            started, settled, away = self.started, self.settled_ns, self.away_ns
            running, self.cells.running = self.cells.running, 0
            event, self.event = self.event, None
            enforced = self.memory.enforced
            self.memory.relax()
            main.switch("suspended")
            if enforced:
                self.memory.enforce()
            self.cells.running = running
            self.event = event
            self.started, self.settled_ns = started, settled
            self.away_ns = away + thread_time_ns() - left
            if task is not None:
                tasks._enter_task(self, task)
                del self.suspended[task]
        return future.result()


def cancellable(base: type) -> type:
    """``base``, a class of tasks, whose ``cancel`` also reaches into ``suspend_until``.

    For a task that waits for itself, as by ``gather``, asyncio's calls itself until the stack ends; this
    one raises the same RecursionError when it comes round for the first time.
    """

    class RealmTask(base):  # type: ignore[misc]
        cancelling_now = False

        def cancel(self, msg: Any = None) -> bool:
            if self.cancelling_now:
                raise RecursionError("maximum recursion depth exceeded")
            self.cancelling_now = True
            try:
                waiting: asyncio.Future[Any] | None = self.get_loop().suspended.get(self)
                if waiting is not None and not waiting.done():
                    return waiting.cancel(msg)
                cancelled: bool = super().cancel(msg)
                return cancelled
            finally:
                self.cancelling_now = False

    # Workers see the class: it goes by the platform's name.
    RealmTask.__name__, RealmTask.__qualname__ = base.__name__, base.__qualname__
    RealmTask.__module__ = base.__module__
    return RealmTask


class _Resume(events.Handle):
    """Goes on with a suspended worker, from the loop's own greenlet."""

    def __init__(self, worker: greenlet.greenlet, loop: GreenletLoop) -> None:
        super().__init__(worker.switch, (), loop)

    def _run(self) -> None:
        loop: GreenletLoop = self._loop  # type: ignore[attr-defined]
        worker: greenlet.greenlet = self._callback.__self__  # type: ignore[attr-defined]
        end = worker.switch()
        if end == "left":
            loop.tell_left()
        elif end == "idle" and loop._worker is None:
            loop._worker = worker  # a second idle worker is let go
