"""Code that does not end is cut in the act, and nobody beside it notices.

What is asserted is the outcome and whose it was; how long it took only where it can be told in CPU time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from isolates import Failed, ForkedIsolates, Isolate, LoadError, write

from emulator.isolate.wait_until import WAITED
from emulator.wire.channel import StreamBroken
from emulator.wire.frames import Answer, Limits

FREE = Limits(plan="free", cpu_ms=10, startup_cpu_ms=1000)

_HEAD = """
import asyncio, re
import js
from js import Response
from pyodide.ffi import create_proxy, run_sync

"""

_WAIT = """
async def on_fetch(request, env):
    path = request.url.rsplit('/', 1)[1]
    if path == 'wait':
        await asyncio.sleep(0.3)
        return Response.new('waited')
    if path == 'ok':
        return Response.new('ok')
"""

LOOPS = {
    "a loop": "while True:\n    pass",
    "an await in a loop": "while True:\n    await asyncio.sleep(0)",
    # In a function: an exception between the rounds of a bare loop is none of its `try` in Python 3.11.
    "an except for all": "def f():\n    while True: pass\nwhile True:\n    try:\n        f()\n    except BaseException:\n        pass",
    "a finally": "try:\n    while True: pass\nfinally:\n    while True: pass",
    "a regular expression": "re.match(r'(a+)+$', 'a' * 40 + 'b')",
    "a generator": "def forever():\n    while True: yield\nfor _ in forever(): pass",
    "list comprehensions": "while True:\n    [n for n in range(1000)]",
    "calls of JavaScript": "while True:\n    js.JSON.stringify('x')",
    "a JavaScript regular expression": "js.RegExp.new('(a+)+$').test('a' * 40 + 'b')",
    "a callback of JavaScript": "def f(*_):\n    while True: pass\njs.Array.of(1).forEach(create_proxy(f))",
    "callbacks": "def again():\n    loop.call_soon(again)\n    loop.call_soon(again)\n"
    "loop = asyncio.get_running_loop()\nagain()\nawait asyncio.sleep(60)",
    "tasks": "async def t():\n    while True:\n        await asyncio.sleep(0)\n"
    "for _ in range(10): asyncio.create_task(t())\nawait asyncio.sleep(60)",
    "tasks that make tasks": "async def t():\n    asyncio.create_task(t())\n    asyncio.create_task(t())\n"
    "asyncio.create_task(t())\nawait asyncio.sleep(60)",
    "a task that is not cancelled": "async def t():\n    while True:\n        try:\n            await asyncio.sleep(0)\n"
    "        except BaseException: pass\nawait t()",
    "timers": "def f(*_):\n    js.setTimeout(p, 0)\n    js.setTimeout(p, 0)\np = create_proxy(f)\nf()\nawait asyncio.sleep(60)",
    "a recursion": "def f(n):\n    return f(n - 1) + f(n - 2) if n > 1 else n\nf(90)",
    "run_sync": "async def t():\n    while True: pass\nrun_sync(t())",
    "an empty context": "import contextvars\ndef f():\n    while True: pass\ncontextvars.Context().run(f)",
    "a task in an empty context": "import contextvars\nasync def t():\n    while True: await asyncio.sleep(0)\n"
    "await asyncio.get_running_loop().create_task(t(), context=contextvars.Context())",
    "a finalizer": "class Loop:\n    def __del__(self):\n        while True: pass\nLoop()",
    "hashing": "import hashlib\nwhile True:\n    hashlib.sha256(b'x' * 1000).digest()",
    "a sort with a key": "def key(n):\n    while True: pass\nsorted(range(3), key=key)",
}


def _worker(body: str) -> str:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return f"{_HEAD}{_WAIT}{lines}    return Response.new('came to its end')\n"


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS.keys())
def test_python(load: Callable[..., Isolate], body: str) -> None:
    isolate = load(_worker(body), limits=FREE)
    beside = isolate.begin("GET", "/wait")
    isolate.turn(0.05)

    cut = isolate.begin("GET", "/loop")
    queued = isolate.begin("GET", "/ok")
    answer = isolate.wait(cut.head)

    assert isinstance(answer, Failed)
    assert answer.report.code == "cpu-exceeded"
    assert answer.report.where is not None
    assert answer.report.where.file.endswith("entry.py")
    assert beside.reply().text == "waited"
    assert queued.reply().text == "ok"
    assert isolate.alive


JS_LOOPS = {
    "a loop": "for (;;);",
    "a catch": "for (;;) try { for (;;); } catch {} finally { for (;;); }",
    "after an await": "await 1; for (;;);",
    "microtasks": "const f = () => Promise.resolve().then(f); f(); await new Promise(() => {});",
    "microtasks that multiply": "const f = () => { queueMicrotask(f); queueMicrotask(f); }; f(); await scheduler.wait(6e4);",
    "timers": "const f = () => { setTimeout(f); setTimeout(f); }; f(); await scheduler.wait(60000);",
    "an interval": "setInterval(() => { for (let i = 0; i < 1e4; i++); }, 0); await scheduler.wait(60000);",
    "a regular expression": "/(a+)+$/.test('a'.repeat(40) + 'b');",
    "a getter": "JSON.stringify({ get a() { for (;;); } });",
    "a proxy": "new Proxy({}, { get() { for (;;); } }).x;",
    "a generator": "for (const x of (function* () { for (;;) yield 1; })());",
    "an async generator": "for await (const x of (async function* () { for (;;) yield 1; })());",
    "a sort": "[3, 1, 2].sort(() => { for (;;); });",
    "a replace": "'x'.replace(/x/, () => { for (;;); });",
    "a recursion": "const f = () => { try { f(); } finally { f(); } }; f();",
    "a thenable": "await { then() { for (;;); } };",
    "a listener": "const t = new EventTarget(); t.addEventListener('x', () => { for (;;); }); t.dispatchEvent(new Event('x'));",
    "a stream": "await new Response(new ReadableStream({ pull(c) { for (;;); } })).text();",
    "iterating a form": "new Headers({ [Symbol.iterator]: function* () { for (;;) yield ['a', 'b']; } });",
}


@pytest.mark.parametrize("body", JS_LOOPS.values(), ids=JS_LOOPS.keys())
def test_javascript(isolates: ForkedIsolates, tmp_path: Path, body: str) -> None:
    source = (
        "export default { async fetch(request) {\n"
        "  const path = new URL(request.url).pathname;\n"
        "  if (path === '/wait') { await scheduler.wait(300); return new Response('waited'); }\n"
        "  if (path === '/ok') return new Response('ok');\n"
        f"  {body}\n"
        "  return new Response('came to its end');\n"
        "} };\n"
    )
    directory = write(tmp_path, {"worker.js": source})
    isolate = isolates.load(directory, "worker.js", kind="javascript", limits=FREE)
    beside = isolate.begin("GET", "/wait")
    isolate.turn(0.05)

    cut = isolate.begin("GET", "/loop")
    queued = isolate.begin("GET", "/ok")
    answer = isolate.wait(cut.head)

    assert isinstance(answer, Failed)
    assert answer.report.code == "cpu-exceeded"
    where = answer.report.where  # none where the engine was in the platform's code alone
    assert where is None or where.line in (4, 5)  # of the last call, in a loop without one
    assert beside.reply().text == "waited"
    assert queued.reply().text == "ok"
    assert isolate.alive
    isolate.kill()


def test_a_stream_is_broken_off(load: Callable[..., Isolate]) -> None:
    isolate = load(
        _HEAD + "async def pull(controller):\n"
        "    if controller.desiredSize > 0 and not done:\n"
        "        done.append(1)\n"
        "        controller.enqueue(js.TextEncoder.new().encode('first'))\n"
        "    else:\n"
        "        await asyncio.sleep(0.05)\n"
        "        while True: pass\n"
        "done = []\n"
        "async def on_fetch(request, env):\n"
        "    source = js.Object.new()\n"
        "    source.pull = create_proxy(pull)\n"
        "    return Response.new(js.ReadableStream.new(source))\n",
        limits=FREE,
    )
    exchange = isolate.begin("GET", "/")

    answer = isolate.wait(exchange.head)

    assert isinstance(answer, Answer)
    assert exchange.chunk() == b"first"
    with pytest.raises(StreamBroken, match="exceeded CPU"):
        exchange.chunk()
    isolate.wait(exchange.done)
    assert [report.code for report in exchange.explained] == ["cpu-exceeded"]


def test_work_after_the_answer_is_cut_too(load: Callable[..., Isolate]) -> None:
    isolate = load(
        _HEAD + "async def later():\n"
        "    await asyncio.sleep(0.05)\n"
        "    while True: pass\n"
        "async def on_fetch(request, env, ctx):\n"
        "    ctx.waitUntil(asyncio.ensure_future(later()))\n"
        "    return Response.new('answered')\n",
        limits=FREE,
    )
    exchange = isolate.begin("GET", "/")

    assert exchange.reply().text == "answered"
    isolate.wait(exchange.done)
    assert [report.code for report in exchange.explained] == ["cpu-exceeded"]


def test_an_overrun_is_found_when_it_is_over(load: Callable[..., Isolate]) -> None:
    # No tick of the timer is needed: what was spent is counted exactly.
    isolate = load(
        _HEAD + "import time\n"
        "async def on_fetch(request, env):\n"
        "    for _ in range(400):\n"
        "        js.JSON.stringify(['x'] * 3)\n"
        "        js.JSON.stringify('x' * 20000)\n"
        "        await asyncio.sleep(0)\n"
        "    return Response.new('x')\n",
        limits=Limits(plan="free", cpu_ms=0.3, startup_cpu_ms=1000),
    )

    answer = isolate.wait(isolate.begin("GET", "/").head)

    assert isinstance(answer, Failed)
    assert answer.report.code == "cpu-exceeded"


def test_waiting_costs_nothing(load: Callable[..., Isolate]) -> None:
    isolate = load(
        _HEAD + "async def on_fetch(request, env):\n"
        "    for _ in range(20):\n"
        "        await asyncio.sleep(0.01)\n"
        "    return Response.new('slow')\n",
        limits=FREE,
    )

    reply = isolate.fetch("GET", "/")

    assert reply.text == "slow"


def test_what_waits_after_its_time_is_cancelled(load: Callable[..., Isolate]) -> None:
    isolate = load(
        _HEAD + "async def later():\n"
        "    await asyncio.sleep(600)\n"
        "async def on_fetch(request, env, ctx):\n"
        "    ctx.waitUntil(asyncio.ensure_future(later()))\n"
        "    return Response.new('answered')\n",
        limits=Limits(wait_until_s=0.2),
    )
    exchange = isolate.begin("GET", "/")

    assert exchange.reply().text == "answered"
    isolate.wait(exchange.done)
    assert [line.text for line in exchange.logs] == [WAITED]


def test_a_callback_in_an_empty_context_is_its_events(load: Callable[..., Isolate]) -> None:
    body = (
        "import contextvars\ndef f():\n    while True: pass\n"
        "asyncio.get_running_loop().call_soon(f, context=contextvars.Context())\n"
        "await asyncio.sleep(60)"
    )
    isolate = load(_worker(body), limits=FREE)

    reply = isolate.fetch("GET", "/x")
    assert reply.report is not None and reply.report.code == "cpu-exceeded"
    assert isolate.fetch("GET", "/ok").text == "ok"
    assert isolate.alive


def test_a_finalizer_that_is_cut_prints_nothing(load: Callable[..., Isolate]) -> None:
    body = "class Loop:\n    def __del__(self):\n        while True: pass\nLoop()"
    isolate = load(_worker(body), limits=FREE)
    exchange = isolate.begin("GET", "/x")

    isolate.wait(exchange.done)
    assert exchange.logs == []


def test_a_start_that_takes_too_long(load: Callable[..., Isolate]) -> None:
    helper = "total = 0\nwhile True:\n    total += 1\n"
    with pytest.raises(LoadError) as failure:
        load("import helper\n", {"src/helper.py": helper}, limits=Limits(plan="free", startup_cpu_ms=100))

    report = failure.value.report
    assert report.code == "startup-cpu-exceeded"
    assert report.where is not None
    assert report.where.file.endswith("helper.py")
    assert "src/helper.py" in report.why


def test_a_start_in_javascript_that_takes_too_long(isolates: ForkedIsolates, tmp_path: Path) -> None:
    directory = write(tmp_path, {"worker.js": "try { for (;;); } catch {}\nexport default { fetch() {} };\n"})
    with pytest.raises(LoadError) as failure:
        isolates.load(
            directory, "worker.js", kind="javascript", limits=Limits(plan="free", startup_cpu_ms=100)
        )

    assert failure.value.report.code == "startup-cpu-exceeded"


def test_without_limits_nothing_is_cut(load: Callable[..., Isolate]) -> None:
    body = "n = 0\nfor i in range(10**6): n += i"
    isolate = load(_worker(body), limits=Limits(plan="off"))

    assert isolate.fetch("GET", "/x").text == "came to its end"


def test_a_tick_in_the_middle_of_an_import_looks_for_no_module(load: Callable[..., Isolate]) -> None:
    source = """
