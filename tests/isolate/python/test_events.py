"""What happens around a handler: waitUntil, clients that leave, CPU, logs, streams, failures."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from isolates import Isolate

HEAD = """
import asyncio, js, sys, time
from js import Response, Promise, TransformStream, TextEncoder
from pyodide.ffi import create_proxy, to_js
"""

HELD = {
    "a coroutine": "ctx.waitUntil(later())",
    "a task": "ctx.waitUntil(asyncio.ensure_future(later()))",
    "a future": "f = asyncio.ensure_future(later())\n    ctx.waitUntil(f)",
    "a promise": "ctx.waitUntil(Promise.new(lambda ok, _: asyncio.ensure_future(later()).add_done_callback(lambda _: ok())))",
    "a proxy of a coroutine": "ctx.waitUntil(create_proxy(later()))",
    "a proxy of a task": "ctx.waitUntil(create_proxy(asyncio.ensure_future(later())))",
    "a js function's promise": "ctx.waitUntil(js.Promise.resolve().then(create_proxy(lambda *_: later())))",
}


@pytest.mark.parametrize("hold", HELD.values(), ids=HELD.keys())
def test_wait_until(load: Callable[..., Isolate], hold: str) -> None:
    isolate = load(
        f"{HEAD}\nasync def later():\n    await asyncio.sleep(0.05)\n    print('later')\n"
        f"async def on_fetch(request, env, ctx):\n    {hold}\n    return Response.new('now')\n"
    )
    exchange = isolate.begin()
    exchange.answer()
    assert not exchange.logs and not exchange.done.done()
    reply = exchange.reply()
    assert (reply.text, reply.lines) == ("now", ["later"])


def test_wait_until_that_fails_is_told(load: Callable[..., Isolate]) -> None:
    isolate = load(
        f"{HEAD}\nasync def later():\n    await asyncio.sleep(0.01)\n    raise ValueError('in waitUntil')\n"
        "async def on_fetch(request, env, ctx):\n    ctx.waitUntil(later())\n    return Response.new('now')\n"
    )
    reply = isolate.fetch()
    assert reply.text == "now"
    assert [report.exception for report in reply.explained] == ["ValueError: in waitUntil"]
    assert reply.explained[0].frames[-1].function == "later"


LEAVING = (
    HEAD
    + """
async def on_fetch(request, env, ctx):
    async def kept():
        await asyncio.sleep(0.1)
        print("kept")
    ctx.waitUntil(kept())
    try:
        print("started")
        await asyncio.sleep(30)
    finally:
        print("cleaned")
"""
)


def test_a_client_that_leaves_cancels_the_handler(load: Callable[..., Isolate]) -> None:
    isolate = load(LEAVING)
    exchange = isolate.begin()
    exchange.wait_for_log("started")
    exchange.abort()
    assert isolate.wait(exchange.done) >= 0
    assert [log.text for log in exchange.logs] == ["started", "cleaned", "kept"]
    assert isolate.begin().wait_for_log("started") is None


STREAM = (
    HEAD
    + """
async def on_fetch(request):
    pipe = TransformStream.new()
    writer = pipe.writable.getWriter()
    async def go():
        try:
            n = 0
            while True:
                await writer.write(TextEncoder.new().encode(f"chunk {n};"))
                n += 1
                await asyncio.sleep(0.01)
        except BaseException as error:
            print("stopped", type(error).__name__)
            raise
    asyncio.ensure_future(go())
    return Response.new(pipe.readable)
"""
)


def test_streams(load: Callable[..., Isolate]) -> None:
    isolate = load(STREAM)
    exchange = isolate.begin()
    assert exchange.chunk() == b"chunk 0;" and exchange.chunk() == b"chunk 1;"
    exchange.abort()
    isolate.wait(exchange.done)
    isolate.until(lambda: any("stopped" in log.text for log in (*exchange.logs, *isolate.logs)))
    assert isolate.begin().chunk() == b"chunk 0;"


SPIN = (
    HEAD
    + """
def spin(ms):
    end = time.thread_time() + ms / 1000
    while time.thread_time() < end:
        pass

async def on_fetch(request):
    ms = int(request.url.rsplit("/", 1)[1])
    for _ in range(5):
        spin(ms / 5)
        await asyncio.sleep(0.001)
    return Response.new(str(ms))
