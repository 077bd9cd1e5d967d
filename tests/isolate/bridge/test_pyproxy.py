"""Python objects as JavaScript sees them: abilities, lifetimes, calls."""

from __future__ import annotations

from inside import inside, raises, run_js


@inside
def test_array_methods_on_a_list():
    numbers = [3, 1, 2]
    js = run_js(
        "(l) => [l.length, l[0], l.at(-1), l.indexOf(1), l.includes(2), l.map((x) => x + 1).join(), "
        "l.filter((x) => x > 1).length, l.reduce((a, b) => a + b, 0), l.some((x) => x === 3), "
        "[...l].join(), Array.from(l).length, l.slice(1).join(), l[9] === undefined, Array.isArray(l), "
        "Math.max(...l), 1 in l, 7 in l]"
    )
    assert js(numbers).to_py() == [
        3, 3, 2, 1, True, "4,2,3", 2, 6, True, "3,1,2", 3, "1,2", True, False, 3, True, False,
    ]  # fmt: skip
    run_js("(l) => { l[0] = 9 }")(numbers)
    assert numbers == [9, 1, 2]
    assert run_js("(l) => { const [a, ...rest] = l; return a + rest.length }")(numbers) == 11


@inside
def test_a_dict():
    value = {"a": 1, "b": {"c": [1, 2]}, "length": 7}
    js = run_js(
        "(d) => [d.a, d.b.c[1], 'a' in d, 'zz' in d, d.zz === undefined, Object.keys(d).join(), "
        "Object.entries(d).length, JSON.stringify({...d, b: 0}), d.get('a'), d.has('b'), [...d].join(), "
        "Object.assign({}, d).a]"
    )
    found = js(value).to_py()
    assert found[:6] == [1, 2, True, False, True, "a,b,length"] and found[6] == 3
    # As on the platform `length` is Python's len(), even where there is an item of that name.
    assert found[7] == '{"a":1,"b":0,"length":3}' and found[8:] == [1, True, "a,b,length", 1]
    run_js("(d) => { d.a = 5; d.set('n', [1]); delete d.b; Object.assign(d, {z: 1}) }")(value)
    assert value["a"] == 5 and "b" not in value and value["z"] == 1 and value["n"].to_py() == [1]
    assert run_js("({a, ...rest}) => a + Object.keys(rest).length")(value) == 8
    assert (
        run_js("(d) => { const k = []; for (const x in d) k.push(x); return k.join() }")({"x": 1, "y": 2})
        == "x,y"
    )
    assert (
        run_js("(d) => JSON.stringify(d)")({"a": [1, None, "好"], "b": {"c": {}}})
        == '{"a":[1,null,"好"],"b":{"c":{}}}'
    )


@inside
def test_an_object():
    class Point:
        kind = "point"

        def __init__(self):
            self.x = 1

        def move(self, by):
            self.x += by
            return self

        def __str__(self):
            return f"<{self.x}>"

    point = Point()
    js = run_js(
        "(p) => [p.x, p.kind, p.move(2) === p || p.move(0).x, 'x' in p, 'zz' in p, p.zz, String(p), `${p}`, typeof p]"
    )
    assert js(point).to_py()[0:2] == [1, "point"] and point.x == 3
    assert js(point).to_py()[3:] == [True, False, None, "<5>", "<5>", "object"]
    run_js("(p) => { p.x = 10; p.fresh = 'new' }")(point)
    assert point.x == 10 and point.fresh == "new"
    run_js("(p) => { delete p.fresh }")(point)
    assert not hasattr(point, "fresh")
    assert run_js("(p) => p.type")(point) == "Point"
    assert run_js("(p) => p instanceof Object")(point) in (True, False)
    assert run_js("(p) => Object.prototype.toString.call(p)")(point) == "[object PyProxy]"


@inside
def test_attribute_errors_from_python_are_thrown():
    class Grumpy:
        @property
        def fails(self):
            raise ValueError("property")

        def __getattr__(self, name):
            raise AttributeError(name)

    assert run_js("(g) => g.absent === undefined")(Grumpy())
    try:
        run_js("(g) => g.fails")(Grumpy())
    except ValueError as error:
        assert str(error) == "property"
    else:
        raise AssertionError("the property's error was lost")


