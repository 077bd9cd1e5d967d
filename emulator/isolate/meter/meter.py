"""Holds each event to the CPU time of the plan, and the start of the Worker to its own.

Cut in the act, from softest to hardest:

1. ``CpuExceeded`` is raised in the Worker's Python code; JavaScript and WebAssembly are interrupted.
2. Python code that catches even that and goes on is left where it is for ever: its greenlet is not
   resumed. The isolate is then replaced as soon as it is convenient.
3. What cannot be interrupted at all is ended by the kernel (``timer.py``), with its process.

https://developers.cloudflare.com/workers/platform/limits/#cpu-time
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from emulator.diagnostics.own_files import is_own
from emulator.diagnostics.report import Report
from emulator.wire.frames import Limits, WorkerSpec
from emulator.wire.recorder import FlightRecorder

from ..events import CURRENT, CpuExceeded, EventContext
from ..loop import RealmLoop
from ..realm.engine import JSError
from ..wasm.epochs import epochs
from .asleep import SleepWatch
from .frames import nearest, prepare
from .profile import Line, Profile, line_in, line_of, modules_on, shares, shown
from .reports import Reports
from .timer import Timer

SAVED_BUDGETS: Final = 5
"""``--cpu flexible``: how many budgets may be saved up."""

_PROFILED: Final = 8
"""Samples are taken once an event has spent this part of its budget."""

_RAISES: Final = 2
"""Ticks at which ``CpuExceeded`` is raised before the code is given up."""

_LAST_RAISE: Final = 20
"""Code that can neither be ended nor left (below JavaScript) takes the process with it."""

_LOST_NS: Final = 5_000_000_000
"""CPU time of the emulator's own, without end and without a callback, after which it will find no end."""

_STACK: Final = "() => new Error().stack"


