"""Calling a module's exports: what goes in and comes out, bounds, traps."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator

import pytest
import wasmtime
from direct_workers import ECHO, PUPPET, puppet_body, worker
from hypothesis import given
from hypothesis import strategies as st

from emulator.isolate.direct import adapter
from emulator.isolate.direct.abi import abi_of
from emulator.isolate.direct.instance import Answered, Instance, OutOfBounds, Request, Trapped, exports_of
from emulator.isolate.wasm.runtime import compile_module

NOTHING = Request(b"", b"", b"", b"", b"")
GETTER = "(result i32)"


def instance(text: str) -> Instance:
    module = compile_module(bytes(wasmtime.wat2wasm(text)))
    return Instance(module, abi_of(exports_of(module)))


@pytest.fixture(scope="module", autouse=True)
def forget_instances() -> Iterator[None]:
    """What lives until the interpreter ends cannot end well."""
    yield
    echo.cache_clear()
    puppet.cache_clear()


@functools.cache
def echo() -> Instance:
    return instance(ECHO)


@functools.cache
def puppet() -> Instance:
    return instance(PUPPET)


def pull_strings(*numbers: int) -> Request:
    return NOTHING._replace(body=struct.pack("<IIIII", *(number & 0xFFFFFFFF for number in numbers)))


def test_the_smallest() -> None:
    assert instance(worker()).serve(NOTHING) == Answered(200, b"", b"hello")


def test_all_parts_arrive() -> None:
    request = Request(b"POST", b"/a%20b", b"http://x/a%20b?q=1", b"a: 1\nb: 2\n", "你好".encode())
    assert echo().serve(request).body.decode() == "POST\n/a%20b\nhttp://x/a%20b?q=1\na: 1\nb: 2\n\n你好\n"


def test_an_empty_text_is_allocated_with_one() -> None:
    # ECHO traps on alloc(0)
    assert echo().serve(Request(b"GET", b"/", b"u", b"", b"")).body == b"GET\n/\nu\n\n\n"


def test_long_texts_make_room() -> None:
    long = b"/" + b"x" * 300_000
    body = b"y" * 3_000_000
    assert instance(ECHO).serve(Request(b"GET", long, long, b"", body)).body == b"\n".join(
        (b"GET", long, long, b"", body, b"")
    )


@given(st.builds(Request, *[st.binary(max_size=100_000)] * 5))
def test_any_bytes_arrive_unchanged(request: Request) -> None:
    assert echo().serve(request).body == b"\n".join((*request, b""))


@given(st.integers(200, 599), st.binary(max_size=5000), st.binary(max_size=500))
def test_any_response_comes_out(status: int, headers: bytes, body: bytes) -> None:
    request = NOTHING._replace(body=puppet_body(status, headers, body))
    assert puppet().serve(request) == Answered(status, headers, body)


wild = st.one_of(
    st.integers(-(2**31), 2**31 - 1), st.sampled_from([0, 1, -1, 65536, 131071, 131072, 131073, 2**31 - 1])
)


@given(*[wild] * 5)
def test_wild_pointers_and_lengths_are_answered_or_refused(
    pointer: int, length: int, status: int, headers_pointer: int, headers_length: int
) -> None:
    def inside(at: int, size: int) -> bool:
        return size == 0 or (at & 0xFFFFFFFF) + (size & 0xFFFFFFFF) <= 131072

    fits = inside(pointer, length) and inside(headers_pointer, headers_length)
    request = pull_strings(pointer, length, status, headers_pointer, headers_length)
    try:
        answered = puppet().serve(request)
    except OutOfBounds as wrong:
        assert not fits
        assert wrong.memory == 131072
        return
    assert fits
    assert (answered.status, len(answered.body), len(answered.headers)) == (status, length, headers_length)


@pytest.mark.parametrize(
    ("pointer", "length"), [(131072, 1), (131071, 2), (-1, 1), (0, -1), (0, -(2**31)), (2**31 - 1, 2**31 - 1)]
)
def test_a_response_outside_of_the_memory(pointer: int, length: int) -> None:
    with pytest.raises(OutOfBounds) as failure:
        puppet().serve(pull_strings(pointer, length, 200, 0, 0))
    wrong = failure.value
    assert (wrong.fault, wrong.pointer, wrong.length) == (
        adapter.RESPONSE_FAULT,
        pointer & 0xFFFFFFFF,
        length,
    )


def test_the_last_byte_is_inside() -> None:
    assert len(puppet().serve(pull_strings(131071, 1, 200, 0, 0)).body) == 1
    assert puppet().serve(pull_strings(-1, 0, 200, -1, 0)) == Answered(200, b"", b"")


@pytest.mark.parametrize("alloc", [131070, -1, -100, 2**31 - 1])
@pytest.mark.parametrize("body", [b"", b"body"])
def test_alloc_outside_of_the_memory(alloc: int, body: bytes) -> None:
    text = worker(
        "",
        f'(func (export "alloc") (param i32) (result i32) (i32.const {alloc}))',
        '(func (export "setBody") (param i32 i32))',
        params="(param i32 i32 i32 i32)",
    )
    made = instance(text)
    for _ in range(2):
        with pytest.raises(OutOfBounds) as failure:
            made.serve(Request(b"GET", b"/abcdef", b"", b"", body))
        assert failure.value.fault == adapter.ALLOC_FAULT


def test_handles_results_are_dropped() -> None:
    text = worker("(i32.const 1) (f64.const 2)", params="(result i32 f64)")
    assert instance(text).serve(NOTHING).body == b"hello"


def test_release_is_called_after_the_response_was_copied() -> None:
    release = '(func (export "release") (memory.fill (i32.const 16) (i32.const 0x78) (i32.const 5)))'
    made = instance(worker("", release))
    assert [made.serve(NOTHING).body, made.serve(NOTHING).body] == [b"hello", b"xxxxx"]


def test_exports_are_called_in_the_documented_order() -> None:
    inputs = [f'(func (export "{name}") (param i32 i32) (call $log (i32.const {n})))' for name, n in
              (("setBody", 66), ("setUrl", 85), ("setHeaders", 72))]  # fmt: skip
    text = f"""
