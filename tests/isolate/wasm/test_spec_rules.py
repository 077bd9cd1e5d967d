"""Rules of the WebAssembly JavaScript API, as V8 keeps them: descriptors, addresses of 64 bits, prototypes.

https://webassembly.github.io/spec/js-api/ ; the texts are those of workerd.
"""

from __future__ import annotations

import pytest

from .spec_world import shown, spec_world
from .world import World

WIDE = """(module
  (memory (export "memory") i64 1 4)
  (table (export "table") i64 2 6 externref)
  (func (export "size") (result i64) memory.size))"""
WIDE_IMPORTS = """(module (import "e" "memory" (memory i64 1)) (export "memory" (memory 0))
  (func (export "grow") (param i64) (result i64) (memory.grow (local.get 0))))"""
NARROW_IMPORTS = '(module (import "e" "memory" (memory 1)))'
WIDE_TABLE = """(module (import "e" "table" (table i64 1 externref)) (export "table" (table 0))
  (func (export "at") (param i64) (result externref) (table.get (local.get 0))))"""
NARROW_TABLE = '(module (import "e" "table" (table 1 externref)))'
TABLES = """(module (func $f)
  (table $a (export "a") 3 3 (ref func) (ref.func $f))
  (table $b (export "b") i64 1 externref)
  (table $c (export "c") 1 externref))"""


@pytest.fixture(scope="module")
def world() -> World:
    """A world with the modules above."""
    return spec_world(
        wide=WIDE,
        wideImports=WIDE_IMPORTS,
        narrowImports=NARROW_IMPORTS,
        wideTable=WIDE_TABLE,
        narrowTable=NARROW_TABLE,
        tables=TABLES,
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "new W.Memory({ initial: -0.5 })",
            "TypeError: WebAssembly.Memory(): Property 'initial' must be non-negative",
        ),
        (
            "new W.Memory({ initial: 0 }).grow(-0.1)",
            "TypeError: WebAssembly.Memory.grow(): Argument 0 must be non-negative",
        ),
        (
            "new W.Memory({ initial: 4294967295.5 })",
            "TypeError: WebAssembly.Memory(): Property 'initial' must be in the unsigned long range",
        ),
        ("new W.Memory({ initial: 1.9 }).buffer.byteLength", "65536"),
        ("new W.Memory({ initial: 0 }).grow(-0)", "0"),
        (
            "new W.Memory({ initial: 1, address: 'i16' })",
            "TypeError: WebAssembly.Memory(): Unknown address type 'i16'; pass 'i32' or 'i64'",
        ),
        (
            "new W.Table({ element: 'externref', initial: 1, address: null })",
            "TypeError: WebAssembly.Table(): Unknown address type 'null'; pass 'i32' or 'i64'",
        ),
        (
            "new W.Table({ element: { toString: () => ({}), valueOf: () => ({}) }, initial: 1 })",
            "TypeError: Cannot convert object to primitive value",
        ),
        (
            "Object.getOwnPropertyDescriptor(W.Exception.prototype, 'stack').get.call({})",
            "TypeError: WebAssembly.Exception.stack(): Receiver is not a WebAssembly.Exception",
        ),
        (
            "new W.Memory({ initial: 1, address: Symbol() })",
            "TypeError: Cannot convert a Symbol value to a string",
        ),
        ("new W.Memory({ initial: 1, address: undefined }).grow(1)", "1"),
    ],
)
def test_descriptors_are_read_as_v8_reads_them(world: World, source: str, expected: str) -> None:
    assert shown(world, source) == expected


def test_an_address_type_is_read_before_the_sizes(world: World) -> None:
    source = """(() => {
      const order = [];
      const noting = (values) => new Proxy(values, { get: (o, key) => (order.push(key), o[key]) });
      new W.Memory(noting({ address: "i64", initial: 0n, maximum: 1n }));
      new W.Table(noting({ element: "externref", address: "i32", initial: 0 }));
      return order.join(" ");
    })()"""
    assert shown(world, source) == "address initial maximum shared element address initial maximum"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("wideMemory(2n).grow(1n)", "2n"),
        ("wideMemory(2n).grow('1')", "2n"),
        ("wideMemory(true).buffer.byteLength", "65536"),
        (
            "wideMemory(0n, 2n).grow(3n)",
            "RangeError: WebAssembly.Memory.grow(): Maximum memory size exceeded",
        ),
        (
            "wideMemory(1n).grow(2n ** 63n)",
            "RangeError: WebAssembly.Memory.grow(): Unable to grow instance memory",
        ),
        ("wideMemory(1n).grow(1)", "TypeError: Cannot convert 1 to a BigInt"),
        ("wideMemory(1n).grow('x')", "SyntaxError: Cannot convert x to a BigInt"),
        ("wideMemory(1n).grow(-1n)", "TypeError: WebAssembly.Memory.grow(): Argument 0 must be in u64 range"),
        ("wideMemory(2n ** 64n)", "TypeError: WebAssembly.Memory(): Property 'initial' must be in u64 range"),
        (
            "wideMemory(2n ** 63n)",
            "RangeError: WebAssembly.Memory(): Property 'initial': "
            "value 9223372036854775808 is above the upper bound 262144",
        ),
        (
            "wideMemory(3n, 2n)",
            "RangeError: WebAssembly.Memory(): Property 'maximum': value 2 is below the lower bound 3",
        ),
        ("wideMemory()", "TypeError: WebAssembly.Memory(): Property 'initial' is required"),
        ("wideMemory(1)", "TypeError: Cannot convert 1 to a BigInt"),
        ("new W.Memory({ initial: 1n })", "TypeError: Cannot convert a BigInt value to a number"),
    ],
)
def test_memories_of_64_bits_take_and_give_bigints(world: World, source: str, expected: str) -> None:
    assert shown(world, source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("wideTableOf(3n).length", "3n"),
        ("wideTableOf(3n).grow(2n)", "3n"),
        ("wideTableOf(1n, 2n ** 64n - 1n).length", "1n"),
        ("wideTableOf(1n, 2n).grow(2n)", "RangeError: WebAssembly.Table.grow(): failed to grow table by 2"),
        (
            "wideTableOf(3n).get(2n ** 63n)",
            "RangeError: WebAssembly.Table.get(): invalid address 9223372036854775808 in externref table of size 3",
        ),
        ("wideTableOf(3n).get(2)", "TypeError: Cannot convert 2 to a BigInt"),
        (
            "wideTableOf(3n).set(-1n, 0)",
            "TypeError: WebAssembly.Table.set(): Argument 0 must be in u64 range",
        ),
        ("((t) => (t.set(1n, 'one'), [t.get(0n), t.get(1n)].join()))(wideTableOf(2n))", ",one"),
        (
            "((f) => new W.Table({ element: 'anyfunc', address: 'i64', initial: 2n }, f).get(1n) === f)"
            "(new W.Instance(wide).exports.size)",
            "true",
        ),
    ],
)
def test_tables_of_64_bits_take_and_give_bigints(world: World, source: str, expected: str) -> None:
    assert shown(world, source) == expected


