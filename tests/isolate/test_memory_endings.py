"""Workers that take all memory there is, in a process of their own: how the event and the isolate end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wasmtime
from isolates import ForkedIsolates, Isolate, write

from emulator.wire.frames import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="allocations fail on Linux only")

SMALL = Limits(plan="free", memory_mb=128, startup_memory_mb=128)
BRIEF = Limits(plan="free", cpu_ms=10)

FILL = "const kept = []; for (;;) kept.push({ n: kept.length });"

GREEDY = {
    "a stream": "return new Response(new ReadableStream({ pull() { %s } }));",
    "a stream that has begun": """const kept = []; return new Response(new ReadableStream({ pull(to) {
      for (let i = 0; i < 20000; i++) kept.push({ n: kept.length });
      to.enqueue(new Uint8Array(9)); /* %s */ } }));""",
    "a promise for later": "ctx.waitUntil((async () => { %s })()); return new Response('left');",
    "a promise": "await new Promise(() => { %s });",
    "a timer": "await new Promise(() => setTimeout(() => { %s }));",
    "catch without a name": "try { %s } catch { return new Response('caught'); }",
}


@pytest.fixture
def javascript(isolates: ForkedIsolates, tmp_path: Path) -> Iterator[Callable[..., Isolate]]:
    """Load a Worker whose ``fetch`` has the body ``code``."""
    made: list[Isolate] = []

    def load(code: str, files: dict[str, str] | None = None, before: str = "", **spec: object) -> Isolate:
        source = f"{before}\nexport default {{ async fetch(request, env, ctx) {{ {code} }} }};"
        directory = write(tmp_path, {"src/index.js": source, **(files or {})})
        made.append(isolates.load(directory, "src/index.js", kind="javascript", **spec))
        return made[-1]

    yield load
    for isolate in made:
        isolate.kill()


@pytest.mark.parametrize("code", GREEDY.values(), ids=GREEDY)
def test_javascript_that_takes_all_memory_is_told(javascript: Callable[..., Isolate], code: str) -> None:
    isolate = javascript(code % FILL, limits=SMALL)
    exchange = isolate.begin()
    isolate.until(lambda: isolate.full or not isolate.alive)
    assert isolate.alive
    isolate.turn(0.05)
    reports = [*exchange.explained, *isolate.explained]
    head = exchange.answer()
    if (report := getattr(head, "report", None)) is not None:
        reports.append(report)
    assert [report.code for report in reports] == ["memory-exceeded"]


def test_a_promise_of_nobody_that_took_all_memory_is_no_mistake_of_its_own(
    javascript: Callable[..., Isolate],
) -> None:
    isolate = javascript(f"(async () => {{ {FILL} }})(); return new Response('left');", limits=SMALL)
    exchange = isolate.begin()
    isolate.until(lambda: isolate.full or not isolate.alive)
    assert isolate.alive
    reply = exchange.reply()
    assert (reply.status, reply.body) == (200, b"left") or reply.report is not None
    isolate.turn(0.05)
    assert "js-uncaught" not in [report.code for report in [*reply.explained, *isolate.explained]]


WAT = """(module (import "env" "call" (func $call)) (memory (export "memory") 1)
  (func (export "spin") (loop (br 0)))
  (func (export "call") (call $call)))"""

INSTANCE = """import module from "./worker.wasm";
const own = new WebAssembly.Instance(module, { env: { call: () => { for (;;); } } }).exports;"""


@pytest.mark.parametrize(
    ("code", "successors"), [("own.spin();", [0]), ("own.call();", [0]), ("for (;;);", [])]
)
def test_an_instance_that_was_stopped_in_the_middle_gets_a_successor(
    javascript: Callable[..., Isolate], tmp_path: Path, code: str, successors: list[int]
) -> None:
    tmp_path.joinpath("src").mkdir()
    tmp_path.joinpath("src/worker.wasm").write_bytes(wasmtime.wat2wasm(WAT))
    isolate = javascript(code, before=INSTANCE, limits=BRIEF, interruptible=True)
    report = isolate.fetch().report
    assert report is not None and report.code == "cpu-exceeded"
    assert isolate.full == successors


STUBBORN = {
    "a group of tasks": "async with asyncio.TaskGroup() as group:\n            while True:\n                group.create_task(asyncio.sleep(60))",
    "a loop that goes on": "while True:\n            try:\n                kept.append(bytes(1 << 16))\n            except MemoryError:\n                pass",
    "a finally": "try:\n            while True:\n                kept.append([])\n        finally:\n            while True:\n                kept.append([])",
}


@pytest.mark.parametrize("body", STUBBORN.values(), ids=STUBBORN.keys())
def test_python_that_goes_on_without_memory(load: Callable[..., Isolate], body: str) -> None:
    isolate = load(
        f"""
import asyncio
from js import Response

kept = []

async def on_fetch(request):
    if request.url.endswith("/fill"):
        {body}
    return Response.new("ok")
""",
        limits=SMALL,
    )
    reply = isolate.fetch("GET", "/fill")
    assert reply.report is not None and reply.report.code == "memory-exceeded"
    assert isolate.full
