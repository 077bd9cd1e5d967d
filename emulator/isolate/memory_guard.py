"""From running out of memory to the report that answers an event, and to the isolate's successor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.wire.channel import Channel
from emulator.wire.frames import Explain, Full, Limits, Memory
from emulator.wire.recorder import Cells

from .events import EventContext
from .memory import MB, UNKNOWN, MemoryWatch
from .memory_errors import JAVASCRIPT
from .wasm.limits import MEMORY_BYTES

_LOOK_EVERY: Final = 4
"""Events after which the memory is looked at: asking takes two microseconds."""


class MemoryGuard:
    """One isolate's. ``end`` answers an event with a report and ends all that works for it."""

    def __init__(
        self,
        watch: MemoryWatch,
        channel: Channel,
        cells: Cells,
        end: Callable[[EventContext, Report], None],
        place: Callable[[Any, EventContext | None], Place | None],
        wasm_bytes: Callable[[], int],
    ) -> None:
        self.watch = watch
        self.full = False
        """Whether a successor was asked for."""
        self._channel = channel
        self._cells = cells
        self._end = end
        self._place = place
        self._wasm_bytes = wasm_bytes
        self._limits = Limits()
        self._finished = 0
        self._told = 0
        watch.on_exceeded = self._on_exceeded

    # ---- the start ----------------------------------------------------------

    def start(self, limits: Limits) -> None:
        """The Worker's own code is about to be loaded."""
        self._limits = limits
        self._arm(limits.startup_memory_mb)
        self.watch.enforce()

    def loaded(self, error: BaseException | None) -> Report | None:
        """It is loaded, or failed to by ``error``: why it is not served, if it took too much memory."""
        if self.watch.blame(UNKNOWN if error is None else error):
            self.watch.hit()
        used = self.watch.look()
        report = None
        if self.watch.exceeded:
            facts = self._facts(self._limits.startup_memory_mb, used)
            report = explain(
                "startup-memory-exceeded", where=None if error is None else self._place(error, None), **facts
            )
        if self._wasm_bytes():
            # Its memory only ever grows, a bit with each request: none is to blame for crossing the limit.
            self.watch.spare_bytes = int(self._limits.memory_mb * MB)
        self._arm(self._limits.memory_mb)
        return report

    def _arm(self, limit_mb: float) -> None:
        limit = int(limit_mb * MB)
        self.watch.arm(limit)
        # For whoever finds this process dead: a library may end it where it gets no memory.
        self._cells.fresh_bytes, self._cells.limit_bytes = (
            self.watch.fresh_bytes,
            limit * self.watch.can_limit,
        )

    # ---- events -------------------------------------------------------------

    def ran_out(self, event: EventContext | None, error: Any = UNKNOWN) -> bool:
        """Whether ``error``, or one that the Worker caught, is for want of memory; ``event`` is ended then.

        To be asked before anything else is done with an error: afterwards there is memory for it.
        """
        what = self.watch.blame(error)
        if not what:
            return False
        used = self.watch.hit()
        if event is None or not event.cut:
            facts = self._facts(self._limits.memory_mb, used)
            where = self._place(error, event)
            self._answer(event, {"where": where, "what": what, **facts})
        return True

    def end(self, event: EventContext) -> None:
        """Memory ran out, and with it went what the event waits for: QuickJS loses jobs without room."""
        facts = self._facts(self._limits.memory_mb, self.watch.used())
        self._answer(event, {"where": None, "what": JAVASCRIPT, **facts})

    def _answer(self, event: EventContext | None, facts: dict[str, Any]) -> None:
        if event is None:
            self._channel.send(Explain(0, explain("memory-exceeded", stage="nobody", **facts)))
            return
        stage = "answered" if event.answered else ""
        report = explain("memory-exceeded", event=event.label, stage=stage, **facts)
        if event.over:
            event.cut = True
            self._channel.send(Explain(event.id, report))
        else:
            self._end(event, report)

    def _facts(self, limit_mb: float, used: int) -> dict[str, Any]:
        shown = self.watch.shown(used)
        return {"limit": f"{limit_mb:,.0f} MB", "used": shown, "plan": self._limits.plan}

    def event_over(self) -> None:
        """Another event is over."""
        self._finished += 1

    @property
    def due(self) -> bool:
        """Whether it is time to ``look`` again."""
        return self._finished >= _LOOK_EVERY

    def look(self, waiting_bytes: int) -> None:
        """At the end of a turn of the loop. ``waiting_bytes``: what was sent and has not left yet."""
        self._finished = 0
        used = self.watch.look(waiting_bytes)
        # Such memory never gets smaller: without a limit, too, a leak ends with its isolate.
        if not self.full and self._wasm_bytes() > MEMORY_BYTES:
            self.replace(self._wasm_bytes())
        if abs(used - self._told) >= MB:
            self._told = used
            self._channel.send(Memory(used))

    def _on_exceeded(self, used: int) -> None:
        self._cells.memory = 1
        self.replace(used)

    def replace(self, used: int) -> None:
        """Ask for a successor of this isolate, once."""
        if not self.full:
            self.full = True
            self._channel.send(Full(used))
