"""Hot reload: watch the projects' files and deploy what was saved."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from emulator.front.deployment import Deployment
from emulator.front.watched import Watched
from emulator.journal.events import Journal, Notice
from emulator.project.watch import SKIPPED_DIRECTORIES, is_skipped

STEP_MS: Final = 10
"""Quiet time that ends a burst of changes; an editor's delete-and-create is one change.

Also how often the watcher wakes up: half of it would save 5 ms per reload and double what an
idle server costs.
"""

_MOST_MS: Final = 200
_LOOK_SECONDS: Final = 0.5
"""How often it is looked whether the watched directories are still the same ones."""
_ADDED: Final = 1
"""``watchfiles.Change.added``, without its import."""
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
        self._output = _output_files()

    async def run(self) -> None:
        """Watch until cancelled."""
        watched = Watched(self._roots())
        fresh, since = watched.roots, self._since
        try:
            while True:
                following = asyncio.create_task(self._follow(watched))
                try:
                    # The first step of the task starts the watch; what was saved before is found on disk.
                    await asyncio.sleep(0)
                    await self._deploy(await asyncio.to_thread(self._saved_since, fresh, since))
                    await following
                except Exception:  # watchfiles gives up at a name that is not UTF-8, for one
                    await asyncio.sleep(_LOOK_SECONDS)
                    fresh, since = watched.roots, self._since
                    continue
                finally:
                    following.cancel()
                before, watched = watched, Watched(self._roots())
                # All of a directory that was made again is as good as saved, however old it looks.
                fresh, since = [root for root in watched.roots if not before.holds(root)], 0.0
                before.close()
        finally:
            watched.close()

    async def changes(self, watched: Watched) -> AsyncIterator[list[Path]]:
        """Batches of changed files that matter to some project, until other directories are to be watched.

        The method to override.
        """
        over = asyncio.Event()
        looking = asyncio.create_task(self._look(watched, over))
        try:
            if not watched.roots:
                await over.wait()
                return
            force = True if any(needs_polling(root) for root in watched.roots) else None
            try:
                async for paths in self._watch(watched.roots, force, over):
                    yield paths
            except OSError as error:
                if not self._is_current(watched):
                    return
                text = f"The files cannot be watched ({error}); they are looked at again and again instead."
                self._journal(Notice("warn", text))
                async for paths in self._watch(watched.roots, True, over):
                    yield paths
        finally:
            looking.cancel()

    async def _look(self, watched: Watched, over: asyncio.Event) -> None:
        """Set ``over`` when a directory was removed, or made again, or the configuration names others."""
        while self._is_current(watched):
            await asyncio.sleep(_LOOK_SECONDS)
        over.set()

    def _is_current(self, watched: Watched) -> bool:
        roots = self._roots()
        return roots == watched.roots and all(map(watched.holds, roots))

    def _roots(self) -> list[Path]:
        """The directories to watch that are there."""
        roots = {root for each in self._deployments for root in each.project.watch_roots}
        return sorted(root for root in roots if root.is_dir())

    async def _watch(
        self, roots: list[Path], force_polling: bool | None, over: asyncio.Event
    ) -> AsyncIterator[list[Path]]:
        import watchfiles

        watched = watchfiles.awatch(
            *roots,
            watch_filter=lambda change, path: self._matters(path) or self._is_new_directory(change, path),
            step=STEP_MS,
            debounce=_MOST_MS,
            stop_event=over,
            force_polling=force_polling,
            ignore_permission_denied=True,
        )
        async for changes in watched:
            yield [Path(path) for _, path in changes if self._matters(path)] + self._inside(changes)

    async def _follow(self, watched: Watched) -> None:
        async for paths in self.changes(watched):
            self._since = time.time()
            await self._deploy(paths)

    async def _deploy(self, paths: Iterable[Path]) -> None:
        for deployment in self._deployments:
            if saved := [path for path in paths if deployment.matters(path)]:
                try:
                    await deployment.saved(saved)
                except Exception as error:  # the other projects, and the next save, are still to be served
                    deployment.broken(error)

    def _saved_since(self, roots: list[Path], since: float) -> list[Path]:
        """Files below ``roots`` that were saved after ``since``, before they were watched."""
        return [path for root in roots for path in self._files(root) if _is_newer(path, since)]

    def _inside(self, changes: Iterable[tuple[int, str]]) -> list[Path]:
        """Files that came with the new directories among ``changes``."""
        made = {Path(path) for change, path in changes if self._is_new_directory(change, path)}
        return [path for root in made if made.isdisjoint(root.parents) for path in self._files(root)]

    def _files(self, root: Path) -> Iterator[Path]:
        """All files below ``root`` that matter."""
        for directory, names, files in os.walk(root):
            names[:] = [name for name in names if name not in SKIPPED_DIRECTORIES]
            yield from (
                Path(directory, name) for name in files if self._matters(os.path.join(directory, name))
            )

    def _matters(self, path: str) -> bool:
        if not any(deployment.matters(Path(path)) for deployment in self._deployments):
            return False
        return not self._output or _identity(path) not in self._output

    def _is_new_directory(self, change: int, path: str) -> bool:
        """Whether its files may have been written before its changes could be told."""
        return change == _ADDED and os.path.isdir(path) and not self._is_skipped(Path(path, "file"))

    def _is_skipped(self, path: Path) -> bool:
        below = (path.relative_to(root) for root in self._roots() if path.is_relative_to(root))
        return any(map(is_skipped, below))


def _output_files() -> set[tuple[int, int]]:
    """The files that this process prints to: to reload for what is printed would never end."""
    found = (_identity(stream) for stream in (1, 2))
    return {identity for identity in found if identity is not None}


def _identity(file: str | int) -> tuple[int, int] | None:
    try:
        status = os.stat(file)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _is_newer(path: Path, since: float) -> bool:
    try:
        return path.stat().st_mtime > since
    except OSError:
        return False


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
