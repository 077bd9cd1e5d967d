"""``as_py_json``: JavaScript objects and arrays as Python's mappings and sequences, without a copy."""

from __future__ import annotations

from inside import inside, raises, run_js


@inside
def test_reading():
    value = run_js("({a: {b: 1}, l: [{z: 1}, [2], null, undefined], n: null})")
    data = value.as_py_json()
    assert data["a"]["b"] == 1 and data["l"][0]["z"] == 1 and data["l"][1][0] == 2
    assert [type(item).__name__ for item in data["l"]] == ["JsProxy", "JsProxy", "JsNull", "NoneType"]
    assert list(data) == ["a", "l", "n"] and len(data) == 3 and "a" in data and "zz" not in data
    assert data.get("a")["b"] == 1 and data.get("zz", 5) == 5
    assert dict(data["a"]) == {"b": 1} and next(iter(data.values()))["b"] == 1
    assert [item["z"] for item in data["l"][:1]] == [1] and data["l"][-1] is None
    assert data["l"][0].as_py_json()["z"] == 1 and data == value
    with raises(KeyError):
        data["zz"]
    with raises(IndexError):
        data["l"][4]


@inside
def test_as_containers_of_python():
    from collections.abc import Mapping, Sequence

    def shape(value):
        match value:
            case {"items": [first, *_]}:
                return ("items", first["id"])
            case _:
                return "other"

    data = run_js("({items: [{id: 7}, {id: 8}]})").as_py_json()
    assert isinstance(data, Mapping) and isinstance(data["items"], Sequence)
    assert shape(data) == ("items", 7)
    assert [item["id"] for item in reversed(data["items"])] == [8, 7]


@inside
def test_writing_reaches_javascript():
    value = run_js("({a: {}, l: [1]})")
    data = value.as_py_json()
    data["a"]["x"] = 5
    data["l"].append(2)
    data["l"][0] = 9
    assert value.a.x == 5 and list(value.l) == [9, 2]
    assert data.pop("a")["x"] == 5 and not hasattr(value, "a")
    assert data["l"].pop() == 2 and list(value.l) == [9]


@inside
def test_what_has_no_json():
    for source in ("() => 1", "new Uint8Array(1)", "new ArrayBuffer(1)", "new Error('x')"):
        assert not hasattr(run_js(f"({source})"), "as_py_json"), source
    data = run_js("({f() {}, d: new Date(0), u: new Uint8Array(2)})").as_py_json()
    assert callable(data["f"]) and data["d"].getTime() == 0 and data["u"].to_bytes() == b"\0\0"
