"""``open`` and the file functions of ``os``, over a ``View``."""

from __future__ import annotations

import builtins
import fcntl
import functools
import io
import os
import posix
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Final

from .scan import Scan
from .view import View

_READING: Final = ("listdir", "statvfs", "pathconf")
_STATUS: Final = ("stat", "lstat")
_WRITING: Final = ("mkdir", "rmdir", "remove", "unlink", "chmod", "chown", "utime", "truncate")
_RENAMING: Final = ("rename", "replace")
_BOUND_EARLY: Final = {
    "bz2": "_builtin_open",
    "lzma": "_builtin_open",
    "tarfile": "bltn_open",
    "tokenize": "_builtin_open",
}
"""Modules of the standard library that keep ``open`` under a name of their own."""

_WRITE_FLAGS: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def wants_to_write(flags: int) -> bool:
    """Whether these flags of ``os.open`` may change a file."""
    return bool(flags & _WRITE_FLAGS)


def install(view: View) -> None:
    """Give the Worker's code its own files instead of the host's."""
    replaced: dict[str, Callable[..., Any]] = {
        **{name: _one_path(getattr(os, name), view) for name in _READING},
        **{name: _one_path(getattr(os, name), view, status=True) for name in _STATUS},
        **{name: _one_path(getattr(os, name), view, writing=True) for name in _WRITING},
        **{name: _two_paths(getattr(os, name), view) for name in _RENAMING},
        **_special(view),
    }
    for name, function in replaced.items():
        _keep_abilities(getattr(os, name), function)
        setattr(os, name, function)
    opener = _open(view)
    builtins.open = io.open = opener
    for module, attribute in _BOUND_EARLY.items():
        if module in sys.modules:
            setattr(sys.modules[module], attribute, opener)
    _teach_shutil()
    _teach_tempfile()
    _teach_glob()
    os.supports_fd.add(os.scandir)
    posix.chdir("/")


def _keep_abilities(original: Any, function: Any) -> None:
    for abilities in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if original in abilities:
            abilities.add(function)


def _teach_shutil() -> None:
    # Chosen at import for this host: shortcuts of the kernel that would pass the view by.
    module: Any = shutil
    module._copyxattr = lambda *_, **__: None
    for shortcut in ("_USE_CP_SENDFILE", "_USE_CP_COPY_FILE_RANGE"):
        if hasattr(module, shortcut):
            setattr(module, shortcut, False)


def _teach_tempfile() -> None:
    # Its cleaner has os.unlink as a default argument.
    closer: Any = tempfile.__dict__.get("_TemporaryFileCloser")
    for method in vars(closer).values() if closer else ():
        defaults = getattr(method, "__defaults__", None) or ()
        if posix.unlink in defaults:
            method.__defaults__ = tuple(os.unlink if value is posix.unlink else value for value in defaults)


def _teach_glob() -> None:
    # From CPython 3.13 on, pathlib looks for files with a function that glob has kept.
    globber: Any = getattr(sys.modules.get("glob"), "_StringGlobber", None)
    kept = vars(globber).get("scandir") if globber is not None else None
    if getattr(kept, "__func__", None) is posix.scandir:
        globber.scandir = staticmethod(os.scandir)


def _restore(error: OSError, *given: Any) -> None:
    """Name the Worker's paths in an error, not the host's."""
    if error.filename is not None:
        error.filename = given[0]
    if error.filename2 is not None:
        error.filename2 = given[-1]


def _relative_to(view: View, path: Any, fd: Any, writing: bool) -> bool:
    """Whether ``path`` starts at an open directory; that one must be writable if need be."""
    if fd is None or os.fspath(path)[:1] in ("/", b"/"):
        return False
    if writing and view.is_read_only(_directory(fd)):
        view.refuse_writing(os.fsdecode(path))
    return True


def _directory(fd: int) -> str:
    """The host's path of an open directory."""
    if sys.platform == "darwin":
        return _directory_by_fcntl(fd)
    return posix.readlink(f"/proc/self/fd/{fd}")


def _directory_by_fcntl(fd: int) -> str:
    """The same where there is no ``/proc``."""
    get_path = getattr(fcntl, "F_GETPATH")  # noqa: B009 - only some systems have it
    return os.fsdecode(fcntl.fcntl(fd, get_path, bytes(1024)).rstrip(b"\0"))


def _one_path(original: Callable[..., Any], view: View, writing: bool = False, status: bool = False) -> Any:
    @functools.wraps(original)
    def call(path: Any = ".", *args: Any, **options: Any) -> Any:
        if isinstance(path, int) or _relative_to(view, path, options.get("dir_fd"), writing):
            return original(path, *args, **options)
        host = view.of(path, writing, status)
        try:
            return original(host, *args, **options)
        except OSError as error:
            _restore(error, path)
            raise

    return call


