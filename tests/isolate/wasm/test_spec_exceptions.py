"""Rules of WebAssembly.Tag and Exception, as V8 keeps them: what they are made of, and their identity.

https://webassembly.github.io/spec/js-api/#tags ; the texts are those of workerd.
"""

from __future__ import annotations

import pytest

from .spec_world import shown, spec_world
from .world import World

THROWS = """(module
  (import "e" "tag" (tag $tag (param i32)))
  (import "e" "fail" (func $fail (param i32)))
  (table $kept 4 exnref)
  (func (export "rethrow")
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $fail (i32.const 0))) unreachable) throw_ref)
  (func (export "another")
    (block $caught (result i32)
      (try_table (catch $tag $caught) (call $fail (i32.const 0))) unreachable) (throw $tag))
  (func (export "keep") (param i32)
    (table.set (local.get 0) (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $fail (local.get 0))) unreachable)))
  (func (export "release") (param i32) (throw_ref (table.get (local.get 0)))))"""


@pytest.fixture(scope="module")
def world() -> World:
    """A world with the module above."""
    return spec_world(throws=THROWS)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("new W.Tag({ parameters: { length: '1', 0: 'i32' } })", "[object WebAssembly.Tag]"),
        (
            "new W.Tag({ parameters: new Set(['i32']) })",
            "TypeError: WebAssembly.Tag(): Argument 0 contains parameters without 'length'",
        ),
        (
            "new W.Tag({ parameters: { length: 1.5 } })",
            "TypeError: WebAssembly.Tag(): Argument 0 contains parameters without 'length'",
        ),
        (
            "new W.Tag({ parameters: { length: -1 } })",
            "TypeError: WebAssembly.Tag(): Argument 0 contains parameters without 'length'",
        ),
        (
            "new W.Tag({ parameters: { length: 1001 } })",
            "TypeError: WebAssembly.Tag(): Argument 0 contains too many parameters",
        ),
        (
            "new W.Exception(tagOf('i32'), new Set([1]))",
            "TypeError: WebAssembly.Exception(): Exception values argument has no length",
        ),
        (
            "new W.Exception(tagOf('i32'), { length: 2 })",
            "TypeError: WebAssembly.Exception(): Number of exception values does not match signature length",
        ),
        ("((t) => new W.Exception(t, { length: 1, 0: 7 }).getArg(t, 0))(tagOf('i32'))", "7"),
        ("((t) => new W.Exception(t, [undefined]).getArg(t, 0))(tagOf('f64'))", "0"),
        ("((t) => new W.Exception(t, [undefined]).getArg(t, 0))(tagOf('i64'))", "0n"),
        ("((t) => new W.Exception(t, [{}]).getArg(t, 0))(tagOf('f32'))", "NaN"),
        ("((t) => new W.Exception(t, [undefined]).getArg(t, 0))(tagOf('externref'))", "undefined"),
        (
            "new W.Exception(tagOf(), [], 1)",
            "TypeError: WebAssembly.Exception(): Argument 2 is not an object",
        ),
        ("new W.Exception(tagOf(), [], null).stack", "undefined"),
        ("typeof new W.Exception(tagOf(), [], { traceStack: 1 }).stack", "string"),
    ],
)
def test_tags_and_exceptions_are_made_of_what_has_a_length(world: World, source: str, expected: str) -> None:
    assert shown(world, source) == expected


THROWN = """(() => {
  const tag = tagOf("i32");
  const errors = [%s];
  let at = 0;
  const { exports } = new W.Instance(throws, { e: { tag, fail: (i) => { throw errors[i]; } } });
  const caught = (run) => { try { run(); } catch (error) { return error; } };
  %s
})()"""


@pytest.mark.parametrize(
    "value", ["new W.Exception(tag, [1])", "new Error('x')", "5", "undefined", "{}", "NaN"]
)
def test_what_wasm_throws_on_is_the_same_value(world: World, value: str) -> None:
    source = THROWN % (value, "return Object.is(caught(exports.rethrow), errors[0]);")
    assert shown(world, source) == "true"


def test_a_new_exception_with_the_values_of_another_is_not_that_other(world: World) -> None:
    check = (
        "const other = caught(exports.another); return [other === errors[0], other.getArg(tag, 0)].join();"
    )
    assert shown(world, THROWN % ("new W.Exception(tag, [3])", check)) == "false,3"


def test_exceptions_that_wasm_keeps_are_still_told_apart(world: World) -> None:
    check = """for (const i of [0, 1, 2]) exports.keep(i);
    return [1, 0, 2, 1].map((i) => caught(() => exports.release(i)) === errors[i]).join();"""
    errors = "new W.Exception(tag, [3]), new W.Exception(tag, [3]), new Error('x')"
    assert shown(world, THROWN % (errors, check)) == "true,true,true,true"


def test_more_exceptions_than_are_remembered_keep_their_values(world: World) -> None:
    check = """exports.keep(1);
    for (let i = 0; i < 50; i++) caught(exports.rethrow);
    return caught(() => exports.release(1)).getArg(tag, 0);"""
    assert shown(world, THROWN % ("new W.Exception(tag, [3]), new W.Exception(tag, [4])", check)) == "4"