@inside
def test_callables():
    def takes(*args, **kwargs):
        return [list(args), kwargs]

    assert run_js("(f) => f(1, 'a', null)[0].length")(takes) == 3
    assert run_js("(f) => f.callKwargs(1, {a: 2})[1].a")(takes) == 2
    assert run_js("(f) => f.apply(null, [1, 2])[0].length")(takes) == 2
    assert run_js("(f) => f.bind(null, 1)(2)[0].length")(takes) == 2
    assert run_js("(f) => f.callRelaxed(1, 2, 3)")(lambda x: x) == 1
    assert run_js("(f) => typeof f")(takes) == "function"
    assert run_js("(f) => [1, 2].map((x) => f(x)).join()")(lambda x: x * 2) == "2,4"
    assert run_js("(f) => f()")(int) == 0

    class Callable:
        def __call__(self, x):
            return x + 1

    assert run_js("(f) => f(1)")(Callable()) == 2
    try:
        run_js("(f) => f()")(lambda x: x)
    except TypeError as error:
        assert "missing 1 required positional argument" in str(error)
    try:
        run_js("(f) => f()")({"not": "callable"})
    except Exception as error:
        assert "not a function" in str(error)


@inside
def test_keyword_arguments_become_one_object():
    js = run_js("(...args) => JSON.stringify(args)")
    assert js(1, a=2, b="x") == '[1,{"a":2,"b":"x"}]'
    assert js(**{"content-type": "x"}) == '[{"content-type":"x"}]'
    assert js(a=None) == "[{}]"
    assert run_js("(o) => 'a' in o")(a=None)
    assert run_js("(o) => typeof o.big")(big=2**60) == "bigint"
    assert run_js("(o) => o.nested.a")(nested={"a": 3}) == 3


@inside
async def test_borrowed_proxies_end_with_the_call():
    from pyodide.ffi import create_proxy

    keep = run_js("(x) => { globalThis.kept = x }")
    use = run_js("() => kept.length")
    keep([1, 2, 3])
    try:
        use()
    except Exception as error:
        assert "automatically destroyed at the end of a function call" in str(error)
    else:
        raise AssertionError("a borrowed proxy outlived its call")
    proxy = create_proxy([1, 2, 3])
    keep(proxy)
    assert use() == 3
    proxy.destroy()
    proxy.destroy()
    try:
        use()
    except Exception as error:
        assert "Object has already been destroyed" in str(error) and "Error: Error" not in str(error), str(
            error
        )
    else:
        raise AssertionError("a destroyed proxy was usable")


@inside
async def test_borrowed_proxies_live_until_the_promise_settles():
    later = run_js("async (f) => { await null; await new Promise((r) => setTimeout(r, 2)); return f(1) }")
    assert await later(lambda x: x + 1) == 2
    try:
        await later({}.__missing__ if hasattr({}, "__missing__") else lambda x: 1 / 0)
    except Exception as error:
        assert "ZeroDivisionError" in str(error)


@inside
def test_attributes_keep_proxies_alive():
    from js import Object

    holder = Object.new()

    class C:
        pass

    value = C()
    holder.value = value
    holder.f = lambda: 5
    holder.list = [1]
    assert holder.value is value and holder.f() == 5 and holder.list == [1]
    holder.list[0] = 2
    assert holder.list == [2]


@inside
def test_create_proxy():
    from pyodide.ffi import JsDoubleProxy, JsProxy, create_proxy, destroy_proxies, to_js

    class C:
        x = 1

        def method(self):
            return self.x

    value = C()
    proxy = create_proxy(value)
    assert isinstance(proxy, JsDoubleProxy) and isinstance(proxy, JsProxy)
    assert proxy.unwrap() is value and proxy.x == 1 and proxy.method() == 1
    proxy.x = 7
    assert value.x == 7
    assert run_js("(p) => p.x")(proxy) == 7
    proxy.destroy()
    try:
        proxy.unwrap()
    except Exception as error:
        assert "destroyed" in str(error)
    proxies = to_js([])
    converted = to_js({"a": object(), "b": [object()]}, pyproxies=proxies)
    assert len(proxies) == 2 and converted.a is not None
    destroy_proxies(proxies)
    try:
        str(converted.a)
    except Exception as error:
        assert "destroyed" in str(error)
    function = create_proxy(lambda x: x * 2)
    assert function(4) == 8 and run_js("(f) => f(5)")(function) == 10
    items = create_proxy([1, 2])
    assert len(items) == 2 and 1 in items and items[0] == 1


@inside
def test_create_once_callable():
    from pyodide.ffi import JsException, create_once_callable

    once = create_once_callable(lambda x: x + 1)
    assert run_js("(f) => f(1)")(once) == 2
    try:
        run_js("(f) => f(1)")(once)
    except JsException as error:
        assert str(error) == "Error: OnceProxy can only be called once"
    else:
        raise AssertionError("called twice")
    unused = create_once_callable(lambda: 1)
    unused.destroy()
    with raises(JsException):
        unused()