import importlib.util, time
from js import Response

looked_for = []
find_spec = importlib.util.find_spec

def watched(name, *rest):
    looked_for.append(name)
    return find_spec(name, *rest)

importlib.util.find_spec = watched
until = time.process_time() + 0.05
while time.process_time() < until:
    pass
importlib.util.find_spec = find_spec

async def on_fetch(request):
    return Response.new(repr(looked_for))
"""
    assert load(source, limits=FREE).fetch().text == "[]"


@pytest.mark.parametrize("ended", ["cut", "left"])
def test_tasks_that_wait_for_one_another_in_a_long_row(load: Callable[..., Isolate], ended: str) -> None:
    """To cancel one of them is to cancel the next, and so on: deeper than Python recurses."""
    source = (
        f"{_HEAD}{_WAIT}"
        "    async def wait_for(n):\n"
        "        if n: await asyncio.create_task(wait_for(n - 1))\n"
        "        elif path == 'cut':\n"
        "            while True: pass\n"
        "        else: await asyncio.sleep(60)\n"
        "    await wait_for(1500)\n"
    )
    isolate = load(source, limits=Limits(plan="free", cpu_ms=200))
    beside = isolate.begin("GET", "/wait")
    isolate.turn(0.05)

    exchange = isolate.begin("GET", f"/{ended}")
    if ended == "left":
        isolate.turn(1.0)
        exchange.abort()
        isolate.wait(exchange.done)
    else:
        answer = isolate.wait(exchange.head)
        assert isinstance(answer, Failed)
        assert answer.report.code == "cpu-exceeded"

    assert beside.reply().text == "waited"
    assert isolate.fetch("GET", "/ok").text == "ok"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("\nfor (;;) Math.abs(1);", 2),
        ("const f = () => Promise.resolve().then(f);\nf();", None),
        ("const f = () => { queueMicrotask(f); queueMicrotask(f); };\nf();", None),
    ],
)
def test_a_start_in_javascript_that_never_ends(
    isolates: ForkedIsolates, tmp_path: Path, source: str, line: int | None
) -> None:
    directory = write(tmp_path, {"worker.js": f"{source}\nexport default {{ fetch() {{}} }};\n"})
    limits = Limits(plan="free", cpu_ms=10, startup_cpu_ms=100)

    with pytest.raises(LoadError) as failure:
        isolates.load(directory, "worker.js", kind="javascript", limits=limits)

    report = failure.value.report
    assert report.code == "startup-cpu-exceeded"
    assert line is None or (report.where is not None and report.where.line == line)


def test_a_worker_that_breaks_what_the_meter_calls(load: Callable[..., Isolate]) -> None:
    """Nobody can cut in such a process, so it ends, by the kernel's timer."""
    source = (
        f"{_HEAD}{_WAIT}"
        "    import builtins\n"
        "    def spin(*_):\n"
        "        while True: pass\n"
        "    builtins.len = spin\n"
        "    spin()\n"
    )
    isolate = load(source, limits=FREE)

    isolate.begin("GET", "/loop")
    isolate.until(lambda: not isolate.alive)
