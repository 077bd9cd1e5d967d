"""The ways in which JavaScript calls a Python function."""

from __future__ import annotations

from inside import inside, raises, run_js


@inside
def test_options_of_calls():
    def f(x, k=0):
        return (x, k)

    def call(source, function=f):
        return run_js(f"(f) => {source}")(function)

    assert call("f.callRelaxed(1, 2, 3)") == (1, 2)
    assert call("f.callKwargs(1, {k: 2})") == (1, 2)
    assert call("f.callKwargsRelaxed(1, {k: 2, z: 3})") == (1, 2)
    assert call("f.callWithOptions({relaxed: true}, 1, 2, 3)") == (1, 2)
    assert call("f.callWithOptions({kwargs: true}, 1, {k: 2})") == (1, 2)
    assert call("f.callWithOptions({relaxed: true, kwargs: true}, 1, {z: 3})") == (1, 0)
    assert call("f.callWithOptions({}, 1)") == (1, 0)
    for source in ("f.callKwargs()", "f.callKwargs(1, 2)", "f.callKwargs(1, new Map())"):
        with raises(Exception):
            call(source)


@inside
async def test_promising_calls_may_wait():
    import asyncio

    from pyodide.ffi import JsException, create_proxy, run_sync

    def waits(x, k=1):
        run_sync(asyncio.sleep(0.001))
        return x + k

    async def later(x):
        await asyncio.sleep(0)
        return x * 2

    async def call(source, function):
        return await run_js(f"(f) => {source}")(create_proxy(function))

    assert await call("f.callPromising(4)", waits) == 5
    assert await call("f.callPromising(4)", later) == 8
    assert await call("f.callPromisingKwargs(4, {k: 3})", waits) == 7
    assert await call("f.callWithOptions({promising: true, relaxed: true}, 4, 3, 2)", waits) == 7
    with raises(JsException):
        await call("f.callPromising()", waits)
    with raises(RuntimeError):
        run_js("(f) => f(4)")(waits)


@inside
def test_this():
    from pyodide.ffi import create_proxy

    seen = []
    proxy = create_proxy(lambda this, *rest: seen.append((this, *rest)), capture_this=True)
    run_js("(f) => { f(1); ({f, q: 5}).f(2); f.call(7); }")(proxy)
    assert seen[0] == (None, 1) and seen[1][0].q == 5 and seen[1][1] == 2 and seen[2] == (7,)
    plain = create_proxy(lambda *rest: len(rest))
    assert run_js("(f) => [f(1), ({g: f.captureThis()}).g(1)]")(plain).to_py() == [1, 2]
    assert plain.copy().unwrap() is plain.unwrap()


@inside
def test_what_an_iterator_gave_ends_with_it():
    from pyodide.ffi import JsException

    rows = [[1], [2, 3]]
    assert run_js("(rows) => { let n = 0; for (const row of rows) n += row.length; return n }")(rows) == 3
    assert run_js("(rows) => rows.map((row) => row.length).join()")(rows) == "1,2"
    assert run_js("(rows) => Array.from(rows, (row) => row.copy())[1].length")(rows) == 2
    assert run_js("(pairs) => new Map(pairs).get('a')")([["a", 1]]) == 1
    with raises(JsException):
        run_js("(rows) => Array.from(rows)[0].length")(rows)
    try:
        run_js("(rows) => JSON.stringify(rows)")([{"a": 1}])
    except JsException as error:
        assert "automatically destroyed when an iterator was exhausted" in str(error)
    from js import URLSearchParams

    assert URLSearchParams.new([["a", "1"], ("b", "2")]).toString() == "a=1&b=2"


@inside
def test_bytes_are_a_sequence():
    from js import Uint8Array

    shown = run_js("(b) => [b.length, b[0], b.at(-1), b.map((x) => x + 1).join(), [].concat(b).length]")
    for value in (b"ab", bytearray(b"ab")):
        assert shown(value).to_py() == [2, 97, 98, "98,99", 2]
    array = Uint8Array.new(4)
    array.set(b"xyz", 1)
    assert array.to_bytes() == b"\0xyz"
    changed = bytearray(b"ab")
    run_js("(b) => { b[0] = 120 }")(changed)
    assert changed == b"xb"


@inside
def test_sets_have_has():
    assert run_js("(s) => [s.has(1), s.has(2), s.length]")({1, 5}).to_py() == [True, False, 2]
