"""The fork server as the front sees it: fork, kill, and be told who ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from typing import Final

from emulator.fleet.launch import ForkServerProcess
from emulator.wire.control import ENDED, FORK, GUARD, KILL, NOTICE, RELEASE, REQUEST, STARTED

_EXIT_SECONDS: Final = 1.0


class ForkServer:
    """The front's end of the control socket. Callbacks run on the event loop.

    ``on_ended`` is told which isolate ended, its exit status (negative: a signal), and the most bytes of
    memory that it had at once.
    """

    def __init__(
        self,
        started: ForkServerProcess,
        on_ended: Callable[[int, int, int], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._started = started
        self._process = started.process
        self._control = started.control
        self._control.setblocking(False)
        self._on_ended = on_ended
        self._on_lost = on_lost
        self._partial = b""
        self.pids: dict[int, int] = {}
        """The pid of each running isolate, by its number."""
        self._warm = False
        self.proven = False
        """Whether it has forked at least once, so its boot is known to work."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._control.fileno(), self._read)

    @property
    def pid(self) -> int:
        return self._process.pid

    def warm(self) -> None:
        """Let it import what Workers of JavaScript and WebAssembly need, before it forks one. Idempotent."""
        if not self._warm:
            self._warm = True
            self._started.warm()

    def fork(self, isolate: int, sock: socket.socket, recorder: int) -> None:
        """Fork isolate number ``isolate`` on ``sock`` and ``recorder``, which the caller then closes."""
        # A fork server that is gone shows as the end of the control socket, and is replaced.
        with contextlib.suppress(OSError):
            socket.send_fds(self._control, [REQUEST.pack(FORK, isolate)], [sock.fileno(), recorder])

    def kill(self, isolate: int) -> None:
        """SIGKILL an isolate; nothing happens when it has ended already."""
        self._send(KILL, isolate)

    def guard(self, group: int) -> None:
        """Have a process group killed when this process ends, however it ends."""
        self._send(GUARD, group)

    def release(self, group: int) -> None:
        """The group is over: leave its number alone."""
        self._send(RELEASE, group)

    def close(self) -> int | None:
        """Kill every isolate and the fork server; gives its exit status."""
        if self._control.fileno() >= 0:
            self._loop.remove_reader(self._control.fileno())
            self._control.close()
        try:
            return self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._kill_known()
            return self._process.wait()

    def _send(self, kind: bytes, number: int) -> None:
        with contextlib.suppress(OSError):
            self._control.send(REQUEST.pack(kind, number))

    def _read(self) -> None:
        try:
            data = self._control.recv(NOTICE.size * 256)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
            return
        data = self._partial + data
        whole = len(data) - len(data) % NOTICE.size
        self._partial = data[whole:]
        for kind, isolate, value, peak_bytes in NOTICE.iter_unpack(data[:whole]):
            if kind == STARTED:
                self.proven = True
                self.pids[isolate] = value
            elif kind == ENDED:
                self.pids.pop(isolate, None)
                self._on_ended(isolate, value, peak_bytes)

    def _lose(self) -> None:
        self._kill_known()
        self.close()
        self._on_lost()

    def _kill_known(self) -> None:
        # Only when the fork server is gone, which otherwise does it without a race over pids.
        for pid in self.pids.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.pids.clear()
