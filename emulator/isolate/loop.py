"""The isolate's event loop: asyncio's, with four additions.

- After each callback the realm's promise jobs run, in the callback's context.
- CPU is charged to the event that the callback works for.
- Callbacks run on a worker greenlet, so that ``run_sync`` can suspend one and let the
  others go on.
- When the loop is about to sleep, events that nothing can wake are reported.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from time import thread_time_ns
from typing import Any, Final

import greenlet

from .events import CURRENT, CpuExceeded, EventContext
from .greenlets import GreenletLoop, cancellable
from .memory import MemoryWatch
from .realm.engine import Engine, JSError

NO_LIMIT: Final = 2**62
"""Nanoseconds that nothing reaches."""

_LONG_NS: Final = 200_000
"""CPU time in which a callback may have taken all memory that there is."""


class MeteredHandle(asyncio.Handle):
    """A callback that is charged to its event and followed by the realm's jobs."""

    __slots__ = ()

    def __init__(
        self, callback: Callable[..., Any], args: tuple[Any, ...], loop: RealmLoop, context: Context
    ) -> None:
        # All that asyncio's does for a loop that is not debugged; each request makes one.
        self._context = context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None

    def _run(self) -> None:
        loop: RealmLoop = self._loop
        loop.run_on_worker(self)


class OwnedHandle(MeteredHandle):
    """One in a context that names no event: it is charged to the event whose code asked for it."""

    __slots__ = ("owner",)

    owner: EventContext


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


class RealmLoop(GreenletLoop):
    """The loop of one isolate. ``on_idle`` is called before it would sleep."""

    def __init__(self, engine: Engine, future: type, task: type, memory: MemoryWatch | None = None) -> None:
        super().__init__(engine, memory or MemoryWatch())
        self._future_class = future
        self._task_class = cancellable(task)
        self.set_task_factory(self._make_task)
        self.on_idle: Callable[[], None] = lambda: None
        self.after_turn: Callable[[], None] = lambda: None
        """Called at the end of each turn of the loop: sends what the turn produced."""
        self.on_job_error: Callable[[JSError], None] = lambda error: None
        self._in_jobs = False
        self.allowance_ns = NO_LIMIT
        """CPU that an event may spend; then ``on_exceeded`` is told, after the callback."""
        self.on_out_of_memory: Callable[[EventContext | None], object] = lambda event: None
        self._begun = 0
        self.on_busy: Callable[[], None] | None = None
        """Called when an event begins."""
        self._never_run: list[asyncio.Handle] = []

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
        handle: MeteredHandle
        event = self.event
        if context is None:
            handle = MeteredHandle(callback, args, self, self._own(None))
        elif event is None or context.get(CURRENT) is not None:
            handle = MeteredHandle(callback, args, self, context)
        else:  # the context stays as it is: it may be that of someone who waited for this
            handle = OwnedHandle(callback, args, self, context)
            handle.owner = event
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
            run = self.engine.context.execute_pending_job
            while True:
                try:
                    while run():
                        pass
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

    # ---- the worker ---------------------------------------------------------

    def _work(self, handle: asyncio.Handle) -> str:
        main = greenlet.getcurrent().parent
        assert main is not None
        realm = self.engine.context
        cells = self.cells
        memory = self.memory
        lift = memory.lift
        while True:
            context: Context = handle._context  # type: ignore[attr-defined]
            event = context.get(CURRENT)
            if event is None and handle.__class__ is OwnedHandle:
                event = handle.owner
            if event is not None:
                if event.dead:
                    # Collected, a task that it would have begun or gone on with would say so.
                    self._never_run.append(handle)
                    handle = main.switch("idle")
                    continue
                cells.running = event.id
                self.event = event
                if not memory.enforced:
                    memory.enforce()
                if event.id > self._begun:
                    cells.begun = self._begun = event.id
                    if self.on_busy is not None:
                        self.on_busy()
            self.started = thread_time_ns()
            self.away_ns = self.settled_ns = 0  # a suspended callback left its own here
            try:
                context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]
            except greenlet.GreenletExit:
                raise
            except BaseException as error:
                lift()
                self._on_callback_error(handle, error)
            try:
                if realm.has_pending_job:
                    context.run(self.run_jobs)
                if event is None:
                    self.forgive()  # who is settled between two callbacks would pay for this one
                elif self.settle(event) and self.settled_ns > _LONG_NS:
                    memory.tight = True
                    memory.relax()  # measuring takes some
                    memory.at_the_brim()
                if memory.struck:
                    self.on_out_of_memory(event)
                if event is not None:
                    cells.running = 0
                    self.event = None
                    if event.cpu_ns > self.allowance_ns:
                        self.on_exceeded(event)
            except MemoryError:
                lift()
                self._run_out(event)
            if memory.tight:
                memory.relax()  # a greenlet that gets no memory for its stack ends the process
            handle = main.switch("idle")

    def _run_out(self, event: EventContext | None) -> None:
        """The callback left no memory, not even for what is done after it."""
        self.memory.relax()
        self.memory.struck = True
        if event is not None:
            self.settle(event)
        self.on_out_of_memory(event)
        self.cells.running = 0
        self.event = None

    def _on_callback_error(self, handle: asyncio.Handle, error: BaseException) -> None:
        """Even SystemExit, which ends asyncio's loop, does not end an isolate."""
        self.memory.relax()  # what follows is ours, and must not fail as well
        if isinstance(error, CpuExceeded):
            return  # its event is cut next
        ends = isinstance(error, SystemExit | KeyboardInterrupt)
        if ends and isinstance(getattr(handle._callback, "__self__", None), asyncio.Task):  # type: ignore[attr-defined]
            return  # the task has kept it, for whoever awaits that task
        facts = {"message": f"Exception in callback {handle!r}", "exception": error, "handle": handle}
        if sys.version_info >= (3, 12):
            self.call_exception_handler(facts)  # it enters the handle's context, which nobody may do twice
        else:
            handle._context.run(self.call_exception_handler, facts)  # type: ignore[attr-defined]