class Meter:
    """One isolate's. ``budget_ns`` is in CPU time of this machine, 0 for none."""

    def __init__(self, loop: RealmLoop, recorder: FlightRecorder | None) -> None:
        self._loop = loop
        self._timer = Timer(recorder.fd if recorder else -1)
        self.sleep = SleepWatch(loop, recorder.fd if recorder else -1)
        self._limits = Limits()
        self._root = os.sep
        self._reports = Reports(self._limits, self._root)
        self._startup_ns = 0
        self._saved_ns = 0
        self._imports: Counter[str] = Counter()
        self._js_sample_due = False
        self._probing = False
        self._nobodys_cuts = 0
        self._nobodys_callback = 0
        self._startup_at: Line | None = None
        self._ours = 0, 0
        self.loading = False
        self.budget_ns = 0
        self.can_leave: Callable[[], bool] = lambda: False
        """Whether the running Python code may be left for ever: no JavaScript is below it."""
        self.tell: Callable[[Report], None] = lambda report: None
        """Told of overruns that are no event's."""
        self._stack: Callable[[], str] = lambda: ""

    # ---- phases -------------------------------------------------------------

    def start(self, spec: WorkerSpec) -> None:
        """The Worker is about to load."""
        limits = self._limits = spec.limits
        self._root = spec.root.rstrip(os.sep) + os.sep
        self._reports = Reports(limits, self._root)
        self._startup_ns = self._here(limits.startup_cpu_ms)
        self.budget_ns = self._here(limits.cpu_ms)
        if self._startup_ns or self.budget_ns or limits.memory_mb:
            prepare()
            self._timer.start(self._tick)
            self.sleep.start(self._on_asleep)
            self._loop.engine.set_interrupt(self.interrupt)
            epochs().on_tick = self.interrupt
            cuts = (CpuExceeded, MemoryError) if limits.memory_mb else CpuExceeded
            sys.unraisablehook = _without(cuts, sys.unraisablehook)
            self._stack = self._loop.engine.eval(_STACK, "cfw-emu:meter")
        self.loading = True
        self._timer.limit(self._startup_ns / 1e9)

    def loaded(self) -> None:
        """Events come from now on."""
        self.loading = False
        self._loop.forgive()
        if self.budget_ns:
            self._saved_ns = SAVED_BUDGETS * self.budget_ns if self._limits.flexible else 0
            self._allow()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The emulator does what takes long: nothing ends that, in whatever thread it is done."""
        limit = self._timer.limit_seconds
        self._timer.limit(0)
        try:
            yield
        finally:
            self._timer.limit(limit)

    def settle(self, event: EventContext) -> None:
        """``event`` is over: what it left of its budget may be saved, what it took in excess is gone."""
        if self._limits.flexible and self.budget_ns:
            saved = self._saved_ns + self.budget_ns - event.cpu_ns
            self._saved_ns = min(max(saved, 0), SAVED_BUDGETS * self.budget_ns)
            self._allow()
            event.cpu_ns = 0  # what it leaves running is held to what is saved now

    def _allow(self) -> None:
        self._loop.allowance_ns = self.budget_ns + self._saved_ns
        self._timer.limit(self._loop.allowance_ns / 1e9)

    def _here(self, milliseconds: float) -> int:
        """A limit of the platform in CPU time of this machine."""
        return int(milliseconds * 1e6 / self._limits.cpu_scale)

    # ---- what was spent -----------------------------------------------------

    def spent(self, event: EventContext | None) -> int:
        """CPU time so far, in ns, the running callback's included."""
        if event is None:
            return self._loop.spent()
        return event.cpu_ns + self._loop.spent() - self._loop.settled_ns

    def exceeded(self, event: EventContext | None) -> bool:
        """Whether it is over its budget, or the start or a callback of no event over theirs."""
        if event is None:
            if self.loading:
                return 0 < self._startup_ns < self._loop.spent()
            return (
                self._loop.on_worker and self._loop.spent() - self._loop.settled_ns > self._loop.allowance_ns
            )
        spent = self.spent(event)
        # One that has been cut may clean up.
        return spent > self._loop.allowance_ns and (not event.cut or spent > 2 * self._loop.allowance_ns)

    # ---- reports ------------------------------------------------------------

    def report(self, event: EventContext, over: bool) -> Report:
        """Why ``event`` is cut, in the act or when its handler was ``over``."""
        return self._reports.cut(event, over)

    def startup_report(self) -> Report | None:
        """Why the Worker is not served, when its start took too long."""
        spent = self._loop.spent()
        if not 0 < self._startup_ns < spent:
            return None
        return self._reports.startup(spent, shares(self._imports), self._startup_at)

    def _tell_nobodys(self, line: Line | None, spent_ns: int) -> None:
        self.tell(self._reports.nobodys(line, spent_ns))

    # ---- in the act ---------------------------------------------------------

    def interrupt(self) -> bool:
        """Asked by JavaScript and WebAssembly while they run: whether to stop them."""
        event = self._running()
        if self._probing:
            return False
        if self._js_sample_due:
            self._js_sample_due = False
            self._sample(event, self._js_line())
        if not self.exceeded(event) and not self._loop.memory.struck:
            return False
        if event is None:
            if self._startup_at is None or not self.loading:
                self._count_nobodys(self._js_line())
        elif not event.cuts:
            event.cuts = 1
            event.cut_at = self._js_line()
        return True

    def _js_line(self) -> Line | None:
        """The innermost line of the project's JavaScript that runs."""
        self._probing = True
        try:
            return line_in(self._stack(), self._root)
        except JSError:
            return None  # no stack is left for it
        finally:
            self._probing = False

    def _running(self) -> EventContext | None:
        """Whom the current code works for; code in a context of its own works for its callback's event."""
        return CURRENT.get() or self._loop.event

    def _tick(self, frame: FrameType | None) -> None:
        if not self._loop.on_worker:
            self._look_after_ours()
            return
        event = self._running()
        memory = self._loop.memory
        full = memory.struck
        early = self.budget_ns // _PROFILED
        if event is not None and not full and self.spent(event) < early:
            return  # most requests never get far: their lines are worth nobody's time
        if event is not None and memory.enforced:
            full = memory.at_the_brim()
        found = nearest(frame)
        if self.loading:
            self._imports.update(shown(Line(file, 0, ""), self._root) for file in modules_on(frame))
        if found is not None:
            self._sample(event, line_of(self._users(found)))
        else:
            self._js_sample_due = True
            self._loop.engine.interrupt()
        if full or self.exceeded(event):
            self._cut(event, found, found is frame)

    def _look_after_ours(self) -> None:
        """End the process when the emulator's own code never ends: the Worker broke what it relies on."""
        started, spent = self._loop.started, self._loop.spent()
        if self._ours[0] != started:
            self._ours = started, spent
        elif spent - self._ours[1] > _LOST_NS:
            self._timer.end_process()

    def _users(self, frame: FrameType) -> FrameType:
        """``frame`` or its first caller in the project's own files; without one, ``frame``."""
        found: FrameType | None = frame
        while found is not None:
            if is_own(found.f_code.co_filename, self._root):
                return found
            found = found.f_back
        return frame

    def _sample(self, event: EventContext | None, line: Line | None) -> None:
        if event is not None and line is not None:
            if event.profile is None:
                event.profile = Profile()
            event.profile.add(line)

    def _cut(self, event: EventContext | None, frame: FrameType | None, direct: bool) -> None:
        if frame is None:
            self._look_after_ours()  # the loop looks again after this callback
            return
        line = line_of(self._users(frame))
        if event is None:
            cuts = self._count_nobodys(line)
        else:
            cuts = event.cuts = event.cuts + 1
            event.cut_at = event.cut_at or line
            if cuts > _RAISES and self.can_leave():
                self._timer.handled()
                self._loop.leave_for_ever(event)
        if cuts > _LAST_RAISE:
            self._timer.end_process()
        if direct:
            raise CpuExceeded
        raise_in(frame)

    def _on_asleep(self, frame: FrameType | None) -> None:
        """The running code waits for what cannot come: go on without it."""
        event = self._running()
        if event is None or frame is None or not self.can_leave():
            self.sleep.end_process()
            return
        event.blocked = True
        event.cut_at = line_of(self._users(nearest(frame) or frame))
        self._loop.leave_for_ever(event)

    def _count_nobodys(self, line: Line | None) -> int:
        """How many times the running callback, which works for no event, was cut; told once."""
        if self._nobodys_callback != self._loop.started:
            self._nobodys_callback, self._nobodys_cuts = self._loop.started, 0
        self._nobodys_cuts += 1
        if self.loading:
            self._startup_at = self._startup_at or line
        elif self._nobodys_cuts == 1:
            self._loop.call_soon(self._tell_nobodys, line, self._loop.spent())
        return self._nobodys_cuts


def _without(
    cuts: type[BaseException] | tuple[type[BaseException], ...], hook: Callable[[Any], object]
) -> Callable[[Any], object]:
    """``sys.unraisablehook`` that is silent where a finalizer was cut: its event is told so."""

    def unraisable(args: Any) -> None:
        if not issubclass(args.exc_type, cuts):
            hook(args)

    return unraisable


def raise_in(frame: FrameType) -> None:
    """Raise ``CpuExceeded`` in ``frame`` as soon as control is back in it."""

    def trace(traced: FrameType, what: str, _: Any) -> Any:
        if traced is not frame:
            return None
        sys.settrace(None)
        if what != "return":
            raise CpuExceeded
        return None

    frame.f_trace = trace
    frame.f_trace_opcodes = True
    sys.settrace(lambda *_: None)
