"""Promises, futures, coroutines and run_sync, each side awaiting the other."""

from __future__ import annotations

from inside import inside, raises, run_js


@inside
async def test_await_values_and_rejections():
    from js import Promise
    from pyodide.ffi import JsException, jsnull

    assert await run_js("(async () => 5)()") == 5
    assert await run_js("(async () => undefined)()") is None
    assert await run_js("(async () => null)()") is jsnull
    assert await Promise.resolve(2**60) == 2**60
    value = [1]
    assert await Promise.resolve(value) is value
    for source, text in [
        ("new TypeError('bad')", "TypeError: bad"),
        ("'text'", "text"),
        ("undefined", "undefined"),
        ("null", "null"),
        ("5", "5"),
        ("{a: 1}", "[object Object]"),
    ]:
        try:
            await run_js(f"(async () => {{ throw {source} }})")()
        except JsException as error:
            assert text in str(error), (source, str(error))
        else:
            raise AssertionError(f"rejecting with {source} raised nothing")


@inside
async def test_a_rejection_is_the_very_error():
    thrown = run_js("globalThis.thrown = new Error('one')")
    for _ in range(2):
        try:
            await run_js("(async () => { throw thrown })")()
        except Exception as error:
            assert error == thrown


@inside
async def test_python_errors_through_promises():
    from pyodide.ffi import JsException

    async def fail():
        raise ValueError("boom")

    through = run_js("async (f) => await f()")
    try:
        await through(fail)
    except JsException as error:
        assert error.name == "PythonError" and error.type == "ValueError" and "boom" in str(error)
    else:
        raise AssertionError("no error")
    assert await run_js("(f) => f().catch((e) => e.type)")(fail) == "ValueError"
    assert (
        await run_js("async (f) => { try { await f() } catch (e) { return e.type } }")(fail) == "ValueError"
    )


@inside
async def test_future_faces():
    import asyncio

    from js import Promise

    future = run_js("(async () => 1)")()
    assert isinstance(future, asyncio.Future) and callable(future.then)
    assert await future.then(lambda x: x + 1) == 2
    assert await run_js("(async () => { throw new Error('x') })")().catch(lambda e: "caught") == "caught"
    assert await run_js("(async () => 3)")().finally_(lambda: 9) == 3
    assert await Promise.new(lambda resolve, reject: resolve(4)) == 4
    made = Promise.resolve(1)
    assert await made == 1 and await made == 1
    assert await asyncio.wait_for(run_js("(async () => 5)")(), 5) == 5


@inside
async def test_thenables():
    thenable = run_js("({then(resolve) { resolve(7) }})")
    assert await thenable == 7
    assert await run_js("(async () => ({then(resolve) { resolve(8) }}))")() == 8
    assert (
        await run_js("() => ({then(resolve, reject) { reject(new Error('no')) }})")().catch(
            lambda e: e.message
        )
        == "no"
    )


@inside
async def test_awaitables_go_to_js():
    import asyncio

    wait = run_js("async (p) => 'got ' + await p")

    async def coroutine():
        await asyncio.sleep(0.001)
        return 1

    class Awaitable:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return 4

    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.001, future.set_result, 3)
    assert await wait(coroutine()) == "got 1"
    assert await wait(asyncio.ensure_future(coroutine())) == "got 1"
    assert await wait(future) == "got 3"
    assert await wait(Awaitable()) == "got 4"
    assert await run_js("(f) => f().then((x) => x * 2)")(coroutine) == 2
    both = run_js("async (f) => (await Promise.all([f(), f()])).join()")
    assert await both(coroutine) == "1,1"
    assert await run_js("(f) => f().finally(() => {})")(coroutine) == 1


@inside
async def test_cancelled_futures():
    import asyncio

    future = asyncio.get_running_loop().create_future()
    seen = run_js("(p) => p.then(() => 'value', (e) => e.type)")(future)
    future.cancel()
    assert await seen == "CancelledError"
    pending = asyncio.ensure_future(asyncio.sleep(30))
    caught = run_js("async (p) => { try { await p } catch (e) { return e.name } }")(pending)
    await asyncio.sleep(0)
    pending.cancel()
    assert await caught == "PythonError"
    # Cancelling what waits for a promise leaves the promise alone.
    promise = run_js("new Promise((r) => { globalThis.settle = r })")

    async def wait():
        return await promise

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    task.cancel()
    with raises(asyncio.CancelledError):
        await task
    run_js("settle(6)")
    assert await promise == 6


@inside
async def test_ignored_async_callbacks_run_all_the_same():
    import asyncio

    seen = []

    async def callback(x):
        await asyncio.sleep(0.001)
        seen.append(x)

    run_js("(f) => { f(1); f(2) }")(callback)
    await asyncio.sleep(0.01)
    assert seen == [1, 2]


