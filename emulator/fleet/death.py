"""Why an isolate's process ended, and whose fault that was."""

from __future__ import annotations

import linecache
import os
import signal
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.wire.frames import WorkerSpec
from emulator.wire.recorder import Recording, StackEntry

_CPU_SIGNAL: Final = -signal.SIGVTALRM

_MEMORY_SIGNALS: Final = (-signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS)
"""What ends a process that gets no memory."""


class Death:
    """Read once, when the process is gone. ``status`` is its exit status, negative for a signal."""

    def __init__(self, spec: WorkerSpec, how: str, status: int | None, recording: Recording) -> None:
        self.how = how
        self._spec = spec
        self._cpu = status == _CPU_SIGNAL
        self.running, self.begun, full = recording.read()
        self._memory = full and status in _MEMORY_SIGNALS
        self._stack = recording.stack() if self._cpu else []

    def limit_report(self, event: str) -> Report | None:
        """The limit that the running event was killed for, if it was one."""
        limits = self._spec.limits
        if self._cpu:
            entry = self._users_entry()
            return explain(
                "cpu-exceeded",
                where=_place(entry),
                event=event,
                budget=f"{limits.cpu_ms:,.0f} ms",
                used="",
                plan=limits.plan,
                when="killed: it was in code that cannot be interrupted",
                hottest="",
                native=True,
            )
        if self._memory:
            return explain("memory-exceeded", event=event, **self._memory_facts())
        return None

    def load_report(self) -> Report:
        """Why the Worker does not load."""
        limits = self._spec.limits
        if self._cpu:
            imports = "\n".join(f"      {_shown(entry, self._spec.root)}" for entry in self._modules())
            return explain(
                "startup-cpu-exceeded",
                where=_place(self._users_entry()),
                limit=f"{limits.startup_cpu_ms:,.0f} ms",
                used="",
                plan=limits.plan,
                imports=imports,
            )
        if self._memory:
            return explain("startup-memory-exceeded", **self._memory_facts())
        return explain("isolate-died-loading", name=self._spec.name, how=self.how)

    def _memory_facts(self) -> dict[str, Any]:
        limits = self._spec.limits
        return {"limit": f"{limits.memory_mb:,.0f} MB", "used": "", "plan": limits.plan, "what": ""}

    def _users_entry(self) -> StackEntry | None:
        """The innermost frame of the project's own files."""
        root = self._spec.root.rstrip(os.sep) + os.sep
        own = (entry for entry in self._stack if entry.file.startswith(root))
        return next((entry for entry in own if "/python_modules/" not in entry.file), None)

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
