"""The scope's names, code generation, and what V8 has and the engine lacks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.isolate.realm.host import host_functions
from emulator.isolate.realm.realm import Realm

from .conftest import FakeIO, JSFailure

V8_NAMES = """
AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array Boolean Cloudflare DataView Date
DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array
Int8Array Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp
ServiceWorkerGlobalScope Set SharedArrayBuffer String SuppressedError Symbol SyntaxError TypeError URIError Uint16Array Uint32Array
Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly
WorkerGlobalScope
"""
"""Own upper-case names of a Worker's global, without Intl."""


def test_own_names(run):
    assert (
        run("Object.getOwnPropertyNames(globalThis).filter((k) => /^[A-Z]/.test(k)).sort()")
        == V8_NAMES.split()
    )


def test_names(run):
    names = (
        "AbortController AbortSignal CryptoKey CustomEvent DOMException Event EventTarget MessageChannel TextDecoder TextEncoder "
        "URL URLSearchParams atob btoa clearInterval clearTimeout console crypto performance queueMicrotask setInterval setTimeout "
        "structuredClone navigator scheduler reportError self addEventListener dispatchEvent"
    )
    assert run("names.split(' ').filter((name) => !(name in globalThis))", names=names) == []
    assert run("Object.keys(globalThis).filter((k) => /^[A-Z]/.test(k))") == ["Cloudflare"]
    assert run("navigator.userAgent") == "Cloudflare-Workers"
    assert run("Object.keys(Cloudflare)") == ["compatibilityFlags"]


@pytest.mark.parametrize(
    "code",
    ["eval('1 + 1')", "new Function('return 1')", "Function('')", "(() => {}).constructor('1')", "(async () => {}).constructor('1')",
     "(function* () {}).constructor('1')", "(async function* () {}).constructor('1')", "globalThis.eval('1')",
     "Reflect.construct(Function, ['1'])", "(0, eval)('1')"],
)  # fmt: skip
def test_no_code_from_strings(run, code):
    with pytest.raises(JSFailure) as caught:
        run(code)
    assert (caught.value.name, caught.value.message) == (
        "EvalError",
        "Code generation from strings disallowed for this context",
    )


def test_function_stays_function(run):
    script = """
      [(() => {}) instanceof Function, Function.name, Function.prototype === Object.getPrototypeOf(isNaN), Math.max.constructor === Function,
       (async () => {}).constructor.name, typeof Function.prototype.call, Object.getPrototypeOf(class {}) === Function.prototype]
    """
    assert run(script) == [True, "Function", True, True, "AsyncFunction", "function", True]


def test_stack_overflow_is_a_range_error(run):
    script = "try { const f = () => f() + 1; f() } catch (e) { return [e instanceof RangeError, e.name, e.constructor === RangeError] }"
    assert run(script) == [True, "RangeError", True]


def test_capture_stack_trace(run):
    script = """
      function outer() { return inner() }
      function inner() { const e = {name: 'N', message: 'm'}; Error.captureStackTrace(e, inner); return e.stack }
      const stack = outer(); return [stack.split('\\n')[0], stack.includes('inner'), stack.includes('outer'), typeof Error.stackTraceLimit]
    """
    assert run(script) == ["N: m", False, True, "number"]


def test_interfaces_look_as_on_the_platform(run):
    script = """
      [URL, URLSearchParams, TextEncoder, TextDecoder, Event, EventTarget, AbortController, AbortSignal, DOMException, CryptoKey,
       MessageChannel, MessagePort].map((C) => {
        let called; try { C(); called = true } catch (e) { called = e instanceof TypeError }
        return [C.prototype[Symbol.toStringTag] === C.name, called, Object.getOwnPropertyDescriptor(C, 'prototype').writable];
      }).every(([tag, called, writable]) => tag && called === true && !writable)
    """
    assert run(script) is True


def test_disposable_stacks(run):
    script = """
      const log = []; const stack = new DisposableStack();
      stack.defer(() => log.push('first')); stack.use({[Symbol.dispose]() { log.push('second'); throw new Error('b') }});
      stack.adopt(5, (v) => { log.push(v); throw new Error('a') });
      try { stack.dispose() } catch (e) { log.push(e.name, e.error.message, e.suppressed.message) }
      const later = new AsyncDisposableStack(); later.defer(async () => log.push('async')); await later.disposeAsync();
      return [...log, stack.disposed, later.disposed]
    """
    assert run(script) == [5, "second", "first", "SuppressedError", "b", "a", "async", True, True]


def test_a_worker_that_patches_intrinsics_does_not_break_the_platform(run):
    script = """
      const push = Array.prototype.push; const iterator = Array.prototype[Symbol.iterator];
      Array.prototype.push = Array.prototype[Symbol.iterator] = String.prototype.toWellFormed = () => { throw new Error('patched') };
      try { return [new URL('http://a/?b').search, new TextDecoder().decode(new TextEncoder().encode('x')), new AbortController().signal.aborted] }
      finally { Array.prototype.push = push; Array.prototype[Symbol.iterator] = iterator }
    """
    assert run(script) == ["?b", "x", False]


def test_realms_are_separate():
    realms = []
    for _ in range(2):
        io = FakeIO()
        realm = Realm(host_functions(lambda io=io: io))
        io.engine = realm.engine
        realms.append(realm)
    realms[0].engine.eval("globalThis.mine = 1", "t.js")
    assert realms[1].engine.eval("typeof mine", "t.js") == "undefined"


def test_json_of_url_objects(run):
    assert json.loads(run("JSON.stringify({u: new URL('http://a/b')})")) == {"u": "http://a/b"}


def test_platform_files_are_all_listed():
    from emulator.isolate.realm import realm

    directory = Path(realm.__file__).parent / "platform"
    assert sorted(realm.PLATFORM_FILES) == sorted(path.name for path in directory.glob("*.js"))


def test_array_from_async(run):
    script = """
      const g = async function* () { yield 1; yield 2 };
      return [await Array.fromAsync(g()), await Array.fromAsync([Promise.resolve(3), 4], (x, i) => x * 10 + i),
              await Array.fromAsync({length: 2, 0: 'a', 1: 'b'})]
    """
    assert run(script) == [[1, 2], [30, 41], ["a", "b"]]


def test_iterators_are_disposable(run):
    script = """
      let done = []; const g = (function* () { try { yield 1 } finally { done.push('sync') } })(); g.next(); g[Symbol.dispose]();
      const a = (async function* () { try { yield 1 } finally { done.push('async') } })(); await a.next(); await a[Symbol.asyncDispose]();
      return done
    """
    assert run(script) == ["sync", "async"]


def test_what_disposal_stacks_say(run):
    script = """
      const said = (call) => { try { return call() } catch (error) { return `${error.name}: ${error.message}` } };
      const done = new DisposableStack(); done.dispose();
      const failing = new DisposableStack();
      failing.defer(() => { throw new Error('first') }); failing.defer(() => { throw new Error('second') });
      return [said(() => done.use({})), said(() => done.defer(() => {})), said(() => new DisposableStack().use(5)),
              said(() => new DisposableStack().use({})), said(() => failing.dispose()), new DisposableStack().use(null)]
    """
    gone = "on an already-disposed DisposableStack"
    assert run(script) == [
        f"ReferenceError: Cannot call DisposableStack.prototype.use {gone}",
        f"ReferenceError: Cannot call DisposableStack.prototype.defer {gone}",
        "TypeError: An object is expected with `using` declarations",
        "TypeError: Symbol(Symbol.dispose) is not a function",
        "SuppressedError: An error was suppressed during disposal",
        None,
    ]
