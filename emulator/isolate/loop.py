"""The isolate's event loop: asyncio's, with four additions.

- After each callback the realm's promise jobs run, in the callback's context.
- CPU is charged to the event that the callback works for.
- Callbacks run on a worker greenlet, so that ``run_sync`` can suspend one and let the
  others go on.
- When the loop is about to sleep, events that nothing can wake are reported.
"""

from __future__ import annotations

import asyncio
from asyncio import events, tasks
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from time import thread_time_ns
from typing import Any, Final

import greenlet

from emulator.wire.recorder import Cells

from .events import CURRENT, CpuExceeded, EventContext
from .memory import MemoryWatch
from .python.sandbox.webloop import WorkerLoop
from .realm.engine import Engine, JSError

NO_LIMIT: Final = 2**62
"""Nanoseconds that nothing reaches."""

_LONG_NS: Final = 200_000
"""CPU time in which a callback may have taken all memory that there is."""

_BRIM_BYTES: Final = 256 * 1024
"""Less room than this, and code that handles a failure may itself have failed."""


class MeteredHandle(asyncio.Handle):
    """A callback that is charged to its event and followed by the realm's jobs."""

    __slots__ = ()

    def _run(self) -> None:
        loop: RealmLoop = self._loop  # type: ignore[attr-defined]
        loop.run_on_worker(self)


class _Wait:
    """One piece of pending work of an event."""

    __slots__ = ("_event",)

    def __init__(self, event: EventContext | None) -> None:
        self._event = event
        if event is not None:
            event.pending += 1

    def over(self) -> None:
        """It came, or nobody waits any more. Idempotent."""
        if self._event is not None:
            self._event.pending -= 1
            self._event = None