"""
)


def test_cpu_is_charged_to_its_event(load: Callable[..., Isolate]) -> None:
    isolate = load(SPIN)
    spent = {0: 0, 50: 0, 200: 0}
    exchanges = {ms: isolate.begin("GET", f"/{ms}") for ms in spent}
    for ms, exchange in exchanges.items():
        spent[ms] = exchange.reply().cpu_us
    assert spent[0] < 30_000
    assert 45_000 < spent[50] < 90_000
    assert 190_000 < spent[200] < 260_000


def test_cpu_of_timers_tasks_js_and_run_sync(load: Callable[..., Isolate]) -> None:
    source = SPIN.partition("async def on_fetch")[0] + (
        "from pyodide.ffi import run_sync\n"
        "async def work():\n    spin(20)\n    await asyncio.sleep(0.001)\n    spin(20)\n"
        "async def on_fetch(request):\n"
        "    if request.url.endswith('/sync'): run_sync(work())\n"
        "    elif request.url.endswith('/task'): await asyncio.ensure_future(work())\n"
        "    elif request.url.endswith('/timer'):\n"
        "        await Promise.new(create_proxy(lambda ok, _: js.setTimeout(create_proxy(lambda: (spin(40), ok())), 1)))\n"
        "    else: await Promise.resolve().then(create_proxy(lambda *_: spin(40)))\n"
        "    return Response.new('x')\n"
    )
    isolate = load(source)
    for path in ("/sync", "/task", "/timer", "/promise"):
        reply = isolate.fetch("GET", path)
        assert reply.report is None and 38_000 < reply.cpu_us < 80_000, (path, reply)


def test_cpu_is_never_negative_however_often_a_handler_is_suspended(load: Callable[..., Isolate]) -> None:
    # While it waits for the second time, others run up to 100 ms in between.
    source = SPIN.partition("async def on_fetch")[0] + (
        "from pyodide.ffi import run_sync\n"
        "async def work():\n    spin(50)\n    await asyncio.sleep(0.001)\n    return 1\n"
        "async def on_fetch(request):\n"
        "    run_sync(work())\n    run_sync(work())\n"
        "    return Response.new('x')\n"
    )
    reply = load(source).fetch()
    assert reply.report is None and 95_000 < reply.cpu_us < 180_000, reply


def test_waiting_costs_nothing(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD + "async def on_fetch(r):\n    await asyncio.sleep(0.2)\n    return Response.new('x')"
    )
    assert isolate.fetch().cpu_us < 50_000


def test_logs(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + """
import logging
print("loading")
async def on_fetch(request):
    name = request.url.rsplit("/", 1)[1]
    print("one", name, "你好")
    print("a\\nb")
    print("part", end="")
    print("ial")
    await asyncio.sleep(0.01)
    js.console.log("console", name)
    js.console.error("bad")
    print("err", file=sys.stderr)
    logging.getLogger("x").warning("logged %s", name)
    print("unfinished", end="")
    return Response.new("x")
