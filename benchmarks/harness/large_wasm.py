"""A WebAssembly module as long as a real Go program's, for the start with compiled code and without."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from typing import Final

FUNCTIONS: Final = 1_070
_STEPS: Final = 24
BODY: Final = b"Hello from half a megabyte!"


def large_wasm() -> bytes:
    """About 500 KB that answer every request with ``BODY``, by the ABI of docs/go-abi.md."""
    from wasmtime import wat2wasm

    return bytes(wat2wasm("\n".join(_module())))


def compile_and_load(data: bytes, times: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Milliseconds to compile a module, and to load what compiling it left on the disk."""
    from emulator.isolate.wasm.runtime import compile_module

    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        with tempfile.TemporaryDirectory(prefix="cfw-emu-cache-") as cache:
            for took in found:
                started = time.perf_counter()
                compile_module(data, cache)
                took.append((time.perf_counter() - started) * 1000)
    return tuple(found[0]), tuple(found[1])


def _module() -> Iterator[str]:
    yield '(module (memory (export "memory") 1)'
    yield f'(data (i32.const 1024) "{BODY.decode()}")'
    yield '(func (export "responsePtr") (result i32) i32.const 1024)'
    yield f'(func (export "responseLen") (result i32) i32.const {len(BODY)})'
    yield f'(func (export "handle") (drop (call $f{FUNCTIONS - 1} (i32.const 0) (i32.const 9))))'
    for number in range(FUNCTIONS):
        yield from _function(number)
    yield ")"


def _function(number: int) -> Iterator[str]:
    """Loads, stores, arithmetic, a branch and a call of the function before: no two are the same."""
    yield f"(func $f{number} (param $a i32) (param $n i32) (result i32) (local $x i32)"
    yield "(if (i32.eqz (local.get $n)) (then (return (local.get $a))))"
    for step in range(_STEPS):
        address, factor = 4096 + (number * 4 + step * 64) % 32768, number * 31 + step * 7 + 1
        yield f"(local.set $x (i32.add (local.get $x) (i32.mul (local.get $a) (i32.const {factor}))))"
        if step % 4 == 0:
            loaded = f"(i32.load (i32.const {address}))"
            yield f"(i32.store (i32.const {address}) (i32.xor (local.get $x) {loaded}))"
        if step % 8 == 0:
            reset = f"(local.set $x (i32.const {step}))"
            yield f"(if (i32.gt_s (local.get $x) (i32.const {factor})) (then {reset}))"
    callee = max(number - 1, 0)
    yield f"(call $f{callee} (local.get $x) (i32.sub (local.get $n) (i32.const 1))))"
