"""The measurements: cold start, save to new answer, throughput and latency, memory."""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.load import Load, run_load
from harness.servers import Kind, NoAnswer, Running

CONNECTIONS = (1, 32)

Found = TypeVar("Found")


@dataclass(frozen=True)
class Effort:
    """How often and how long: ``--quick`` makes all of it less."""

    starts: int
    saves: int
    rounds: int
    round_seconds: float
    memory_answers: int
    """Answers before the last look at the memory; the first look is at half of them."""
    overhead_requests: int
    """Requests in each of ``rounds`` of the micro-benchmarks."""


FULL = Effort(starts=9, saves=21, rounds=9, round_seconds=2, memory_answers=100_000, overhead_requests=10_000)
QUICK = Effort(starts=3, saves=5, rounds=2, round_seconds=1.5, memory_answers=20_000, overhead_requests=2_000)


@dataclass(frozen=True)
class Times:
    """The durations of one thing done several times, in milliseconds."""

    each: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.each)

    def __str__(self) -> str:
        return f"{self.median:,.0f} ms ({min(self.each):,.0f} to {max(self.each):,.0f})"


@dataclass(frozen=True)
class Costs:
    """Microseconds a request, of each round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def __str__(self) -> str:
        return f"{self.median:.1f} us ({min(self.rounds):.1f} to {max(self.rounds):.1f})"


@dataclass(frozen=True)
class Speed:
    """What each round gave; shown as medians: answers per second, latencies in milliseconds."""

    rounds: tuple[Load, ...]

    def median(self, value: Callable[[Load], float]) -> float:
        return statistics.median(value(load) for load in self.rounds)

    def times(self, peer: Speed) -> float:
        """How many times the rate of ``peer``: the median of the ratios within each round.

        Neighbours in time share what else the machine was doing, so ratios vary less than rates.
        """
        pairs = zip(self.rounds, peer.rounds, strict=True)
        return statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)

    def __str__(self) -> str:
        rate = self.median(lambda load: load.rate)
        p50, p99 = (self.median(lambda load, share=share: load.latency_ms(share)) for share in (0.5, 0.99))
        return f"{rate:,.0f}/s, {p50:.2f} ms (p99 {p99:.2f})"


@dataclass(frozen=True)
class Memory:
    """Megabytes of all processes after all answers; of their heaps after half of them and after all."""

    answers: int
    full: float
    half_heap: float
    full_heap: float


def cold_starts(kinds: list[Kind], effort: Effort) -> dict[str, Times]:
    """From the start of the command to the first right answer. The kinds take turns."""
    found: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    for turn in range(effort.starts + 1):
        for kind in kinds:
            with Running(kind) as server:
                took = server.wait_for_answer(timeout=60) - server.started
            if turn:  # the first turn fills the disk cache
                found[kind.name].append(took * 1000)
    return {name: Times(tuple(each)) for name, each in found.items()}


def first_and_second_starts(kind: Kind, effort: Effort) -> tuple[Times, Times]:
    """Cold starts with an empty cache of compiled modules, and with what the start before left there."""
    first: list[float] = []
    second: list[float] = []
    for _ in range(effort.starts):
        with tempfile.TemporaryDirectory(prefix="cfw-emu-cache-") as cache:
            for found in (first, second):
                with Running(kind, cache=Path(cache)) as server:
                    found.append((server.wait_for_answer(timeout=60) - server.started) * 1000)
    return Times(tuple(first)), Times(tuple(second))


def reloads(kinds: list[Kind], effort: Effort) -> dict[str, Times]:
    """From a save (the file written in place) to the first answer of the new program."""
    return {kind.name: _reloads(kind, effort.saves) for kind in kinds}


def _reloads(kind: Kind, saves: int) -> Times:
    each = []
    with Running(kind) as server:
        server.wait_for_answer(timeout=60)
        original = server.source.read_bytes()
        for number in range(saves + 1):
            time.sleep(0.7)  # as a person does: not while the last save is still being served
            text = b"Save %d." % number
            before, after = kind.edit
            program = original.replace(before, after % text)
            saved = time.perf_counter()
            server.source.write_bytes(program)
            took = server.wait_for(text, timeout=60) - saved
            if number:
                each.append(took * 1000)
    return Times(tuple(each))


def speeds(kinds: list[Kind], effort: Effort, *, quiet: bool) -> dict[tuple[str, int], Speed]:
    """Each kind's own path on keep-alive connections.

    All servers are up; they take turns, so that whatever else the machine does meets all of them.
    """
    runs: dict[tuple[str, int], list[Load]] = {}
    with ExitStack() as stack:
        servers = [stack.enter_context(Running(kind, quiet=quiet)) for kind in kinds]
        for server in servers:
            server.wait_for_answer(timeout=60)
            run_load(server.port, 32, server.kind.path, seconds=1)
        for _ in range(effort.rounds):
            for connections in CONNECTIONS:
                for server in servers:
                    load = run_load(server.port, connections, server.kind.path, seconds=effort.round_seconds)
                    runs.setdefault((server.kind.name, connections), []).append(load)
    return {key: Speed(tuple(loads)) for key, loads in runs.items()}


def memory(kind: Kind, answers: int) -> Memory:
    """The memory of the whole tree after ``answers`` / 2 and after ``answers``."""
    with Running(kind) as server:
        server.wait_for_answer(timeout=60)
        (_, half_heap), (full, full_heap) = _memory_looks(server, answers)
    return Memory(answers, full, half_heap, full_heap)


def _memory_looks(server: Running, answers: int) -> Iterator[tuple[float, float]]:
    for _ in range(2):
        run_load(server.port, 32, server.kind.path, answers=answers // 2)
        time.sleep(1)
        yield server.memory_mb("Pss"), server.memory_mb("Pss_Anon")


def first_answer_or_reason(kind: Kind, timeout: float) -> Times | str:
    """One cold start, or why there was none."""
    try:
        with Running(kind) as server:
            took = server.wait_for_answer(timeout) - server.started
    except NoAnswer:
        return f"no answer in {timeout:.0f} s (it fetches Pyodide from the network at every start)"
    return Times((took * 1000,))


def in_own_process(measure: Callable[..., Found], *arguments: object) -> Found:
    """``measure(*arguments)``, in a process that ends: an isolate changes the whole of its process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)
