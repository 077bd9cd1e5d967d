"""Load Workers one after the other, each in an isolate of its own, only to see whether they load."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import structs

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.fleet.calls import CallFailed, CallResult
from emulator.fleet.fleet import Fleet
from emulator.fleet.isolate import Isolate
from emulator.fleet.launch import ForkServerProcess
from emulator.journal.events import Explained, JournalEvent, LogLine
from emulator.wire.frames import Loaded, WorkerSpec

LOAD_SECONDS: Final = 15.0
"""The platform allows 1 s of CPU time; a Worker that waits longer than this waits for ever."""

_TOO_BIG: Final = "worker-too-big"
_NO_NETWORK: Final = "A check does not use the network."


@dataclass
class Trial:
    """What came of loading one Worker."""

    loaded: Loaded | None = None
    reports: list[Report] = field(default_factory=list)
    """Why it does not load, and what it was warned of."""
    logs: list[tuple[str, str]] = field(default_factory=list)
    """Level and text of what it printed while it loaded."""
    files: dict[str, int] = field(default_factory=dict)
    """Bytes of each file that it consists of, as far as it got."""
    memory_bytes: int = 0
    """What it holds once it is loaded, above an isolate without a Worker; 0: not known."""


class NoForkServer(Exception):
    """The process that makes isolates did not start; its own error is on standard error."""


def try_loading(
    specs: Sequence[WorkerSpec], fork_server: ForkServerProcess, seconds: float = LOAD_SECONDS
) -> list[Trial]:
    """Load each of ``specs``. Raises ``NoForkServer``."""
    return asyncio.run(_try_all(specs, fork_server, seconds))


async def _try_all(
    specs: Sequence[WorkerSpec], fork_server: ForkServerProcess, seconds: float
) -> list[Trial]:
    trials: list[Trial] = []
    broken: list[bool] = []

    def journal(event: JournalEvent) -> None:
        if isinstance(event, Explained):
            trials[-1].reports.append(event.report)
        elif isinstance(event, LogLine):
            trials[-1].logs.append((event.level, event.text))

    fleet = Fleet(fork_server, _refuse, journal, lambda: broken.append(True))
    try:
        for spec in specs:
            trials.append(Trial())
            await _try(fleet, spec, trials[-1], seconds)
            if broken:
                raise NoForkServer
    finally:
        await fleet.close()
    return trials


async def _try(fleet: Fleet, spec: WorkerSpec, trial: Trial, seconds: float) -> None:
    isolate = await fleet.start(spec)
    isolate.load()
    await asyncio.wait([isolate.loaded], timeout=seconds)
    if not isolate.loaded.done():
        fleet.kill(isolate)
        trial.reports.append(explain("load-timeout", worker=spec.name, seconds=f"{seconds:g}"))
        return
    outcome = isolate.loaded.result()
    if isinstance(outcome, Loaded):
        trial.loaded = outcome
        trial.files = outcome.files
        trial.reports += outcome.warnings
        # Promises that its top level left behind come to their end, and what they say arrives.
        await _settle(isolate)
        trial.memory_bytes = isolate.memory_bytes
        return
    fleet.kill(isolate)
    trial.reports.append(outcome.report)
    trial.files = outcome.files or trial.files
    if outcome.report.code == _TOO_BIG and spec.limits.size_bytes:
        # It was not run at all; what it would do matters as well.
        unlimited = structs.replace(spec, limits=structs.replace(spec.limits, size_bytes=0))
        await _try(fleet, unlimited, trial, seconds)


async def _settle(isolate: Isolate) -> None:
    """Let the isolate end by itself, which comes after all that it has to say."""
    ended = asyncio.get_running_loop().create_future()
    isolate.on_lost = lambda _: None if ended.done() else ended.set_result(None)
    isolate.retire()
    if not isolate.channel.lost:
        await asyncio.wait([ended], timeout=1.0)


async def _refuse(*_: Any) -> CallResult:
    raise CallFailed("Error", _NO_NETWORK)