def _two_paths(original: Callable[..., Any], view: View) -> Any:
    @functools.wraps(original)
    def call(src: Any, dst: Any, *, src_dir_fd: Any = None, dst_dir_fd: Any = None) -> None:
        source = src if _relative_to(view, src, src_dir_fd, True) else view.of(src, writing=True)
        target = dst if _relative_to(view, dst, dst_dir_fd, True) else view.of(dst, writing=True)
        try:
            original(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        except OSError as error:
            _restore(error, src, dst)
            raise

    return call


def _special(view: View) -> dict[str, Callable[..., Any]]:
    """The functions of ``os`` that need more than another path."""
    return {
        "open": _os_open(view),
        "scandir": _scandir(view),
        "access": _access(view),
        "symlink": _symlink(view),
        "readlink": _readlink(view),
        **_working_directory(view),
    }


def _open(view: View) -> Callable[..., Any]:
    original = io.open

    @functools.wraps(original)
    def open(  # the parameters of the built-in function
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        if not isinstance(file, (str, bytes, os.PathLike)) or not isinstance(mode, str):
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        given = os.fspath(file)
        host = view.of(given, writing=any(sign in mode for sign in "wax+"))
        before, view.pending = view.pending, given
        if opener is None and host != given:
            opener = lambda _, flags: posix.open(host, flags, 0o666)  # noqa: E731
        try:
            return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
        except FileNotFoundError as error:
            _restore(error, given)
            view.explain_missing(os.fsdecode(given))
            raise
        except OSError as error:
            _restore(error, given)
            raise
        finally:
            view.pending = before

    return open


def _os_open(view: View) -> Callable[..., int]:
    @functools.wraps(posix.open)
    def open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        relative = _relative_to(view, path, dir_fd, wants_to_write(flags))
        host = path if relative else view.of(path, wants_to_write(flags))
        before, view.pending = view.pending, os.fspath(host)
        try:
            return posix.open(host, flags, mode, dir_fd=dir_fd)
        except OSError as error:
            _restore(error, path)
            raise
        finally:
            view.pending = before

    return open


def _scandir(view: View) -> Callable[..., Any]:
    @functools.wraps(posix.scandir)
    def scandir(path: Any = None) -> Iterator[Any]:
        if isinstance(path, int):
            return posix.scandir(path)
        given = os.fspath("." if path is None else path)
        try:
            return Scan(posix.scandir(view.of(given)), given)
        except OSError as error:
            _restore(error, path)
            raise

    return scandir


def _access(view: View) -> Callable[..., bool]:
    @functools.wraps(posix.access)
    def access(path: Any, mode: int, **options: Any) -> bool:
        if isinstance(path, int) or _relative_to(view, path, options.get("dir_fd"), False):
            return posix.access(path, mode, **options)
        host = view.of(path, status=True)
        if mode & os.W_OK and view.is_read_only(os.fsdecode(host)):
            return False
        return posix.access(host, mode, **options)

    return access


def _symlink(view: View) -> Callable[..., None]:
    @functools.wraps(posix.symlink)
    def symlink(src: Any, dst: Any, target_is_directory: bool = False, *, dir_fd: int | None = None) -> None:
        target = os.fspath(src)
        absolute = target[:1] in ("/", b"/")
        link = dst if _relative_to(view, dst, dir_fd, True) else view.of(dst, writing=True)
        try:
            posix.symlink(view.of(target) if absolute else target, link, target_is_directory, dir_fd=dir_fd)
        except OSError as error:
            _restore(error, src, dst)
            raise

    return symlink


def _readlink(view: View) -> Callable[..., Any]:
    read = _one_path(posix.readlink, view, status=True)

    @functools.wraps(posix.readlink)
    def readlink(path: Any, *, dir_fd: int | None = None) -> Any:
        target = read(path, dir_fd=dir_fd)
        if isinstance(target, bytes):
            return os.fsencode(view.worker_path(os.fsdecode(target)))
        return view.worker_path(target)

    return readlink


def _working_directory(view: View) -> dict[str, Callable[..., Any]]:
    def enter(host: str) -> None:
        with posix.scandir(host):
            view.cwd = view.worker_path(host)

    @functools.wraps(posix.chdir)
    def chdir(path: Any) -> None:
        if isinstance(path, int):
            return fchdir(path)
        try:
            enter(os.fsdecode(view.of(path)))
        except OSError as error:
            _restore(error, path)
            raise

    @functools.wraps(posix.fchdir)
    def fchdir(fd: int) -> None:
        enter(_directory(fd))

    return {
        "chdir": chdir,
        "fchdir": fchdir,
        "getcwd": lambda: view.cwd,
        "getcwdb": lambda: os.fsencode(view.cwd),
    }
