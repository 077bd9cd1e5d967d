"""What Workers cannot do, refused with the platform's own errors.

Most of it through an audit hook (https://docs.python.org/3/library/audit_events.html), which
also sees what C code and early-bound names do; functions that must answer instead of raise
are replaced. The numbers are Emscripten's.
"""

from __future__ import annotations

import _thread
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NoReturn

from .files import wants_to_write
from .notices import Notices
from .view import View

EHOSTUNREACH: Final = (23, "Host is unreachable")
ENOEXEC: Final = (45, "Exec format error")
ENOSYS: Final = (52, "Function not implemented")
EPERM: Final = (63, "Operation not permitted")
ENOTSUP: Final = (138, "Not supported")
NO_PROCESSES: Final = (138, "emscripten does not support processes.")

ABSENT_MODULES: Final = frozenset(
    {
        *("_curses", "_tkinter", "curses", "ensurepip", "fcntl", "grp", "idlelib", "lib2to3"),
        *("pwd", "readline", "resource", "spwd", "syslog", "termios", "tkinter", "turtle", "venv"),
    }
)
"""Modules of the standard library that Pyodide leaves out."""

Check = Callable[[tuple[Any, ...]], None]


def install(view: View, notices: Notices) -> None:
    """Refuse all of it from now on, for the life of the process."""
    checks = MappingProxyType({**_refused(notices), **_files(view), "import": _imports(view, notices)})
    find = checks.get

    def hook(event: str, args: tuple[Any, ...]) -> None:
        check = find(event)
        if check is not None:
            check(args)

    _hide_modules()
    _replace(notices)
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
        if host and not _is_address(host):
            refuse(args)

    return check


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False


# ---- files and modules ------------------------------------------------------


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


def _hide_modules() -> None:
    for name in ABSENT_MODULES:
        # importlib.util.find_spec answers None for it, as for a module that is not there.
        sys.modules[name] = None  # type: ignore[assignment]


def _imports(view: View, notices: Notices) -> Check:
    waiting = {"_sqlite3"}

    def check(args: tuple[Any, ...]) -> None:
        name = args[0]
        if name in ABSENT_MODULES:
            notices.once("module", name)
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if name in waiting:
            waiting.discard(name)
            _teach_sqlite(view)

    return check


def _teach_sqlite(view: View) -> None:
    # The library opens files by itself; it must be given the host's path.
    module: Any = __import__("_sqlite3")
    original = module.connect

    def connect(database: Any, *args: Any, **options: Any) -> Any:
        name = os.fspath(database)
        if options.get("uri") and os.fsdecode(name).startswith("file:"):
            path, mark, query = os.fsdecode(name).removeprefix("file:").partition("?")
            if path not in ("", ":memory:") and "mode=memory" not in query:
                host = view.host("/" + path.lstrip("/"), writing="mode=ro" not in query)
                view.pending = name = f"file:{host}{mark}{query}"
        elif name not in (":memory:", b":memory:", "", b""):
            name = view.of(name, writing=True)
        return original(name, *args, **options)

    module.connect = connect


# ---- functions that answer --------------------------------------------------


def _replace(notices: Notices) -> None:
    def unable(name: str, error: type[Exception], *details: Any, kind: str = "process") -> Any:
        def refuse(*_: Any, **__: Any) -> NoReturn:
            notices.once(kind)
            raise error(*details)

        refuse.__name__ = refuse.__qualname__ = name
        return refuse

    def system(command: Any) -> int:
        """Always -1: there are no processes."""
        notices.once("process")
        return -1

    os.system = system
    for name in ("wait", "wait3", "wait4", "waitid", "waitpid"):
        setattr(os, name, unable(name, OSError, *ENOSYS))
    for name in ("setuid", "setgid", "setreuid", "setregid", "chroot"):
        setattr(os, name, unable(name, PermissionError, *EPERM))
    leave = unable("_exit", RuntimeError, "os._exit() is not available on Workers", kind="exit")
    os._exit = _unless_ours(os._exit, leave, notices)
    os.abort = unable("abort", RuntimeError, "os.abort() is not available on Workers", kind="exit")
    _replace_signals(unable("raise_signal", PermissionError, *EPERM, kind="signal"), notices)
    start_thread = unable("start_new_thread", RuntimeError, "can't start new thread", kind="thread")
    for module in (_thread, threading):
        # The names differ by version, and threading has copies of its own.
        for name in ("start_new_thread", "start_new", "_start_new_thread", "start_joinable_thread", "_start_joinable_thread"):
            if hasattr(module, name):
                setattr(module, name, start_thread)
    _replace_names()
    socket.socket.listen = unable("listen", OSError, *ENOTSUP, kind="socket")  # type: ignore[method-assign]


def _unless_ours(original: Callable[[int], NoReturn], refuse: Callable[[int], NoReturn], notices: Notices) -> Any:
    """The emulator itself may end its process."""

    def _exit(status: int) -> NoReturn:
        (refuse if notices.user_frame() else original)(status)

    return _exit


def _replace_signals(refuse: Any, notices: Notices) -> None:
    """Handlers are kept and given back; nothing ever calls them."""
    handlers: dict[int, Any] = {signal.SIGINT: signal.default_int_handler}

    def set_handler(signalnum: int, handler: Any) -> Any:
        if not callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN):
            raise TypeError(
                "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
            )
        before = get_handler(signalnum)
        handlers[signalnum] = handler
        notices.once("signal")
        return before

    def get_handler(signalnum: int) -> Any:
        return handlers.get(signal.Signals(signalnum), signal.SIG_DFL)

    module: Any = signal
    module.signal, module.getsignal, module.raise_signal = set_handler, get_handler, refuse
    module.set_wakeup_fd = lambda fd, **_: -1
    module.pthread_sigmask = lambda how, mask: set()


def _replace_names() -> None:
    """Emscripten gives each host name a made-up address; only connecting to it fails."""
    known: dict[str, str] = {"localhost": "127.0.0.1", socket.gethostname(): "127.0.0.1"}
    look_up = socket.getaddrinfo

    def address(host: Any) -> Any:
        name = host.decode() if isinstance(host, (bytes, bytearray)) else host
        if not name or _is_address(name):
            return name
        return known.setdefault(name, f"172.29.{1 + len(known) // 250 % 254}.{len(known) % 250}")

    def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        return look_up(address(host), port, family, type, proto, flags)

    module: Any = socket
    module.getaddrinfo = getaddrinfo
    module.gethostbyname = address
    module.gethostbyname_ex = lambda hostname: (hostname, [], [address(hostname)])
