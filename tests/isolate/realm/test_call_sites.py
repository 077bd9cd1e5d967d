"""Error.prepareStackTrace, which packages use to find out who called them."""

from __future__ import annotations

import pytest

from .conftest import JSFailure


def prepared(script: str) -> str:
    """``script`` with what it sets as Error.prepareStackTrace taken back."""
    return f"const make = Error.prepareStackTrace; try {{ {script} }} finally {{ Error.prepareStackTrace = make }}"


def test_it_is_given_the_error_and_its_call_sites(run):
    script = prepared("""
      Error.prepareStackTrace = (error, sites) => [error, sites];
      function outer() { return inner() } function inner() { return new TypeError('x') }
      const made = outer(); const [error, sites] = made.stack; const [first, second] = sites;
      return [error === made, Array.isArray(sites), first.getFunctionName(), second.getFunctionName(), first.getLineNumber() > 0,
              first.getColumnNumber() > 0, typeof first.getFileName(), first.isNative(), first.isEval(), first.isToplevel(),
              first.getThis() === undefined, first.constructor.name, made.stack[0] === made]
    """)
    expected = [
        True,
        True,
        "inner",
        "outer",
        True,
        True,
        "string",
        False,
        False,
        True,
        True,
        "CallSite",
        True,
    ]
    assert run(script) == expected


def test_what_it_gives_is_the_stack_from_then_on(run):
    script = prepared("Error.prepareStackTrace = (e) => e.message + '!'; const e = new Error('a'); e.stack;")
    assert run(script.replace("e.stack;", "e.stack; Error.prepareStackTrace = make; return e.stack")) == "a!"
    later = "const e = new Error('a'); Error.prepareStackTrace = () => 'later'; return e.stack"
    assert run(prepared(later)) == "later"


def test_captured_stacks(run):
    script = prepared("""
      Error.prepareStackTrace = (object, sites) => sites; Error.stackTraceLimit = 2;
      function caller() { return callee() }
      function callee() { const object = {}; Error.captureStackTrace(object); return object.stack.slice(1) }
      const rest = caller(); Error.stackTraceLimit = 10;
      return [rest.length, rest[0].getFunctionName(), String(rest[0]).startsWith('caller (')]
    """)
    assert run(script) == [1, "caller", True]


def test_built_ins_and_constructors(run):
    script = prepared("""
      Error.prepareStackTrace = (error, sites) => sites;
      class K { constructor() { this.sites = new Error().stack } }
      const native = [1].map(() => new Error().stack)[0].find((site) => site.isNative());
      return [native.getFunctionName(), native.getLineNumber(), native.getFileName() === undefined,
              new K().sites[0].getFunctionName()]
    """)
    assert run(script) == ["map", None, True, "K"]


def test_errors_that_it_makes_have_the_usual_stack(run):
    script = prepared("""
      Error.prepareStackTrace = (error) => new Error('inside').stack.split('\\n')[0];
      return new Error('outside').stack
    """)
    assert run(script) == "Error: inside"


def test_what_it_throws_comes_out(run):
    script = prepared("""
      Error.prepareStackTrace = () => { throw new RangeError('mine') };
      return new Error('x').stack
    """)
    with pytest.raises(JSFailure, match="RangeError: mine"):
        run(script)
    assert run("return typeof new Error('x').stack") == "string"
