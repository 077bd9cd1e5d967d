"""Which file of the host stands behind a path that a Worker uses.

A Worker's file system has its own files and Python's, both read-only, a few devices, and a
private tree for the rest: what the Worker writes is found there again, and a file of the host
that it asks for is simply not there.
"""

from __future__ import annotations

import errno
import os
import posix
import stat
from collections.abc import Iterable
from posixpath import normpath
from typing import Final, TypeAlias

from .notices import Notices
from .private import PrivateTree

METADATA: Final = "/session/metadata"
"""Where the platform mounts a Worker's files."""

DEVICES: Final = frozenset({"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"})

PathArgument: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class View:
    """A Worker's file system: ``host`` maps its paths, ``cwd`` is its working directory."""

    def __init__(
        self, root: str, metadata: str, shown: Iterable[str], tree: PrivateTree, notices: Notices
    ) -> None:
        self._root = root
        self._metadata = metadata
        self._shown = tuple(directory.rstrip("/") + "/" for directory in shown if directory != "/")
        self._ancestors = {up for directory in (metadata, root) for up in _above(directory)}
        self._tree = tree
        self._own = tree.base + "/"
        self._notices = notices
        self.cwd = "/"
        self.pending: object = None
        """A path that ``open`` was given and has mapped itself; the audit hook sees the original."""

    def absolute(self, path: str) -> str:
        """``path`` from the root, without ``..``."""
        if not path.startswith("/"):
            path = f"{self.cwd}/{path}"
        return "/" + normpath(path).lstrip("/")

    def host(self, path: str, writing: bool = False, status: bool = False) -> str:
        """The host's path. OSError (read-only) for ``writing`` where that is not allowed.

        With ``status`` the directories above the Worker's own may be seen as well: code looks
        at them on its way to a file, though their contents stay hidden.
        """
        if not path or "\0" in path:
            return path
        full = self.absolute(path)
        if f"{full}/".startswith(self._own) or full in DEVICES:
            return full
        if f"{full}/".startswith(self._shown):
            return self._readable(full, path, writing)
        if f"{full}/".startswith(METADATA + "/"):
            return self._readable(self._metadata + full[len(METADATA) :], path, writing)
        self._tree.make()
        private = self._tree.path + full
        if status and full in self._ancestors and not posix.access(private, posix.F_OK):
            return full
        return private

    def _readable(self, host: str, path: str, writing: bool) -> str:
        if writing:
            self.refuse_writing(path)
        return host

    def refuse_writing(self, path: str) -> None:
        """Raise what writing to a read-only file system raises."""
        self._notices.once("read-only", path)
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    def of(self, path: PathArgument, writing: bool = False, status: bool = False) -> str | bytes:
        """``host`` for all that the functions of ``os`` take as a path; bytes give bytes."""
        plain = os.fspath(path)
        if isinstance(plain, bytes):
            return os.fsencode(self.host(os.fsdecode(plain), writing, status))
        return self.host(plain, writing, status)

    def worker_path(self, host: str) -> str:
        """The Worker's name of a path of the host."""
        if host == self._tree.path:
            return "/"
        return host.removeprefix(self._tree.path) if host.startswith(self._tree.path + "/") else host

    def is_read_only(self, host: str) -> bool:
        """Whether a path of the host is shown, but not for writing."""
        return not f"{host}/".startswith(self._own) and host not in DEVICES

    def check(self, host: str, writing: bool) -> None:
        """Refuse a path of the host that reached the system without ``host``."""
        full = "/" + normpath(host).lstrip("/")
        if f"{full}/".startswith(self._own) or full in DEVICES:
            return
        if f"{full}/".startswith(self._shown):
            if writing:
                self.refuse_writing(host)
            return
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), host)

    def explain_missing(self, path: str) -> None:
        """Say why ``path`` was not found, where the host or the project has it."""
        if not path.startswith("/"):
            for directory in (self._metadata, self._root):
                if _is_file(f"{directory}/{path}"):
                    self._notices.once("relative-file", repr(path), f"{directory}/{path}", repr(path))
                    return
        elif _is_file(path):
            self._notices.once("host-file", path)


def _is_file(host: str) -> bool:
    try:
        return stat.S_ISREG(posix.stat(host).st_mode)
    except (OSError, ValueError):
        return False


def _above(directory: str) -> list[str]:
    parts = directory.strip("/").split("/")
    return ["/" + "/".join(parts[:count]) for count in range(1, len(parts))]