"""
    )
    first, second = isolate.begin("GET", "/1"), isolate.begin("GET", "/2")
    for name, exchange in (("1", first), ("2", second)):
        reply = exchange.reply()
        assert reply.lines[:4] == [f"one {name} 你好", "a", "b", "partial"], reply.lines
        assert f"console {name}" in reply.lines and "bad" in reply.lines
        assert any(log.level == "error" and log.text == "err" for log in reply.logs)
        assert any(f"logged {name}" in line for line in reply.lines)
        assert all(log.event == exchange.id for log in reply.logs)
    assert [log.text for log in isolate.logs] == ["loading"]
    assert any("unfinished" in line for e in (first, second) for line in e.reply().lines)


STAGES = {
    "at once": ("raise ValueError('boom')", "ValueError: boom"),
    "after a turn": ("await asyncio.sleep(0)\n    raise ValueError('boom')", "ValueError: boom"),
    "deep inside": ("deep(3)", "ZeroDivisionError: division by zero"),
    "in a task": ("await asyncio.ensure_future(later())", "KeyError: 'later'"),
    "from js": ("js.JSON.parse('{')", "SyntaxError"),
    "a rejected promise": ("await Promise.reject(js.Error.new('no'))", "Error: no"),
    "through js": (
        "js.Array.of(1).forEach(create_proxy(lambda *a: deep(0)))",
        "ZeroDivisionError: division by zero",
    ),
    "a group": ("async with asyncio.TaskGroup() as g: g.create_task(later())", "ExceptionGroup"),
    "SystemExit": ("sys.exit(3)", "SystemExit: 3"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "an assertion": ("assert 1 == 2, 'no'", "AssertionError: no"),
    "a cancelled task": (
        "t = asyncio.ensure_future(asyncio.sleep(10)); t.cancel(); await t",
        "CancelledError",
    ),
    "CancelledError": ("raise asyncio.CancelledError", "CancelledError"),
    "cancelling itself": ("asyncio.current_task().cancel(); await asyncio.sleep(1)", "CancelledError"),
    "GeneratorExit": ("raise GeneratorExit", "GeneratorExit"),
    "recursion": ("forever()", "RecursionError"),
}


@pytest.mark.parametrize(("body", "line"), STAGES.values(), ids=STAGES.keys())
def test_failures_are_reported_with_the_user_s_frames(
    load: Callable[..., Isolate], body: str, line: str
) -> None:
    isolate = load(
        f"{HEAD}\ndef deep(n):\n    return deep(n - 1) if n else 1 / 0\n"
        "def forever():\n    return forever()\n"
        "async def later():\n    await asyncio.sleep(0)\n    raise KeyError('later')\n"
        f"async def on_fetch(request):\n    if request.url.endswith('ok'): return Response.new('ok')\n    {body}\n"
    )
    reply = isolate.fetch("GET", "/")
    assert reply.report is not None
    assert line in reply.report.exception, reply.report
    assert reply.report.where is not None and reply.report.where.file.endswith("src/entry.py")
    frames = [frame for frame in reply.report.frames if frame.source]
    assert frames and all("/worker-0/" in frame.file for frame in frames)
    assert "/emulator/" not in str(reply.report.frames)
    assert reply.report.event == "GET /"
    assert isolate.fetch("GET", "/ok").text == "ok"


def test_a_stream_that_breaks_is_told(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + """
async def on_fetch(request):
    pipe = TransformStream.new()
    writer = pipe.writable.getWriter()
    async def go():
        await writer.write(TextEncoder.new().encode("some"))
        await writer.abort(js.Error.new("broke off"))
    asyncio.ensure_future(go())
    return Response.new(pipe.readable)
"""
    )
    exchange = isolate.begin()
    exchange.answer()
    with pytest.raises(Exception, match="broke off"):
        while exchange.chunk() is not None:
            pass
    isolate.wait(exchange.done)


def test_retiring_waits_for_what_is_under_way(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD + "async def on_fetch(r):\n    await asyncio.sleep(0.1)\n    return Response.new('late')"
    )
    exchange = isolate.begin()
    isolate.turn(0.02)
    started = time.monotonic()
    assert isolate.retire() == 0
    assert exchange.reply().text == "late"
    assert time.monotonic() - started < 5


def test_large_bodies_both_ways(load: Callable[..., Isolate]) -> None:
    isolate = load(HEAD + "async def on_fetch(r): return Response.new(r.body)")
    upload = isolate.upload()
    exchange = isolate.begin("POST", "/", body=upload)

    async def send() -> None:
        for _ in range(64):
            await upload.write(b"x" * 65536)
        upload.close()

    sending = isolate.loop.create_task(send())
    reply = exchange.reply()
    assert len(reply.body) == 64 * 65536 and sending.done()


def test_subrequests(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + """
async def on_fetch(request):
    a, b = await asyncio.gather(js.fetch("http://a/1"), js.fetch("http://b/2", method="POST", body="data"))
    return Response.new(await a.text() + await b.text())
"""
    )

    async def outside(call, body):
        return 200, [("content-type", "text/plain")], f"{call.args['method']} {call.args['url']};".encode()

    isolate.outside = outside
    assert isolate.fetch().text == "GET http://a/1;POST http://b/2;"
    assert [call.event for call in isolate.calls] == [1, 1]


def test_a_subrequest_that_fails(load: Callable[..., Isolate]) -> None:
    isolate = load(HEAD + "async def on_fetch(r): return await js.fetch('http://down/')")

    async def outside(call, body):
        raise ConnectionError("Network connection lost.")

    isolate.outside = outside
    report = isolate.fetch().report
    assert report is not None and report.code == "subrequest-failed" and report.where is not None


def test_leaving_cancels_subrequests(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + "async def on_fetch(r):\n    print('go')\n    return await js.fetch('http://slow/', signal=r.signal)"
    )

    async def outside(call, body):
        import asyncio

        await asyncio.sleep(60)
        return 200, [], b""

    isolate.outside = outside
    exchange = isolate.begin()
    isolate.until(lambda: isolate.calls)
    exchange.abort()
    isolate.wait(exchange.done)
    isolate.until(lambda: isolate.cancelled)


def test_a_task_of_a_request_that_is_over_is_cancelled(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + """
shared = None
async def on_fetch(request):
    global shared
    if request.url.endswith("start"):
        shared = asyncio.ensure_future(asyncio.sleep(0.2))
        return Response.new("started")
    await shared
