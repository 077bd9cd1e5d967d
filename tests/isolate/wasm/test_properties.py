"""Random values, memory accesses and growth agree with JavaScript's own conversions and with a model."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .world import World

PAGE = 65536
TYPED_ARRAYS = {
    "Int8Array": "b",
    "Uint8Array": "B",
    "Int16Array": "h",
    "Uint16Array": "H",
    "Int32Array": "i",
    "Uint32Array": "I",
    "Float32Array": "f",
    "Float64Array": "d",
    "BigInt64Array": "q",
    "BigUint64Array": "Q",
}
DATA_VIEW = {
    "Int8": "b",
    "Uint8": "B",
    "Int16": "h",
    "Uint16": "H",
    "Int32": "i",
    "Uint32": "I",
    "Float32": "f",
    "Float64": "d",
    "BigInt64": "q",
    "BigUint64": "Q",
}
WASM = {"8": "B", "16": "H", "32": "i", "64": "q", "f32": "f", "f64": "d"}

numbers = st.one_of(
    st.integers(-(2**33), 2**33).map(float),
    st.floats(),
    st.sampled_from([2.0**31, -(2.0**31), 2.0**32, 2.0**53, 2.0**63, 2.0**64, 1e300, -0.0, 0.5]),
)
big_integers = st.integers(-(2**130), 2**130) | st.integers(-(2**64), 2**64)


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    # The first instance raises Python's recursion limit, which hypothesis wants unchanged.
    world.run('new WebAssembly.Instance(mod("empty")) instanceof WebAssembly.Instance')
    return world


@pytest.fixture(scope="module")
def access(world: World) -> Any:
    """A memory that is read and written by typed arrays, a DataView and wasm itself."""
    return world.function(ACCESS)


def value_of(code: str) -> st.SearchStrategy[Any]:
    """Values that fit the ``struct`` format ``code``."""
    if code in "fd":
        return st.floats(width=32 if code == "f" else 64, allow_nan=False)
    bits = struct.calcsize(code) * 8
    return (
        st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        if code.islower()
        else st.integers(0, 2**bits - 1)
    )


def js(value: Any) -> Any:
    """A value for ``BigInt(...)`` or a number argument: integers beyond the engine's travel as text."""
    return str(value) if isinstance(value, int) else value


@given(value=numbers)
def test_numbers_convert_as_javascript_converts_them(world: World, value: float) -> None:
    check = world.function(
        """(() => { const x = new WebAssembly.Instance(mod("identity")).exports;
          return (v) => [Object.is(x.i32(v), v | 0), Object.is(x.f32(v), Math.fround(v)), Object.is(x.f64(v), v),
            Object.is(x.i32(`${v}`), Number(`${v}`) | 0), Object.is(x.f64({ valueOf: () => v }), v),
            Object.is(x.externref(v), v)].join(); })()"""
    )
    assert check(value) == ",".join(["true"] * 6)


@given(value=big_integers)
def test_big_integers_wrap_to_64_bits(world: World, value: int) -> None:
    check = world.function(
        """(() => { const x = new WebAssembly.Instance(mod("identity")).exports;
          return (text) => `${x.i64(BigInt(text))} ${x.i64(text)} ${x.externref(BigInt(text))}`; })()"""
    )
    wrapped = (value + 2**63) % 2**64 - 2**63
    assert check(str(value)) == f"{wrapped} {wrapped} {value}"


@given(i32=st.integers(-(2**31), 2**31 - 1), i64=value_of("q"), f32=value_of("f"), f64=st.floats())
def test_values_pass_imports_and_come_back(world: World, i32: int, i64: int, f32: float, f64: float) -> None:
    check = world.function(
        """(a, text, c, d) => {
          const b = BigInt(text), seen = [];
          const m = { void() {}, i32: () => a, i64: () => b, f32: () => c, f64: () => d, externref: () => b,
            funcref: () => null, two: () => [a, b], three: () => [d, text, a], take(...args) { seen.push(...args); },
            same: (v) => v };
          const x = new WebAssembly.Instance(mod("imports"), { m }).exports;
          x.take(a, b, c, d, text, x.void);
          const got = [x.i32(), x.i64(), x.f32(), x.f64(), x.externref(), ...x.two(), ...x.three(), x.same(a), ...seen];
          const want = [a, b, c, d, b, a, b, d, text, a, a, a, b, c, d, text, x.void];
          return want.every((v, i) => Object.is(v, got[i])) && want.length === got.length;
        }"""
    )
    assert check(i32, str(i64), f32, f64)


