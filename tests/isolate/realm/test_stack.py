"""Recursion ends with a RangeError, never with the process."""

import resource
import subprocess
import sys

import pytest

from emulator.isolate.realm.stack import WANTED_BYTES, share_bytes

from .conftest import JSFailure

RECURSIONS = [
    "const o = { get a() { return this.a + 1; } }; o.a",
    "const o = { toString() { return '' + o; } }; '' + o",
    "new Proxy({}, { get(target, key, receiver) { return receiver.z; } }).y",
    "const o = { toJSON() { return JSON.stringify(o); } }; JSON.stringify(o)",
    "let a = []; for (let i = 0; i < 200000; i++) a = [a]; JSON.stringify(a)",
    "let a = []; for (let i = 0; i < 200000; i++) a = [a]; structuredClone(a)",
    "let a = []; for (let i = 0; i < 200000; i++) a = [a]; a.flat(Infinity)",
    "const f = () => { [2, 1].sort(f); return 0; }; f()",
    "const f = () => 'a'.replace(/a/, f); f()",
    "const f = function* () { yield* f(); }; [...f()]",
    "const f = (...all) => f(...all, 1); f()",
    "class A { constructor() { new this.constructor(); } } new A()",
    "const f = () => Reflect.apply(f, null, []); f()",
    "const f = () => [1].map(f); f()",
    "const f = () => new Headers({ get a() { return f(); } }); f()",
    "const o = { toString() { return new URL(o).href; } }; new URL(o)",
    "const f = () => btoa({ toString: f }); f()",
    "const f = () => new TextEncoder().encode({ toString: f }); f()",
]


@pytest.mark.parametrize("source", RECURSIONS)
def test_deep_recursion_is_a_range_error(run, source):
    with pytest.raises(JSFailure, match="RangeError"):
        run(f"{source}; return 0")


def test_simple_functions_nest_as_deep_as_in_production(run):
    depth = run("let n = 0; const f = () => { n++; f(); return 1; }; try { f(); } catch {} return n")
    assert depth > 10_000 * share_bytes() / WANTED_BYTES


def test_share_leaves_room_below_it():
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    assert soft == resource.RLIM_INFINITY or 2 * share_bytes() < soft


FAULTS = """
import resource, sys
from emulator.isolate.realm.engine import Engine
engine = Engine()
recurse = engine.eval("(function f(n) { if (n) f(n - 1); })", "recurse.js")
if sys.argv[1] == "touched":
    engine.touch_stack()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
recurse(int(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """How often the system had to give a page to a recursion of half of what fits."""
    calls = 5_000 * share_bytes() // WANTED_BYTES
    told = subprocess.run([sys.executable, "-c", FAULTS, how, str(calls)], capture_output=True, check=True)
    return int(told.stdout)


def test_a_touched_stack_costs_a_recursion_nothing():
    assert faults("touched") < faults("plain") // 4