def test_exports_of_64_bits_are_known_as_such(world: World) -> None:
    source = """(({ memory, table, size }) => {
      const results = [memory.grow(1n), size(), table.length, table.grow(1n, "x"), table.get(2n)];
      return results.map((value) => typeof value + value).join();
    })(new W.Instance(wide).exports)"""
    assert shown(world, source) == "bigint1,bigint2,bigint2,bigint2,stringx"


def test_the_width_of_a_table_is_found_behind_one_with_an_initial_value(world: World) -> None:
    source = "(({ a, b, c }) => [a, b, c].map((t) => typeof t.length).join())(new W.Instance(tables).exports)"
    assert shown(world, source) == "number,bigint,number"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "new W.Instance(wideImports, { e: { memory: new W.Memory({ initial: 1 }) } })",
            "LinkError: WebAssembly.Instance(): cannot import i32 memory as i64",
        ),
        (
            "new W.Instance(narrowImports, { e: { memory: wideMemory(1n) } })",
            "LinkError: WebAssembly.Instance(): cannot import i64 memory as i32",
        ),
        (
            "new W.Instance(wideTable, { e: { table: new W.Table({ element: 'externref', initial: 1 }) } })",
            "LinkError: WebAssembly.Instance(): cannot import i32 table as i64",
        ),
        (
            "new W.Instance(narrowTable, { e: { table: wideTableOf(1n) } })",
            "LinkError: WebAssembly.Instance(): cannot import i64 table as i32",
        ),
        (
            "new W.Instance(narrowTable, { e: { table: wideTableOf(0n) } })",
            "LinkError: WebAssembly.Instance(): table import 0 is smaller than initial 1, got 0",
        ),
        (
            "((memory) => { const { exports } = new W.Instance(wideImports, { e: { memory } });"
            " return [exports.memory === memory, exports.grow(1n), memory.buffer.byteLength].join(); })(wideMemory(1n))",
            "true,1,131072",
        ),
        (
            "((table) => { const { exports } = new W.Instance(wideTable, { e: { table } }); table.set(1n, 'x');"
            " return [exports.table === table, exports.at(1n)].join(); })(wideTableOf(2n))",
            "true,x",
        ),
    ],
)
def test_only_items_of_the_same_width_are_imported(world: World, source: str, expected: str) -> None:
    assert shown(world, source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("(class extends W.Memory {})", "true"),
        ("(class extends W.Exception {})", "false"),
        ("(class extends W.Tag {})", "false"),
        ("Object.assign(function () {}, { prototype: null })", "Object"),
    ],
)
def test_prototypes_of_subclasses(world: World, source: str, expected: str) -> None:
    made = f"""((Class) => {{
      const base = Object.getPrototypeOf(Class);
      const given = {{ Memory: [{{ initial: 0 }}], Tag: [{{ parameters: [] }}], Exception: [tagOf(), []] }};
      const name = base.name || "Memory";
      const prototype = Object.getPrototypeOf(Reflect.construct(W[name], given[name], Class));
      return prototype === Object.prototype ? "Object" : prototype === Class.prototype;
    }})({source})"""
    assert shown(world, made) == expected


def test_validate_takes_a_detached_buffer_for_an_empty_one(world: World) -> None:
    source = """((bytes) => {
      structuredClone(bytes, { transfer: [bytes.buffer] });
      return [W.validate(bytes), W.validate(bytes.buffer)].join();
    })(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))"""
    assert shown(world, source) == "false,false"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Source.name + Source.length", "AbstractModuleSource0"),
        ("Reflect.ownKeys(Source).map(String).sort().join()", "length,name,prototype"),
        ("Object.getPrototypeOf(W.Module.prototype) === Source.prototype", "true"),
        ("tag.call(wide) + tag.call({}) + tag.call(1)", "WebAssembly.Moduleundefinedundefined"),
        ("Source", "function AbstractModuleSource() { [native code] }"),
        ("typeof AbstractModuleSource", "undefined"),
        ("new Source()", "TypeError: Illegal invocation"),
    ],
)
def test_modules_are_module_sources(world: World, source: str, expected: str) -> None:
    prepared = """((Source) => {
      const tag = Object.getOwnPropertyDescriptor(Source.prototype, Symbol.toStringTag).get;
      return %s;
    })(Object.getPrototypeOf(W.Module))"""
    assert shown(world, prepared % source).startswith(expected)
