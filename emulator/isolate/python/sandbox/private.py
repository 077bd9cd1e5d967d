"""A directory of the host that holds what one isolate writes, and is gone with it.

Everything lies below one base directory of the user. Each isolate holds a lock on its own
directory; a lock ends with its process, however that ended, so whoever makes a directory next
removes those that nobody holds any more.

Only the functions of ``posix`` are used: those of ``os`` are the Worker's view by then.
"""

from __future__ import annotations

import contextlib
import fcntl
import posix
import stat
import tempfile
import time
from typing import Final

_SKELETON: Final = ("tmp", "home", "home/web_user", "dev", "proc", "lib", "session", "session/metadata")
"""Directories that the platform's file system has from the start."""


class PrivateTree:
    """The writable part of a Worker's file system. Made on disk at first need."""

    def __init__(self, process: int) -> None:
        self.base = base_directory()
        self.path = f"{self.base}/{process}-{time.monotonic_ns():x}"
        self._lock = -1

    def make(self) -> None:
        """Make the directory unless it is there already."""
        if self._lock >= 0:
            return
        with contextlib.suppress(FileExistsError):
            posix.mkdir(self.base, 0o700)
        base = posix.open(self.base, posix.O_RDONLY | posix.O_DIRECTORY | posix.O_NOFOLLOW)
        try:
            if posix.fstat(base).st_uid != posix.getuid():
                raise PermissionError(f"{self.base} belongs to another user")
            fcntl.flock(base, fcntl.LOCK_EX)
            _sweep_below(self.base)
            posix.mkdir(self.path, 0o700)
            self._lock = posix.open(self.path, posix.O_RDONLY | posix.O_DIRECTORY)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            posix.close(base)
        for name in _SKELETON:
            posix.mkdir(f"{self.path}/{name}")

    def remove(self) -> None:
        """Remove the directory with all that is in it, if it was made."""
        if self._lock >= 0:
            remove_tree(self.path)
            posix.close(self._lock)
            self._lock = -1


def base_directory() -> str:
    """Holds the directories of all isolates of this user."""
    return f"{_memory_directory()}/cfw-emu-{posix.getuid()}"


def sweep() -> None:
    """Remove what isolates that are gone have left."""
    with contextlib.suppress(OSError):
        base = posix.open(base_directory(), posix.O_RDONLY | posix.O_DIRECTORY | posix.O_NOFOLLOW)
        try:
            fcntl.flock(base, fcntl.LOCK_EX)
            _sweep_below(base_directory())
        finally:
            posix.close(base)


def _sweep_below(base: str) -> None:
    """The caller holds the lock of ``base``."""
    for name in posix.listdir(base):
        with contextlib.suppress(OSError):
            path = f"{base}/{name}"
            held = posix.open(path, posix.O_RDONLY | posix.O_DIRECTORY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(path)
            finally:
                posix.close(held)


def remove_tree(path: str) -> None:
    """Remove a directory and what is in it, as far as that is allowed."""
    with contextlib.suppress(OSError):
        for name in posix.listdir(path):
            child = f"{path}/{name}"
            with contextlib.suppress(OSError):
                if stat.S_ISDIR(posix.lstat(child).st_mode):
                    remove_tree(child)
                else:
                    posix.unlink(child)
        posix.rmdir(path)


def _memory_directory() -> str:
    """Where files cost no disk, if there is such a place."""
    shared = "/dev/shm"
    usable = posix.access(shared, posix.R_OK | posix.W_OK | posix.X_OK)
    return shared if usable else tempfile.gettempdir()
