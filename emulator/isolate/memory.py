"""The memory of an isolate, held to the plan's limit.

What counts is what the isolate has above an empty one: Python's heap, JavaScript's heap and the memories of
WebAssembly together. On Linux the allocation that would cross the limit fails in the act, by RLIMIT_DATA:
Python raises MemoryError, JavaScript throws its "out of memory", ``memory.grow`` gives -1. Elsewhere, and for
what grows slowly, the memory is looked at between events.

https://developers.cloudflare.com/workers/platform/limits/#memory
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeVar

from .memory_errors import JAVASCRIPT, UNCLEAR, UNKNOWN, doubt, ran_out, says_full
from .memory_use import Source, source
from .realm.engine import JSError

__all__ = ["MB", "UNKNOWN", "MemoryWatch"]

Made = TypeVar("Made")

MB: Final = 1024 * 1024
"""Bytes of a megabyte of memory limits, as V8 counts them."""

SLACK_BYTES: Final = 2 * MB
"""An allocation fails this far above the limit: allocators take whole blocks from the system."""

RESERVE_BYTES: Final = 32 * MB
"""What is given on top when the limit was hit, so that the others finish, and our own code goes on."""

RESERVES: Final = 4
"""How many times it is given: an isolate with 128 MB never takes more than 256."""

_STEP_BYTES: Final = MB
"""Changes smaller than this are not worth a closer look."""

_BRIM_BYTES: Final = 256 * 1024
"""Less room than this, and code that handles a failure may itself have failed."""

_CLOSER_EVERY: Final = 64
"""Looks after which the free memory inside of the heap is asked for anyway."""


class MemoryWatch:
    """Measures and limits this process. Make it in the fresh fork, before the Worker loads.

    ``on_exceeded(used_bytes)`` is called once in its life, when the limit was hit or found crossed: the
    isolate should be replaced. Which event pays for it is known to who caught the error.
    """

    def __init__(self, measured: Source | None = None) -> None:
        self._source = measured or source()
        self.on_exceeded: Callable[[int], None] = lambda used: None
        self.limit_bytes = 0
        """The limit that was armed; 0: none."""
        self.spare_bytes = 0
        """How far above the limit allocations still succeed; ``look`` finds it crossed all the same."""
        self.exceeded = False
        """Whether the limit was ever hit or crossed."""
        self.struck = False
        """JavaScript said that its heap is full, or memory was found so, and it was not answered for yet."""
        self._javascript_said = False
        self.enforced = False
        """Whether allocations above the limit fail now."""
        self.tight = True
        """Whether the emulator's own code might not find the room that it needs beside what is used."""
        self._reserves = 0
        self._looks = 0
        self._quick = self._aside = self._free = 0
        self._measure()
        self._base = self._quick - self._aside
        self._base_peak = self._source.peak()
        self.fresh_bytes = self._base_peak
        """The most that the process had at once before the Worker came."""
        self.lift = self._source.lift
        """The first half of ``relax``, for who met a MemoryError: calling Python code may raise another."""
        self.can_limit = self._source.can_limit
        """Whether allocations fail at all."""

    # ---- measuring ----------------------------------------------------------

    def used(self) -> int:
        """Bytes above an empty isolate. 2 us; after a change of more than a megabyte, 10 to 50.

        On Linux memory counts as soon as it is allocated; what was given back to the allocator of C does not,
        even while it keeps it. Python's arenas (1 MB of small objects) count while an object is left in them.
        """
        quick = self._source.quick()
        if abs(quick - self._quick) >= _STEP_BYTES:
            self._measure()
            quick = self._quick
        return max(0, quick - self._aside - self._base)

    def _measure(self) -> None:
        use = self._source.whole()
        self._quick = use.data + use.stack
        self._aside = use.stack + use.free
        self._free = use.free

    def room(self) -> int:
        """Bytes that may still be allocated; more than anybody has when nothing is limited."""
        return self._most() - self.used() if self.limit_bytes else 1 << 62

    def need(self, wanted_bytes: int) -> None:
        """Raise MemoryError where there is no room, for libraries that end the process when there is none."""
        if self.enforced and self.room() < wanted_bytes:
            raise MemoryError

    def grant(self, extra_bytes: int) -> None:
        """Count so much of what there is as the emulator's own, not the Worker's."""
        self._base += extra_bytes
        self._apply()

    @contextmanager
    def ours(self) -> Iterator[None]:
        """The emulator's own work, e.g. compiling: not limited, and what it leaves behind does not count."""
        enforced = self.enforced
        self.relax()
        self._measure()
        before = self._quick - self._aside
        try:
            yield
        finally:
            self._measure()
            self.grant(max(0, self._quick - self._aside - before))
            if enforced:
                self.enforce()

    # ---- limiting -----------------------------------------------------------

    def arm(self, limit_bytes: int) -> None:
        """Hold the isolate to ``limit_bytes`` from now on, while ``enforce`` is in force; 0: to nothing."""
        self.limit_bytes = limit_bytes
        self._measure()
        self._apply()

    def enforce(self) -> None:
        """The Worker's code runs now: allocations above the limit fail. 0.7 us, or nothing if they do."""
        if not self.enforced and self.limit_bytes:
            self.enforced = True
            self._apply()

    def relax(self) -> None:
        """The emulator's own code runs now, and may allocate. 0.7 us, or nothing."""
        if self.enforced:
            self.lift()
            self.enforced = False

    def unlimited(self) -> AbstractContextManager[None]:
        """``with`` it, code runs that ends the process when it gets no memory, e.g. wasmtime's. 1.5 us."""
        return Unlimited(self)

    def again(self, make: Callable[[], Made]) -> Made:
        """``make()`` for the emulator's own code: without a limit, if there is no memory for it else."""
        try:
            return make()
        except (MemoryError, JSError, SystemError) as error:
            if not self.limit_bytes or not self.blame(error):
                raise
            self.struck = self._javascript_said = False
            return make()

    def _most(self) -> int:
        return self.limit_bytes + self.spare_bytes + SLACK_BYTES + self._reserves * RESERVE_BYTES

    def _apply(self) -> None:
        if self.enforced:
            # The stack is no data for the kernel, and free memory inside of the heap needs no allocation.
            self._source.limit(self._base + self._free + self._most())

    # ---- finding out --------------------------------------------------------

    def strike(self, thrown: object) -> bool:
        """JavaScript caught an error with this message, or ``null`` (""): whether its heap is full."""
        if self.limit_bytes and ((thrown == "" and self._had(7 / 8)) or says_full(str(thrown))):
            self.struck = self._javascript_said = True
        return self.struck

    def at_the_brim(self) -> bool:
        """Whether all is in use: an allocation may have failed, and the Worker go on all the same. 2 us."""
        try:
            full = self.room() < _BRIM_BYTES
        except MemoryError:
            full = True
        self.struck = self.struck or full
        return self.struck

    def blame(self, error: object = UNKNOWN) -> str:
        """Which heap was full (a name, or ``UNCLEAR``), if that is what an error came from.

        Ends ``enforce``: whoever handles an error has memory for it.
        """
        self.relax()
        what = ran_out(error)
        if what or not self.limit_bytes:
            return what
        if self.struck:
            return JAVASCRIPT if self._javascript_said else UNCLEAR
        share = doubt(error)
        return JAVASCRIPT if share and self._had(share) else ""

    def _had(self, share: float) -> bool:
        """Whether so much of the limit was in use at one time."""
        return self._source.peak() - self._base_peak > self.limit_bytes * share

    def hit(self) -> int:
        """The limit was hit: give a reserve to those who go on. Gives what was used.

        Does nothing that needs memory before there is some.
        """
        if self._reserves < RESERVES:
            self._reserves += 1
        self._apply()
        self.struck = self._javascript_said = False
        used = self.used()
        self._tell(used)
        return used

    def shown(self, used_bytes: int) -> str:
        """``131 MB``; what failed to be allocated would have brought it above the limit."""
        return (
            f"{used_bytes / MB:,.0f} MB"
            if used_bytes > self.limit_bytes
            else f"over {self.limit_bytes / MB:,.0f} MB"
        )

    def look(self, ours_bytes: int = 0) -> int:
        """Between events: is the limit crossed by what stays? Gives what is used, without ``ours_bytes``.

        ``ours_bytes``: what the emulator itself holds on its way, e.g. bodies that wait to be sent.
        """
        self._looks += 1
        free = self._free
        if self._looks % _CLOSER_EVERY == 0:
            self._measure()
        used = max(0, self.used() - ours_bytes)
        self.tight = self.limit_bytes < 2 * used
        if self.limit_bytes and used > self.limit_bytes and not self.exceeded:
            self._measure()
            used = max(0, self.used() - ours_bytes)
            if used > self.limit_bytes:
                self._tell(used)
        if abs(self._free - free) >= _STEP_BYTES:
            self._apply()
        return used

    def _tell(self, used: int) -> None:
        if not self.exceeded:
            self.exceeded = True
            self.on_exceeded(used)


class Unlimited(AbstractContextManager[None]):
    """See ``MemoryWatch.unlimited``. What is allocated counts all the same."""

    __slots__ = ("_again", "_watch")

    def __init__(self, watch: MemoryWatch) -> None:
        self._watch = watch
        self._again = watch.enforced

    def __enter__(self) -> None:
        self._watch.relax()

    def __exit__(self, *_: object) -> None:
        if self._again:
            self._watch.enforce()
