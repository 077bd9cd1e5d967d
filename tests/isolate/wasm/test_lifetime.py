"""Instances live as long as JavaScript can reach them, and no program that V8 runs is refused for it."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

from .world import World

ADD = """(module
  (import "e" "f" (func $f (param i32) (result i32)))
  (memory (export "memory") 2)
  (table (export "table") 2 funcref)
  (global (export "count") (mut i32) (i32.const 5))
  (func $add (export "add") (param i32) (result i32) local.get 0 call $f)
  (func $hidden (result i32) i32.const 42)
  (elem (i32.const 0) $add $hidden))"""
ONE_MEMORY = """(module (import "e" "memory" (memory 1))
  (func (export "load") (result i32) (i32.load8_u (i32.const 3))))"""
TWO_ITEMS = """(module (import "e" "memory" (memory 1)) (import "e" "table" (table 1 funcref))
  (func (export "run") (result i32) (call_indirect (result i32) (i32.const 1)))
  (func (export "load") (result i32) (i32.load8_u (i32.const 3))))"""
CALLER = """(module (import "e" "f" (func $f (param i32) (result i32)))
  (table (export "table") 1 funcref)
  (func (export "call") (param i32) (result i32) local.get 0 call $f)
  (func (export "indirect") (param i32) (result i32)
    (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))))"""
CYCLE = """(() => {
  for (let i = 0; i < %d; i++) {
    let x;
    x = new WebAssembly.Instance(add, { e: { f: (v) => x.memory.buffer.byteLength + v } }).exports;
    if (x.add(1) !== 131073) throw new Error("wrong");
  }
})()"""


@pytest.fixture
def world() -> World:
    """A world of its own."""
    return World()


def load(world: World, **sources: str) -> None:
    """Make modules as the module loader does, as globals."""
    for name, wat in sources.items():
        data = world.engine.array_buffer(wasmtime.wat2wasm(wat))
        world.engine.global_.set(name, world.realm.platform.get("wasmModuleFrom")(data, f"{name}.wasm"))


def run(world: World, source: str) -> Any:
    return world.engine.eval(f"(() => {{ {source} }})()", "test.js")


def test_dropped_instances_are_freed_though_their_imports_refer_to_them(world: World) -> None:
    load(world, add=ADD)
    world.engine.eval(CYCLE % 1000, "test.js")
    assert world.realm.wasm.instances() <= 128


def test_instance_without_a_cycle_is_freed_at_once(world: World) -> None:
    load(world, add=ADD)
    run(world, "globalThis.x = new WebAssembly.Instance(add, { e: { f: (v) => v } }); x.exports.add(1);")
    assert world.realm.wasm.instances() == 1
    run(world, "x = null;")
    assert world.realm.wasm.instances() == 0
    assert world.realm.wasm.memory_bytes() == 0


@pytest.mark.parametrize(
    ("kept", "use", "answer"),
    [
        ("x.add", "kept(7)", 8),
        ("x.memory", "kept.grow(1)", 2),
        ("x.memory.buffer", "kept.byteLength", 131072),
        ("new Uint8Array(x.memory.buffer)", "kept[131071] = 9", 9),
        ("x.table", "kept.get(1)()", 42),
        ("x.table.get(0)", "kept(1)", 2),
        ("x.count", "kept.value", 5),
        ("{ x }", "kept.x.add(1)", 2),
    ],
)
def test_anything_of_an_instance_keeps_it(world: World, kept: str, use: str, answer: int) -> None:
    load(world, add=ADD)
    make = "const x = new WebAssembly.Instance(add, { e: { f: (v) => v + 1 } }).exports;"
    run(world, f"{make} globalThis.kept = {kept};")
    world.engine.eval(CYCLE % 300, "test.js")
    world.engine.runtime.run_gc()
    assert world.realm.wasm.instances() >= 1
    assert run(world, f"return {use};") == answer


def test_memory_that_one_module_imports_joins_its_instances(world: World) -> None:
    load(world, add=ADD, one=ONE_MEMORY)
    source = """
    const x = new WebAssembly.Instance(add, { e: { f: (v) => v } }).exports;
    const made = new WebAssembly.Memory({ initial: 1 });
    new Uint8Array(x.memory.buffer)[3] = 7;
    new Uint8Array(made.buffer)[3] = 8;
    return [x.memory, made].map((memory) =>
      new WebAssembly.Instance(one, { e: { memory } }).exports.load()).join();"""
    assert run(world, source) == "7,8"
    assert world.realm.wasm.instances() == 0


def test_items_of_different_origin_can_be_imported_together(world: World) -> None:
    load(world, add=ADD, two=TWO_ITEMS)
    source = """
    const x = new WebAssembly.Instance(add, { e: { f: (v) => v } }).exports;
    const memory = new WebAssembly.Memory({ initial: 1 });
    new Uint8Array(memory.buffer)[3] = 8;
    const y = new WebAssembly.Instance(two, { e: { memory, table: x.table } }).exports;
    return [y.load(), y.run()].join();"""
    assert run(world, source) == "8,42"


def test_functions_cross_between_instances_and_stay_the_same(world: World) -> None:
    load(world, add=ADD, caller=CALLER)
    source = """
    const x = new WebAssembly.Instance(add, { e: { f: (v) => { if (v < 0) throw v; return v + 1; } } }).exports;
    const y = new WebAssembly.Instance(caller, { e: { f: x.add } }).exports;
    y.table.set(0, x.add);
    let thrown; try { y.indirect(-5); } catch (e) { thrown = e; }
    return [y.call(1), y.indirect(2), y.table.get(0) === x.add, thrown].join();"""
    assert run(world, source) == "2,3,true,-5"


def test_function_in_a_foreign_table_keeps_its_instance(world: World) -> None:
    load(world, add=ADD, caller=CALLER)
    run(
        world,
        """globalThis.y = new WebAssembly.Instance(caller, { e: { f: (v) => v } }).exports;
        y.table.set(0, new WebAssembly.Instance(add, { e: { f: (v) => v * 2 } }).exports.add);""",
    )
    world.engine.eval(CYCLE % 300, "test.js")
    world.engine.runtime.run_gc()
    assert run(world, "return y.indirect(21);") == 42


def test_externrefs_do_not_keep_a_dropped_instance(world: World) -> None:
    load(world, holder='(module (table (export "t") 1 externref))')
    source = """for (let i = 0; i < 300; i++) {
      const x = new WebAssembly.Instance(holder).exports;
      x.t.set(0, x);
      if (x.t.get(0) !== x) throw new Error("another");
    }"""
    run(world, source)
    assert world.realm.wasm.instances() <= 128


def test_properties_of_functions_from_tables_stay(world: World) -> None:
    load(world, add=ADD)
    source = """
    const x = new WebAssembly.Instance(add, { e: { f: (v) => v } }).exports;
    x.table.get(1).mark = 6;
    return x.table.get(1).mark;"""
    assert run(world, source) == 6


def test_buffer_dies_only_with_growth(world: World) -> None:
    load(world, add=ADD)
    source = """
    const x = new WebAssembly.Instance(add, { e: { f: (v) => x.memory.grow(1) } }).exports;
    const before = x.memory.buffer;
    x.add(1);
    return [before.byteLength, before.detached, x.memory.buffer.byteLength].join();"""
    assert run(world, source) == "0,true,196608"
