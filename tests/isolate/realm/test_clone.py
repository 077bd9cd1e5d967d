"""structuredClone."""

from __future__ import annotations

import pytest

from .conftest import JSFailure


def test_data(run):
    assert run("structuredClone({a: [1, null, {b: 'x'}], c: undefined})")["a"] == [1, None, {"b": "x"}]
    script = """
      const v = {m: new Map([[1, {x: 1}]]), s: new Set([1]), d: new Date(5), r: /a/gi, e: new RangeError('q'), n: Object(3),
                 b: new Uint8Array([1, 2]).subarray(1), i: 5n, x: new DOMException('m', 'N'), h: [, 1]};
      const c = structuredClone(v);
      return [c.m.get(1).x, c.m.get(1) !== v.m.get(1), c.s.has(1), c.d.getTime(), String(c.r), c.e instanceof RangeError, c.e.message,
              c.n instanceof Number, c.b[0], c.b.buffer.byteLength, c.i === 5n, c.x.name, 0 in c.h, c.h.length]
    """
    assert run(script) == [1, True, True, 5, "/a/gi", True, "q", True, 2, 2, True, "N", False, 2]


def test_cycles_and_shared_parts(run):
    script = "const a = {}; a.self = a; a.list = [a, a]; const c = structuredClone(a); return [c.self === c, c.list[0] === c, c !== a]"
    assert run(script) == [True, True, True]
    script = "const b = new ArrayBuffer(2); const c = structuredClone([b, new Uint8Array(b)]); return c[1].buffer === c[0]"
    assert run(script) is True


def test_instances_become_plain_objects(run):
    script = "class P { x = 1; get y() { return 2 } }; const c = structuredClone(new P()); return [c.constructor.name, c]"
    assert run(script) == ["Object", {"x": 1}]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("() => 1", "() => 1 could not be cloned."),
        ("{f() {}}", "f() {} could not be cloned."),
        ("Symbol('x')", "Symbol(x) could not be cloned."),
        ("new WeakMap()", "#<WeakMap> could not be cloned."),
        ("Promise.resolve()", "#<Promise> could not be cloned."),
        (
            "new URL('http://a')",
            'Could not serialize object of type "URL". This type does not support serialization.',
        ),
        ("new (class extends EventTarget {})()", None),
        (
            "new MessageChannel().port1",
            'Could not serialize object of type "MessagePort". This type does not support serialization.',
        ),
    ],
)
def test_refused(run, value, message):
    with pytest.raises(JSFailure) as caught:
        run(f"structuredClone({value})")
    assert caught.value.name == "DataCloneError"
    if message is not None:
        assert caught.value.message == message


def test_python_objects_are_refused(run, realm):
    realm.platform.set("isPyProxy", realm.engine.eval("(v) => v.isPython === true", "t.js"))
    with pytest.raises(JSFailure) as caught:
        run("structuredClone({a: {isPython: true}})")
    assert caught.value.name == "DataCloneError"


def test_transfer(run):
    script = """
      const b = new ArrayBuffer(4); const v = new Uint8Array(b); v[0] = 9;
      const c = structuredClone({v}, {transfer: [b]});
      return [b.byteLength, c.v[0], c.v.length]
    """
    assert run(script) == [0, 9, 4]


def test_a_failed_clone_detaches_nothing(run):
    script = """
      const b = new ArrayBuffer(4);
      try { structuredClone({b, f() {}}, {transfer: [b]}) } catch (e) { return [e.name, b.byteLength] }
    """
    assert run(script) == ["DataCloneError", 4]
    for transfer, error in (("[b, b]", "DataCloneError"), ("[{}]", "Object is not transferable")):
        with pytest.raises(JSFailure, match=error):
            run(f"const b = new ArrayBuffer(1); structuredClone(b, {{transfer: {transfer}}})")


@pytest.mark.parametrize(
    "proxy",
    ["new Proxy({}, {})", "[new Proxy([], {})]", "{a: Proxy.revocable(new Map(), {}).proxy}"],
)
def test_proxies_are_not_cloned(run, proxy):
    with pytest.raises(JSFailure, match="could not be cloned") as failure:
        run(f"structuredClone({proxy})")
    assert failure.value.name == "DataCloneError"


def test_proxy_is_the_engines_own_otherwise(run):
    script = """
      const p = new Proxy({a: 1}, {get: (t, k) => t[k] ?? k});
      let called; try { Proxy({}, {}) } catch (e) { called = e instanceof TypeError }
      let revoked; const r = Proxy.revocable({}, {}); r.revoke(); try { r.proxy.x } catch (e) { revoked = true }
      return [p.a, p.b, called, revoked, Proxy.length, Proxy.name, 'prototype' in Proxy, String(Proxy)]
    """
    assert run(script) == [1, "b", True, True, 2, "Proxy", False, "function Proxy() { [native code] }"]


def test_clones_of_errors_keep_their_stack(run):
    script = """
      const e = new TypeError('m'); const c = structuredClone(e);
      return [c.stack === e.stack, c.stack.split('\\n')[0], Object.keys(c)]
    """
    assert run(script) == [True, "TypeError: m", []]


def test_errors_keep_what_programs_added(run):
    script = """
      class Own extends Error { constructor(m) { super(m); this.name = 'Own'; this.code = 7 } }
      const own = structuredClone(new Own('o'));
      const several = structuredClone(new AggregateError([new RangeError('r'), 2], 'm'));
      const renamed = structuredClone(Object.assign(new Error('x'), { name: 'RangeError' }));
      return [own.name, own.message, own.code, several.constructor === AggregateError, several.errors[0] instanceof RangeError,
              several.errors[1], renamed instanceof RangeError, Object.hasOwn(renamed, 'name')]
    """
    assert run(script) == ["Own", "o", 7, True, True, 2, True, False]


def test_a_resizable_buffer_stays_one(run):
    script = """
      const buffer = new ArrayBuffer(2, { maxByteLength: 8 }); new Uint8Array(buffer)[1] = 5;
      const copy = structuredClone({ view: new Uint8Array(buffer, 1, 1) }).view;
      return [copy.buffer.resizable, copy.buffer.maxByteLength, copy.buffer.byteLength, copy[0], copy.buffer === buffer]
    """
    assert run(script) == [True, 8, 2, 5, False]
