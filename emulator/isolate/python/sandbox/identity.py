"""What a Worker is told about its machine, its process and its environment.

Values are those of Pyodide 0.28 on Workers (https://pyodide.org/en/0.28.2/): one processor of
a machine without an operating system, in UTC.
"""

from __future__ import annotations

import os
import platform
import posix
import signal
import socket
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping
from typing import Any, Final

_UNAME: Final = ("Emscripten", "emscripten", "4.0.9", "#1", "wasm32")

_ABSENT_OS: Final = (
    *("forkpty", "openpty", "posix_spawn", "posix_spawnp", "nice", "pidfd_open", "getrandom", "memfd_create"),
    *("geteuid", "getegid", "seteuid", "setegid", "getgroups", "setgroups", "getgrouplist", "initgroups"),
    *(
        "getresuid",
        "setresuid",
        "getresgid",
        "setresgid",
        "setpriority",
        "sched_getaffinity",
        "sched_setaffinity",
    ),
    *(
        "link",
        "lchown",
        "mkfifo",
        "mknod",
        "getxattr",
        "setxattr",
        "listxattr",
        "removexattr",
        "get_terminal_size",
    ),
    *("sendfile", "splice", "copy_file_range", "eventfd", "pipe2"),
)
"""Functions that ``os`` lacks on Emscripten."""

_ABSENT_SIGNAL: Final = ("alarm", "setitimer", "pthread_kill", "pidfd_send_signal")


def environment() -> dict[str, str]:
    """``os.environ`` of a Worker."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {
        "USER": "web_user",
        "LOGNAME": "web_user",
        "PATH": "/",
        "PWD": "/",
        "HOME": "/session",
        "LANG": "en.UTF-8",
        "_": "./this.program",
        "PYTHONINSPECT": "1",
        "LD_LIBRARY_PATH": f"/usr/lib:/lib/python{version}/site-packages",
    }


def install() -> None:
    """Tell all code of this process that it runs on a Worker."""
    _set_time_zone()
    os.environ.clear()
    os.environ.update(environment())
    _set_platform()
    for name, value in _answers().items():
        setattr(os, name, value)
    for module, absent in ((os, _ABSENT_OS), (signal, _ABSENT_SIGNAL)):
        for name in absent:
            if hasattr(module, name):
                delattr(module, name)
    socket.gethostname = lambda: _UNAME[1]
    tempfile.tempdir = None


def _set_time_zone() -> None:
    # Not through os.environ: Workers have no TZ in their environment.
    posix.putenv(b"TZ", b"<UTC-0000>0")
    time.tzset()


def _set_platform() -> None:
    config: Any = sysconfig
    data_name = config._get_sysconfigdata_name()
    # The module with the build's settings is named after the real platform.
    config._get_sysconfigdata_name = lambda *_: data_name
    modules: Any = platform
    modules._uname_cache = None
    modules._platform_cache.clear()
    # It would run a program to find out.
    modules._Processor.get = staticmethod(lambda: "")
    modules.architecture = lambda *_, **__: ("32bit", "")
    sys.platform = "emscripten"
    sys.executable = "/session/this.program"
    sys.argv[:] = [""]
    sys.orig_argv[:] = ["./this.program"]


def _answers() -> Mapping[str, Any]:
    uname = posix.uname_result(_UNAME)
    return {
        "uname": lambda: uname,
        "getpid": lambda: 42,
        "getppid": lambda: 1,
        "getuid": lambda: 0,
        "getgid": lambda: 0,
        "getlogin": lambda: "web_user",
        "getpgrp": lambda: 42,
        "getpgid": lambda pid: 42,
        "getsid": lambda pid: 42,
        "setsid": lambda: None,
        "setpgrp": lambda: None,
        "setpgid": lambda pid, pgrp: None,
        "getloadavg": lambda: (0.1, 0.1, 0.1),
        "cpu_count": lambda: 1,
        "process_cpu_count": lambda: 1,
    }
