"""WritableStream and pipes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import JSFailure, Undefined

Run = Callable[..., Any]


def test_writes_in_order_then_close(run: Run) -> None:
    source = """
    const log = [];
    const s = new WritableStream({
      start() { log.push('start'); },
      async write(chunk) { log.push(['begin', chunk]); await new Promise((r) => setTimeout(r, 1)); log.push(['end', chunk]); },
      close() { log.push('close'); }});
    const w = s.getWriter();
    w.write(1); w.write(2);
    const answer = await w.close();
    return [log, answer, await w.closed, w.desiredSize];"""
    expected = ["start", ["begin", 1], ["end", 1], ["begin", 2], ["end", 2], "close"]
    assert run(source) == [expected, Undefined, Undefined, 0]


def test_backpressure(run: Run) -> None:
    source = """
    let go;
    const s = new WritableStream({write() { return new Promise((r) => { go = r; }); }}, {highWaterMark: 2});
    const w = s.getWriter(), sizes = [w.desiredSize];
    w.write('a'); sizes.push(w.desiredSize);
    w.write('b'); sizes.push(w.desiredSize);
    let ready = false;
    w.ready.then(() => { ready = true; });
    await new Promise((r) => setTimeout(r, 1));
    const before = ready;
    go();
    await w.ready;
    return [sizes, before, w.desiredSize];"""
    assert run(source) == [[2, 1, 0], False, 1]


def test_a_failing_write_fails_the_stream(run: Run) -> None:
    source = """
    const s = new WritableStream({write() { throw new RangeError('boom'); }});
    const w = s.getWriter(), names = [];
    for (const p of [w.write(1), w.write(2), w.close(), w.closed]) await p.catch((e) => names.push(e.message));
    await w.ready.catch((e) => names.push(e.message));
    return [names, w.desiredSize, await w.write(3).catch((e) => e.message)];"""
    assert run(source) == [["boom"] * 5, None, "boom"]


def test_abort(run: Run) -> None:
    source = """
    const log = [];
    let controller;
    const s = new WritableStream({
      start(c) { controller = c; c.signal.addEventListener('abort', () => log.push(['signal', c.signal.reason])); },
      abort(reason) { log.push(['abort', reason]); }});
    const w = s.getWriter();
    await w.ready;
    const answer = await w.abort('why');
    return [log, answer, await w.closed.catch((e) => e), await w.write(1).catch((e) => e)];"""
    assert run(source) == [[["signal", "why"], ["abort", "why"]], Undefined, "why", "why"]


def test_controller_error(run: Run) -> None:
    source = """
    let controller;
    const w = new WritableStream({start(c) { controller = c; }}).getWriter();
    controller.error(new RangeError('boom'));
    return await w.closed.catch((e) => e.message);"""
    assert run(source) == "boom"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("new WritableStream({write: 5})", "TypeError"),
        ("new WritableStream({}, {highWaterMark: NaN})", "TypeError"),
        ("new WritableStreamDefaultController()", "TypeError"),
        ("const s = new WritableStream(); s.getWriter(); s.getWriter();", "TypeError"),
        ("const s = new WritableStream(); s.getWriter(); await s.close();", "TypeError"),
        ("const s = new WritableStream(); s.getWriter(); await s.abort();", "TypeError"),
        ("const w = new WritableStream().getWriter(); w.close(); await w.close();", "TypeError"),
        ("const w = new WritableStream().getWriter(); w.close(); await w.write();", "TypeError"),
        ("const w = new WritableStream().getWriter(); w.releaseLock(); await w.write();", "TypeError"),
        ("const w = new WritableStream().getWriter(); w.releaseLock(); await w.closed;", "TypeError"),
        ("const w = new WritableStream().getWriter(); w.releaseLock(); w.desiredSize;", "TypeError"),
        ("await new WritableStream({start() { throw new RangeError(); }}).getWriter().closed", "RangeError"),
        ("await new WritableStream({start() { return Promise.reject(new RangeError()); }}).getWriter().closed", "RangeError"),
        ("await new WritableStream({close() { throw new RangeError(); }}).close()", "RangeError"),
        ("await new WritableStream({abort() { throw new RangeError(); }}).abort()", "RangeError"),
        ("await new ReadableStream().pipeTo({})", "TypeError"),
        ("new ReadableStream().pipeThrough({readable: 1, writable: 2})", "TypeError"),
        ("await new ReadableStream().pipeTo(new WritableStream(), {signal: 5})", "TypeError"),
        ("const s = new ReadableStream(); s.getReader(); await s.pipeTo(new WritableStream());", "TypeError"),
    ],
)  # fmt: skip
def test_refused(run: Run, source: str, name: str) -> None:
    with pytest.raises(JSFailure) as caught:
        run(source)
    assert caught.value.name == name


# ---- pipes -------------------------------------------------------------------------------

RECORDER = """
const log = [];
const sink = (extra) => new WritableStream({
  write(c) { log.push(c); }, close() { log.push('close'); }, abort(r) { log.push(['abort', String(r)]); }, ...extra});
const source = (extra) => new ReadableStream({
  start(c) { c.enqueue(1); c.enqueue(2); c.close(); }, cancel(r) { log.push(['cancel', String(r)]); }, ...extra});
