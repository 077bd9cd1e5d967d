"""JavaScript is stopped from outside, and cannot go on by catching what stops it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.isolate.realm.engine import Engine, JSError

LOOPS = {
    "plain": "for (;;);",
    "catch": "for (;;) { try { for (;;); } catch { said('catch') } finally { said('finally') } }",
    "return in finally": "for (;;) (() => { try { for (;;); } finally { return said('finally') } })()",
    "async": "(async () => { try { await (async () => { for (;;); })() } catch { said('catch') } })()",
    "async later": "(async () => { await 1; for (;;); })().catch(() => said('c')).finally(() => said('f'))",
    "executor": "new Promise(() => { for (;;); }).catch(() => said('catch'))",
    "reaction": "Promise.resolve().then(() => { for (;;); }).then(said, said)",
    "thenable": "(async () => { try { await { then() { for (;;); } } } catch { said('catch') } })()",
    "all": "Promise.all((function* () { for (;;); })()).then(said, said)",
    "generator": "try { for (const _ of (function* () { for (;;); })()); } catch { said('catch') }",
    "from": "try { Array.from([1], () => { for (;;); }) } catch { said('catch') }",
    "async generator": "(async () => { try { for await (const _ of (async function* () { for (;;); })()); }"
    " catch { said('catch') } })()",
    "getter": "try { ({ get a() { for (;;); } }).a } catch { said('catch') }",
    "proxy": "try { Reflect.ownKeys(new Proxy({}, { ownKeys() { for (;;); } })) } catch { said('catch') }",
    "sort": "try { [2, 1].sort(() => { for (;;); }) } catch { said('catch') }",
    "replace": "try { 'a'.replace(/a/, () => { for (;;); }) } catch { said('catch') }",
    "toJSON": "try { JSON.stringify({ toJSON() { for (;;); } }) } catch { said('catch') }",
    "toString": "try { `${{ toString() { for (;;); } }}` } catch { said('catch') }",
    "constructor": "try { new (class { constructor() { for (;;); } })() } catch { said('catch') }",
    "static block": "try { class A { static { for (;;); } } } catch { said('catch') }",
    "expression": "try { /(a+)+b/.test('a'.repeat(60)) } catch { said('catch') }",
    "eval": "try { eval('for (;;);') } catch { said('catch') }",
    "recursion": "(function f() { try { f() } catch {} try { f() } catch {} })()",
    "microtasks": "(function f() { Promise.resolve().then(f) })()",
}


class Stopper:
    """An engine whose JavaScript is stopped at the third question, until ``go_on``."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.said: list[str] = []
        self.asked = 0
        self.engine.global_.set("said", self.engine.function(lambda *args: self.said.append("said"), "said"))
        self.engine.set_interrupt(self._ask)

    def _ask(self) -> bool:
        self.asked += 1
        return self.asked >= 3

    def go_on(self) -> None:
        """The next JavaScript is not stopped."""
        self.asked = -(10**9)
        self.engine.interrupted = False

    def run(self, source: str) -> JSError | None:
        """Run a script and the jobs that follow from it, as far as they get; gives the script's error."""
        try:
            self.engine.eval(source, "test.js")
        except JSError as error:
            return error
        try:
            self.engine.run_jobs()
        except JSError as error:
            return error
        return None


@pytest.fixture
def stopper() -> Iterator[Stopper]:
    made = Stopper()
    yield made
    made.engine.set_interrupt(None)


@pytest.mark.parametrize("name", LOOPS)
def test_no_code_of_the_program_runs_after_it(name: str, stopper: Stopper) -> None:
    stopper.run(LOOPS[name])
    assert stopper.engine.interrupted
    stopper.go_on()
    if name != "microtasks":
        stopper.engine.run_jobs()
    assert stopper.said == []
    assert stopper.engine.eval("[1, 2].map((x) => x * 2).join()", "test.js") == "2,4"


def test_the_place_is_told(stopper: Stopper) -> None:
    error: Any = stopper.run("function spin() {\n  for (;;);\n}\nspin();")
    assert "spin (test.js:" in error.js_stack


@pytest.mark.parametrize("calls", ["inner()", "try { inner() } catch { said('catch') } said('after')"])
def test_through_python_frames(calls: str, stopper: Stopper) -> None:
    caught: list[JSError] = []

    def inner() -> str:
        try:
            stopper.engine.eval("for (;;);", "inner.js")
        except JSError as error:
            caught.append(error)
        return "from Python"

    stopper.engine.global_.set("inner", stopper.engine.function(inner, "inner"))
    error = stopper.run(f"(() => {{ {calls}; said('end'); }})()")
    assert error is not None and stopper.engine.interrupted
    assert len(caught) == 1
    assert stopper.said == []


def test_jobs_of_others_are_not_lost(stopper: Stopper) -> None:
    run = stopper.engine.eval
    run("globalThis.done = []; Promise.resolve().then(() => { for (;;); });", "test.js")
    run("Promise.resolve().then(() => done.push('other'))", "test.js")
    with pytest.raises(JSError):
        stopper.engine.run_jobs()
    stopper.go_on()
    stopper.engine.run_jobs()
    assert run("done.join()", "test.js") == "other"


def test_a_program_cannot_pretend(stopper: Stopper) -> None:
    error = stopper.run("throw new InternalError('interrupted')")
    assert error is not None and not stopper.engine.interrupted


def test_python_may_ask_for_the_next_branch(stopper: Stopper) -> None:
    def soon() -> None:
        stopper.asked = 10
        stopper.engine.interrupt()

    stopper.engine.global_.set("soon", stopper.engine.function(soon, "soon"))
    assert stopper.run("soon(); said('next');") is not None
    assert stopper.said == []


def test_an_error_in_the_callback_stops(stopper: Stopper) -> None:
    def broken() -> bool:
        raise LookupError

    stopper.engine.set_interrupt(broken)
    error = stopper.run("for (;;) try { for (;;); } catch { said('catch') }")
    assert error is not None and stopper.engine.interrupted


def test_no_callback_no_interrupts() -> None:
    engine = Engine()
    engine.set_interrupt(lambda: True)
    engine.set_interrupt(None)
    assert engine.eval("let n = 0; for (let i = 0; i < 100000; i++) n++; n", "test.js") == 100_000


@pytest.mark.skipif(sys.platform != "linux", reason="needs timers of CPU time")
def test_slow_calls_are_not_counted_but_timed(stopper: Stopper) -> None:
    """Three questions after 10,000 calls each would be a minute of searching."""
    search = (
        "const text = 'x'.repeat(1 << 22); for (let n = 0; ; n++) { globalThis.n = n; text.indexOf('y'); }"
    )
    assert stopper.run(search)
    stopper.go_on()
    assert stopper.engine.eval("n", "test.js") < 5_000