@inside
async def test_order_of_jobs():
    import asyncio

    from js import Array, queueMicrotask, setTimeout
    from pyodide.ffi import create_proxy

    order = []
    note = create_proxy(lambda x: order.append(x))
    timers = create_proxy(lambda: order.append("timer"))
    jobs = create_proxy(lambda: order.append("job"))
    setTimeout(timers, 0)
    queueMicrotask(jobs)
    order.append("now")
    run_js("(note) => { Promise.resolve().then(() => note('p1')).then(() => note('p2')); note('sync') }")(
        note
    )
    await asyncio.sleep(0.01)
    assert order[:2] == ["now", "sync"] and order[-1] == "timer", order
    assert order.index("job") < order.index("p1") < order.index("p2"), order
    del order[:]
    run_js(
        "(note) => { setTimeout(note, 2, 'b'); setTimeout(note, 1, 'a'); setTimeout(note, 4, 'c');"
        " clearTimeout(setTimeout(note, 1, 'never')); }"
    )(note)
    await asyncio.sleep(0.03)
    assert order == ["a", "b", "c"] or Array is None, order


@inside
async def test_many_promises():
    import asyncio

    from js import Promise
    from pyodide.ffi import to_js

    later = run_js("(x) => new Promise((r) => setTimeout(r, x % 5, x))")
    assert await asyncio.gather(*[later(i) for i in range(200)]) == list(range(200))
    assert list(await Promise.all(to_js([later(i) for i in range(5)]))) == [0, 1, 2, 3, 4]
    for i in range(2000):
        assert await Promise.resolve(i) == i


@inside
async def test_run_sync():
    import asyncio

    from js import Promise
    from pyodide.ffi import can_run_sync, run_sync

    async def add(a, b, pause=0.001):
        await asyncio.sleep(pause)
        return a + b

    assert can_run_sync()
    assert run_sync(add(1, 2)) == 3 and run_sync(Promise.resolve(4)) == 4
    assert run_sync(asyncio.ensure_future(add(1, 1))) == 2

    async def nested(depth):
        await asyncio.sleep(0)
        return 1 + (run_sync(nested(depth - 1)) if depth else 0)

    assert run_sync(nested(20)) == 21

    def sync_inside():
        return run_sync(add(run_sync(add(1, 2)), 3))

    async def several(i):
        await asyncio.sleep(0)
        return run_sync(add(i, 0, 0.001 * (5 - i))) + sync_inside()

    assert await asyncio.gather(*[several(i) for i in range(5)]) == [6, 7, 8, 9, 10]


@inside
async def test_run_sync_lets_others_go_on():
    import asyncio

    from pyodide.ffi import run_sync

    ticks = []

    async def tick():
        for i in range(5):
            ticks.append(i)
            await asyncio.sleep(0.001)

    task = asyncio.ensure_future(tick())
    run_sync(asyncio.sleep(0.05))
    assert task.done() and ticks == [0, 1, 2, 3, 4]
    assert asyncio.current_task() is not task


@inside
async def test_run_sync_errors():
    import asyncio

    from pyodide.ffi import JsException, can_run_sync, run_sync

    async def fail():
        await asyncio.sleep(0)
        raise KeyError("inner")

    for awaitable, wanted in [
        (fail(), KeyError),
        (run_js("(async () => { throw new Error('x') })")(), JsException),
    ]:
        with raises(wanted):
            run_sync(awaitable)
    with raises(TypeError):
        run_sync(5)

    async def cancelled():
        raise asyncio.CancelledError

    with raises(asyncio.CancelledError):
        run_sync(cancelled())
    inside_js = run_js("(f) => f()")
    assert not inside_js(can_run_sync)
    try:
        inside_js(lambda: run_sync(asyncio.sleep(0)))
    except RuntimeError as error:
        assert "stack switch" in str(error)
    else:
        raise AssertionError("run_sync worked below a JS frame")
    assert can_run_sync()


@inside
async def test_context_variables_survive():
    import asyncio
    from contextvars import ContextVar

    from pyodide.ffi import create_proxy, run_sync

    name = ContextVar("name", default="none")
    seen = {}

    async def work(value):
        name.set(value)
        await run_js("new Promise((r) => setTimeout(r, 1))")
        run_sync(asyncio.sleep(0.001))
        seen[value] = name.get()

    await asyncio.gather(work("a"), work("b"))
    assert seen == {"a": "a", "b": "b"}, seen
    name.set("timer")
    got = []
    callback = create_proxy(lambda *_: got.append(name.get()))
    run_js("(f) => { setTimeout(f, 1); Promise.resolve().then(f) }")(callback)
    await asyncio.sleep(0.01)
    assert got == ["timer", "timer"], got
