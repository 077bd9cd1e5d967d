"""The parts about Go Workers: the guide's router with its worker.js, and without any JavaScript."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from harness import measure
from harness.direct_overhead import direct_overhead_us
from harness.isolate_overhead import isolate_overhead_us
from harness.large_wasm import BODY, compile_and_load, large_wasm
from harness.measure import Costs, Effort, Speed, Times
from harness.parts import RATE_32_TIMES_WRANGLER, Part, Results, reload_rows
from harness.report import Row
from harness.servers import Kind

RATE_32_TIMES_WORKERD = 1
"""The direct ABI against workerd alone with the worker.js of the same Worker."""
JAVASCRIPT_OVERHEAD_US = 60
DIRECT_OVERHEAD_US = 10


def go_start(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    chosen = [kinds[name] for name in ("router", "router-direct", "router-wrangler", "router-workerd")]
    ours, _, theirs, _ = chosen
    found = measure.cold_starts(chosen, effort)
    what = "go-router: cold start to first answer"
    results.rows += [Row(what, name, str(times)) for name, times in found.items()]
    share = found[ours.name].median / found[theirs.name].median
    results.rows.append(Row(what, f"{ours.name} : {theirs.name}", f"{share:.2f}x"))


def wasm_start(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    with tempfile.TemporaryDirectory(prefix="cfw-emu-large-") as directory:
        data = large_wasm()
        Path(directory, "worker.wasm").write_bytes(data)
        kind = replace(kinds["router-direct"], project=Path(directory), answer=BODY)
        first, second = measure.first_and_second_starts(kind, effort)
        compiled, loaded = measure.in_own_process(compile_and_load, data, effort.starts)
    size = f"{len(data) / 1000:.0f} KB of WebAssembly"
    what = f"cold start of {size}"
    results.rows += [
        Row(what, f"{kind.name}, not compiled yet", str(first)),
        Row(what, f"{kind.name}, compiled before", str(second)),
        Row(f"{size} made ready to run", "compiled", str(Times(compiled))),
        Row(f"{size} made ready to run", "compiled before", f"{Times(loaded).median:.1f} ms"),
    ]
    results.notes.append(
        "Cold start of a long module: a generated one (benchmarks/harness/large_wasm.py), with an "
        "empty directory for compiled modules and then with what the first start left there, "
        f"{effort.starts} times."
    )


def go_reload(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    what = "go-router: save of worker.js to new answer"
    results.rows += reload_rows(what, kinds["router"], kinds["router-wrangler"], effort)


def go_speed(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    chosen = [kinds[name] for name in ("router", "router-direct", "router-wrangler", "router-workerd")]
    for quiet, log in ((False, "a line a request"), (True, "no request lines")):
        found = measure.speeds(chosen, effort, quiet=quiet)
        for connections in measure.CONNECTIONS:
            what = f"go-router /json, {connections} connection{'s' * (connections > 1)}, {log}"
            here = [found[kind.name, connections] for kind in chosen]
            results.rows += _speed_rows(what, chosen, here, connections)
    results.notes.append(
        "go-router: `GET /json` of sample-workers/go-router, measured as Hello is. The direct ABI serves the "
        "same worker.wasm with `main` set to it; workerd serves the same files with the configuration in "
        "benchmarks/peers/go-router-workerd and never prints a line a request."
    )


def _speed_rows(what: str, kinds: list[Kind], found: list[Speed], connections: int) -> list[Row]:
    router, direct, wrangler, workerd = range(4)
    rows = [Row(what, kind.name, str(speed)) for kind, speed in zip(kinds, found, strict=True)]
    for ours, peer, least in (
        (router, wrangler, RATE_32_TIMES_WRANGLER),
        (direct, workerd, RATE_32_TIMES_WORKERD),
        (router, workerd, None),
    ):
        ratio, who = found[ours].times(found[peer]), f"{kinds[ours].name} : {kinds[peer].name}"
        if least is None or connections == 1:
            rows.append(Row(what, who, f"{ratio:.2f}x"))
        else:
            rows.append(Row(what, who, f"{ratio:.2f}x", f"at least {least}x", ratio >= least))
    return rows


def overhead(kinds: dict[str, Kind], effort: Effort, results: Results) -> None:
    sample = kinds["router"].project
    script, wasm = sample / "worker.js", sample / "worker.wasm"
    hello = kinds["wrangler-js"].project / "worker.js"
    often = effort.overhead_requests, effort.rounds
    whole = "in the isolate, event to answer, a request"
    javascript = Costs(measure.in_own_process(isolate_overhead_us, "javascript", script, "/json", *often))
    without_wasm = Costs(measure.in_own_process(isolate_overhead_us, "javascript", hello, "/", *often))
    direct = Costs(measure.in_own_process(isolate_overhead_us, "wasm", wasm, "/json", *often))
    call = Costs(measure.in_own_process(direct_overhead_us, wasm, "/json", *often))
    results.rows += [
        _cost(whole, "go-router, worker.js", javascript, JAVASCRIPT_OVERHEAD_US),
        Row(whole, "hello in JavaScript, no WebAssembly", str(without_wasm)),
        Row(whole, "go-router, direct ABI", str(direct)),
        _cost("the same without wire and event loop", "go-router, direct ABI", call, DIRECT_OVERHEAD_US),
    ]
    results.notes.append(
        "In the isolate: CPU time from the bytes of an Event frame to the bytes of its Answer "
        "frame: all that the isolate's process does for a request except system calls on its socket, the "
        f"Worker's own code included, one request at a time, {effort.rounds} rounds of "
        f"{effort.overhead_requests:,} requests. Without wire and event loop: the ABI's calls, what they "
        "read and write, and the headers of the answer."
    )


def _cost(what: str, who: str, costs: Costs, limit_us: float) -> Row:
    return Row(what, who, str(costs), f"under {limit_us:g} us", costs.median < limit_us)


GO_PARTS: dict[str, Part] = {
    "go-start": go_start,
    "wasm-start": wasm_start,
    "go-reload": go_reload,
    "go-speed": go_speed,
    "overhead": overhead,
}
