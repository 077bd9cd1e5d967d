"""The WebAssembly JavaScript API: what V8's recorded answers (test_node_corpus.py) cannot show."""

from __future__ import annotations

import ctypes
from typing import Any

import greenlet
import pytest
import wasmtime

from emulator.isolate.realm.engine import JSError
from emulator.isolate.realm.host import host_functions
from emulator.isolate.realm.realm import Realm
from emulator.isolate.wasm.host import INSTANCE_BYTES

from ..realm.conftest import FakeIO

CALLS = """(module $calls
  (import "env" "cb" (func $cb (param i32) (result i32)))
  (memory (export "memory") 1)
  (table (export "table") 2 funcref)
  (func $add (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
  (func (export "call") (param i32) (result i32) local.get 0 call $cb)
  (func (export "grow") (param i32) (result i32) local.get 0 memory.grow)
  (func (export "growAndCall") (result i32) (drop (memory.grow (i32.const 1))) (call $cb (i32.const 0)))
  (func (export "same") (param externref) (result externref) local.get 0)
  (func $deep (export "deep") (result i32) call $deep)
  (func $inner unreachable)
  (func (export "trap") call $inner)
  (elem (i32.const 0) $add))"""


@pytest.fixture
def realm() -> Realm:
    """A realm of its own."""
    io = FakeIO()
    realm = Realm(host_functions(lambda: io))
    io.engine = realm.engine
    return realm


def module(realm: Realm, wat: str) -> Any:
    """A ``WebAssembly.Module`` as the module loader makes it."""
    return realm.platform.get("wasmModuleFrom")(realm.engine.array_buffer(wasmtime.wat2wasm(wat)), "a.wasm")


def run(realm: Realm, source: str, wat: str = CALLS) -> str:
    """The text of ``source``, an expression of ``m``, in JavaScript."""
    realm.engine.global_.set("m", module(realm, wat))
    text = realm.engine.eval(f"String((() => {{ {source} }})())", "test.js")
    return str(text)


INSTANCE = """
let cb = (x) => x;
const x = new WebAssembly.Instance(m, { env: { cb: (n) => cb(n) } }).exports;
const caught = (f) => { try { return f(); } catch (e) { return e; } };
"""


def test_nothing_of_wasm_is_loaded_at_boot(realm: Realm) -> None:
    assert realm.wasm.memory_bytes() == 0
    assert run(realm, "return typeof WebAssembly.Module", "(module)") == "function"
    assert realm.wasm.memory_bytes() == 0


def test_memory_bytes_counts_all_memories(realm: Realm) -> None:
    source = "x.memory.grow(2); globalThis.kept = [x, new WebAssembly.Memory({ initial: 4 })];"
    run(realm, INSTANCE + source)
    assert realm.wasm.memory_bytes() == 7 * 65536 + INSTANCE_BYTES


def test_module_that_does_not_compile_says_where(realm: Realm) -> None:
    data = wasmtime.wat2wasm("(module (func (result i32) i32.const 1))")[:-3] + b"\x42\x01\x0b"
    with pytest.raises(JSError, match=r"CompileError.*(?s:.)*offset 26: type mismatch"):
        realm.platform.get("wasmModuleFrom")(realm.engine.array_buffer(data), "bad.wasm")


def test_buffer_is_the_same_until_memory_grows(realm: Realm) -> None:
    source = """
    const first = x.memory.buffer;
    const same = x.memory.buffer === first;
    const before = x.grow(1);
    return [same, before, first.byteLength, first.detached, x.memory.buffer.byteLength];"""
    assert run(realm, INSTANCE + source) == "true,1,0,true,131072"


def test_import_sees_the_memory_that_wasm_grew_before_it(realm: Realm) -> None:
    source = """
    const view = new Uint8Array(x.memory.buffer);
    let inside;
    cb = () => { inside = [view.length, x.memory.buffer.byteLength]; return 0; };
    x.growAndCall();
    return inside;"""
    assert run(realm, INSTANCE + source) == "0,131072"


def test_growth_is_seen_when_the_call_failed(realm: Realm) -> None:
    source = """
    const view = new Uint8Array(x.memory.buffer);
    cb = () => { throw 1; };
    return [caught(x.growAndCall), view.length];"""
    assert run(realm, INSTANCE + source) == "1,0"


def test_no_worker_can_detach_a_memory(realm: Realm) -> None:
    source = """
    const { buffer } = x.memory;
    const ways = [() => buffer.transfer(), () => buffer.transfer(8), () => buffer.transferToFixedLength(),
      () => structuredClone(buffer, { transfer: [buffer] })];
    return [...ways.map((way) => caught(way).name), buffer.byteLength, structuredClone(buffer).byteLength];"""
    assert run(realm, INSTANCE + source) == "TypeError,TypeError,TypeError,DataCloneError,65536,65536"


