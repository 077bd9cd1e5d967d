"""Hot reload: watch the projects' files and deploy what was saved."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from emulator.diagnostics.report import Report
from emulator.fleet.slot import WorkerSlot
from emulator.journal.events import Explained, Journal, Notice
from emulator.project import Project, ProjectError
from emulator.project.watch import SKIPPED_DIRECTORIES

STEP_MS: Final = 10
"""Quiet time that ends a burst of changes; an editor's delete-and-create is one change.

Also how often the watcher wakes up: half of it would save 5 ms per reload and double what an
idle server costs.
"""

_MOST_MS: Final = 200
_MENDING_SECONDS: Final = 0.1
_MOUNTS: Final = Path("/proc/self/mountinfo")
# File systems whose changes are made by another kernel, which inotify does not see.
_REMOTE: Final = ("9p", "virtiofs", "vboxsf", "nfs", "cifs", "smb", "drvfs", "osxfs", "grpcfuse", "fuse.")

Reopen = Callable[[Project], Project]
"""Reads a project's files again. Raises ``ProjectError``."""


class Reloader:
    """Deploys a Worker again whenever a file that matters to it is saved."""

    def __init__(
        self, projects: Sequence[tuple[Project, WorkerSlot]], since: float, reopen: Reopen, journal: Journal
    ) -> None:
        """``since`` is the ``time.time()`` before the projects were first read."""
        self._projects = list(projects)
        self._since = since
        self._reopen = reopen
        self._journal = journal

    async def run(self) -> None:
        """Watch until cancelled."""
        following = asyncio.create_task(self._follow())
        try:
            # The first step of the task starts the watch; what was saved before is found on disk.
            await asyncio.sleep(0)
            await self._deploy(await asyncio.to_thread(self._saved_since))
            await following
        finally:
            following.cancel()

    async def changes(self) -> AsyncIterator[list[Path]]:
        """Batches of changed files that matter to some project. The method to override."""
        roots = sorted({root for project, _ in self._projects for root in project.watch_roots})
        force = True if any(needs_polling(root) for root in roots) else None
        try:
            async for paths in self._watch(roots, force):
                yield paths
        except OSError as error:
            text = f"The files cannot be watched ({error}); they are looked at again and again instead."
            self._journal(Notice("warn", text))
            async for paths in self._watch(roots, True):
                yield paths

    async def _watch(self, roots: list[Path], force_polling: bool | None) -> AsyncIterator[list[Path]]:
        import watchfiles

        watched = watchfiles.awatch(
            *roots,
            watch_filter=self._matters,
            step=STEP_MS,
            debounce=_MOST_MS,
            force_polling=force_polling,
            ignore_permission_denied=True,
        )
        async for changes in watched:
            yield [Path(path) for _, path in changes]

    async def _follow(self) -> None:
        async for paths in self.changes():
            await self._deploy(paths)

    async def _deploy(self, paths: Iterable[Path]) -> None:
        for number, (project, slot) in enumerate(self._projects):
            if any(project.matters(path) for path in paths):
                self._projects[number] = (await self.reload(project, slot), slot)

    def _saved_since(self) -> list[Path]:
        """Files saved after the projects were first read and before they were watched."""
        found: list[Path] = []
        for project, _ in self._projects:
            for root in project.watch_roots:
                for directory, names, files in os.walk(root):
                    names[:] = [name for name in names if name not in SKIPPED_DIRECTORIES]
                    paths = [Path(directory, name) for name in files]
                    found += [path for path in paths if project.matters(path) and self._is_newer(path)]
        return found

    def _is_newer(self, path: Path) -> bool:
        try:
            return path.stat().st_mtime > self._since
        except OSError:
            return False

    async def reload(self, project: Project, slot: WorkerSlot) -> Project:
        """Deploy what is on disk now; mistakes in the configuration are served until mended."""
        try:
            opened = self._reopen(project)
        except ProjectError:
            # Some editors remove a file before they write it again.
            await asyncio.sleep(_MENDING_SECONDS)
            try:
                opened = self._reopen(project)
            except ProjectError as error:
                slot.fail(_errors(error.reports))
                return project
        if opened.name != project.name:
            text = f"{project.name} is now called {opened.name}; its address changes at the next start."
            self._journal(Notice("warn", text))
        for warning in opened.warnings:
            if warning not in project.warnings:
                self._journal(Explained(slot.name, warning))
        slot.deploy(opened.spec())
        return opened

    def _matters(self, _: object, path: str) -> bool:
        return any(project.matters(Path(path)) for project, _ in self._projects)


def needs_polling(path: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether ``path`` is on a file system that tells no changes (a bind mount from another system).

    ``WATCHFILES_FORCE_POLLING`` in the environment has the last word, in watchfiles itself.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    best, kind = "", ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields = before.split()
        mount = fields[4] if len(fields) > 4 else ""
        if after and mount and len(mount) >= len(best) and path.resolve().is_relative_to(mount):
            best, kind = mount, after.split()[0]
    return kind.startswith(_REMOTE)


def _errors(reports: list[Report]) -> list[Report]:
    return [report for report in reports if report.severity == "error"] or reports
