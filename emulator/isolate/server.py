"""The fork server: a booted realm that waits to be forked into isolates.

A program of its own (``python -m emulator.isolate.server``), started by the front. Its
control socket carries fixed-size messages; a fork request brings the isolate's end of
the socket to the front along as a file descriptor. When the control socket ends, however
the front ended, every isolate is killed, and every build.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import traceback
from typing import Final, Protocol

from emulator.wire.control import ENDED, FORK, GUARD, KILL, NOTICE, RELEASE, REQUEST, STARTED, WARM

EXIT_CRASH: Final = 70
"""Exit status of an isolate whose program raised (EX_SOFTWARE)."""


class IsolateModule(Protocol):
    """What the fork server needs of ``emulator.isolate.main``."""

    def preload(self) -> None:
        """Boot all that isolates share. Called once, before any fork."""

    def warm(self) -> None:
        """Import, before the next fork, what Workers of JavaScript and WebAssembly need besides."""

    def run(self, sock: socket.socket, recorder: int) -> None:
        """Serve one isolate on its connected socket until it retires or the socket ends."""


class ForkServer:
    """Forks isolates on request, reaps them and tells the front."""

    def __init__(self, control: socket.socket, module: IsolateModule) -> None:
        self._control = control
        self._module = module
        self._children: dict[int, int] = {}
        self._groups: set[int] = set()
        """Process groups of the front's that must not outlive it."""
        self._wake_in, self._wake_out = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._wake_out, False)

    def serve(self) -> None:
        """Work until the control socket ends."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_out, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._wake_in, selectors.EVENT_READ)
            while self._step(selector):
                pass
        self._kill_all()

    def _step(self, selector: selectors.BaseSelector) -> bool:
        for key, _ in selector.select():
            if key.fileobj is self._control:
                if not self._handle_request():
                    return False
            else:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_in, 4096)
                self._reap()
        return True

    def _handle_request(self) -> bool:
        try:
            data, fds, _, _ = socket.recv_fds(self._control, REQUEST.size, 2)
        except ConnectionError:
            return False
        while data and len(data) < REQUEST.size:
            data += self._control.recv(REQUEST.size - len(data))
        if not data:
            return False
        kind, isolate = REQUEST.unpack(data)  # or a process group
        if kind == FORK:
            self._fork(isolate, fds)
        elif kind == WARM:
            self._module.warm()
            gc.freeze()
        elif kind == GUARD:
            self._groups.add(isolate)
        elif kind == RELEASE:
            self._groups.discard(isolate)
        elif kind == KILL:
            self._kill(isolate)
        return True

    def _fork(self, isolate: int, fds: list[int]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._become_isolate(*fds)
        for fd in fds:
            os.close(fd)
        self._children[pid] = isolate
        self._tell(STARTED, isolate, pid)

    def _become_isolate(self, fd: int, recorder: int) -> None:
        """Never returns: the process ends with the isolate."""
        status = EXIT_CRASH
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            os.close(self._wake_in)
            os.close(self._wake_out)
            gc.enable()
            self._module.run(socket.socket(fileno=fd), recorder)
            status = 0
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else EXIT_CRASH
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)  # the Worker may have replaced the other
        finally:
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _kill(self, isolate: int) -> None:
        for pid, known in self._children.items():
            if known == isolate:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _kill_all(self) -> None:
        for group in self._groups:
            # macOS answers EPERM for a group whose members are all zombies.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in self._children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)

    def _reap(self) -> None:
        while self._children:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            isolate = self._children.pop(pid, None)
            if isolate is not None:
                peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
                self._tell(ENDED, isolate, os.waitstatus_to_exitcode(status), peak)

    def _tell(self, kind: bytes, isolate: int, value: int, peak_bytes: int = 0) -> None:
        # A front that is gone shows as the end of the control socket, at the next read.
        with contextlib.suppress(ConnectionError):
            self._control.sendall(NOTICE.pack(kind, isolate, value, peak_bytes))


def main(arguments: list[str] | None = None) -> None:
    """Boot the isolate's module, then serve the control socket given as ``--control FD``."""
    parser = argparse.ArgumentParser(prog="emulator.isolate.server", description=__doc__)
    parser.add_argument("--control", type=int, required=True, help="file descriptor of the control socket")
    parser.add_argument("--module", default="emulator.isolate.main", help="has preload() and run(sock)")
    options = parser.parse_args(arguments)
    # A terminal or a supervisor signals the whole group; when to end is the front's decision.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    control = socket.socket(fileno=options.control)
    os.set_inheritable(options.control, False)
    # No collection while booting: all of it stays, and a frozen heap stays shared after a fork.
    gc.disable()
    module: IsolateModule = importlib.import_module(options.module)
    module.preload()
    gc.collect()
    gc.freeze()
    ForkServer(control, module).serve()
    # An isolate that was killed could not remove its files itself.
    importlib.import_module("emulator.isolate.python.sandbox").sweep()


if __name__ == "__main__":
    main()
