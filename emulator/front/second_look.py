"""A JavaScript Worker that is too big as it is written may fit as wrangler bundles it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import structs

from emulator.diagnostics.report import Report
from emulator.fleet.slot import WorkerSlot
from emulator.journal.events import Explained, Journal
from emulator.project import Project
from emulator.wire.frames import LoadFailed, WorkerSpec

if TYPE_CHECKING:
    from emulator.project.bundle.verdict import Verdict


class SecondLook:
    """Deploys the versions of one Worker, and decides about those that are too big (``slot.reconsider``).

    The isolate counts modules as they are written, before any of them runs, and only a Worker that does not
    fit so is measured again. From then on it is taken to fit, and measured once it serves: no save
    waits for that.
    """

    def __init__(self, project: Callable[[], Project], slot: WorkerSlot, journal: Journal) -> None:
        self._project = project
        self._slot = slot
        self._journal = journal
        self._fits_bundled = False
        """The last version fitted, but only as a bundle."""
        self._told = False
        self._round = 0
        self._measuring: asyncio.Task[None] | None = None
        slot.reconsider = self.reconsider

    def deploy(self) -> None:
        """Put the project as it is now in place of the version that serves."""
        spec = self._project().spec()
        self._round += 1
        if self._fits_bundled and spec.kind == "javascript" and spec.limits.size_bytes:
            self._slot.deploy(_of_any_size(spec))
            self._measuring = asyncio.get_running_loop().create_task(self._measure(self._round))
        else:
            self._slot.deploy(spec)

    async def reconsider(self, spec: WorkerSpec, failed: LoadFailed) -> WorkerSpec | Report:
        """The version to load in place of one that does not load, or why there is none."""
        if failed.report.code != "worker-too-big" or spec.kind != "javascript":
            return failed.report
        verdict = await self._verdict(failed)
        report = verdict.report
        if report is not None and report.severity == "error":
            return report
        if report is not None and not self._told:
            self._journal(Explained(self._project().name, report))
        self._told = report is not None
        self._fits_bundled = report is None
        return _of_any_size(spec)

    async def _measure(self, round: int) -> None:
        # esbuild takes all the processors that there are.
        await self._slot.settled()
        if round != self._round:
            return
        verdict = await self._verdict(None)
        if round != self._round:
            return
        if verdict.report is not None:
            self._slot.fail([verdict.report])
        if verdict.report is not None or verdict.bundle is None:
            self._fits_bundled = False

    async def _verdict(self, failed: LoadFailed | None) -> Verdict:
        # Few Workers come here; the others do not wait for these imports.
        from emulator.project.bundle.verdict import size_verdict

        files, report = (failed.files, failed.report) if failed else ({}, None)
        return await asyncio.to_thread(size_verdict, self._project(), files, report)


def _of_any_size(spec: WorkerSpec) -> WorkerSpec:
    return structs.replace(spec, limits=structs.replace(spec.limits, size_bytes=0))
