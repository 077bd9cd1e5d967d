"""Property tests: what goes from Python into JavaScript comes back as the table says."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from inside import call_inside, run_js
from isolates import Isolate

SAFE = 2**53 - 1

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "",
        "\0",
        "a\0b",
        "你好，世界",
        "𠮷野家",
        "👩‍👩‍👧‍👦",
        "\ufeff",
        "\u2028",
        "é" * 300,
        "\r\n",
        "__proto__",
        "constructor",
    ]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.sampled_from([SAFE, SAFE + 1, -SAFE, -SAFE - 1, 2**31, -(2**31) - 1, 2**32, 2**63, 2**64, 0])
    | st.floats()
    | texts
)
keys = texts | st.integers(-(2**70), 2**70) | st.booleans()
values = st.recursive(
    scalars | st.binary(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(keys, inner, max_size=5)
        | st.sets(st.integers() | texts, max_size=5)
    ),
    max_leaves=20,
)


def expected(value: Any) -> Any:
    """What ``value`` is after a trip to JavaScript and back, by the documented table."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= SAFE:
        return int(value)
    if isinstance(value, list | tuple):
        return [expected(item) for item in value]
    if isinstance(value, dict):
        # JavaScript tells true from 1, Python's dict does not: the last one counts.
        return {key: expected(item) for key, item in value.items()}
    if isinstance(value, set):
        return {expected(item) for item in value}
    return value


