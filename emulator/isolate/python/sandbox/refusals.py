"""What Workers cannot do, refused with the platform's own errors.

Most of it through an audit hook (https://docs.python.org/3/library/audit_events.html), which
also sees what C code and early-bound names do. The numbers are Emscripten's.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from . import answers, modules
from .emscripten import EHOSTUNREACH, ENOEXEC, ENOSYS, ENOTSUP, EPERM, NO_PROCESSES
from .files import wants_to_write
from .notices import Notices
from .view import View

Check = Callable[[tuple[Any, ...]], None]


def install(view: View, notices: Notices) -> None:
    """Refuse all of it from now on, for the life of the process."""
    checks = MappingProxyType({**_refused(notices), **_files(view), "import": modules.checked(view, notices)})
    find = checks.get

    def hook(event: str, args: tuple[Any, ...]) -> None:
        check = find(event)
        if check is not None:
            check(args)

    modules.hide()
    answers.install(notices)
    sys.addaudithook(hook)


def _refused(notices: Notices) -> Mapping[str, Check]:
    """Audit event -> what raises."""

    def refuse(kind: str, error: type[Exception], *details: Any) -> Check:
        def check(_: tuple[Any, ...]) -> None:
            notices.once(kind)
            raise error(*details)

        return check

    process = refuse("process", OSError, *ENOSYS)
    send, kill = refuse("socket", OSError, *EHOSTUNREACH), refuse("signal", PermissionError, *EPERM)
    return {
        "subprocess.Popen": refuse("process", OSError, *NO_PROCESSES),
        "os.system": refuse("process", OSError, *NO_PROCESSES),
        "os.exec": refuse("process", OSError, *ENOEXEC),
        **dict.fromkeys(("os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "pty.spawn"), process),
        **dict.fromkeys(("os.kill", "os.killpg", "signal.pthread_kill"), kill),
        "socket.connect": send,
        "socket.sendto": send,
        "socket.sendmsg": lambda args: None if args[1] is None else send(args),
        "socket.bind": refuse("socket", OSError, *ENOTSUP),
        "socket.getaddrinfo": _numeric_only(send),
        "socket.gethostbyname": _numeric_only(send),
        "socket.gethostbyaddr": refuse("socket", socket.herror, 1, "Unknown host"),
        "socket.getnameinfo": refuse("socket", socket.gaierror, socket.EAI_NONAME, "Name does not resolve"),
    }


def _numeric_only(refuse: Check) -> Check:
    """Names would be looked up on the host's network."""

    def check(args: tuple[Any, ...]) -> None:
        host = args[0].decode() if isinstance(args[0], bytes) else args[0]
        if host and not answers.is_address(host):
            refuse(args)

    return check


def _files(view: View) -> Mapping[str, Check]:
    """Paths that come from C code or from names bound before the view was installed."""

    def checked(path: Any, writing: bool) -> None:
        if path is None or isinstance(path, int):
            return
        plain = os.fspath(path)
        if plain != view.pending:
            view.check(os.fsdecode(plain), writing)

    def changes(*indexes: int, fd: int) -> Check:
        def check(args: tuple[Any, ...]) -> None:
            for position, index in enumerate(indexes):
                # Relative to an open directory: the functions of ``os`` have checked that.
                if fd < 0 or args[fd + position] in (-1, None):
                    checked(args[index], True)

        return check

    def reads(args: tuple[Any, ...]) -> None:
        checked(args[0], False)

    def connects(args: tuple[Any, ...]) -> None:
        if args[0] not in (":memory:", b":memory:", "", b""):
            checked(args[0], True)

    return {
        "open": lambda args: checked(args[0], wants_to_write(args[2] or 0)),
        **dict.fromkeys(("os.listdir", "os.scandir", "os.chdir"), reads),
        "os.mkdir": changes(0, fd=2),
        "os.rmdir": changes(0, fd=1),
        "os.remove": changes(0, fd=1),
        "os.rename": changes(0, 1, fd=2),
        "os.symlink": changes(1, fd=2),
        "os.link": changes(0, 1, fd=2),
        "os.chmod": changes(0, fd=2),
        "os.chown": changes(0, fd=3),
        "os.utime": changes(0, fd=3),
        "os.truncate": changes(0, fd=-1),
        "sqlite3.connect": connects,
    }
