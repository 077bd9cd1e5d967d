"""Tells the user's saves from the files that a build writes into the directories that it is watched for."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Final, Literal

from emulator.project.build import Build
from emulator.project.watch import SKIPPED_DIRECTORIES

Verdict = Literal["restart", "after", "nothing"]
"""``restart``: build now, in place of the build that runs; ``after``: once more when that one has ended."""

_RESTARTS: Final = 3
_MOST: Final = 6
"""A file that so many builds in a row have found changed while they ran is written by the build itself."""
_HASHED_BYTES: Final = 1_000_000
_CLOCK_SECONDS: Final = 0.02
"""Files are stamped by a clock that runs a little behind the precise one."""

Stamp = tuple[int, int]
"""Time of the inode's last change in nanoseconds, which no program can set, and the size in bytes."""
Signature = Stamp | bytes


class BuildChanges:
    """What was on disk when the last build began, and what builds are known to write."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self._product = _real(build.product)
        self._outputs: set[Path] = {self._product}
        self._before: dict[Path, Signature] = {}
        self._after: dict[Path, Stamp | None] = {}
        self._strikes: dict[Path, int] = {}
        self._begun = 0.0
        self._ended = 0.0
        self._running = False

    def begin(self) -> None:
        """A build begins: note what is there."""
        self._running = True
        self._begun = time.time() - _CLOCK_SECONDS
        self._before = {path: found for path in self._files() if (found := _signature(path)) is not None}

    def end(self) -> None:
        """The build has ended. A file that it left alone is no file that builds write."""
        self._after = {path: _stamp(path) for path in (*self._before, *self._files(), self._product)}
        self._ended = time.time()
        self._running = False
        for path in [path for path in self._strikes if _signature(path) == self._before.get(path)]:
            del self._strikes[path]

    def verdict(self, path: Path) -> Verdict:
        """What the change of a file means that the build is watched for."""
        path = _real(path)
        if not self._in_build(path):
            self._outputs.discard(path)
            self._strikes.clear()
            return "restart"
        if path in self._outputs:
            return "nothing"
        if path not in self._before:
            self._outputs.add(path)
            return "nothing"
        if _signature(path) == self._before[path]:
            return "nothing"
        strikes = self._strikes[path] = self._strikes.get(path, 0) + 1
        if strikes > _MOST:
            self._outputs.add(path)
            return "nothing"
        return "restart" if strikes <= _RESTARTS else "after"

    def wrote(self, path: Path, succeeded: bool) -> bool:
        """Whether a change was made during the last build, so that the reload after it has covered it."""
        path = _real(path)
        if self._running or not self._ended or not (path in self._after or path.exists()):
            return False
        return self._in_build(path) and (succeeded or path in self._outputs)

    def is_output(self, path: Path) -> bool:
        """Whether builds write the file."""
        return _real(path) in self._outputs

    def _in_build(self, path: Path) -> bool:
        """Whether the file was last changed before the last build ended, and not before it began."""
        if self._running:
            return True
        stamp = _stamp(path)
        if path in self._after:
            return self._after[path] == stamp
        if stamp is None:
            # Neither there before the build nor after it, nor now: a temporary file of the build's.
            return self._ended > 0
        return self._begun <= stamp[0] / 1e9 <= self._ended

    def _files(self) -> list[Path]:
        found: list[Path] = []
        roots = [*self.build.watched, *([self.build.root] if self.build.go else [])]
        for root in roots:
            if root.is_file():
                found.append(root)
            for directory, names, files in os.walk(root):
                names[:] = [name for name in names if name not in SKIPPED_DIRECTORIES]
                paths = (Path(directory, name) for name in files)
                found += [path for path in paths if self.build.wants(path)]
        return [_real(path) for path in found]


def _real(path: Path) -> Path:
    """Some watchers tell the paths behind links."""
    return Path(os.path.realpath(path))


def _stamp(path: Path) -> Stamp | None:
    """None: there is no such file."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_ctime_ns, stat.st_size)


def _signature(path: Path) -> Signature | None:
    """What tells two contents of a file apart; None when it cannot be read."""
    try:
        stat = path.stat()
        if stat.st_size > _HASHED_BYTES:
            return (stat.st_ctime_ns, stat.st_size)
        return hashlib.blake2b(path.read_bytes(), digest_size=16).digest()
    except OSError:
        return None