"""


def test_pipe(run: Run) -> None:
    source = (
        RECORDER
        + """
    const from = source(), to = sink(), done = from.pipeTo(to), locked = [from.locked, to.locked];
    return [locked, await done, log, from.locked, to.locked];"""
    )
    assert run(source) == [[True, True], Undefined, [1, 2, "close"], False, False]


def test_pipe_that_does_not_close(run: Run) -> None:
    source = (
        RECORDER
        + """
    const to = sink();
    await source().pipeTo(to, {preventClose: true});
    await to.getWriter().write(3);
    return log;"""
    )
    assert run(source) == [1, 2, 3]


@pytest.mark.parametrize(("prevent", "expected"), [(False, [1, ["abort", "boom"]]), (True, [1])])
def test_pipe_from_an_error(run: Run, prevent: bool, expected: list[Any]) -> None:
    source = (
        RECORDER
        + """
    let n = 0;
    const from = source({start() {}, pull(c) { if (n++ > 0) throw 'boom'; c.enqueue(1); }});
    const error = await from.pipeTo(sink(), {preventAbort: prevent}).catch((e) => e);
    return [error, log];"""
    )
    assert run(source, prevent=prevent) == ["boom", expected]


@pytest.mark.parametrize(("prevent", "expected"), [(False, [["cancel", "full"]]), (True, [])])
def test_pipe_to_an_error(run: Run, prevent: bool, expected: list[Any]) -> None:
    source = (
        RECORDER
        + """
    const from = source({start(c) { c.enqueue(1); c.enqueue(2); }});
    const error = await from.pipeTo(sink({write() { throw 'full'; }}), {preventCancel: prevent}).catch((e) => e);
    return [error, log];"""
    )
    assert run(source, prevent=prevent) == ["full", expected]


def test_pipe_to_a_closed_stream(run: Run) -> None:
    source = (
        RECORDER
        + """
    const to = sink();
    await to.close();
    const error = await source().pipeTo(to).catch((e) => e.name);
    return [error, log.length];"""
    )
    assert run(source)[0] == "TypeError"


def test_pipe_with_a_signal(run: Run) -> None:
    source = (
        RECORDER
        + """
    const stop = new AbortController();
    let n = 0;
    const from = source({start() {}, pull(c) { c.enqueue(++n); }});
    const to = sink({write(c) { log.push(c); if (c === 3) stop.abort('enough'); }});
    const error = await from.pipeTo(to, {signal: stop.signal}).catch((e) => e);
    const before = await source().pipeTo(sink(), {signal: AbortSignal.abort('early')}).catch((e) => e);
    return [error, before, log];"""
    )
    error, before, log = run(source)
    assert (error, before) == ("enough", "early")
    assert log[:3] == [1, 2, 3] and ["abort", "enough"] in log and ["cancel", "enough"] in log
    assert ["abort", "early"] in log


def test_pipe_waits_for_a_slow_sink(run: Run) -> None:
    source = """
    let made = 0, open = 0, most = 0;
    const from = new ReadableStream({pull(c) { if (made === 20) c.close(); else { made++; open++; c.enqueue(made); } }},
                                    {highWaterMark: 0});
    const to = new WritableStream({async write() {
      most = Math.max(most, open); await new Promise((r) => setTimeout(r, 1)); open--; }});
    await from.pipeTo(to);
    return [made, most <= 2];"""
    assert run(source) == [20, True]


@pytest.mark.parametrize(
    ("stream", "kept"),
    [
        ("new WritableStream({ write })", [1]),
        ("new WritableStream({ start() {}, write })", []),
        ("new TransformStream({ transform: write }).writable", []),
    ],
)
def test_writes_that_wait_are_lost_when_the_lock_is_released(run: Run, stream: str, kept: list[int]) -> None:
    source = f"""
    const got = [], write = async (x) => void got.push(x);
    const s = {stream};
    const w = s.getWriter();
    const outcomes = [1, 2, 3].map((x) => w.write(x).then(() => 'written', (e) => e.message));
    w.releaseLock();
    await scheduler.wait(1);
    const next = s.getWriter();
    void next.write(4).catch(() => {{}});
    await scheduler.wait(1);
    return [got.filter((x) => x < 4), (await Promise.all(outcomes)).filter((x) => x !== 'written')];"""
    lost = 3 - len(kept)
    assert run(source) == [kept, ["This WritableStream writer has been released."] * lost]


def test_closing_survives_the_release(run: Run) -> None:
    source = """
    const log = [], s = new WritableStream({ write(x) { log.push(x); }, close() { log.push('closed'); } });
    const w = s.getWriter();
    for (const x of [1, 2]) w.write(x).catch(() => log.push('lost'));
    w.close();
    w.releaseLock();
    await scheduler.wait(1);
    return log;"""
    assert run(source) == [1, "closed", "lost"]


def test_byte_transforms_of_the_platform_lose_nothing(run: Run) -> None:
    source = """
    const { readable, writable } = new IdentityTransformStream(), w = writable.getWriter();
    w.write(new Uint8Array([65])).catch(() => {});
    w.write(new Uint8Array([66])).catch(() => {});
    w.close().catch(() => {});
    w.releaseLock();
    return new Response(readable).text();"""
    assert run(source) == "AB"
