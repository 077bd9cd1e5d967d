"""Whatever JavaScript or Python does at the boundary, the isolate neither dies nor hangs."""

from __future__ import annotations

import pytest
from inside import inside, run_js

HOSTILE = {
    "throwing getters": "({get a() { throw new Error('getter') }, get then() { throw new Error('then') },"
    " get length() { throw new Error('length') }, get name() { throw 1 }, get constructor() { throw 2 }})",
    "throwing getters on a prototype": "Object.create({get then() { throw 1 }, get size() { throw 2 }})",
    "a revoked proxy": "(() => { const {proxy, revoke} = Proxy.revocable({}, {}); revoke(); return proxy })()",
    "a revoked array": "(() => { const {proxy, revoke} = Proxy.revocable([], {}); revoke(); return proxy })()",
    "a revoked function": "(() => { const {proxy, revoke} = Proxy.revocable(() => 1, {}); revoke(); return proxy })()",
    "a proxy that throws": "new Proxy({}, new Proxy({}, {get(_, trap) { throw new Error('trap ' + trap) }}))",
    "a function proxy that throws": "new Proxy(() => 1, new Proxy({}, {get(_, trap) { throw new Error(trap) }}))",
    "a proxy that lies": "new Proxy({}, {has: () => true, get: () => undefined, ownKeys: () => ['a', 'b'],"
    " getPrototypeOf: () => Array.prototype})",
    "a proxy with everything": "new Proxy(function () {}, {get: (t, k) => k === Symbol.toPrimitive ? undefined : () => 1})",
    "no prototype": "Object.create(null)",
    "symbols that throw": "({get [Symbol.iterator]() { throw 1 }, get [Symbol.toStringTag]() { throw 2 },"
    " [Symbol.toPrimitive]() { throw 3 }})",
    "an endless length": "({length: Infinity, get: () => 1, [Symbol.iterator]: function* () { }})",
    "a negative length": "({length: -5})",
    "a fractional size": "({size: 1.5})",
    "a length that is no number": "({length: 'x', size: {}})",
    "an iterator without end marks": "({[Symbol.iterator]() { let n = 0; return {next() { return n++ < 9 ? 5 : {done: true} }} }})",
    "an iterator of nothing": "({[Symbol.iterator]() { return undefined }})",
    "an error without anything": "Object.setPrototypeOf(Object.create(null), Error.prototype)",
    "an error that throws": "(() => { const e = new Error(''); Object.defineProperty(e, 'message', {get() { throw e }});"
    " Object.defineProperty(e, 'name', {get() { throw e }}); return e })()",
    "an awkward map": "Object.assign(new Map([[NaN, 1]]), {get: 5, has: null, keys: undefined})",
    "a symbol": "Symbol('s')",
    "a frozen object": "Object.freeze({a: 1})",
    "a module-like thing": "Object.freeze(Object.assign(Object.create(null), {default: 1}))",
    "a self-containing object": "(() => { let n = 0; const o = {}; o.o = o; o[Symbol.iterator] = () => o;"
    " o.next = () => (n++ < 999 ? o : {done: true}); return o })()",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
@inside
def test_hostile_values(source):
    import copy
    import itertools
    import json

    from js import JSON, Array, Object, Promise
    from pyodide.ffi import JsProxy, to_js

    value = run_js(source)
    assert isinstance(value, JsProxy)

    def attempt(action):
        try:
            return action()
        except Exception as error:
            # Only what Workers may see: never an error of the engine's own binding.
            assert not type(error).__module__.startswith("quickjs"), (error, action)
            return None

    actions = [
        lambda: str(value), lambda: repr(value), lambda: bool(value), lambda: len(value), lambda: dir(value),
        lambda: list(itertools.islice(iter(value), 10)), lambda: value == value, lambda: value.a, lambda: value.then,
        lambda: value.constructor.name, lambda: hasattr(value, "x"), lambda: value.to_py(), lambda: to_js([value]),
        lambda: value.to_py(depth=1), lambda: to_js({"a": value}).to_py(), lambda: value(), lambda: value.new(),
        lambda: value[0], lambda: value["a"], lambda: "a" in value, lambda: setattr(value, "a", 1),
        lambda: delattr(value, "a"), lambda: value.typeof, lambda: value.js_id, lambda: value.object_keys(),
        lambda: value.object_entries(), lambda: value.as_object_map(), lambda: dict(value.as_object_map()),
        lambda: next(value), lambda: json.dumps(value), lambda: copy.copy(value), lambda: Array.of(value),
        lambda: JSON.stringify(value), lambda: Object.keys(value), lambda: Promise.resolve(value),
        lambda: memoryview(value), lambda: value.toString(), lambda: isinstance(value, int), lambda: f"{value}",
        lambda: run_js("(x) => x")(value), lambda: run_js("(x) => { throw x }")(value), lambda: value.unknown.more,
        lambda: run_js("(f, x) => f(x)")(lambda x: x, value), lambda: {**value}, lambda: [*value][:3] if False else None,
    ]  # fmt: skip
    for action in actions:
        attempt(action)
    try:
        raise_it = run_js("(x) => { throw x }")
        raise_it(value)
    except Exception as error:
        assert isinstance(str(error), str)


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
@inside
async def test_hostile_promises(source):
    import asyncio

    value = run_js(source)
    for make in ("(x) => Promise.reject(x)", "async (x) => [x]", "async (x) => { throw x }"):
        try:
            await asyncio.wait_for(run_js(make)(value), 2)
        except TimeoutError:
            raise AssertionError(f"{make} never settled") from None
        except Exception:
            pass


@inside
def test_deep_recursion_across_the_boundary():
    from pyodide.ffi import JsException

    bounce = run_js("(f, n) => f(n + 1)")
    deepest = 0

    def down(n):
        nonlocal deepest
        deepest = n
        return bounce(down, n)

    try:
        down(0)
    except (RecursionError, JsException) as error:
        assert isinstance(error, RecursionError) or error.name in (
            "RangeError",
            "InternalError",
            "PythonError",
        ), error
    else:
        raise AssertionError("endless recursion ended")
    assert deepest > 20, deepest
    assert bounce(lambda n: n, 1) == 2


@inside
def test_deep_recursion_on_one_side():
    from pyodide.ffi import JsException

    try:
        run_js("(function f(n) { return f(n + 1) + 1 })")(0)
    except JsException as error:
        assert error.name in ("RangeError", "InternalError"), error.name
    else:
        raise AssertionError("endless recursion ended")

    def forever(n):
        return forever(n + 1) + 1

    try:
        run_js("(f) => f(0)")(forever)
    except RecursionError:
        pass
    else:
        raise AssertionError("endless recursion ended")
    assert run_js("1 + 1") == 2


@inside
def test_deep_values():
    from pyodide.ffi import JsException, to_js

    nested = []
    for _ in range(100_000):
        nested = [nested]
    for action in (
        lambda: to_js(nested),
        lambda: run_js("(() => { let x = []; for (let i = 0; i < 1e5; i++) x = [x]; return x })()").to_py(),
        lambda: run_js("(x) => JSON.stringify(x)")(nested),
    ):
        try:
            action()
        except (RecursionError, JsException):
            continue  # anything else, an error of the engine's binding for one, fails the test
    while nested:  # so that freeing it does not recurse either
        nested = nested.pop()
    assert run_js("1 + 1") == 2


@inside
def test_python_objects_that_misbehave():
    class Bad:
        def __getattr__(self, name):
            raise RuntimeError(f"no {name}")

        def __str__(self):
            raise RuntimeError("no text")

        __repr__ = __str__

        def __len__(self):
            return -1

        def __iter__(self):
            return 5

        def __eq__(self, other):
            raise RuntimeError("no equality")

        __hash__ = None

        def __bool__(self):
            raise RuntimeError("no truth")

    bad = Bad()
    for source in (
        "(x) => String(x)", "(x) => x.length", "(x) => [...x]", "(x) => x.foo", "(x) => JSON.stringify(x)",
        "(x) => 'a' in x", "(x) => Object.keys(x)", "(x) => x == 1", "(x) => `${x}`", "(x) => x()", "(x) => new x()",
        "(x) => x + 1", "(x) => { x.a = 1; delete x.a }", "(x) => x.toString()", "(x) => x.type", "(x) => x.toJs()",
        "(x) => x.copy()", "(x) => { throw x }", "(x) => Object.getOwnPropertyNames(x)", "(x) => structuredClone(x)",
        "(x) => Object.freeze(x)", "(x) => Object.defineProperty(x, 'q', {value: 1})", "(x) => Object.isExtensible(x)",
        "(x) => Object.setPrototypeOf(x, null)", "(x) => Reflect.ownKeys(x)", "(x) => x instanceof Array",
        "(x) => Object.getPrototypeOf(x)", "(x) => Promise.resolve(x)", "(x) => x[Symbol.iterator]", "(x) => x.destroy()",
        "(x) => Object.preventExtensions(x)", "(x) => x.__proto__", "(x) => x.constructor", "(x) => Symbol() in x",
    ):  # fmt: skip
        for target in (bad, [1], {"a": 1}, lambda: 1, object(), int, (1,), {1}, b"x", iter([1]), range(3)):
            try:
                run_js(source)(target)
            except Exception as error:
                assert not type(error).__module__.startswith("quickjs"), (error, source, type(target))
    assert run_js("1 + 1") == 2


@inside
def test_garbage_is_collected():
    import gc
    import weakref

    class Thing:
        pass

    alive = []
    for _ in range(50):
        thing = Thing()
        run_js("(t) => t.x")(thing)
        alive.append(weakref.ref(thing))
    del thing
    gc.collect()
    assert sum(ref() is not None for ref in alive) <= 1
    for _ in range(2000):
        assert run_js("(f) => f()")(lambda: 1) == 1
        _ = run_js("({a: [1, 2, 3]})").to_py()