(module
  (memory (export "memory") 1)
  (global $at (mut i32) (i32.const 0))
  (func $log (param i32)
    (i32.store8 (global.get $at) (local.get 0))
    (global.set $at (i32.add (global.get $at) (i32.const 1))))
  (func (export "_start") (unreachable))
  (func (export "_initialize") (call $log (i32.const 73)))
  (func (export "alloc") (param i32) (result i32) (call $log (i32.const 97)) (i32.const 1024))
  {" ".join(inputs)}
  (func (export "handle") (param i32 i32 i32 i32) (call $log (i32.const 104)))
  (func (export "responsePtr") (result i32) (call $log (i32.const 112)) (i32.const 0))
  (func (export "responseLen") (result i32) (call $log (i32.const 108)) (i32.const 20))
  (func (export "getStatus") (result i32) (call $log (i32.const 115)) (i32.const 200))
  (func (export "responseHeadersPtr") (result i32) (call $log (i32.const 80)) (i32.const 0))
  (func (export "responseHeadersLen") (result i32) (call $log (i32.const 76)) (i32.const 0))
  (func (export "release") (call $log (i32.const 114))))
"""
    made = instance(text)
    assert made.serve(Request(b"G", b"/", b"u", b"h", b"b")).body.rstrip(b"\0") == b"IaBaUaHaahplsPL"
    assert made.serve(Request(b"G", b"/", b"u", b"h", b"b")).body[15:16] == b"r"


def test_an_allocation_may_grow_the_memory_in_between() -> None:
    grow = """(global $next (mut i32) (i32.const 65536))
      (func (export "alloc") (param i32) (result i32) (drop (memory.grow (i32.const 1)))
        (i32.shl (i32.sub (memory.size) (i32.const 1)) (i32.const 16)))
      (func (export "setUrl") (param i32 i32) (memory.copy (i32.const 16) (local.get 0) (i32.const 5)))"""
    made = instance(worker("", grow))
    assert [made.serve(NOTHING._replace(url=url)).body for url in (b"first", b"again")] == [
        b"first",
        b"again",
    ]
    assert made.memory_bytes == 4 * 65536


# ---- traps ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("(unreachable)", "UNREACHABLE"),
        ("(drop (i32.load (i32.const -4)))", "MEMORY_OUT_OF_BOUNDS"),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "INTEGER_DIVISION_BY_ZERO"),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "INTEGER_OVERFLOW"),
        ("(drop (i32.trunc_f64_s (f64.const nan)))", "BAD_CONVERSION_TO_INTEGER"),
        ("(call $main.handle)", "STACK_OVERFLOW"),
    ],
)
def test_traps(code: str, name: str) -> None:
    made = instance(worker(code))
    for _ in range(2):
        with pytest.raises(Trapped) as failure:
            made.serve(NOTHING)
        assert failure.value.code == name
        assert {frame.function for frame in failure.value.frames} == {"main.handle"}


def test_the_instance_lives_on_after_a_trap() -> None:
    count = "(global $n (mut i32) (i32.const 0))"
    code = """(global.set $n (i32.add (global.get $n) (i32.const 1)))
      (if (i32.eq (global.get $n) (i32.const 1)) (then (unreachable)))
      (i32.store8 (i32.const 16) (i32.add (global.get $n) (i32.const 48)))"""
    made = instance(worker(code, count))
    with pytest.raises(Trapped):
        made.serve(NOTHING)
    assert made.serve(NOTHING).body == b"2ello"


@pytest.mark.parametrize(
    "start", ['(func (export "_initialize") (unreachable))', "(func $f (unreachable)) (start $f)"]
)
def test_a_start_that_traps(start: str) -> None:
    with pytest.raises(Trapped):
        instance(worker("", start))


def test_a_module_without_a_maximum_and_one_with() -> None:
    for memory in ("1", "1 1", "1 100", "100"):
        assert instance(worker(memory=memory)).serve(NOTHING).body == b"hello"
