"""What Workers refuse and Node allows: WebAssembly code from bytes, and the streaming functions."""

from __future__ import annotations

from typing import Any

import pytest

from ..realm.conftest import JSFailure
from .world import World

EMPTY = bytes([0, 0x61, 0x73, 0x6D, 1, 0, 0, 0])
"""A valid module without contents."""
REFUSED = "CompileError: WebAssembly.{}(): Wasm code generation disallowed by embedder"


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def failure(world: World, source: str, **values: Any) -> str:
    with pytest.raises(JSFailure) as caught:
        world.run(source, **values)
    return str(caught.value)


@pytest.mark.parametrize("data", [EMPTY, b"", b"\x00not wasm"], ids=["valid", "empty", "garbage"])
@pytest.mark.parametrize("view", ["data", "new Uint8Array(data)"])
@pytest.mark.parametrize(
    "call, name",
    [
        ("new WebAssembly.Module({})", "Module"),
        ("await WebAssembly.compile({})", "compile"),
        ("await WebAssembly.instantiate({})", "instantiate"),
        ("await WebAssembly.instantiate({}, {{}})", "instantiate"),
    ],
)
def test_code_from_bytes_is_refused(world: World, call: str, name: str, view: str, data: bytes) -> None:
    assert failure(world, call.format(view), data=data) == REFUSED.format(name)


def test_the_refusal_is_a_compile_error(world: World) -> None:
    source = """try { new WebAssembly.Module(data); } catch (e) { return e instanceof WebAssembly.CompileError; }"""
    assert world.run(source, data=EMPTY) is True


def test_compile_and_instantiate_reject_and_do_not_throw(world: World) -> None:
    source = """
      const promises = [WebAssembly.compile(data), WebAssembly.instantiate(data)];
      const settled = await Promise.allSettled(promises);
      return promises.every((p) => p instanceof Promise) && settled.every((s) => s.status === "rejected");"""
    assert world.run(source, data=EMPTY) is True


@pytest.mark.parametrize("name", ["compileStreaming", "instantiateStreaming"])
def test_there_are_no_streaming_functions(world: World, name: str) -> None:
    assert world.run(f"WebAssembly.{name} === undefined && !({name!r} in WebAssembly)") is True


def test_bytes_can_be_validated(world: World) -> None:
    assert world.run("WebAssembly.validate(data)", data=EMPTY) is True
    assert world.run("WebAssembly.validate(data)", data=b"\x00not wasm") is False


def test_an_imported_module_instantiates_to_an_instance(world: World) -> None:
    source = '(await WebAssembly.instantiate(mod("counter"))) instanceof WebAssembly.Instance'
    assert world.run(source) is True
