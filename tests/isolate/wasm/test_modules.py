"""What is known of a module's functions before they are called."""

from __future__ import annotations

import pytest
import wasmtime

from emulator.isolate.wasm.modules import Module
from emulator.isolate.wasm.runtime import compile_module

BODIES = [
    ("(i32.load (i32.const 1024))", True),
    ("(i32.const 0) (i32.store (i32.const 4))", True),
    ("(drop (memory.grow (i32.const 1)))", False),
    ("(call $import)", False),
    ("(call $grows)", False),
    ("(call_indirect (type $none) (i32.const 0))", False),
    ("(return_call $grows)", False),
    ("(return_call_indirect (type $none) (i32.const 0))", False),
    ("(return_call_ref $none (ref.func $grows))", False),
    ("(call_ref $none (ref.func $grows))", False),
    ("(loop $again (br_if $again (call $number)))", False),
]


@pytest.mark.parametrize(("body", "leaf"), BODIES)
def test_a_leaf_neither_calls_nor_grows(body: str, leaf: bool) -> None:
    result = "(result i32)" if body.startswith("(i32.load") else ""
    data = wasmtime.wat2wasm(
        f"""(module
          (type $none (func))
          (import "m" "f" (func $import))
          (memory 1)
          (table 1 funcref)
          (elem declare func $grows)
          (func $grows (drop (memory.grow (i32.const 1))))
          (func $number (result i32) (i32.const 0))
          (func (export "f") {result} {body}))"""
    )
    module = Module(bytes(data), compile_module(bytes(data)))
    assert module.is_leaf(module.sections.exports[0].index) is leaf


def test_an_import_that_is_exported_again_is_no_leaf() -> None:
    data = bytes(wasmtime.wat2wasm('(module (import "m" "f" (func $f)) (export "f" (func $f)))'))
    assert not Module(data, compile_module(data)).is_leaf(0)
