"""Names that only other hosts have, as the source of JavaScript modules shows them; comments in Go."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.project.check.go_comments import comment_mistakes
from emulator.project.check.javascript_names import name_mistakes
from emulator.project.check.wasm_exports import exported_names


def found(tmp_path: Path, source: str, node_compat: bool = False) -> list[tuple[str, int, int]]:
    path = tmp_path / "worker.js"
    path.write_text(source, encoding="utf-8")
    reports = name_mistakes(path, node_compat, frozenset({"KEY"}))
    return [(r.code, r.where.line, r.where.column) for r in reports if r.where]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("const f = () => process.env.A;", [("js-node-global", 1, 17)]),
        ("const a = require('x');", [("js-node-global", 1, 11)]),
        ("const 名 = '字', a = { Buffer };", [("js-node-global", 1, 22)]),
        ("f(\n  window.x,\n  window.y);", [("js-browser-global", 2, 3)]),
        ("location.href;", [("js-browser-global", 1, 1)]),
        ("new XMLHttpRequest();", [("js-browser-global", 1, 5)]),
        ("eval('1');", [("js-no-eval", 1, 1)]),
        ("new Function('a', 'return a');", [("js-no-eval", 1, 1)]),
        ("Function('return this')();", [("js-no-eval", 1, 1)]),
        ("export default { fetch() { return 'x'; } };", [("js-not-a-response", 1, 28)]),
        ("export default { fetch: async () => ({}) };", [("js-not-a-response", 1, 37)]),
        (
            "export default class extends E { fetch() { if (x) return `a`; return f(); } }",
            [("js-not-a-response", 1, 51)],
        ),
        (
            "export default { async fetch(r) {\n  const a = await r.text();\n  f(await r.json());\n} };",
            [("js-body-used", 3, 5)],
        ),
        ("export default { fetch(request, env) { return env.NAME + env.KEY; } };", [("env-missing", 1, 47)]),
    ],
)
def test_what_workers_do_not_have(tmp_path: Path, source: str, expected: list[tuple[str, int, int]]) -> None:
    assert found(tmp_path, source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "import process from './process.js'; process.x;",
        "import { window } from './w.js'; window.x;",
        "import * as document from './d.js'; document.x;",
        "import { x as history } from './d.js'; history.x;",
        "const { location } = request; location.x;",
        "const { a: { location } } = request; location.x;",
        "const { a: location = 1 } = request; location.x;",
        "const [location, ...history] = x; f(location, history);",
        "function f(document) { return document.x; }",
        "const f = document => document.x;",
        "const f = ({ document = 1 }) => document.x;",
        "try { f(); } catch (process) { process.x; }",
        "function alert() {} alert();",
        "class Buffer {} new Buffer();",
        "if (typeof process !== 'undefined') process.exit();",
        "a.window; b.document.c; ({ process: 1 }); globalThis.window;",
        "// window\n/* document */ 'process'; `eval(${1})`;",
        "const eval2 = 1; x.eval('1'); new x.Function();",
        "export default { fetch(request, env) { env.NAME = 1; return env.name; } };",
        "export default { fetch() { const f = () => { return 'x'; }; return f(); } };",
        "export default { fetch: (request) => f(request), other() { return 1; } };",
        "export default { async fetch(r) { await r.clone().text(); await r.json(); return f(); } };",
        "export default { async fetch(r) { if (x) await r.text(); await r.json(); return f(); } };",
        "export default { fetch };",
        "export default function () { return 1; }",
        "export const dev = process.env.NODE_ENV === 'development';",
        "const x = ;",
        "",
        "\0\x01",
        "(" * 20_000,
    ],
)
def test_what_is_fine(tmp_path: Path, source: str) -> None:
    assert found(tmp_path, source) == []


def test_what_a_bundle_names_may_never_run(tmp_path: Path) -> None:
    path = tmp_path / "bundle.js"
    path.write_text("// entry\nf();\n// node_modules/x/index.js\nfunction f() { window.x; eval('1'); }\n")
    reports = name_mistakes(path, False, frozenset())
    assert [(r.severity, r.code) for r in reports] == [
        ("warning", "js-browser-global"),
        ("warning", "js-no-eval"),
    ]


def test_node_compat_brings_the_globals_of_node(tmp_path: Path) -> None:
    assert found(tmp_path, "process.env.A; window.x;", node_compat=True) == [("js-browser-global", 1, 16)]


def test_comments_of_go_that_export_nothing(tmp_path: Path) -> None:
    path = tmp_path / "main.go"
    path.write_text(
        "package main\n\n// export handle\nfunc handle() {}\n\n//export alloc\n\nfunc alloc() {}\n\n"
        "//export fine\nfunc fine() {}\n\n// export the functions below\n\n// export nothing\nfunc main() {}\n"
        "//export two words\nfunc two() {}\n",
        encoding="utf-8",
    )
    found = list(comment_mistakes([path, tmp_path / "missing.go"]))
    assert [(name, r.code, r.where.line) for name, r in found if r.where] == [
        ("handle", "go-export-comment", 3),
        ("alloc", "go-export-comment", 6),
        ("two", "go-export-comment", 17),
    ]


WASM = (
    bytes.fromhex("0061736d01000000")
    + bytes.fromhex("071e02")
    + b"\x06handle\x00\x00"
    + b"\x06memory\x02\x00"
)


def test_the_exports_of_a_module(tmp_path: Path) -> None:
    path = tmp_path / "worker.wasm"
    path.write_bytes(WASM)
    assert exported_names(path) == ["handle", "memory"]
    for cut in range(9, len(WASM) - 1):
        path.write_bytes(WASM[:cut])
        assert exported_names(path) is None
    path.write_bytes(WASM[:8])
    assert exported_names(path) == []
    path.write_bytes(b"<html>")
    assert exported_names(path) is None
    assert exported_names(tmp_path) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("instance.exports.handel();", ["instance.exports.handel"]),
        ("const { handel, memory: m } = instance.exports; handel(); m.grow(1);", ["handel"]),
        ("const { handel: h } = (i).exports; h(); h();", ["h"]),
        ("const e = instance.exports; e.handel(); e.handle();", ["e.handel"]),
        ("instance.exports.handle(); instance.exports.memory.grow(1);", []),
        ("instance.exports.handel?.(); instance?.exports.handel();", []),
        ("const { handel = () => 1 } = instance.exports; handel();", []),
        ("if (instance.exports.init) instance.exports.init;", []),
        ("if (instance.exports.init) instance.exports.init();", []),
        ("const { init } = instance.exports; if (init) init();", []),
        ("typeof instance.exports.init === 'function' && instance.exports.init();", []),
        ("module.exports.handel();", []),
    ],
)
def test_calls_of_what_is_not_exported(tmp_path: Path, source: str, expected: list[str]) -> None:
    path = tmp_path / "worker.js"
    path.write_text(source)
    reports = name_mistakes(path, True, frozenset(), ("worker.wasm", ["handle", "memory"]))
    assert [r.exception for r in reports] == [f"TypeError: {call} is not a function" for call in expected]
