"""Start the fork server's process.

Apart from the rest of the fleet and importing almost nothing, so that the command line
can start it first: its boot then overlaps the imports of the front.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from typing import Final, NamedTuple

from emulator.wire.control import REQUEST, WARM

ISOLATE_MODULE: Final = "emulator.isolate.main"

_PROGRAM: Final = """
import sys
sys.path.append(sys.argv.pop(1))
from emulator.isolate.server import main
main()
"""
_PACKAGE_PARENT: Final = os.path.realpath(os.path.join(__file__, "..", "..", ".."))
_KEPT: Final = (
    *("PATH", "HOME", "XDG_CACHE_HOME", "LANG", "LC_ALL", "TMPDIR", "TZ"),
    *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"),
)


class ForkServerProcess(NamedTuple):
    """The running process and the front's end of its control socket."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    module: str
    """What it forks, to start the same again."""

    def warm(self) -> None:
        """Let it import what Workers of JavaScript and WebAssembly need, as soon as it has booted."""
        with contextlib.suppress(OSError):
            self.control.send(REQUEST.pack(WARM, 0))


def launch(module: str = ISOLATE_MODULE) -> ForkServerProcess:
    """Start the fork server; ``module`` has ``preload`` and ``run``.

    It gets a clean environment and, against modules of the current directory that shadow
    the standard library, a safe ``sys.path``.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    command = [sys.executable, "-P", "-c", _PROGRAM, _PACKAGE_PARENT]
    command += ["--control", str(theirs.fileno()), "--module", module]
    with theirs:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            env=environment | {"PYTHONIOENCODING": "utf-8"},
            pass_fds=[theirs.fileno()],
        )
    return ForkServerProcess(process, ours, module)
