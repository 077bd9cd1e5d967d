"""Exceptions of JavaScript Workers as reports."""

from pathlib import Path

import pytest
from explaining import Explaining

from emulator.diagnostics.report import Place, Report
from emulator.isolate.realm.engine import JSError, Undefined


@pytest.fixture(scope="module")
def explaining(tmp_path_factory: pytest.TempPathFactory) -> Explaining:
    return Explaining(tmp_path_factory.mktemp("explaining"))


@pytest.fixture
def fresh(tmp_path: Path) -> Explaining:
    return Explaining(tmp_path)


def at(report: Report) -> tuple[int, int]:
    assert report.where is not None
    return report.where.line, report.where.column


def test_frames_are_outermost_first(explaining: Explaining) -> None:
    report = explaining.report("function f(o) {\n  return [o].map(\n    (x) => x.y.z);\n}\nf({});")
    assert [(frame.function, frame.line) for frame in report.frames] == [("", 6), ("f", 3), ("", 4)]
    assert report.where == report.frames[-1]
    assert report.where.source == "    (x) => x.y.z);"
    assert report.exception == "TypeError: Cannot read properties of undefined (reading 'z')"
    assert report.event == "GET /"


def test_deep_recursion_is_cut(explaining: Explaining) -> None:
    report = explaining.report("function f(n) { return f(n + 1) }\nf(0)")
    assert report.code == "js-recursion"
    assert report.exception == "RangeError: Maximum call stack size exceeded"
    assert report.why.startswith("f calls itself")
    assert [frame.function for frame in report.frames] == ["", "", "f", "f"]
    assert "more frames" in report.frames[1].file


def test_the_caller_of_a_deep_recursion_in_a_long_path_is_shown(explaining: Explaining) -> None:
    path = f"{explaining.root}/{'d' * 200}/w.js"
    stack = f"    at f ({path}:1:2)\n" * 10_000 + f"    at caller ({path}:3:4)\n"
    frames = explaining.explainer.frames(stack)
    assert [frame.function for frame in frames] == ["caller", "", "f", "f"]
    assert {frame.file for frame in frames} == {path, frames[1].file}


def test_functions_that_call_each_other_are_shown_at_both_ends(explaining: Explaining) -> None:
    report = explaining.report("function f(n) { return g(n + 1) }\nfunction g(n) { return f(n) }\nf(0)")
    assert len(report.frames) == 17
    assert "more frames" in report.frames[8].file


def test_packages_and_the_platform_are_no_frames(explaining: Explaining) -> None:
    root = explaining.root
    stack = (
        f"    at inner ({root}/node_modules/p/i.js:1:2)\n    at map (native)\n"
        f"    at fetch (cfw-emu:entry.js:3:4)\n    at <anonymous> ({root}/a b (c).js:7:8)\n"
    )
    assert explaining.explainer.frames(stack) == [Place(f"{root}/a b (c).js", 7, 8)]


def test_v8_stacks_and_nonsense_are_read(explaining: Explaining) -> None:
    root = explaining.root
    stack = (
        f"TypeError: at x\n    at {root}/w.js:1:2\n    at async f ({root}/w.js:3:99999999999)\nat\n    at \n"
    )
    found = explaining.explainer.frames(stack)
    assert [(frame.function, frame.line, frame.column) for frame in found] == [("f", 3, 0), ("", 1, 2)]


