"""ReadableStream: queueing, pulling, errors, readers, byte streams, iteration, tee."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import JSFailure, Undefined

Run = Callable[..., Any]


def test_pull_is_called_as_the_queue_has_room(run: Run) -> None:
    source = """
    let pulls = 0;
    const s = new ReadableStream({pull(c) { pulls++; c.enqueue(pulls); }}, {highWaterMark: 3});
    await 0; await new Promise((r) => setTimeout(r, 1));
    const filled = pulls, reader = s.getReader();
    await reader.read();
    await new Promise((r) => setTimeout(r, 1));
    return [filled, pulls];"""
    assert run(source) == [3, 4]


def test_pull_is_not_called_while_one_is_pending(run: Run) -> None:
    source = """
    let pulls = 0, go;
    const s = new ReadableStream({pull(c) { pulls++; c.enqueue(pulls); return new Promise((r) => { go = r; }); }},
                                 {highWaterMark: 0});
    const reader = s.getReader();
    const first = await reader.read();
    const second = reader.read();
    await new Promise((r) => setTimeout(r, 1));
    const during = pulls;
    go();
    return [first.value, during, (await second).value, pulls];"""
    assert run(source) == [1, 1, 2, 2]


def test_sizes(run: Run) -> None:
    source = """
    let controller;
    const s = new ReadableStream({start(c) { controller = c; }}, new ByteLengthQueuingStrategy({highWaterMark: 10}));
    const sizes = [controller.desiredSize];
    controller.enqueue(new Uint8Array(4)); sizes.push(controller.desiredSize);
    controller.enqueue(new Uint8Array(8)); sizes.push(controller.desiredSize);
    await s.getReader().read(); sizes.push(controller.desiredSize);
    controller.error('x'); sizes.push(controller.desiredSize);
    return sizes;"""
    assert run(source) == [10, 6, -2, 2, None]


def test_strategies(run: Run) -> None:
    source = """
    const c = new CountQueuingStrategy({highWaterMark: 5}), b = new ByteLengthQueuingStrategy({highWaterMark: '7'});
    return [c.highWaterMark, c.size(), b.highWaterMark, b.size({byteLength: 3}), String(c), c.size.name,
            c.size === new CountQueuingStrategy({highWaterMark: 1}).size];"""
    assert run(source) == [5, 1, 7, 3, "[object CountQueuingStrategy]", "size", True]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("new ReadableStream(5)", "TypeError"),
        ("new ReadableStream({start: 5})", "TypeError"),
        ("new ReadableStream({type: 'text'})", "TypeError"),
        ("new ReadableStream({}, {highWaterMark: -1})", "TypeError"),
        ("new ReadableStream({}, {highWaterMark: Infinity})", "TypeError"),
        ("new ReadableStream({type: 'bytes', autoAllocateChunkSize: 0})", "TypeError"),
        ("await new ReadableStream({start() { throw new RangeError('start'); }}).getReader().read()", "RangeError"),
        ("new ReadableStream().getReader({mode: 'x'})", "TypeError"),
        ("new ReadableStream().getReader({mode: 'byob'})", "TypeError"),
        ("new ReadableStreamDefaultReader({})", "TypeError"),
        ("new ReadableStreamDefaultController()", "TypeError"),
        ("let c; new ReadableStream({start(x) { c = x; }}); c.close(); c.enqueue(1);", "TypeError"),
        ("let c; new ReadableStream({start(x) { c = x; }}); c.close(); c.close();", "TypeError"),
        ("const s = new ReadableStream(); s.getReader(); s.getReader();", "TypeError"),
        ("const s = new ReadableStream(); s.getReader(); s.tee();", "TypeError"),
        ("const s = new ReadableStream(); s.getReader(); await s.cancel();", "TypeError"),
        ("await new ReadableStream({start() { return Promise.reject(new RangeError()); }}).getReader().read()", "RangeError"),
        ("await new ReadableStream({pull() { throw new RangeError(); }}).getReader().closed", "RangeError"),
        ("await new ReadableStream({cancel() { throw new RangeError(); }}).cancel()", "RangeError"),
        ("const r = new ReadableStream().getReader(); r.releaseLock(); await r.read();", "TypeError"),
        ("const r = new ReadableStream().getReader(); r.releaseLock(); await r.closed;", "TypeError"),
        ("const r = new ReadableStream().getReader(), p = r.read(); r.releaseLock(); await p;", "TypeError"),
        ("const r = new ReadableStream().getReader(), p = r.closed; r.releaseLock(); await p;", "TypeError"),
        ("let c; new ReadableStream({start(x) { c = x; }}, {size() { return NaN; }}); c.enqueue(1);", "RangeError"),
        ("ReadableStream.from(5)", "TypeError"),
        ("ReadableStream.prototype.tee.call({})", "TypeError"),
        ("await new ReadableStream({type: 'bytes'}).getReader({mode: 'byob'}).read(new Uint8Array(0))", "TypeError"),
        ("await new ReadableStream({type: 'bytes'}).getReader({mode: 'byob'}).read(5)", "TypeError"),
        ("await new ReadableStream({type: 'bytes'}).getReader({mode: 'byob'}).read(new Uint8Array(1), {min: 2})", "TypeError"),
        ("let c; new ReadableStream({type: 'bytes', start(x) { c = x; }}); c.enqueue('text');", "TypeError"),
        ("let c; new ReadableStream({type: 'bytes', start(x) { c = x; }}); c.enqueue(new Uint8Array(0));", "TypeError"),
    ],
)  # fmt: skip
def test_refused(run: Run, source: str, name: str) -> None:
    with pytest.raises(JSFailure) as caught:
        run(source)
    assert caught.value.name == name


def test_chunks_before_an_error_are_lost(run: Run) -> None:
    source = """
    const s = new ReadableStream({start(c) { c.enqueue(1); c.error(new RangeError('boom')); }});
    return await s.getReader().read().catch((e) => e.message);"""
    assert run(source) == "boom"


def test_chunks_before_close_are_read(run: Run) -> None:
    source = """
    const s = new ReadableStream({start(c) { c.enqueue(1); c.enqueue(2); c.close(); }}), reader = s.getReader();
    let closed = false;
    reader.closed.then(() => { closed = true; });
    const out = [(await reader.read()).value, closed, (await reader.read()).value, await reader.read()];
    await reader.closed;
    return [...out, closed];"""
    assert run(source) == [1, False, 2, {"value": Undefined, "done": True}, True]


def test_pending_reads_are_answered_in_order(run: Run) -> None:
    source = """
    let controller;
    const reader = new ReadableStream({start(c) { controller = c; }}).getReader();
    const reads = [reader.read(), reader.read(), reader.read()];
    controller.enqueue('a'); controller.enqueue('b'); controller.close();
    return (await Promise.all(reads)).map((r) => r.done ? 'end' : r.value);"""
    assert run(source) == ["a", "b", "end"]


def test_cancel(run: Run) -> None:
    source = """
    let why, pulls = 0;
    const s = new ReadableStream({pull() { pulls++; }, cancel(reason) { why = reason; }});
    const reader = s.getReader(), pending = reader.read();
    const answer = await reader.cancel('enough');
    return [answer, why, (await pending).done, (await reader.read()).done, await reader.closed];"""
    assert run(source) == [Undefined, "enough", True, True, Undefined]


def test_a_released_reader_can_be_replaced(run: Run) -> None:
    source = """
    const s = new ReadableStream({start(c) { c.enqueue(1); c.enqueue(2); }});
    const a = s.getReader(), first = await a.read();
    a.releaseLock();
    const free = s.locked, b = new ReadableStreamDefaultReader(s);
    return [first.value, free, s.locked, (await b.read()).value];"""
    assert run(source) == [1, False, True, 2]


# ---- iteration ---------------------------------------------------------------------------


def test_iteration(run: Run) -> None:
    source = """
    const make = () => new ReadableStream({start(c) { c.enqueue(1); c.enqueue(2); c.close(); },
                                           cancel(r) { log.push(['cancel', r]); }});
    const log = [], all = [];
    for await (const chunk of make()) all.push(chunk);
    const open = new ReadableStream({start(c) { c.enqueue(1); }, cancel(r) { log.push(['cancel', r]); }});
    for await (const chunk of open) break;
    const kept = new ReadableStream({start(c) { c.enqueue(1); c.enqueue(2); }, cancel() { log.push('never'); }});
    for await (const chunk of kept.values({preventCancel: true})) break;
    return [all, log, open.locked, kept.locked, (await kept.getReader().read()).value,
            Object.prototype.toString.call(make().values())];"""
    assert run(source) == [
        [1, 2], [["cancel", Undefined]], False, False, 2, "[object ReadableStreamAsyncIterator]",
    ]  # fmt: skip


def test_iteration_ends_once(run: Run) -> None:
    source = """
    const it = new ReadableStream({start(c) { c.enqueue(1); c.close(); }})[Symbol.asyncIterator]();
    const asked = [it.next(), it.next(), it.next(), it.return('x')];
    return (await Promise.all(asked)).map((r) => [r.done, r.value]);"""
    assert run(source) == [[False, 1], [True, Undefined], [True, Undefined], [True, "x"]]


def test_iteration_of_an_error(run: Run) -> None:
    source = """
    const s = new ReadableStream({start(c) { c.error(new RangeError('boom')); }});
    try { for await (const chunk of s); } catch (e) { return [e.message, s.locked]; }"""
    assert run(source) == ["boom", False]


@pytest.mark.parametrize(
    "iterable",
    ["[1, 2]", "new Set([1, 2])", "[Promise.resolve(1), 2]", "(async function* () { yield 1; yield 2; })()",
     "new ReadableStream({start(c) { c.enqueue(1); c.enqueue(2); c.close(); }})"],
)  # fmt: skip
def test_from(run: Run, iterable: str) -> None:
    source = (
        f"const out = []; for await (const x of ReadableStream.from({iterable})) out.push(x); return out;"
    )
    assert run(source) == [1, 2]


def test_from_returns_the_iterator_when_cancelled(run: Run) -> None:
    source = """
    let ended = 0;
    async function* numbers() { try { for (let i = 0; ; i++) yield i; } finally { ended++; } }
    const reader = ReadableStream.from(numbers()).getReader();
    const first = await reader.read();
    await reader.cancel();
    return [first.value, ended];"""
    assert run(source) == [0, 1]


def test_from_is_lazy(run: Run) -> None:
    source = """
    let made = 0;
    const s = ReadableStream.from((function* () { for (;;) yield ++made; })());
    await new Promise((r) => setTimeout(r, 1));
    const before = made;
    await s.getReader().read();
    return [before, made];"""
    assert run(source) == [0, 1]


# ---- tee ---------------------------------------------------------------------------------


def test_tee(run: Run) -> None:
    source = """
    let n = 0, why;
    const s = new ReadableStream({pull(c) { if (++n > 3) c.close(); else c.enqueue(n); }, cancel(r) { why = r; }});
    const [a, b] = s.tee(), one = [], two = [];
    for await (const x of a) one.push(x);
    for await (const x of b) two.push(x);
    return [one, two, s.locked, n, why];"""
    assert run(source) == [[1, 2, 3], [1, 2, 3], True, 4, Undefined]


def test_tee_cancels_when_both_branches_do(run: Run) -> None:
    source = """
    let why;
    const [a, b] = new ReadableStream({cancel(r) { why = r; }}).tee();
    const one = a.cancel('x'), before = why;
    await b.cancel('y'); await one;
    return [before, why];"""
    assert run(source) == [Undefined, ["x", "y"]]


def test_tee_of_bytes_copies(run: Run) -> None:
    source = """
    const [a, b] = new Response('abc').body.tee();
    const one = (await a.getReader().read()).value;
    one[0] = 0;
    return [one, (await b.getReader({mode: 'byob'}).read(new Uint8Array(8))).value];"""
    assert run(source) == [b"\x00bc", b"abc"]


def test_tee_passes_errors_on(run: Run) -> None:
    source = """
    const [a, b] = new ReadableStream({pull() { throw new RangeError('boom'); }}).tee();
    return Promise.all([a, b].map((s) => s.getReader().read().catch((e) => e.message)));"""
    assert run(source) == ["boom", "boom"]


# ---- byte streams ------------------------------------------------------------------------


def test_byob_request(run: Run) -> None:
    source = """
    const log = [];
    let n = 0;
    const s = new ReadableStream({type: 'bytes', pull(c) {
      const request = c.byobRequest;
      log.push([request.view.byteLength, request.view.byteOffset, request === c.byobRequest]);
      if (n === 3) { c.close(); request.respond(0); return; }
      request.view[0] = ++n; request.respond(1);
    }});
    const reader = s.getReader({mode: 'byob'}), out = [];
    for (;;) {
      const {done, value} = await reader.read(new Uint8Array(4));
      out.push(value);
      if (done) break;
    }
    return [out, log];"""
    assert run(source) == [[b"\x01", b"\x02", b"\x03", b""], [[4, 0, True]] * 4]


def test_byob_reads_from_the_queue(run: Run) -> None:
    source = """
    const s = new ReadableStream({type: 'bytes', start(c) {
      c.enqueue(new Uint8Array([1, 2, 3])); c.enqueue(new Uint8Array([4, 5, 6, 7])); c.close(); }});
    const reader = s.getReader({mode: 'byob'});
    const a = await reader.read(new Uint8Array(2)), b = await reader.read(new Uint16Array(2));
    const c = await reader.read(new DataView(new ArrayBuffer(9), 1, 3)), d = await reader.read(new Uint8Array(1));
    return [a.value, b.value.constructor.name, b.value.byteLength, c.value.byteLength, c.value.constructor.name,
            d.done, d.value.byteLength];"""
    assert run(source) == [b"\x01\x02", "Uint16Array", 4, 1, "DataView", True, 0]


@pytest.mark.parametrize("read", ["read(new Uint8Array(4), {min: 3})", "readAtLeast(3, new Uint8Array(4))"])
def test_byob_minimum(run: Run, read: str) -> None:
    source = f"""
    let n = 0;
    const s = new ReadableStream({{type: 'bytes', pull(c) {{ c.enqueue(new Uint8Array([++n])); }}}});
    return (await s.getReader({{mode: 'byob'}}).{read}).value;"""
    assert run(source) == b"\x01\x02\x03"


def test_respond_with_new_view(run: Run) -> None:
    source = """
    const s = new ReadableStream({type: 'bytes', pull(c) {
      const {view} = c.byobRequest;
      const mine = new Uint8Array(view.buffer, view.byteOffset, 2);
      mine.set([8, 9]);
      c.byobRequest.respondWithNewView(mine);
    }});
    return (await s.getReader({mode: 'byob'}).read(new Uint8Array(4))).value;"""
    assert run(source) == b"\x08\x09"


def test_auto_allocation(run: Run) -> None:
    source = """
    const s = new ReadableStream({type: 'bytes', autoAllocateChunkSize: 16, pull(c) {
      const {view} = c.byobRequest; view[0] = view.length; c.byobRequest.respond(1); }});
    return (await s.getReader().read()).value;"""
    assert run(source) == b"\x10"


def test_default_reader_of_a_byte_stream(run: Run) -> None:
    source = """
    let controller;
    const reader = new ReadableStream({type: 'bytes', start(c) { controller = c; }}).getReader();
    const pending = reader.read();
    controller.enqueue(new Uint16Array([513]));
    controller.enqueue(new Uint8Array([7]));
    controller.close();
    return [(await pending).value, (await reader.read()).value, (await reader.read()).done];"""
    assert run(source) == [b"\x01\x02", b"\x07", True]


def test_bytes_of_a_reader_that_left_are_kept(run: Run) -> None:
    source = """
    let controller;
    const s = new ReadableStream({type: 'bytes', start(c) { controller = c; }});
    const first = s.getReader({mode: 'byob'}), lost = first.read(new Uint8Array(4), {min: 4}).catch((e) => e.name);
    controller.enqueue(new Uint8Array([1, 2]));
    first.releaseLock();
    const second = s.getReader(), read = second.read();
    controller.enqueue(new Uint8Array([3]));
    return [await lost, (await read).value, (await second.read()).value];"""
    assert run(source) == ["TypeError", b"\x01\x02", b"\x03"]


def test_cancel_of_a_pending_byob_read(run: Run) -> None:
    source = """
    const reader = new ReadableStream({type: 'bytes'}).getReader({mode: 'byob'});
    const pending = reader.read(new Uint8Array(2));
    await reader.cancel();
    const {done, value} = await pending;
    return [done, value];"""
    assert run(source) == [True, Undefined]


def test_prototype_names(run: Run) -> None:
    names = ["cancel", "constructor", "getReader", "locked", "pipeThrough", "pipeTo", "tee", "values"]
    assert run("Object.getOwnPropertyNames(ReadableStream.prototype).sort()") == names


@pytest.mark.parametrize(
    "stream",
    [
        "new Response(bytes).body",
        "new Response('x'.repeat(10000)).body",
        "new Blob([bytes]).stream()",
        "new Response(bytes).clone().body",
        "new Response(bytes).body.tee()[1]",
        "new Response(bytes).body.pipeThrough(new IdentityTransformStream())",
    ],
)
def test_streams_of_the_platform_are_read_in_pieces(run: Run, stream: str) -> None:
    """And by one read at a time, whose outcome the lock waits for."""
    source = f"""
    const bytes = new Uint8Array(10000);
    const r = {stream}.getReader();
    const first = r.read(), second = r.read().catch((e) => e.message);
    let early;
    try {{ r.releaseLock(); }} catch (e) {{ early = e.message; }}
    const sizes = [(await first).value.length];
    for (;;) {{
      const {{ value, done }} = await r.read();
      if (done) break;
      sizes.push(value.length, value.buffer.byteLength);
    }}
    r.releaseLock();
    return [sizes, await second, early];"""
    assert run(source) == [
        [4096, 4096, 4096, 1808, 4096],
        "This ReadableStream only supports a single pending read request at a time.",
        "Cannot call releaseLock() on a reader with outstanding read promises.",
    ]


def test_streams_of_workers_are_read_as_they_are(run: Run) -> None:
    source = """
    const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(new Uint8Array(10000)); c.enqueue(new Uint8Array(5)); } });
    const r = s.getReader();
    return (await Promise.all([r.read(), r.read()])).map((x) => x.value.length);"""
    assert run(source) == [10000, 5]


def test_byte_sources_always_have_a_request(run: Run) -> None:
    source = """
    const s = new ReadableStream({ type: 'bytes',
      pull(c) { c.byobRequest.view.set([7, 8]); c.byobRequest.respond(2); c.close(); } });
    const r = s.getReader();
    return [(await r.read()).value, (await r.read()).done];"""
    assert run(source) == [b"\x07\x08", True]