def same(left: Any, right: Any) -> bool:
    """Equality that tells ``True`` from 1 and finds nan equal to nan."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def deep(value: Any) -> Any:
    from pyodide.ffi import to_js

    def plain(found: Any) -> Any:
        if isinstance(found, memoryview):
            return bytes(found)
        if isinstance(found, list):
            return [plain(item) for item in found]
        if isinstance(found, dict):
            return {key: plain(item) for key, item in found.items()}
        return found

    # In a list, since to_js gives scalars back as they are.
    return plain(to_js([value]).to_py())[0]


def implicit(value: Any) -> Any:
    from js import Object

    identity = run_js("(x) => x")
    holder = Object.new()
    holder.x = value
    seen = []
    run_js("(f, x) => f(x)")(lambda found: seen.append(found) or found, value)
    run_js("(f, x) => f({x}.x)").call(None, seen.append, value)
    found = [identity(value), holder.x, *seen, identity.call(None, value)]
    if not isinstance(value, (int, float, str)):
        assert all(item is value for item in found), found
    return found


def keyword(value: Any) -> Any:
    seen = []
    run_js("(f, options) => f(Object.keys(options).join(), options.key)")(
        lambda *found: seen.extend(found), key=value
    )
    names, found = seen
    assert names == "key"
    return found


@given(values)
def test_to_js_and_back(bench: Callable[[], Isolate], value: Any) -> None:
    actual = call_inside(bench(), deep, value)
    assert same(expected(value), actual), (expected(value), actual)


@given(scalars)
def test_scalars_cross_implicitly(bench: Callable[[], Isolate], value: Any) -> None:
    for actual in call_inside(bench(), implicit, value):
        assert same(expected(value), actual), (expected(value), actual)


@given(values)
def test_containers_cross_implicitly_as_themselves(bench: Callable[[], Isolate], value: Any) -> None:
    call_inside(bench(), implicit, value)


@given(values)
def test_keyword_arguments(bench: Callable[[], Isolate], value: Any) -> None:
    actual = call_inside(bench(), keyword, value)
    if isinstance(value, bool | int | float | str | None):
        assert same(expected(value), actual), actual
    else:
        assert value == actual or "nan" in repr(value)


def big_ints(value: Any) -> Any:
    from pyodide.ffi import to_js

    kind = run_js("(x) => typeof x")
    text = run_js("(x) => String(x)")
    in_list = run_js("(x) => typeof x[0] + String(x[0])")
    in_options = run_js("(x) => typeof x.v + String(x.v)")
    got = run_js("(f) => { const v = f(); return typeof v + String(v); }")
    return [
        kind(value) + text(value),
        in_list(to_js([value])),
        in_list([value]),
        in_options(v=value),
        in_options({"v": value}),
        in_options(to_js({"v": value})),
        got(lambda: value),
    ]


@given(st.integers())
def test_integers_beyond_2_53_are_big_ints_everywhere(bench: Callable[[], Isolate], value: int) -> None:
    kind = "number" if abs(value) <= SAFE else "bigint"
    assert call_inside(bench(), big_ints, value) == [f"{kind}{value}"] * 7


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)


def as_json(value: Any) -> Any:
    from js import JSON, Object
    from pyodide.ffi import JsException, jsnull, to_js

    def nulls(item: Any) -> Any:
        if item is None:
            return jsnull
        if isinstance(item, list):
            return [nulls(x) for x in item]
        if isinstance(item, dict):
            return {key: nulls(x) for key, x in item.items()}
        return item

    def named(item: Any, taken: Any) -> bool:
        if isinstance(item, dict):
            return any(taken(key) or named(x, taken) for key, x in item.items())
        return isinstance(item, list) and any(named(x, taken) for x in item)

    value = nulls(value)
    plain = to_js(value, dict_converter=Object.fromEntries)
    try:
        direct = JSON.stringify(value)
    except JsException as error:
        assert "destroyed when an iterator was exhausted" in str(error)
        direct = None
    found = [direct, JSON.stringify(plain)]
    # What a dict becomes has the methods of Map: an item of such a name is no property of it.
    if not named(value, run_js("(key) => key in Map.prototype")):
        found.append(JSON.stringify(to_js(value)))
    return found


@given(json_values)
def test_json_stringify_agrees_with_json_dumps(bench: Callable[[], Isolate], value: Any) -> None:
    """A list lends JavaScript the containers in it for as long as it is iterated, as on the platform."""
    direct, *copies = call_inside(bench(), as_json, value)
    assert (direct is None) == lends(value)
    for text in copies if direct is None else (direct, *copies):
        assert same(value_of(value), value_of(json.loads(text))), text


def lends(value: Any) -> bool:
    """Whether a list with a container in it is somewhere in ``value``."""
    if isinstance(value, list):
        return any(isinstance(item, list | dict) for item in value)
    return isinstance(value, dict) and any(map(lends, value.values()))


def value_of(value: Any) -> Any:
    """Without order: JavaScript puts integer-like keys of objects first."""
    if isinstance(value, list):
        return [value_of(item) for item in value]
    if isinstance(value, dict):
        return {key: value_of(value[key]) for key in sorted(value)}
    return value


def parsed(text: str) -> Any:
    from js import JSON
    from pyodide.ffi import JsProxy, jsnull

    def nones(item: Any) -> Any:
        if item is jsnull:
            return None
        if isinstance(item, list):
            return [nones(x) for x in item]
        if isinstance(item, dict):
            return {key: nones(x) for key, x in item.items()}
        return item

    found = JSON.parse(text)
    return nones(found.to_py() if isinstance(found, JsProxy) else found)


@given(json_values)
def test_json_parse_and_to_py_agree_with_json_loads(bench: Callable[[], Isolate], value: Any) -> None:
    actual = call_inside(bench(), parsed, json.dumps(value))
    assert same(value_of(value), value_of(actual)), actual


def surrogates(text: str) -> Any:
    size = run_js("(s) => s.length")
    same = run_js("(s) => s")
    return [size(text), same(text), same.call(None, [text])[0] == text]


@given(st.text(st.characters(), max_size=12))
def test_any_text_even_with_lone_surrogates(bench: Callable[[], Isolate], text: str) -> None:
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    # Two surrogates in a row are one character in JavaScript, and come back as it.
    back = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    size, actual, _ = call_inside(bench(), surrogates, text)
    assert (units, back) == (size, actual)
