"""The fleet: the fork server and every isolate that it forked."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Final

from emulator.fleet.calls import CallHandler
from emulator.fleet.fork_server import ForkServer
from emulator.fleet.isolate import Isolate
from emulator.fleet.launch import ForkServerProcess, launch
from emulator.fleet.slot import WorkerSlot
from emulator.journal.events import Journal, Notice
from emulator.wire.frames import WorkerSpec

RETIRE_SECONDS: Final = 0.3
"""How long isolates may take to end by themselves when the emulator ends."""


class Fleet:
    """Owns the fork server. Make it on the event loop; ``close`` leaves no process behind."""

    def __init__(
        self,
        started: ForkServerProcess,
        calls: CallHandler,
        journal: Journal,
        on_broken: Callable[[], None] = lambda: None,
    ) -> None:
        self.slots: dict[str, WorkerSlot] = {}
        """The slot of each Worker, by its name."""
        self._calls = calls
        self._journal = journal
        self._on_broken = on_broken
        self._module = started.module
        self._isolates: dict[int, Isolate] = {}
        self._groups: set[int] = set()
        self._next = 1
        self._closed = False
        self._server = ForkServer(started, self._on_ended, self._on_server_lost)

    @property
    def isolates(self) -> list[Isolate]:
        """Every isolate whose process has not ended."""
        return list(self._isolates.values())

    def pid(self, isolate: Isolate) -> int:
        """The isolate's process id; 0 before the fork server told it."""
        return self._server.pids.get(isolate.number, 0)

    def slot(self, name: str) -> WorkerSlot:
        """The slot of the Worker called ``name``, made when it is new."""
        if name not in self.slots:
            self.slots[name] = WorkerSlot(name, self.start, self.kill, self._journal)
        return self.slots[name]

    async def start(self, spec: WorkerSpec) -> Isolate:
        """Fork an isolate for ``spec``; it does nothing before ``isolate.load()``."""
        isolate = Isolate(self._next, spec, self._calls, self._journal, self.kill)
        self._next += 1
        self._isolates[isolate.number] = isolate
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)
        if spec.kind != "python":
            self._server.warm()
        with theirs:
            self._server.fork(isolate.number, theirs, isolate.recording.fd)
        await asyncio.get_running_loop().create_unix_connection(lambda: isolate.channel, sock=ours)
        return isolate

    def kill(self, isolate: Isolate) -> None:
        """End an isolate's process at once."""
        self._server.kill(isolate.number)
        isolate.channel.abort()

    def guard(self, group: int) -> Callable[[], None]:
        """Let a process group end with the emulator, however that ends; call the result when it is over."""
        self._groups.add(group)
        self._server.guard(group)

        def release() -> None:
            self._groups.discard(group)
            self._server.release(group)

        return release

    async def close(self) -> None:
        """Retire every isolate, kill what does not end by itself, end the fork server."""
        self._closed = True
        for slot in self.slots.values():
            slot.close()
        deadline = time.monotonic() + RETIRE_SECONDS
        while self._isolates and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        self._server.close()
        for isolate in self._isolates.values():
            isolate.recording.close()

    def _on_ended(self, number: int, status: int, peak_bytes: int) -> None:
        isolate = self._isolates.pop(number, None)
        if isolate is not None:
            isolate.ended(status, peak_bytes)

    def _on_server_lost(self) -> None:
        """The fork server ended. Its isolates are dead; those that serve are started again."""
        if self._closed:
            return
        isolates, self._isolates = self._isolates, {}
        if self._server.proven:
            self._journal(Notice("warn", "The fork server ended unexpectedly; it is started again."))
            self._server = ForkServer(launch(self._module), self._on_ended, self._on_server_lost)
            for group in self._groups:
                self._server.guard(group)
            for slot in self.slots.values():
                slot.redeploy()
        else:
            self._closed = True
            for slot in self.slots.values():
                slot.close()
            self._on_broken()
        for isolate in isolates.values():
            isolate.channel.abort()
