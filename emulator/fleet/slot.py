"""A Worker's slot: the one isolate that serves it now, and how the next one takes over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import structs

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.fleet.isolate import Isolate
from emulator.journal.events import Explained, Journal, Notice, Reloaded
from emulator.wire.frames import Loaded, LoadFailed, WorkerSpec

MENDING_SECONDS: Final = 0.05
"""A save that breaks the Worker may be half of one: editors empty a file, then fill it."""

LOAD_SECONDS: Final = 120.0
"""A Worker whose top level takes longer never finishes."""

StartIsolate = Callable[[WorkerSpec], Awaitable[Isolate]]
KillIsolate = Callable[[Isolate], None]


class Unavailable(Exception):
    """The Worker cannot answer until it is mended; ``reports`` say why."""

    def __init__(self, reports: list[Report]) -> None:
        super().__init__(reports[0].what if reports else "")
        self.reports = reports


class WorkerSlot:
    """Serves one Worker. Deploys are serialised, and only the newest wish counts."""

    def __init__(self, name: str, start: StartIsolate, kill: KillIsolate, journal: Journal) -> None:
        self.name = name
        self.active: Isolate | None = None
        """The isolate that takes events; ``None`` while there is none."""
        self.reports: list[Report] = []
        """Why there is no isolate, when the last deploy failed."""
        self.deploys = 0
        """Versions that were put in place, good or bad."""
        self.reconsider: Callable[[WorkerSpec, LoadFailed], Awaitable[WorkerSpec | Report]] | None = None
        """Asked about a version that does not load: what to load in its place, or why it is not served."""
        self._start = start
        self._kill = kill
        self._journal = journal
        self._warnings: list[Report] = []
        self._spec: WorkerSpec | None = None
        self._served: WorkerSpec | None = None
        self._wanted: tuple[WorkerSpec, float] | None = None
        self._generation = 0
        self._loading: Isolate | None = None
        self._deployer: asyncio.Task[None] | None = None
        self._coming: asyncio.Future[None] | None = None
        self._closed = False

    def deploy(self, spec: WorkerSpec) -> asyncio.Task[None]:
        """Put a new version in place of the one that serves; the task ends when it, or a newer one, is."""
        self._supersede((spec, time.perf_counter()))
        if self._deployer is None:
            self._deployer = asyncio.get_running_loop().create_task(self._deploy())
        return self._deployer

    def redeploy(self) -> None:
        """Start the newest version again: the fork server was replaced."""
        if self._spec is not None and not self._closed:
            self.deploy(self._spec)

    def fail(self, reports: list[Report]) -> None:
        """Serve ``reports`` (a broken configuration) until the next good deploy."""
        self._supersede(None)
        self._put_failure(reports)

    @property
    def serves(self) -> bool:
        """Whether a version answers requests, or is about to."""
        return self.active is not None or self._deployer is not None

    def expect(self) -> None:
        """A deploy or a failure is coming (the Worker is being built): until then requests wait."""
        if self.active is None and self._coming is None:
            self._coming = asyncio.get_running_loop().create_future()

    def expect_no_more(self) -> None:
        """What was expected does not come: everything stays as it is."""
        if self._coming is not None:
            self._coming.set_result(None)
            self._coming = None

    @property
    def settling(self) -> bool:
        """Whether something is expected or being deployed."""
        return self._busy() is not None

    async def settled(self) -> None:
        """Wait until nothing is expected and nothing is being deployed."""
        while (busy := self._busy()) is not None:
            await asyncio.shield(busy)

    async def available(self) -> Isolate:
        """The isolate to send events to, once there is one. Raises ``Unavailable``."""
        while self.active is None:
            busy = self._busy()
            if busy is None or self._closed:
                raise Unavailable(self.reports)
            await asyncio.shield(busy)
        return self.active

    def _busy(self) -> asyncio.Future[None] | None:
        return self._coming or self._deployer

    def close(self) -> None:
        """Retire what serves and start nothing more."""
        self._closed = True
        self._supersede(None)
        if self._deployer is not None:
            self._deployer.cancel()
        if self.active is not None:
            self.active.retire()

    def _supersede(self, wanted: tuple[WorkerSpec, float] | None) -> None:
        self.expect_no_more()
        self._generation += 1
        self._wanted = wanted
        self._spec = wanted[0] if wanted else None
        if self._loading is not None:
            self._kill(self._loading)

    async def _deploy(self) -> None:
        try:
            while self._wanted is not None:
                (spec, since), self._wanted = self._wanted, None
                await self._replace(spec, since, self._generation)
        finally:
            self._deployer = None

    async def _replace(self, spec: WorkerSpec, since: float, generation: int) -> None:
        isolate = await self._start(spec)
        if generation == self._generation:
            self._loading = isolate
            isolate.load()
            await asyncio.wait([isolate.loaded], timeout=LOAD_SECONDS)
            self._loading = None
        if generation != self._generation:
            self._kill(isolate)
            return
        outcome = isolate.loaded.result() if isolate.loaded.done() else LoadFailed(_never_loaded(spec))
        if isinstance(outcome, Loaded):
            self._put(isolate, outcome, since)
            return
        self._kill(isolate)
        if self.active is not None:
            await asyncio.sleep(MENDING_SECONDS)
        verdict: WorkerSpec | Report = outcome.report
        if self.reconsider is not None and generation == self._generation:
            verdict = await self.reconsider(spec, outcome)
        if generation != self._generation:
            return
        if isinstance(verdict, Report):
            self._put_failure([verdict])
        else:
            await self._replace(verdict, since, generation)

    def _put(self, isolate: Isolate, loaded: Loaded, since: float) -> None:
        old, self.active, self.reports = self.active, isolate, []
        isolate.on_lost = self._on_lost
        isolate.on_full = self._on_full
        for warning in loaded.warnings:
            if warning not in self._warnings:
                self._journal(Explained(self.name, warning))
        self._warnings = loaded.warnings
        if old is not None:
            old.retire()
        # An isolate that only takes the place of one that died serves the same version.
        if self.deploys and isolate.spec is not self._served:
            self._journal(Reloaded(self.name, (time.perf_counter() - since) * 1000))
        self.deploys += 1
        self._served = isolate.spec
        if isolate.channel.lost:
            self._on_lost(isolate)

    def _put_failure(self, reports: list[Report]) -> None:
        old, self.active, self.reports = self.active, None, reports
        self.deploys += 1
        for report in reports:
            self._journal(Explained(self.name, report))
        if old is not None:
            old.retire()

    def _on_full(self, isolate: Isolate, memory_bytes: int) -> None:
        """What it has taken is never given back: a fresh isolate takes over.

        Requests wait for it: a fast leak would fill the rest of the old one's memory before it is there.
        """
        if isolate is self.active and self._deployer is None and not self._closed:
            self.active = None
            isolate.retire()
            limit = isolate.spec.limits.memory_mb * 2**20
            why = f"Its memory has grown to {memory_bytes / 2**20:.0f} MB"
            if not memory_bytes:
                why = "Code was cut in the middle of what it did"
            elif memory_bytes < limit:
                why = "Its memory limit was hit"
            self._journal(Notice("info", f"[{self.name}] {why}: a fresh isolate takes over."))
            self.deploy(isolate.spec)

    def _on_lost(self, isolate: Isolate) -> None:
        if isolate is not self.active:
            return
        self.active = None
        if not self._closed and self._deployer is None:
            spec = isolate.spec
            if spec.kind != "python" and isolate.died_at_work:
                # Perhaps in a loop of WebAssembly, for which the kernel had to end the process.
                spec = self._served = structs.replace(spec, interruptible=True)
            self.deploy(spec)


def _never_loaded(spec: WorkerSpec) -> Report:
    return explain("load-timeout", worker=spec.name, seconds=f"{LOAD_SECONDS:.0f}")
