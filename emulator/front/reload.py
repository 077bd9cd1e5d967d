"""Hot reload: watch the projects' files and deploy what was saved."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Final

from emulator.front.deployment import Deployment
from emulator.journal.events import Journal, Notice
from emulator.project.watch import SKIPPED_DIRECTORIES

STEP_MS: Final = 10
"""Quiet time that ends a burst of changes; an editor's delete-and-create is one change.

Also how often the watcher wakes up: half of it would save 5 ms per reload and double what an
idle server costs.
"""

_MOST_MS: Final = 200
_MOUNTS: Final = Path("/proc/self/mountinfo")
# File systems whose changes are made by another kernel, which inotify does not see.
_REMOTE: Final = ("9p", "virtiofs", "vboxsf", "nfs", "cifs", "smb", "drvfs", "osxfs", "grpcfuse", "fuse.")


class Reloader:
    """Has a project built or deployed again whenever a file that matters to it is saved."""

    def __init__(self, deployments: Sequence[Deployment], since: float, journal: Journal) -> None:
        """``since`` is the ``time.time()`` before the projects were first read."""
        self._deployments = deployments
        self._since = since
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
        roots = sorted({root for each in self._deployments for root in each.project.watch_roots})
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
        for deployment in self._deployments:
            if saved := [path for path in paths if deployment.matters(path)]:
                await deployment.saved(saved)

    def _saved_since(self) -> list[Path]:
        """Files saved after the projects were first read and before they were watched."""
        found: list[Path] = []
        for deployment in self._deployments:
            for root in deployment.project.watch_roots:
                for directory, names, files in os.walk(root):
                    names[:] = [name for name in names if name not in SKIPPED_DIRECTORIES]
                    paths = [Path(directory, name) for name in files]
                    found += [path for path in paths if deployment.matters(path) and self._is_newer(path)]
        return found

    def _is_newer(self, path: Path) -> bool:
        try:
            return path.stat().st_mtime > self._since
        except OSError:
            return False

    def _matters(self, _: object, path: str) -> bool:
        return any(deployment.matters(Path(path)) for deployment in self._deployments)


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