def test_thrown_value_passes_through_wasm_unchanged(realm: Realm) -> None:
    source = """
    const value = { any: "value" };
    cb = (n) => { if (n === 0) throw value; return x.call(n - 1); };
    return caught(() => x.call(20)) === value;"""
    assert run(realm, INSTANCE + source) == "true"


def test_import_that_caught_an_inner_error_goes_on(realm: Realm) -> None:
    source = """
    cb = (n) => { if (n === 1) throw new Error("inner"); try { return x.call(1); } catch (e) { return 7; } };
    return [x.call(0), caught(x.trap).message, x.add(1, 2)];"""
    assert run(realm, INSTANCE + source) == "7,unreachable,3"


def test_trap_stack_has_wasm_frames_before_those_of_javascript(realm: Realm) -> None:
    lines = run(realm, INSTANCE + "return caught(function user() { x.trap(); }).stack").split("\n")
    assert lines[0] == "RuntimeError: unreachable"
    assert lines[1].startswith("    at calls.inner (wasm://wasm/calls-")
    assert ":wasm-function[7]:0x" in lines[1]
    assert lines[2].startswith("    at wasm://wasm/calls-")
    assert "at user (test.js" in lines[3]
    assert "cfw-emu" not in "".join(lines)


def test_functions_are_one_object_wherever_they_come_from(realm: Realm) -> None:
    source = """
    const again = new WebAssembly.Instance(m, { env: { cb: x.call } }).exports;
    x.table.set(1, again.add);
    const { table, add, same } = x;
    return [table.get(0) === add, table.get(1) === again.add, again.add !== add, same(add) === add];"""
    assert run(realm, INSTANCE + source) == "true,true,true,true"


def test_imported_function_is_the_same_when_exported_again(realm: Realm) -> None:
    source = """
    const f = new WebAssembly.Instance(m, { e: { f: () => {} } }).exports;
    const g = new WebAssembly.Instance(m, { e: { f: f.f } }).exports;
    return [f.f === g.f, f.t.get(0) === f.f, g.t.get(0) === f.f, f.f.name];"""
    wat = """(module (import "e" "f" (func $f)) (export "f" (func $f))
      (table (export "t") 1 funcref) (elem (i32.const 0) $f))"""
    assert run(realm, source, wat) == "true,true,true,0"


def test_argument_conversion_may_call_wasm(realm: Realm) -> None:
    source = "return x.add(5, { valueOf: () => x.add(100, 1000) });"
    assert run(realm, INSTANCE + source) == "1105"


@pytest.mark.parametrize("nested", [0, 3])
def test_endless_recursion_is_a_range_error(realm: Realm, nested: int) -> None:
    source = (
        INSTANCE
        + """
    const down = (n) => (n === 0 ? x.deep() : down(n - 1));
    cb = (n) => x.call(n);
    const errors = [];
    for (let turn = 0; turn < 20; turn++) {
      for (const n of [0, 100, 500, 900, 1200, 1500, 2000]) errors.push(caught(() => down(n)));
      errors.push(caught(() => x.call(1)), caught(x.deep));
    }
    return [errors.every((e) => e instanceof RangeError), x.add(1, 2)];"""
    )

    def on_greenlet(level: int) -> str:
        return greenlet.greenlet(on_greenlet).switch(level - 1) if level else run(realm, source)

    assert on_greenlet(nested) == "true,3"


def test_wasm_and_javascript_nest_a_hundred_deep(realm: Realm) -> None:
    source = "cb = (n) => (n === 0 ? 0 : x.call(n - 1) + 1); return x.call(100);"
    assert run(realm, INSTANCE + source) == "100"


def test_wasm_on_the_stack_shows_as_depth(realm: Realm) -> None:
    depths: list[int] = []
    realm.engine.global_.set("look", realm.engine.function(lambda: depths.append(realm.wasm.depth), "look"))
    run(
        realm,
        INSTANCE + "cb = (n) => { look(); return n === 0 ? 0 : x.call(n - 1); }; look(); x.call(1); look();",
    )
    assert depths == [0, 1, 2, 0]