class RealmLoop(WorkerLoop):
    """The loop of one isolate. ``on_idle`` is called before it would sleep."""

    def __init__(self, engine: Engine, future: type, task: type, memory: MemoryWatch | None = None) -> None:
        super().__init__()
        self.engine = engine
        self._future_class = future
        self._task_class = _cancellable(task)
        self.suspended: dict[asyncio.Task[Any], asyncio.Future[Any]] = {}
        """What each task that is inside ``suspend_until`` waits for."""
        self.set_task_factory(self._make_task)
        self.on_idle: Callable[[], None] = lambda: None
        self.after_turn: Callable[[], None] = lambda: None
        """Called at the end of each turn of the loop: sends what the turn produced."""
        self.on_job_error: Callable[[JSError], None] = lambda error: None
        self._in_jobs = False
        self.started = 0
        self.away_ns = 0
        """CPU that others spent while a suspended callback waited."""
        self.settled_ns = 0
        """CPU of the running callback that ``settle`` has charged already."""
        self.allowance_ns = NO_LIMIT
        """CPU that an event may spend; then ``on_exceeded`` is told, after the callback."""
        self.on_exceeded: Callable[[EventContext], None] = lambda event: None
        self.memory = memory or MemoryWatch()
        """Enforced while callbacks of events run."""
        self.on_out_of_memory: Callable[[EventContext | None], object] = lambda event: None
        self.cells: Cells = Cells()
        """Of the flight recorder."""
        self._begun = 0
        self.event: EventContext | None = None
        """Whom the running callback works for; its code may have entered another context."""
        self._left: list[tuple[greenlet.greenlet, EventContext]] = []
        self._worker: greenlet.greenlet | None = None

    def _make_task(self, _: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        event = CURRENT.get() or self.event
        if event is not None:
            options["context"] = self._own(options.get("context"))
        task: asyncio.Task[Any] = self._task_class(coroutine, loop=self, **options)
        if event is not None:
            event.spawn(task)
        return task

    def make_task(self, coroutine: Any, context: Context) -> asyncio.Task[Any]:
        """A task in ``context`` that its event does not count as spawned."""
        task: asyncio.Task[Any] = self._task_class(coroutine, loop=self, context=context)
        return task

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

    def create_future(self) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._future_class(loop=self)
        return future

    # ---- callbacks ----------------------------------------------------------

    def _own(self, context: Context | None) -> Context:
        """``context``, or a copy of the current one, with the running event, whatever the Worker emptied."""
        context = copy_context() if context is None else context
        event = self.event
        if event is not None and context.get(CURRENT) is None:
            with suppress(RuntimeError):  # it is entered at the moment
                context.run(CURRENT.set, event)
        return context

    def _call_soon(
        self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None
    ) -> asyncio.Handle:
        if context is None:
            context = self._own(None)  # one that is given may be that of someone who waited for this
        handle = MeteredHandle(callback, args, self, context)
        self._ready.append(handle)  # type: ignore[attr-defined]
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's; the wait counts as pending work of the current event."""
        context = self._own(context)
        wait = _Wait(context.get(CURRENT))
        return super().call_at(when, self._fire, wait, callback, args, context, context=context)

    def _fire(
        self, wait: _Wait, callback: Callable[..., Any], args: tuple[Any, ...], context: Context
    ) -> None:
        wait.over()
        self._call_soon(callback, args, context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        # asyncio.sleep cancels its timer even after it fired.
        for argument in handle._args or ():
            if isinstance(argument, _Wait):
                argument.over()
        super()._timer_handle_cancelled(handle)  # type: ignore[misc]

    def run_jobs(self) -> None:
        """Run the realm's promise jobs; one that throws does not stop the rest.

        Inside a job nothing happens: the jobs that wait follow by themselves, on a flat stack.
        """
        if self._in_jobs:
            return
        self._in_jobs = True
        if not self.memory.enforced:
            self.memory.enforce()
        try:
            while True:
                try:
                    self.engine.run_jobs()
                    return
                except JSError as error:
                    self.on_job_error(error)
        finally:
            self._in_jobs = False

    def _run_once(self) -> None:
        if self.memory.tight:
            self.memory.relax()
        super()._run_once()  # type: ignore[misc]
        ready = self._ready  # type: ignore[attr-defined]
        # What this turn made ready runs at once: asking the selector again costs as much.
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()
        if self.memory.tight:
            self.memory.relax()
        if not ready:
            self.on_idle()
        self.after_turn()

    # ---- greenlets ----------------------------------------------------------

    def run_on_worker(self, handle: MeteredHandle) -> None:
        """Run ``handle`` on the worker; it may come back suspended inside ``suspend_until``."""
        if self._worker is None:
            self._worker = greenlet.greenlet(self._work)
        worker = self._worker
        end = worker.switch(handle)
        if end != "idle":
            self._worker = None  # suspended: it comes back by itself
            if end == "left":
                self.tell_left()

    def _work(self, handle: MeteredHandle) -> str:
        main = greenlet.getcurrent().parent
        assert main is not None
        realm = self.engine.context
        cells = self.cells
        memory = self.memory
        while True:
            context: Context = handle._context  # type: ignore[attr-defined]
            event = context.get(CURRENT)
            if event is not None:
                if event.dead:
                    handle = main.switch("idle")
                    continue
                cells.running = event.id
                self.event = event
                if not memory.enforced:
                    memory.enforce()
                if event.id > self._begun:
                    cells.begun = self._begun = event.id
            self.started = thread_time_ns()
            self.away_ns = self.settled_ns = 0  # a suspended callback left its own here
            try:
                context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]
            except greenlet.GreenletExit:
                raise
            except BaseException as error:
                self._on_callback_error(handle, error)
            if realm.has_pending_job:
                context.run(self.run_jobs)
            if event is None:
                self.forgive()  # who is settled between two callbacks would pay for this one
            elif self.settle(event) and self.settled_ns > _LONG_NS:
                memory.tight = True
                memory.relax()  # measuring takes some
                # Filled to the brim, there was none left to say so.
                memory.struck = memory.struck or memory.room() < _BRIM_BYTES
            if memory.struck:
                self.on_out_of_memory(event)
            if event is not None:
                cells.running = 0
                self.event = None
                if event.cpu_ns > self.allowance_ns:
                    self.on_exceeded(event)
            if memory.tight:
                memory.relax()  # a greenlet that gets no memory for its stack ends the process
            handle = main.switch("idle")

    def _on_callback_error(self, handle: MeteredHandle, error: BaseException) -> None:
        """Even SystemExit, which ends asyncio's loop, does not end an isolate."""
        if isinstance(error, CpuExceeded):
            return  # its event is cut next
        ends = isinstance(error, SystemExit | KeyboardInterrupt)
        if ends and isinstance(getattr(handle._callback, "__self__", None), asyncio.Task):  # type: ignore[attr-defined]
            return  # the task has kept it, for whoever awaits that task
        facts = {"message": f"Exception in callback {handle!r}", "exception": error, "handle": handle}
        handle._context.run(self.call_exception_handler, facts)  # type: ignore[attr-defined]

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


def _cancellable(base: type) -> type:
    """``base``, a class of tasks, whose ``cancel`` also reaches into ``suspend_until``."""

    class RealmTask(base):  # type: ignore[misc]
        def cancel(self, msg: Any = None) -> bool:
            waiting: asyncio.Future[Any] | None = self.get_loop().suspended.get(self)
            if waiting is not None and not waiting.done():
                return waiting.cancel(msg)
            cancelled: bool = super().cancel(msg)
            return cancelled

    # Workers see the class: it goes by the platform's name.
    RealmTask.__name__, RealmTask.__qualname__ = base.__name__, base.__qualname__
    RealmTask.__module__ = base.__module__
    return RealmTask


class _Resume(events.Handle):
    """Goes on with a suspended worker, from the loop's own greenlet."""

    def __init__(self, worker: greenlet.greenlet, loop: RealmLoop) -> None:
        super().__init__(worker.switch, (), loop)

    def _run(self) -> None:
        loop: RealmLoop = self._loop  # type: ignore[attr-defined]
        worker: greenlet.greenlet = self._callback.__self__  # type: ignore[attr-defined]
        end = worker.switch()
        if end == "left":
            loop.tell_left()
        elif end == "idle" and loop._worker is None:
            loop._worker = worker  # a second idle worker is let go
