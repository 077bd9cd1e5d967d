"""Functions of the standard library that answer here as they do on Workers."""

from __future__ import annotations

import _thread
import functools
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from .emscripten import ENOSYS, ENOTSUP, EPERM
from .notices import Notices

Exit = Callable[[int], NoReturn]


def install(notices: Notices) -> None:
    """Replace them, for the life of the process."""

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
    os._exit = _unless_ours(os._exit, leave, notices)  # type: ignore[assignment]
    os.abort = unable("abort", RuntimeError, "os.abort() is not available on Workers", kind="exit")
    _replace_signals(unable("raise_signal", PermissionError, *EPERM, kind="signal"), notices)
    for name in ("pause", "sigwait", "sigwaitinfo", "sigtimedwait"):
        if hasattr(signal, name):  # no signal ever comes
            setattr(signal, name, unable(name, OSError, *ENOSYS, kind="signal"))
    start_thread = unable("start_new_thread", RuntimeError, "can't start new thread", kind="thread")
    for module in (_thread, threading):
        # The names differ by version, and threading has copies of its own.
        for name in ("start_new_thread", "start_new", "start_joinable_thread"):
            for known in (name, f"_{name}"):
                if hasattr(module, known):
                    setattr(module, known, start_thread)
    _replace_names()
    socket.socket.listen = unable("listen", OSError, *ENOTSUP, kind="socket")  # type: ignore[method-assign]


def _unless_ours(original: Exit, refuse: Exit, notices: Notices) -> Exit:
    """The emulator itself may end its process."""

    def _exit(status: int) -> NoReturn:
        (refuse if notices.user_frame() else original)(status)

    return _exit


def _replace_signals(refuse: Any, notices: Notices) -> None:
    """Handlers are kept and given back; nothing ever calls them."""
    handlers: dict[int, Any] = {signal.SIGINT: signal.default_int_handler}

    def set_handler(signalnum: int, handler: Any) -> Any:
        if not callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN):
            raise TypeError("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object")
        before = get_handler(signalnum)
        handlers[signalnum] = handler
        notices.once("signal")
        return before

    def get_handler(signalnum: int) -> Any:
        return handlers.get(signal.Signals(signalnum), signal.SIG_DFL)

    sys.modules["_signal"] = signal  # where the module has its functions from
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
        if not name or is_address(name):
            return name
        return known.setdefault(name, f"172.29.{1 + len(known) // 250 % 254}.{len(known) % 250}")

    @functools.wraps(look_up)
    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        return look_up(address(host), *args, **options)

    module: Any = socket
    module.getaddrinfo = getaddrinfo
    module.gethostbyname = address
    module.gethostbyname_ex = lambda hostname: (hostname, [], [address(hostname)])


def is_address(host: str) -> bool:
    """Whether ``host`` is an IP address and needs no looking up."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False