def test_calls_leave_nothing_behind(realm: Realm) -> None:
    run(realm, INSTANCE + "globalThis.x = x; cb = (n) => { if (n > 0) throw n; return 0; };")
    loop = "for (let i = 0; i < 20000; i++) { x.add(i, 1); x.same({ i }); x.call(0); try { x.call(1) } catch {} }"
    realm.engine.eval(loop, "warm.js")
    before = realm.engine.runtime.compute_memory_usage()["obj_count"]
    realm.engine.eval(loop, "again.js")
    assert realm.engine.runtime.compute_memory_usage()["obj_count"] < before + 20000


def test_patched_intrinsics_break_nothing(realm: Realm) -> None:
    source = """
    WeakMap.prototype.get = Map.prototype.get; Array.prototype.push = null; Array.prototype.map = null;
    return x.add(1, 2) + x.memory.buffer.byteLength;"""
    assert run(realm, INSTANCE + source) == str(65539)


def test_types_without_a_javascript_form_are_refused_when_called(realm: Realm) -> None:
    wat = """(module (type $t (func)) (func (export "f") (param (ref null $t)))
      (func (export "g") (param anyref)) (func (export "h") (result v128) v128.const i64x2 0 0))"""
    source = """
    const x = new WebAssembly.Instance(m).exports;
    return [x.f, x.g, x.h].map((f) => { try { return f(null); } catch (e) { return e.name; } });"""
    assert run(realm, source, wat) == "TypeError,TypeError,TypeError"


def test_scratch_slots_are_wide_enough_for_every_signature(realm: Realm) -> None:
    params = "i32 " * 1000
    sums = "local.get 0 local.get 999 i32.add"
    wat = f'(module (func (export "f") (param {params}) (result i32) {sums}))'
    source = "return new WebAssembly.Instance(m).exports.f(...Array.from({ length: 1000 }, (_, i) => i + 1));"
    assert run(realm, source, wat) == "1001"


def test_pointer_size_is_what_the_slots_assume() -> None:
    assert ctypes.sizeof(ctypes.c_void_p) == 8


CATCHES = """(module
  (import "e" "js" (tag $js (param externref)))
  (import "e" "tag" (tag $tag (param i32 i64)))
  (import "e" "f" (func $f))
  (func (export "catchJS") (result externref)
    (block $caught (result externref)
      (try_table (catch $js $caught) (call $f))
      ref.null extern))
  (func (export "catchTag") (result i32 i64)
    (block $caught (result i32 i64)
      (try_table (catch $tag $caught) (call $f))
      i32.const -1 i64.const -1))
  (func (export "catchAll") (result i32)
    (block $caught (try_table (catch_all $caught) (call $f)) (return (i32.const 0)))
    i32.const 1)
  (func (export "pass") call $f))"""

WITH_TAG = """
const tag = new WebAssembly.Tag({ parameters: ["i32", "i64"] });
let f = () => {};
const x = new WebAssembly.Instance(m, { e: { js: WebAssembly.JSTag, tag, f: () => f() } }).exports;
const caught = (f) => { try { return f(); } catch (e) { return e; } };
"""


def test_wasm_catches_what_javascript_throws(realm: Realm) -> None:
    source = """
    const value = { any: 1 };
    f = () => { throw value; };
    return [x.catchJS() === value, x.catchAll(), caught(x.catchTag) === value, caught(x.pass) === value];"""
    assert run(realm, WITH_TAG + source, CATCHES) == "true,1,true,true"


def test_wasm_catches_an_exception_with_its_values(realm: Realm) -> None:
    source = """
    const exception = new WebAssembly.Exception(tag, [7, -1n]);
    f = () => { throw exception; };
    return [x.catchTag(), x.catchAll(), caught(x.pass) === exception, caught(x.catchJS) === exception];"""
    assert run(realm, WITH_TAG + source, CATCHES) == "7,-1,1,true,true"


def test_wasm_does_not_catch_a_trap(realm: Realm) -> None:
    source = """
    const trap = new WebAssembly.Instance(other, { e: { f: () => {} } }).exports.f;
    const y = new WebAssembly.Instance(m, { e: { js: WebAssembly.JSTag, tag, f: trap } }).exports;
    return [caught(y.catchAll).message, caught(y.catchJS).message];"""
    realm.engine.global_.set("other", module(realm, '(module (func (export "f") unreachable))'))
    assert run(realm, WITH_TAG + source, CATCHES) == "unreachable,unreachable"


def test_thousand_exceptions_leave_the_store_usable(realm: Realm) -> None:
    source = """
    let sum = 0;
    f = () => { throw { big: new Array(10) }; };
    for (let i = 0; i < 20000; i++) sum += x.catchAll();
    for (let i = 0; i < 2000; i++) caught(x.pass);
    return sum;"""
    assert run(realm, WITH_TAG + source, CATCHES) == "20000"
