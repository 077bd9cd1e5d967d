"""Why an isolate's process ended, and whose fault that was."""

from __future__ import annotations

import linecache
import os
import signal
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.own_files import is_own
from emulator.diagnostics.report import Place, Report
from emulator.wire.frames import WorkerSpec
from emulator.wire.recorder import BLOCKED_SECONDS, Recording, StackEntry

_CPU_SIGNAL: Final = -signal.SIGVTALRM
_BLOCKED_SIGNAL: Final = -signal.SIGALRM

_CRASHES: Final = tuple(
    -number for number in (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)
)
"""What ends a process whose native code goes wrong; ``faulthandler`` leaves the Python stack."""

_MEMORY_SIGNALS: Final = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS)
"""What ends a process that gets no memory; and the system kills one (SIGKILL) when its own is short."""

_SHARE: Final = 1 / 2
"""What part of the limit was in use when such a signal is likely for want of memory, though nobody said so.

Libraries of Rust and C++ abort, others use what they did not get: as often as not a block that doubles.
"""


class Death:
    """Read once, when the process is gone. ``status`` is its exit status, negative for a signal;

    ``peak_bytes`` the most memory that it had at once.
    """

    def __init__(
        self, spec: WorkerSpec, how: str, status: int | None, recording: Recording, peak_bytes: int = 0
    ) -> None:
        self.how = how
        self._spec = spec
        self._cpu = status == _CPU_SIGNAL
        self._blocked = status == _BLOCKED_SIGNAL
        last = recording.read()
        self.running, self.begun = last.running, last.begun
        used = peak_bytes - last.fresh_bytes
        crashed = status in _MEMORY_SIGNALS and (last.out_of_memory or 0 < last.limit_bytes * _SHARE < used)
        self._memory = crashed or (status == -signal.SIGKILL and last.out_of_memory)
        self.timed = self._cpu or self._blocked
        """Whether a timer of the isolate's own ended it."""
        self._stack = recording.stack() if self.timed or status in _CRASHES else []

    def limit_report(self, event: str, stage: str = "") -> Report | None:
        """The limit that the running event was killed for, if it was one.

        ``stage``: "answered" if that was done before, "nobody" if no event's code ran.
        """
        limits = self._spec.limits
        if self._cpu:
            return explain(
                "cpu-exceeded",
                where=self.place(),
                event=event,
                budget=f"{limits.cpu_ms:,.0f} ms",
                used="",
                plan=limits.plan,
                when="killed: it was in code that cannot be interrupted",
                hottest="",
                native=True,
                stage=stage,
            )
        if self._blocked:
            return self._blocked_report(event)
        if self._memory:
            return explain("memory-exceeded", event=event, where=self.place(), **self._memory_facts())
        return None

    def load_report(self) -> Report:
        """Why the Worker does not load."""
        limits = self._spec.limits
        if self._cpu:
            imports = "\n".join(f"      {_shown(entry, self._spec.root)}" for entry in self._modules())
            return explain(
                "startup-cpu-exceeded",
                where=self.place(),
                limit=f"{limits.startup_cpu_ms:,.0f} ms",
                used="",
                plan=limits.plan,
                imports=imports,
            )
        if self._blocked:
            return self._blocked_report("")
        if self._memory:
            return explain("startup-memory-exceeded", where=self.place(), **self._memory_facts())
        return explain("isolate-died-loading", name=self._spec.name, how=self.how, where=self.place())

    def _blocked_report(self, event: str) -> Report:
        return explain("blocked", where=self.place(), event=event, seconds=BLOCKED_SECONDS)

    def place(self) -> Place | None:
        """The line of the project that ran, where that was left."""
        return _place(self._users_entry())

    def _memory_facts(self) -> dict[str, Any]:
        limits = self._spec.limits
        return {"limit": f"{limits.memory_mb:,.0f} MB", "used": "", "plan": limits.plan, "stage": "died"}

    def _users_entry(self) -> StackEntry | None:
        """The innermost frame of the project's own files."""
        root = self._spec.root.rstrip(os.sep) + os.sep
        return next((entry for entry in self._stack if is_own(entry.file, root)), None)

    def _modules(self) -> list[StackEntry]:
        return [entry for entry in self._stack if entry.function == "<module>"][:5]


def describe_exit(status: int) -> str:
    """``exit status 3`` or ``killed by SIGSEGV``; ``status`` is negative for a signal."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def _place(entry: StackEntry | None) -> Place | None:
    if entry is None:
        return None
    source = linecache.getline(entry.file, entry.line).rstrip("\n")
    return Place(entry.file, entry.line, 0, entry.function, source)


def _shown(entry: StackEntry, root: str) -> str:
    inside = entry.file.startswith(root.rstrip(os.sep) + os.sep)
    return f"{os.path.relpath(entry.file, root) if inside else entry.file}:{entry.line}"
