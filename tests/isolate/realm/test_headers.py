"""Headers: types of init, order, Set-Cookie, what may be sent, and who may change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import JSFailure, take_response

Run = Callable[..., Any]
NOT_HEADERS = (
    "Failed to construct 'Headers': constructor parameter 1 is not of type 'Headers or Sequence or object'."
)
NOT_A_SEQUENCE = "Incorrect type: the provided value is not of type 'Sequence'."


@pytest.mark.parametrize(
    "init",
    [
        "{B: '2', a: '1'}",
        "[['B', '2'], ['a', '1']]",
        "new Map([['B', '2'], ['a', '1']])",
        "new Headers({B: '2', a: '1'})",
        "(function* () { yield ['B', '2']; yield new Set(['a', '1']); })()",
        "new URLSearchParams('B=2&a=1')",
    ],
)
def test_init(run: Run, init: str) -> None:
    assert run(f"[...new Headers({init})]") == [["a", "1"], ["b", "2"]]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("new Headers(5)", NOT_HEADERS),
        ("new Headers('a: b')", NOT_HEADERS),
        ("new Headers(null)", NOT_HEADERS),
        ("new Headers(['content-type'])", NOT_A_SEQUENCE),
        ("new Headers([5])", NOT_A_SEQUENCE),
        ("new Response('', {headers: ['a']})", NOT_A_SEQUENCE),
        ("new Request('http://a.example/', {headers: ['a']})", NOT_A_SEQUENCE),
        (
            "new Headers([['a']])",
            "To initialize a Headers object from a sequence, each inner sequence must have exactly two elements.",
        ),
        ("new Headers({'a b': '1'})", "Invalid header name."),
        ("new Headers().get('')", "Invalid header name."),
        ("new Headers({a: '1\\n2'})", "Invalid header value."),
        (
            "new Headers().set('a')",
            "Failed to execute 'set' on 'Headers': parameter 2 is not of type 'string'.",
        ),
        ("new Headers().getAll('a')", 'getAll() can only be used with the header name "Set-Cookie".'),
        (
            "Headers.prototype.get.call({}, 'a')",
            "Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.",
        ),
    ],
)
def test_refused(run: Run, source: str, message: str) -> None:
    with pytest.raises(JSFailure) as caught:
        run(source)
    assert (caught.value.name, caught.value.message) == ("TypeError", message)


def test_values_are_text_and_trimmed(run: Run) -> None:
    source = """
    const h = new Headers();
    h.set('n', 5); h.set('t', true); h.set('u', undefined); h.set('s', ' \\t x y  '); h.set('e', '  ');
    h.set('zh', '中文');
    return [...h];"""
    assert run(source) == [
        ["e", ""],
        ["n", "5"],
        ["s", "x y"],
        ["t", "true"],
        ["u", "undefined"],
        ["zh", "中文"],
    ]


def test_appended_values(run: Run) -> None:
    source = """
    const h = new Headers([['X', '1'], ['set-cookie', 'a=1, b'], ['x', '2'], ['Set-Cookie', 'c=2']]);
    return [[...h], h.get('X'), h.get('set-cookie'), h.getSetCookie(), h.getAll('Set-Cookie'), h.get('no'),
            [...h.keys()], [...h.values()], h.has('x'), h.has('y')];"""
    assert run(source) == [
        [["set-cookie", "a=1, b"], ["set-cookie", "c=2"], ["x", "1, 2"]],
        "1, 2",
        "a=1, b, c=2",
        ["a=1, b", "c=2"],
        ["a=1, b", "c=2"],
        None,
        ["set-cookie", "set-cookie", "x"],
        ["a=1, b", "c=2", "1, 2"],
        True,
        False,
    ]


def test_names_keep_their_case_and_values_stay_apart_when_sent(run: Run, realm: Any) -> None:
    realm.engine.global_.set("takeResponse", take_response(realm))
    source = """
    const headers = new Headers([['X-One', '1']]);
    headers.append('x-one', '2');
    headers.set('X-TWO', 'a');
    headers.set('x-two', 'b');
    headers.set('gone', '1');
    headers.delete('GONE');
    return takeResponse(new Response(null, {headers}))[2];"""
    assert run(source) == ["X-One", "1", "X-One", "2", "X-TWO", "b"]


def test_for_each_and_iterators(run: Run) -> None:
    source = """
    const h = new Headers({b: '2', a: '1'}), seen = [], that = {};
    h.forEach(function (value, key, parent) { seen.push([value, key, parent === h, this === that]); }, that);
    const it = h.entries();
    return [seen, Object.prototype.toString.call(it), it[Symbol.iterator]() === it,
            h[Symbol.iterator] === h.entries, String(h), [...it].length, it.next().done];"""
    assert run(source) == [
        [["1", "a", True, True], ["2", "b", True, True]],
        "[object EntryIterator]",
        True,
        True,
        "[object Headers]",
        2,
        True,
    ]


@pytest.mark.parametrize("change", ["set('a', '1')", "append('a', '1')", "delete('host')"])
def test_incoming_headers_are_immutable(run: Run, realm: Any, change: str) -> None:
    realm.engine.global_.set("makeRequest", realm.platform.get("makeRequest"))
    source = f"""
    const request = makeRequest('GET', 'http://a.example/', ['Host', 'a.example'], null, null);
    const copy = new Request(request);
    copy.headers.{change};
    request.headers.{change};"""
    with pytest.raises(JSFailure) as caught:
        run(source)
    assert caught.value.message == "Can't modify immutable headers."


def test_prototype_names(run: Run) -> None:
    names = [
        "append",
        "constructor",
        "delete",
        "entries",
        "forEach",
        "get",
        "getAll",
        "getSetCookie",
        "has",
        "keys",
        "set",
        "values",
    ]
    assert run("Object.getOwnPropertyNames(Headers.prototype).sort()") == names


@pytest.mark.parametrize("count", [1, 8, 9, 31, 32, 33, 34, 200])
def test_however_many_names_there_are(run: Run, count: int) -> None:
    """Few are kept in another way than many."""
    source = """
    const names = Array.from({length: count}, (_, i) => `X-${i}`);
    const made = new Headers(Object.fromEntries(names.map((name) => [name, `v-${name}`])));
    const grown = new Headers();
    for (const name of names) grown.append(name, 'old');
    for (const name of names) grown.set(name.toLowerCase(), `v-${name}`);
    const last = `X-${count - 1}`, seen = [made, grown, new Headers(made), new Headers([...grown])];
    const before = seen.map((h) => [[...h].length, h.get('x-0'), h.get(last), h.has('X-0'), h.has('x-n'), h.get('x-n')]);
    for (const h of seen) { h.append(last, 'more'); h.delete('x-0'); }
    return [before, seen.map((h) => [[...h].length, h.has('x-0'), h.get(last)])];"""
    before, after = run(source, count=count)
    assert before == [[count, "v-X-0", f"v-X-{count - 1}", True, False, None]] * 4
    left = [count - 1, False, f"v-X-{count - 1}, more" if count > 1 else None]
    assert after == [left] * 4


def test_names_that_come_twice_over_the_wire(run: Run, realm: Any) -> None:
    realm.engine.global_.set("makeRequest", realm.platform.get("makeRequest"))
    source = """
    const lines = ['x', '1', 'host', 'x', 'x', '2', 'cookie', 'a=1'].join('\\n');
    const h = () => makeRequest('GET', 'http://a.example/', lines, null, null).headers;
    const changed = new Headers(h());
    changed.set('X', '3');
    return [h().get('x'), h().has('1'), h().get('Host'), [...h()], [...changed]];"""
    pairs = [["cookie", "a=1"], ["host", "x"], ["x", "1, 2"]]
    assert run(source) == ["1, 2", False, "x", pairs, [*pairs[:2], ["x", "3"]]]


def test_values_are_checked_each_time(run: Run) -> None:
    source = """
    const out = [];
    for (const value of [' a ', ' a ', 'a', 'b\\nc', 'b\\nc', '']) {
      try {
        out.push(new Headers({x: value}).get('x'));
      } catch (error) {
        out.push(error.message);
      }
    }
    return out;"""
    invalid = "Invalid header value."
    assert run(source) == ["a", "a", "a", invalid, invalid, ""]


def test_a_record_is_read_once_and_in_order(run: Run) -> None:
    source = """
    const seen = [];
    const record = new Proxy({a: '1', 'b c': '2', d: '3'}, {
      get(target, key) { seen.push(`get ${String(key)}`); return target[key]; },
      ownKeys(target) { seen.push('keys'); return Reflect.ownKeys(target); },
      getOwnPropertyDescriptor(target, key) {
        seen.push(`own ${key}`);
        return Reflect.getOwnPropertyDescriptor(target, key);
      },
    });
    try { new Response('', {headers: record}); } catch (error) { seen.push(error.message); }
    return seen;"""
    read = run(source)
    assert read[:2] == ["get Symbol(Symbol.iterator)", "keys"]
    later = [step for step in read[2:] if not step.startswith("own")]
    assert later == ["get a", "get b c", "get d", "Invalid header name."]


def test_names_of_a_record_that_differ_in_case_are_appended(run: Run) -> None:
    source = "[...new Headers({ A: '1', b: '2', a: '3', 'Set-Cookie': 'x', 'set-cookie': 'y' })].join('; ')"
    assert run(source) == "a,1, 3; b,2; set-cookie,x; set-cookie,y"
    assert run("new Response('', { headers: { 'x-a': '1', 'X-A': '2' } }).headers.get('x-a')") == "1, 2"


@pytest.mark.parametrize(
    "source",
    [
        "new Headers({ 'a b': '1\\n2' })",
        "new Headers([['a b', '1\\n2']])",
        "new Headers().append('a b', '1\\n2')",
        "new Headers().set('a b', '1\\n2')",
    ],
)
def test_of_a_bad_name_with_a_bad_value_the_value_is_named(run: Run, source: str) -> None:
    with pytest.raises(JSFailure, match="Invalid header value"):
        run(source)
