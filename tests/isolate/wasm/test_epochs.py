"""WebAssembly is stopped from outside, alone and below JavaScript, which cannot catch it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import wasmtime

from emulator.isolate.direct.abi import abi_of
from emulator.isolate.direct.instance import Instance, Interrupted, Request, exports_of
from emulator.isolate.realm.engine import JSError
from emulator.isolate.realm.host import host_functions
from emulator.isolate.realm.realm import Realm
from emulator.isolate.wasm import runtime
from emulator.isolate.wasm.epochs import epochs

from ..realm.conftest import FakeIO

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs timers of CPU time")

LOOPS = """(module $loops
  (import "env" "call" (func $call))
  (func (export "spin") (loop (br 0)))
  (func (export "call") (call $call))
  (func (export "callAndSpin") (call $call) (loop (br 0)))
  (func (export "callForEver") (loop (call $call) (br 0)))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2))))))))"""

STARTS = "(module (func $spin (loop (br 0))) (start $spin))"

RUNS = {
    "loop": "x.spin()",
    "calls": "x.fib(80)",
    "after an import": "x.callAndSpin()",
    "imports": "x.callForEver()",
    "JavaScript below": "call = () => { for (;;); }; x.call()",
    "wasm below": "call = () => { try { x.spin() } catch { said('inner') } }; x.callForEver()",
    "start": "new WebAssembly.Instance(starts)",
}

NOTHING = Request(b"", b"", b"", b"", b"")


class Stopper:
    """A realm whose wasm is stopped when the epoch has advanced, until ``go_on``."""

    def __init__(self) -> None:
        self.stops = True
        epochs().compiled_in = True
        epochs().on_tick = self._ask
        io = FakeIO()
        self.realm = Realm(host_functions(lambda: io))
        self.engine = io.engine = self.realm.engine
        self.engine.set_interrupt(self._ask)
        self.stops = False
        self.said: list[str] = []
        self.engine.global_.set("said", self.engine.function(self._say, "said"))
        for name, text in (("loops", LOOPS), ("starts", STARTS)):
            data = self.engine.array_buffer(bytes(wasmtime.wat2wasm(text)))
            module = self.realm.platform.get("wasmModuleFrom")(data, f"{name}.wasm")
            self.engine.global_.set(name, module)
        self.engine.eval(
            "globalThis.call = () => {};"
            "globalThis.x = new WebAssembly.Instance(loops, { env: { call: () => call() } }).exports;",
            "test.js",
        )
        self.stops = True

    def _ask(self) -> bool:
        return self.stops

    def _say(self, what: str) -> None:
        self.said.append(what)

    def go_on(self) -> None:
        """The next code is not stopped."""
        self.stops = False
        self.engine.interrupted = epochs().interrupted = False


@pytest.fixture
def stopper() -> Iterator[Stopper]:
    try:
        made = Stopper()
        yield made
    finally:
        made.engine.set_interrupt(None)
        epochs().on_tick, epochs().compiled_in = None, False


@pytest.mark.parametrize("name", RUNS)
def test_javascript_does_not_catch_it(name: str, stopper: Stopper) -> None:
    source = f"try {{ {RUNS[name]} }} catch {{ said('catch') }} finally {{ said('finally') }}"
    with pytest.raises(JSError):
        stopper.engine.eval(source, "test.js")
    assert stopper.engine.interrupted
    stopper.go_on()
    stopper.engine.run_jobs()
    assert stopper.said == []
    assert stopper.engine.eval("call = () => {}; x.fib(10)", "test.js") == 55


def test_a_promise_that_instantiates_stays_pending(stopper: Stopper) -> None:
    stopper.engine.set_interrupt(lambda: epochs().interrupted and stopper.stops)
    with pytest.raises(JSError):
        stopper.engine.eval("WebAssembly.instantiate(starts).then(said, said)", "test.js")
        stopper.engine.run_jobs()
    stopper.go_on()
    stopper.engine.run_jobs()
    assert stopper.said == []


def test_ticks_that_do_not_stop(stopper: Stopper) -> None:
    asked = 0

    def ask() -> bool:
        nonlocal asked
        asked += 1
        return asked == 5

    stopper.go_on()
    epochs().on_tick = ask
    stopper.engine.set_interrupt(lambda: asked >= 5)
    with pytest.raises(JSError):
        stopper.engine.eval("x.spin()", "test.js")
    assert asked == 5


def test_an_error_in_the_callback_stops(stopper: Stopper) -> None:
    def broken() -> bool:
        raise LookupError

    epochs().on_tick = broken
    stopper.engine.set_interrupt(lambda: epochs().interrupted)
    with pytest.raises(JSError):
        stopper.engine.eval("x.spin()", "test.js")


ENDLESS = """(module $endless (memory (export "memory") 1)
  (func $work (param i32) (loop (br 0)))
  (func (export "handle") (call $work (i32.const 1)))
  (func (export "responsePtr") (result i32) i32.const 0)
  (func (export "responseLen") (result i32) i32.const 0))"""


def test_the_direct_abi_tells_where(stopper: Stopper) -> None:
    module = runtime.compile_module(bytes(wasmtime.wat2wasm(ENDLESS)))
    instance = Instance(module, abi_of(exports_of(module)))
    ticks = iter((False, False))  # the first may be over before the module runs
    epochs().on_tick = lambda: next(ticks, True)
    with pytest.raises(Interrupted) as caught:
        instance.serve(NOTHING)
    assert caught.value.frames[0].function == "work"
    assert not any("adapter" in frame.function for frame in caught.value.frames)


def test_a_module_for_the_one_kind_is_not_taken_for_the_other(stopper: Stopper, tmp_path: Path) -> None:
    data = bytes(wasmtime.wat2wasm(ENDLESS))
    for compiled_in in (True, False, True):
        epochs().compiled_in = compiled_in
        runtime.compile_module(data, str(tmp_path))
    assert len(list(tmp_path.glob("*.cwasm"))) == 2
