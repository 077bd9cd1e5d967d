"""How events end that were answered, or are over, when the meter stops their code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from isolates import ForkedIsolates, Isolate, write

from emulator.wire.frames import Limits

FREE = Limits(plan="free", cpu_ms=10, startup_cpu_ms=1000)
SMALL = Limits(plan="free", memory_mb=128, startup_memory_mb=128)

SPIN = "while True:\n        pass"
FILL = "kept = []\n    while True:\n        kept.append(bytes(1 << 20))"


@pytest.mark.parametrize(
    ("body", "limits", "code"), [(SPIN, FREE, "cpu-exceeded"), (FILL, SMALL, "memory-exceeded")]
)
def test_a_microtask_that_is_cut_before_the_answer_left(
    load: Callable[..., Isolate], body: str, limits: Limits, code: str
) -> None:
    isolate = load(
        f"""
import js
from pyodide.ffi import create_once_callable

def work(*_):
    {body}

def on_fetch(request):
    js.queueMicrotask(create_once_callable(work))
    return js.Response.new("ok")
""",
        limits=limits,
    )
    reply = isolate.fetch("GET", "/")
    assert reply.report is not None and reply.report.code == code
    assert not reply.explained


def test_a_microtask_of_javascript_that_is_cut_before_the_answer_left(
    isolates: ForkedIsolates, tmp_path: Path
) -> None:
    source = """
export default {
  fetch() {
    queueMicrotask(() => { for (;;); });
    return new Response("ok");
  },
};
"""
    directory = write(tmp_path, {"src/index.js": source})
    isolate = isolates.load(directory, "src/index.js", kind="javascript", limits=FREE)
    reply = isolate.fetch("GET", "/")
    assert reply.report is not None and reply.report.code == "cpu-exceeded"
    isolate.kill()


def test_an_event_that_was_cut_inside_with_env_leaves_no_other_env_behind(
    isolates: ForkedIsolates, tmp_path: Path
) -> None:
    source = """
import { env, withEnv } from "cloudflare:workers";
export default {
  fetch(request) {
    if (request.url.endsWith("/cut")) withEnv({ OTHER: "1" }, () => { for (;;); });
    return Response.json(Object.keys(env));
  },
};
"""
    directory = write(tmp_path, {"src/index.js": source})
    isolate = isolates.load(directory, "src/index.js", kind="javascript", limits=FREE)
    cut = isolate.fetch("GET", "/cut")
    assert cut.report is not None and cut.report.code == "cpu-exceeded"
    assert isolate.fetch("GET", "/").body == b"[]"
    isolate.kill()


def test_what_was_left_for_ever_after_its_event_brings_a_successor(load: Callable[..., Isolate]) -> None:
    isolate = load(
        """
import asyncio
import js

kept = []

async def stubborn():
    try:
        await asyncio.sleep(1000)
    finally:
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass

async def on_fetch(request):
    kept.append(asyncio.create_task(stubborn()))
    await asyncio.sleep(0)
    return js.Response.new("ok")
""",
        limits=FREE,
    )
    assert isolate.fetch("GET", "/").text == "ok"
    isolate.until(lambda: isolate.full == [0])


def test_what_an_event_still_waits_for_is_forgotten_with_it(load: Callable[..., Isolate]) -> None:
    isolate = load(
        """
import gc
import js
from pyodide.ffi import create_proxy
from emulator.isolate.io import IsolateIO

async def on_fetch(request):
    if request.url.endswith("/count"):
        io = next(found for found in gc.get_objects() if isinstance(found, IsolateIO))
        return js.Response.new(f"{len(io._calls)} {len(io._timers)}")
    js.fetch("http://example.com/")
    js.setTimeout(create_proxy(print), 1_000_000)
    js.setInterval(create_proxy(print), 1_000_000)
    return js.Response.new("ok")
"""
    )

    async def never(*_: object) -> tuple[int, list[tuple[str, str]], None]:
        await asyncio.Event().wait()
        raise AssertionError

    isolate.outside = never
    for _ in range(3):
        assert isolate.fetch("GET", "/").text == "ok"
    assert isolate.fetch("GET", "/count").text == "0 0"


def test_nobody_pays_for_the_start(isolates: ForkedIsolates, tmp_path: Path) -> None:
    source = """
for (let i = 0; i < 2_000_000; i++);
export default { fetch: () => new Response("ok") };
"""
    directory = write(tmp_path, {"src/index.js": source})
    isolate = isolates.load(directory, "src/index.js", kind="javascript")
    exchange = isolate.begin("GET", "/")
    exchange.abort()
    cpu_us = isolate.wait(exchange.done)
    assert cpu_us < 20_000
    isolate.kill()
