"""The parts of the benchmark: each measures, and says what it means beside the targets.

The targets are the project's own, set before anything was built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness import measure
from harness.measure import Effort, Speed, Times
from harness.report import Row
from harness.servers import Kind

COLD_START_MS = 500
COLD_START_SHARE_OF_WRANGLER = 0.5
RELOAD_MS = 80
RATE_32_TIMES_WRANGLER = 8
RATE_1_TIMES_WRANGLER = 2
RATE_SHARE_OF_UVICORN = 0.5
METERED_SHARE = 0.95
MEMORY_MB = 150
MEMORY_GROWTH_MB = 2
"""What "flat" means: growth over the second half of the requests."""


@dataclass
class Results:
    """What the parts found, in order."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


Part = Callable[[dict[str, Kind], Effort, Results], None]


def start(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    ours, theirs = kinds["cfw-emu"], kinds["wrangler-js"]
    found = measure.cold_starts([ours, theirs], effort)
    share = found[ours.name].median / found[theirs.name].median
    what = "cold start to first answer"
    results.rows += [
        limit(what, ours.name, found[ours.name], COLD_START_MS),
        Row(what, theirs.name, str(found[theirs.name])),
        Row(
            what,
            f"{ours.name} : {theirs.name}",
            f"{share:.2f}x",
            f"at most {COLD_START_SHARE_OF_WRANGLER}x",
            share <= COLD_START_SHARE_OF_WRANGLER,
        ),
    ]
    results.notes.append(
        f"Cold start: from the start of the command to the first right answer, {effort.starts} times each in "
        "turns, after one that is not counted; the server is asked every millisecond, on a new connection "
        "each time. wrangler is run directly, not through npx."
    )


def reload_rows(what: str, ours: Kind, theirs: Kind, effort: Effort) -> list[Row]:
    """How long a save takes on both, and on ours as a share of theirs."""
    found = measure.reloads([ours, theirs], effort)
    share = found[ours.name].median / found[theirs.name].median
    return [
        limit(what, ours.name, found[ours.name], RELOAD_MS),
        Row(what, theirs.name, str(found[theirs.name])),
        Row(what, f"{ours.name} : {theirs.name}", f"{share:.2f}x"),
    ]


def reload(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    results.rows += reload_rows("save to new answer", kinds["cfw-emu"], kinds["wrangler-js"], effort)
    results.notes.append(
        f"Save: the source file is written in place, {effort.saves} times 0.7 s apart, and the server is "
        "asked every millisecond until it answers with the new text."
    )


def python_peer(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    del effort
    peer = kinds["wrangler-python"]
    found = measure.first_answer_or_reason(peer, timeout=40)
    results.rows.append(Row("cold start to first answer", peer.name, str(found)))


def speed(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    chosen = [kinds[name] for name in ("cfw-emu", "wrangler-js", "uvicorn")]
    for quiet, log in ((False, "a line a request"), (True, "no request lines")):
        found = measure.speeds(chosen, effort, quiet=quiet)
        for connections in measure.CONNECTIONS:
            what = f"hello, {connections} connection{'s' * (connections > 1)}, {log}"
            here = {kind.name: found[kind.name, connections] for kind in chosen}
            results.rows += _speed_rows(what, chosen, here, connections)
    results.notes.append(
        f"Hello: keep-alive connections with one request under way on each, {effort.rounds} rounds of "
        f"{effort.round_seconds:g} s in turns, after a second of warming up; a ratio is the "
        "median of the rounds' ratios. The load generator "
        "(benchmarks/harness/load.py) shares the machine's cores with the servers. "
        '"A line a request" is how each server starts by itself; the lines go to a file.'
    )


def _speed_rows(what: str, kinds: list[Kind], found: dict[str, Speed], connections: int) -> list[Row]:
    ours, wrangler, uvicorn = (kind.name for kind in kinds)
    times = RATE_1_TIMES_WRANGLER if connections == 1 else RATE_32_TIMES_WRANGLER
    rows = [Row(what, name, str(found[name])) for name in (ours, wrangler, uvicorn)]
    for peer, least in ((wrangler, times), (uvicorn, RATE_SHARE_OF_UVICORN)):
        ratio = found[ours].times(found[peer])
        rows.append(Row(what, f"{ours} : {peer}", f"{ratio:.2f}x", f"at least {least}x", ratio >= least))
    return rows


def metering(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    held, free = kinds["cfw-emu"], kinds["cfw-emu-off"]
    found = measure.speeds([held, free], effort, quiet=True)
    for connections in measure.CONNECTIONS:
        what = f"hello, {connections} connection{'s' * (connections > 1)}, with and without limits"
        ratio = found[held.name, connections].times(found[free.name, connections])
        results.rows += [Row(what, kind.name, str(found[kind.name, connections])) for kind in (held, free)]
        share = f"at least {METERED_SHARE}x" if connections > 1 else ""
        met = ratio >= METERED_SHARE if share else None
        results.rows.append(Row(what, f"{held.name} : {free.name}", f"{ratio:.2f}x", share, met))
    results.notes.append(
        "With and without limits: the free plan (less its requests a day) against `--limits off`, as Hello."
    )


def memory(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    ours, theirs = kinds["cfw-emu"], kinds["wrangler-js"]
    found = measure.memory(ours, effort.memory_answers)
    growth = found.full_heap - found.half_heap
    what = f"memory after {found.answers:,} requests"
    results.rows += [
        Row(what, ours.name, f"{found.full:.1f} MB", f"under {MEMORY_MB} MB", found.full < MEMORY_MB),
        Row(
            f"heap growth since {found.answers // 2:,} requests",
            ours.name,
            f"{growth:+.2f} MB",
            f"flat: at most {MEMORY_GROWTH_MB} MB",
            growth <= MEMORY_GROWTH_MB,
        ),
    ]
    peer = measure.memory(theirs, effort.memory_answers // 10)
    results.rows.append(Row(f"memory after {peer.answers:,} requests", theirs.name, f"{peer.full:.1f} MB"))
    results.notes.append(
        "Memory: the sum of the proportional set sizes (PSS) of all processes of the tree, in 10**6 bytes; "
        "heap is the part that no file backs (Pss_Anon), which other programs on the machine do not change."
    )


def limit(what: str, who: str, times: Times, limit_ms: float) -> Row:
    """A row of a duration whose target is a time."""
    return Row(what, who, str(times), f"at most {limit_ms:g} ms", times.median <= limit_ms)


PARTS: dict[str, Part] = {
    "start": start,
    "reload": reload,
    "speed": speed,
    "metering": metering,
    "memory": memory,
    "python-peer": python_peer,
}