@inside
def test_subclasses_of_builtins():
    from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
    from enum import IntEnum, StrEnum
    from http import HTTPMethod, HTTPStatus

    from pyodide.ffi import to_js

    kind = run_js("(x) => typeof x + ':' + x")

    class Text(str):
        def __str__(self):
            return "wrong"

    class Colour(StrEnum):
        RED = "red"

    class Level(IntEnum):
        LOW = 1

    assert kind(Text("ok")) == "string:ok" and kind(Colour.RED) == "string:red"
    assert kind(Level.LOW) == "number:1" and kind(HTTPMethod.GET) == "string:GET"
    assert kind(HTTPStatus.OK) == "number:200"

    class Real(float):
        pass

    assert kind(Real(1.5)) == "number:1.5"
    Point = namedtuple("Point", "x y")
    assert to_js(Point(1, 2)).to_py() == [1, 2] and run_js("(p) => p.x + p[1]")(Point(1, 2)) == 3
    assert to_js(OrderedDict(a=1)).to_py() == {"a": 1} and to_js(Counter("aab")).to_py() == {"a": 2, "b": 1}
    grown = defaultdict(list)
    assert run_js("(d) => d.zz === undefined")(grown) and not grown
    assert run_js("(d) => [...d].join()")(deque([1, 2])) == "1,2"
    assert run_js("(d) => [...d].join() + d.length")(UserList([1, 2])) == "1,22"
    assert run_js("(d) => d.get('a')")(UserDict(a=1)) == 1

    class Rich(dict):
        extra = 5

        def method(self):
            return "m"

    rich = Rich(a=1)
    assert run_js("(d) => d.extra + d.a + d.method()")(rich) == "6m"
    assert run_js("(d) => JSON.stringify(d)")(rich) == '{"a":1}'


@inside
def test_identity():
    from js import Map, Object

    value = [1]
    same = run_js("(a, b) => a === b")
    assert same(value, value) in (True, False)  # each crossing may make a new proxy
    assert run_js("(x) => x")(value) is value
    holder = Object.new()
    holder.a = value
    assert holder.a is value and run_js("(o) => o.a === o.a")(holder)
    store = Map.new()
    store.set("k", value)
    thing = Object.new()
    assert thing == run_js("(x) => x")(thing) and thing != Object.new()
    assert thing.js_id == run_js("(x) => x")(thing).js_id and thing.js_id != Object.new().js_id
    for unhashable in (thing, run_js("[]"), run_js("() => 1")):
        try:
            hash(unhashable)
        except TypeError:
            continue
        raise AssertionError(f"{unhashable} is hashable")


@inside
def test_methods_are_bound_and_fresh_attributes_read():
    from js import Array, Object

    array = Array.of(1)
    push = array.push
    push(2)
    assert list(array) == [1, 2]
    thing = Object.new()
    try:
        _ = thing.later
    except AttributeError as error:
        assert str(error) == "later" and error.name == "later"
    thing.later = 1
    assert thing.later == 1 and hasattr(thing, "later")
    del thing.later
    assert not hasattr(thing, "later")
    del thing.later  # as in JavaScript, it need not be there
    thing.class_ = 1
    thing.from_ = 2
    assert thing.object_keys().to_py() == ["class", "from"]
    assert getattr(thing, "a-b", "none") == "none"
    setattr(thing, "a-b", 3)
    assert getattr(thing, "a-b") == 3


@inside
def test_dir_repr_and_pickle():
    import copy
    import pickle

    from js import Object, Response

    assert {"status", "headers", "text", "object_keys"} <= set(dir(Response.new("x")))
    assert "keys" not in dir(run_js("[]"))
    thing = Object.new()
    assert str(thing) == "[object Object]" and repr(thing) == "[object Object]"
    assert f"{run_js('[1, 2]')}" == "1,2" and str(run_js("() => 1")) == "() => 1"
    assert str(run_js("Symbol('x')")) == "Symbol(x)"
    assert str(run_js("Object.create(null)"))
    for broken in (pickle.dumps, copy.copy, copy.deepcopy):
        try:
            broken(thing)
        except TypeError:
            continue
        raise AssertionError(f"{broken} copied a JsProxy")


@inside
def test_new_and_instances():
    from js import URL, Date, Map, Object, Promise
    from pyodide.ffi import JsProxy

    assert URL.new("http://a/b").pathname == "/b"
    assert isinstance(Map.new(), JsProxy) and Map.new().constructor.name == "Map"
    made = run_js("(class { constructor(a, o) { this.a = a; this.o = o.x } })").new(1, x=2)
    assert (made.a, made.o) == (1, 2)
    for call in (lambda: Map(), lambda: run_js("(() => 1)").new(), lambda: Promise()):
        try:
            call()
        except Exception as error:
            assert type(error).__name__ == "JsException", error
        else:
            raise AssertionError("no error")
    assert run_js("(x, C) => x instanceof C")(Date.new(), Date) is True
    assert Object.new(a=1) is not None