@pytest.mark.parametrize(
    ("thrown", "line"),
    [
        (Undefined, "undefined"),
        (None, "null"),
        (True, "true"),
        (5, "5"),
        (1.5, "1.5"),
        (2.0, "2"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        ("text", "text"),
        (JSError("TypeError: x"), "TypeError: x"),
        (JSError("stray"), "Error: stray"),
        (ValueError("InternalError: stack overflow"), "RangeError: stack overflow"),
        ("\ud800", "\\ud800"),
    ],
)
def test_anything_may_be_thrown(explaining: Explaining, thrown: object, line: str) -> None:
    assert explaining.explainer.exception_line(thrown) == line
    assert explaining.explainer.report(thrown).code == "js-uncaught"


@pytest.mark.parametrize(
    "code",
    [
        "throw {a: 1}",
        "throw Object.create(null)",
        "throw new Proxy(new Error('x'), { get() { throw 1 } })",
        "const e = new Error('x'); Object.defineProperty(e, 'message', { get() { throw 1 } }); throw e",
        "const e = new Error('x'); e.stack = 5; throw e",
        "const e = new Error('x'); e.stack = '    at a (/etc/passwd:1:1)\\n'.repeat(50000); throw e",
        "const e = new TypeError('not a function'); e.stack = '    at a (' + 'x'.repeat(1e6); throw e",
        "throw Symbol('s')",
        "throw new AggregateError([new Error('a')])",
        "const e = new Error('x'); e.name = Symbol(); throw e",
        "class E extends Error { get message() { throw 1 } } throw new E()",
    ],
)
def test_hostile_errors_are_reported(explaining: Explaining, code: str) -> None:
    assert explaining.report(code).code == "js-uncaught"


def test_a_class_of_the_programs_own(explaining: Explaining) -> None:
    report = explaining.report(
        "class Bad extends Error {\n constructor(m) { super(m) }\n}\nthrow new Bad('x')"
    )
    assert at(report) == (5, 14)


def test_rejections(explaining: Explaining) -> None:
    thrown = explaining.thrown("null.foo")
    report = explaining.explainer.report(thrown, kind="rejection")
    assert report.what == "Uncaught (in promise) TypeError: Cannot read properties of null (reading 'foo')"


def test_a_pattern_is_where_it_stands(explaining: Explaining) -> None:
    report = explaining.report("Object.keys({});\n\nlet v;\nconst { a } = v;")
    assert at(report) == (5, 7)
    assert report.exception == "TypeError: Cannot destructure property 'a' of 'v' as it is undefined."


INSTANTIATE = "WebAssembly.instantiate = async () => ({});\nconst wasmModule = {};\n"


@pytest.mark.parametrize(
    "code",
    [
        "const { instance } = await WebAssembly.instantiate(wasmModule, {});\ninstance.exports",
        "const { instance: i } = await WebAssembly.instantiate(wasmModule, {});\nconst { handle } = i.exports;",
        "const result = await WebAssembly.instantiate(wasmModule, {});\nresult.instance.exports.handle()",
        "const { instance } = await (WebAssembly.instantiate(wasmModule));\n(() => instance.exports)()",
    ],
)
def test_instantiate_of_a_module(explaining: Explaining, code: str) -> None:
    report = explaining.report(INSTANTIATE + code)
    assert report.code == "js-wasm-instance"
    assert report.exception == "TypeError: Cannot read properties of undefined (reading 'exports')"
    assert report.where is not None and report.where.line == 4
    assert report.fix == "const instance = await WebAssembly.instantiate(wasmModule, {});"


def test_exports_of_something_else(explaining: Explaining) -> None:
    assert explaining.report(INSTANTIATE + "const { instance } = {};\ninstance.exports").code == "js-uncaught"


@pytest.mark.parametrize("code", ["handleRequest()", "(function f() { f() })()"])
def test_standard_go(fresh: Explaining, code: str) -> None:
    assert fresh.report(code).code != "js-go-standard"
    (fresh.root / "main.wasm").write_bytes(b"\0asm\1\0\0\0\2\x20\1\x04gojs\x10runtime.wasmExit\0\0")
    report = fresh.report(code)
    assert report.code == "js-go-standard"
    assert "tinygo build -o worker.wasm -target wasm-unknown" in report.fix


@pytest.mark.parametrize(
    ("code", "expected", "text"),
    [
        ("require('fs')", "js-node-global", "import name from"),
        ("process.env.X", "js-node-global", "`env`"),
        ("return Buffer.from('x')", "js-node-global", "Uint8Array"),
        ("window.location", "js-browser-global", "globalThis"),
        ("localStorage.getItem('x')", "js-browser-global", "KV"),
        ("Responce.json({})", "js-not-defined", "Did you mean Response?"),
        ("new Intl.NumberFormat()", "js-not-defined", "typeof Intl"),
        ("new FetchEvent('fetch')", "js-not-defined", "typeof FetchEvent"),
        ("const counter = 1; return couter", "js-not-defined", "Did you mean counter?"),
        ("return request.url", "js-not-defined", "fetch(request, env, ctx)"),
        ("const env = {}; env.KV.get('x')", "js-env-missing", "Did you mean KVS?"),
        ("const r = new Response('x'); await r.text(); await r.text()", "js-body-used", "clone"),
    ],
)
def test_known_mistakes(explaining: Explaining, code: str, expected: str, text: str) -> None:
    report = explaining.report(code, env=["KVS", "DB"])
    assert report.code == expected
    assert text in report.fix


def test_what_nodejs_compat_would_give(explaining: Explaining) -> None:
    assert "nodejs_compat" in explaining.report("return Buffer.from('x')").why
    assert "nodejs_compat" not in explaining.report("require('fs')").why


def test_what_the_navigator_lacks(explaining: Explaining) -> None:
    report = explaining.report("navigator.sendBeacon('http://a/')")
    assert "cfw-emu does not have it yet" in report.why


def test_causes_are_told(explaining: Explaining) -> None:
    report = explaining.report("throw new Error('a', { cause: new TypeError('b', { cause: { c: 1 } }) })")
    assert report.exception == "Error: a\n[cause]: TypeError: b\n[cause]: { c: 1 }"


def test_a_circle_of_causes_ends(explaining: Explaining) -> None:
    report = explaining.report("const e = new Error('a'); e.cause = e; throw e")
    assert report.exception.startswith("Error: a\n[cause]: Error: a\n")


@pytest.mark.parametrize(
    ("type", "text"),
    [
        ("undefined", "The handler returned undefined, and a fetch handler must return a Response. Perhaps"),
        ("Object", "returned a value of type Object"),
        ("string", "returned a value of type string"),
        ("", "returned something else"),
    ],
)
def test_no_response(explaining: Explaining, type: str, text: str) -> None:
    thrown = explaining.thrown(
        "throw new TypeError(\"Incorrect type for Promise: the Promise did not resolve to 'Response'.\")"
    )
    report = explaining.explainer.report(thrown, type=type)
    assert (report.code, text in report.why) == ("js-not-a-response", True)


def test_a_trap_shows_the_programs_frames(explaining: Explaining) -> None:
    root = explaining.root
    stack = (
        "    at runtime.nilPanic (wasm://worker.wasm:wasm-function[12]:0x1a3)\\n"
        "    at handle (wasm://worker.wasm:wasm-function[3]:0x99)\\n"
        f"    at fetch ({root}/snippet1.js:1:1)\\n"
    )
    thrown = explaining.thrown(
        f'const e = new WebAssembly.RuntimeError("unreachable"); e.stack = "{stack}"; throw e'
    )
    report = explaining.explainer.report(thrown)
    assert report.code == "js-wasm-trap"
    assert [frame.function for frame in report.frames] == ["fetch", "handle", "runtime.nilPanic"]
    assert report.where is not None and report.where.file.endswith("snippet1.js")
    assert "panic" in report.why


def test_long_texts_are_cut(explaining: Explaining) -> None:
    report = explaining.report("throw new Error('x'.repeat(1e6))")
    assert len(report.exception) < 2100
    report = explaining.report(f"/* {'x' * 5000} */ null.foo")
    assert report.where is not None and (report.where.column, report.where.source) == (5012, "")
