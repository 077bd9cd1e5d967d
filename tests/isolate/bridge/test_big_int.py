"""Integers beyond 2**53 are BigInt wherever they cross."""

from __future__ import annotations

from inside import inside, run_js


@inside
def test_big_int_everywhere():
    from js import Array, BigInt64Array, Map, Object
    from pyodide.ffi import to_js

    big = 2**60
    kind = run_js("(x) => typeof x")
    a = Array.of(1)
    a[0] = big
    a.append(big)
    a.insert(0, big)
    a.extend([big])
    a += [big]
    a[0:1] = [big, big]
    assert run_js("(a) => a.every((x) => typeof x === 'bigint')")(a)
    assert big in a and a.index(big) == 0 and a.count(big) == len(a)
    assert kind(a.__add__([big])[-1]) == "bigint"
    assert run_js("(a) => typeof a.at(-1)")(a.__add__([big])) == "bigint"
    m = Map.new()
    m[big] = big
    assert (
        m[big] == big
        and big in m
        and run_js("(m) => typeof [...m][0][0] + typeof [...m][0][1]")(m) == "bigintbigint"
    )
    t = BigInt64Array.new(1)
    t[0] = big
    assert t[0] == big
    s = to_js({big})
    assert big in s
    o = to_js({"v": big, "l": [big, {"x": big}]}, dict_converter=Object.fromEntries)
    assert run_js("(o) => typeof o.v + typeof o.l[0] + typeof o.l[1].x")(o) == "bigint" * 3
    om = o.as_object_map()
    om["n"] = big
    assert run_js("(o) => typeof o.n")(o) == "bigint"
    assert run_js("(g) => typeof [...g][0]")(iter([big])) == "bigint"
    assert (
        run_js("(d) => typeof d.a + typeof d.get('a') + typeof Object.values(d)[0] + typeof d.toJSON().a")(
            {"a": big}
        )
        == "bigint" * 4
    )
    assert run_js("(d) => typeof d[0] + typeof d.at(0) + typeof d.map((x) => x)[0]")([big]) == "bigint" * 3
    assert run_js("(f) => typeof f.callKwargs({a: 1})")(lambda a: big) == "bigint"
    assert (
        run_js("(g) => { const r = g.next(); return typeof g.next().value }")(
            (lambda: (yield 1) or (yield big))()
        )
        == "bigint"
    )
    gen = run_js("(function* () { const x = yield 1; yield typeof x })")()
    next(gen)
    assert gen.send(big) == "bigint"


@inside
async def test_big_int_in_promises_and_async_iteration():
    big = 2**60

    async def g():
        yield big

    assert await run_js("async (g) => { for await (const x of g) return typeof x }")(g()) == "bigint"

    async def f():
        return big

    assert await run_js("async (f) => typeof await f()")(f) == "bigint"
    ag = run_js("(async function* () { const x = yield 1; yield typeof x })")()
    await anext(ag)
    assert await ag.asend(big) == "bigint"
    from js import Promise

    assert await Promise.new(lambda ok, _: ok(big)) == big