ACCESS = """(() => {
  const x = new WebAssembly.Instance(mod("memory")).exports;
  const big = (kind) => kind.startsWith("Big") || kind === "64";
  const load = { 8: x.load8u, 16: x.load16u, 32: x.load32, 64: x.load64, f32: x.loadf32, f64: x.loadf64 };
  const from = (kind, v) => (big(kind) ? BigInt(v) : Number(v));
  return {
    clear: () => x.fill(0, 0, 65536),
    array(kind, at, v) { new globalThis[kind](x.memory.buffer, at, 1)[0] = from(kind, v); },
    readArray: (kind, at) => `${new globalThis[kind](x.memory.buffer, at, 1)[0]}`,
    view(kind, at, v, little) { new DataView(x.memory.buffer)[`set${kind}`](at, from(kind, v), little); },
    readView: (kind, at, little) => `${new DataView(x.memory.buffer)[`get${kind}`](at, little)}`,
    wasm(kind, at, v) { x[`store${kind}`](at, from(kind, v)); },
    readWasm: (kind, at) => `${load[kind](at)}`,
    bytes: () => x.memory.buffer.slice(0),
  };
})()"""


@st.composite
def accesses(draw: st.DrawFn) -> tuple[str, str, str, int, bool, Any]:
    """(way, kind, struct format, offset, little, value)"""
    way = draw(st.sampled_from(["array", "view", "wasm"]))
    kinds = {"array": TYPED_ARRAYS, "view": DATA_VIEW, "wasm": WASM}[way]
    kind = draw(st.sampled_from(sorted(kinds)))
    code = kinds[kind]
    size = struct.calcsize(code)
    offset = draw(st.integers(0, 64) | st.integers(PAGE - 16, PAGE - size))
    if way == "array":
        offset -= offset % size
    little = draw(st.booleans()) if way == "view" else True
    return way, kind, code, offset, little, draw(value_of(code))


def same_number(text: str, value: Any) -> bool:
    if isinstance(value, int):
        return text == str(value)
    got = float(text.replace("Infinity", "inf"))
    return got == value or (math.isnan(got) and math.isnan(value))


@given(script=st.lists(accesses(), max_size=12))
def test_views_and_wasm_see_one_memory(access: Any, script: list[Any]) -> None:
    access.get("clear")()
    model = bytearray(PAGE)
    for way, kind, code, offset, little, value in script:
        extra = (little,) if way == "view" else ()
        access.get(way)(kind, offset, js(value), *extra)
        struct.pack_into(("<" if little else ">") + code, model, offset, value)
        read = access.get("read" + way.capitalize())(kind, offset, *extra)
        assert same_number(str(read), value)
    assert access.get("bytes")().to_bytes() == bytes(model)


steps = st.tuples(
    st.sampled_from(["js", "wasm"]), st.integers(0, 3), st.integers(0, 2**32 - 1), st.integers(0, 2**30)
)


@given(script=st.lists(steps, max_size=8))
def test_growth_keeps_the_contents_and_detaches_the_old_buffer(world: World, script: list[Any]) -> None:
    fresh = world.function(
        """() => {
          const x = new WebAssembly.Instance(mod("memory_open")).exports;
          return {
            step(by, pages, value, at) {
              const old = x.memory.buffer, view = new Uint8Array(old);
              const before = by === "js" ? x.memory.grow(pages) : x.grow(pages);
              if (before * 65536 !== old.byteLength && pages > 0 && old.byteLength !== 0) return "not detached";
              if (pages > 0 && (view.length !== 0 || x.memory.buffer === old)) return "old view lives";
              if (x.size() !== before + pages || x.memory.buffer.byteLength !== x.size() * 65536) return "size";
              if (x.size() > 0) new DataView(x.memory.buffer).setUint32(at % (x.size() * 65536 - 4), value, true);
              return "";
            },
            bytes: () => x.memory.buffer.slice(0),
          };
        }"""
    )()
    model = bytearray()
    for by, pages, value, at in script:
        assert fresh.get("step")(by, pages, value, at) == ""
        model.extend(bytes(pages * PAGE))
        if model:
            struct.pack_into("<I", model, at % (len(model) - 4), value)
    assert fresh.get("bytes")().to_bytes() == bytes(model)