"""
    )
    assert isolate.fetch("GET", "/start").text == "started"
    report = isolate.fetch("GET", "/join").report
    assert report is not None and "CancelledError" in report.exception


def test_run_sync_in_many_requests_at_once(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + """
from pyodide.ffi import run_sync
async def on_fetch(request):
    number = int(request.url.rsplit("/", 1)[1])
    for _ in range(3):
        run_sync(asyncio.sleep(0.001 * (number % 7)))
    return Response.new(str(number))
"""
    )
    exchanges = [isolate.begin("GET", f"/{number}") for number in range(50)]
    assert [exchange.reply().text for exchange in exchanges] == [str(number) for number in range(50)]


def test_run_sync_can_be_cancelled(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + """
from pyodide.ffi import run_sync
async def work():
    run_sync(asyncio.sleep(30))
async def on_fetch(request):
    if request.url.endswith("leave"):
        try:
            print("in")
            run_sync(asyncio.sleep(30))
        finally:
            print("out")
    try:
        async with asyncio.timeout(0.02):
            run_sync(asyncio.sleep(30))
    except TimeoutError:
        try:
            await asyncio.wait_for(work(), 0.02)
        except TimeoutError:
            return Response.new("timed out twice")
"""
    )
    assert isolate.fetch().text == "timed out twice"
    exchange = isolate.begin("GET", "/leave")
    exchange.wait_for_log("in")
    exchange.abort()
    isolate.wait(exchange.done)
    assert [log.text for log in exchange.logs] == ["in", "out"]


SELF_AWAITING = (
    HEAD
    + """
from pyodide.ffi import run_sync
async def other(task):
    await task
async def waits():
    me = asyncio.current_task()
    WAIT
def frames(traceback):
    return 1 + frames(traceback.tb_next) if traceback else 0
async def on_fetch(request):
    if request.url.endswith("leave"):
        print("in")
        await waits()
    if request.url.endswith("cancel"):
        task = asyncio.ensure_future(waits())
        await asyncio.sleep(0.01)
        try:
            task.cancel()
        except RecursionError as error:
            return Response.new(f"RecursionError {frames(error.__traceback__) < 20}")
    return Response.new("next")
"""
)


@pytest.mark.parametrize(
    "wait",
    [
        "run_sync(asyncio.gather(me, asyncio.sleep(30)))",
        "await asyncio.gather(me, asyncio.sleep(30))",
        "run_sync(me)",
        "run_sync(other(me))",
        "await other(asyncio.ensure_future(other(me)))",
    ],
)
def test_a_task_that_awaits_itself_can_be_cancelled(load: Callable[..., Isolate], wait: str) -> None:
    """asyncio's RecursionError, but not a thousand calls of ours on the stack; the isolate goes on."""
    isolate = load(SELF_AWAITING.replace("WAIT", wait))
    assert isolate.fetch("GET", "/cancel").text == "RecursionError True"
    exchange = isolate.begin("GET", "/leave")
    exchange.wait_for_log("in")
    exchange.abort()
    isolate.wait(exchange.done)
    assert isolate.fetch("GET", "/next").text == "next"


def test_long_lines_of_print(load: Callable[..., Isolate]) -> None:
    isolate = load(
        "from js import Response\ndef on_fetch():\n    print('x' * 200_000)\n    print('end')\n"
        "    return Response.new('z' * 3_000_000)\n"
    )
    reply = isolate.fetch()
    assert "".join(log.text for log in reply.logs).count("x") == 200_000
    assert all(log.text for log in reply.logs) and reply.lines[-1] == "end"
    assert len(reply.body) == 3_000_000


def test_long_concatenated_strings_of_js(load: Callable[..., Isolate]) -> None:
    isolate = load(
        HEAD
        + """
from js import Headers
async def on_fetch(request):
    part = await request.text()
    long = js.String.prototype.concat.call(part, *[part] * 40)
    js.console.log(long)
    return Response.new(long, headers=Headers.new([["x-long", long]]))
"""
    )
    reply = isolate.fetch("POST", "/", body=b"0123456789" * 10)
    assert reply.text == "0123456789" * 410 and reply.lines == [reply.text]
    assert dict(reply.headers)["x-long"] == reply.text
