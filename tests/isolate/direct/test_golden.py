"""The whole texts of explained mistakes, as the terminal shows them: data/explained.txt.

After a change of wording, ``CFW_EMU_REWRITE_CASES=1 pytest tests/isolate/direct/test_golden.py`` writes the
file anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import wasmtime
from direct_workers import PUPPET, puppet_body, worker

from emulator.diagnostics.render import render_text
from emulator.diagnostics.report import Report
from emulator.isolate.direct.content import InvalidHeader, response_headers
from emulator.isolate.direct.explain import DirectExplainer
from emulator.isolate.direct.instance import Answered, OutOfBounds, Request, Trapped
from emulator.isolate.direct.program import compiled, load_module
from emulator.isolate.direct.wasm_file import read_module
from emulator.isolate.program import LoadError

DATA = Path(__file__).parent / "data"
TEXTS = DATA / "explained.txt"

ROUTER = """//go:build tinygo.wasm

package main

// export handle
func handle(methodPtr uintptr, methodLen int32, pathPtr uintptr, pathLen int32) {
	responseData = []byte("Hello")
}

//export getStatus
func getStatus() int64 {
	return responseStatus
}

//export responseLen

func responseLen() int32 {
	return int32(len(responseData))
}
"""
PANICS = """package main

//export handle
func handle() {
	route(1)
}

func route(path int32) {

	if path > 0 {
		panic("no")
	}
}
"""
BASE = """(memory (export "memory") 1)
  (func (export "responsePtr") (result i32) (i32.const 0))"""
LENGTH = '(func (export "responseLen") (result i32) (i32.const 0))'

CASES: dict[str, tuple[str | bytes | None, str, bytes]] = {
    "not built yet": (None, "", b""),
    "a web page": (b"<!doctype html>", "", b""),
    "the text form": (b"(module)", "", b""),
    "cut short": (bytes(wasmtime.wat2wasm(worker()))[:40], "", b""),
    "GOOS=js GOARCH=wasm": (
        '(module (import "gojs" "runtime.wasmExit" (func)) (import "gojs" "syscall/js.valueGet" (func)))',
        "",
        b"",
    ),
    "GOOS=wasip1": ('(module (import "wasi_snapshot_preview1" "fd_write" (func)))', "", b""),
    "//go:wasmimport": ('(module (import "env" "now" (func)))', "", b""),
    "// export handle": (f"(module {BASE} {LENGTH})", ROUTER, b""),
    "a blank line after //export": (f'(module {BASE} (func (export "handle")))', ROUTER, b""),
    "int64": (
        worker("", '(func (export "getStatus") (result i64) (i64.const 200))'),
        ROUTER,
        b"",
    ),
    "only main": ('(module (memory (export "memory") 1) (func (export "_start")))', "", b""),
    "init panics": (worker(start='(func $init (export "_initialize") (unreachable))'), "", b""),
    "a panic": ((DATA / "panic.wasm").read_bytes(), PANICS, b""),
    "recursion": (worker("(call $main.handle)").replace("$main.handle", "$handle"), "", b""),
    "a wrong pointer": (PUPPET, "", b"\xff\xff\0\0\xff\xff\xff\x7f" + bytes(12)),
    "status 0": (PUPPET, "", puppet_body(0, b"", b"")),
    "a header without colon": (PUPPET, "", puppet_body(200, b"Cache-Control no-store\n", b"")),
}


def told(directory: Path, module: str | bytes | None, go: str, body: bytes) -> Report:
    if module is not None:
        data = module if isinstance(module, bytes) else bytes(wasmtime.wat2wasm(module))
        (directory / "worker.wasm").write_bytes(data)
    if go:
        (directory / "main.go").write_text(go, encoding="utf-8")
    explainer = DirectExplainer(str(directory), str(directory / "worker.wasm"))
    try:
        _, instance = load_module(
            compiled(read_module(explainer.main, explainer.shown), "", explainer), explainer
        )
        answered: Answered = instance.serve(Request(b"", b"", b"", b"", body))
        response_headers(answered.headers)
    except LoadError as error:
        return error.report
    except Trapped as error:
        return explainer.trap(error, "GET /")
    except OutOfBounds as error:
        return explainer.out_of_bounds(error, "GET /")
    except InvalidHeader as error:
        return explainer.header(error, "GET /")
    return explainer.status(answered.status, "GET /")


def test_mistakes_explain_themselves(tmp_path: Path) -> None:
    texts = ""
    for name, (module, go, body) in CASES.items():
        directory = tmp_path / name.replace("/", "_")
        directory.mkdir()
        text = render_text(told(directory, module, go, body)).replace(str(directory), "/project")
        texts += f"===== {name}\n{text}\n"
    if os.environ.get("CFW_EMU_REWRITE_CASES"):
        TEXTS.write_text(texts, encoding="utf-8")
    assert texts == TEXTS.read_text(encoding="utf-8")
