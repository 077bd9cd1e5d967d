"""What is said about a module that cannot be served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime
from direct_workers import worker

from emulator.diagnostics.report import Place, Report
from emulator.isolate.direct.explain import DirectExplainer
from emulator.isolate.direct.program import compiled, load_module
from emulator.isolate.direct.wasm_file import read_module
from emulator.isolate.program import LoadError

Load = Callable[..., Report]


@pytest.fixture
def refused(tmp_path: Path) -> Load:
    """Load a module (bytes or text) that must not load; ``go`` is its main.go."""

    def load(module: bytes | str | None, go: str | None = None) -> Report:
        path = tmp_path / "worker.wasm"
        if module is not None:
            path.write_bytes(module if isinstance(module, bytes) else bytes(wasmtime.wat2wasm(module)))
        if go is not None:
            (tmp_path / "main.go").write_text(go, encoding="utf-8")
        explainer = DirectExplainer(str(tmp_path), str(path))
        with pytest.raises(LoadError) as failure:
            load_module(compiled(read_module(str(path), explainer.shown), "", explainer), explainer)
        return failure.value.report

    return load


def test_no_file(refused: Load) -> None:
    report = refused(None)
    assert report.code == "direct-wasm-unreadable"
    assert report.what == "Cannot read worker.wasm: No such file or directory"
    assert "tinygo build -o worker.wasm -target wasm-unknown ./..." in report.fix


def test_an_empty_file(refused: Load) -> None:
    assert refused(b"").code == "direct-wasm-empty"


COMPONENT = b"\0asm\x0d\0\x01\0"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"hello", "this file begins with 68 65 6c 6c 6f."),
        (b"\0", "begins with 00."),
        (b"\0asm", "begins with 00 61 73 6d."),
        (b"\0asm\x02\0\0\0", "begins with 00 61 73 6d 02 00 00 00."),
        (COMPONENT, "It is a component"),
        (b"(module)", "text form"),
        (b";; comment\n (module", "text form"),
        (b"(; a (module ;) (module", "text form"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"\x7fELF\x02", "program for this machine"),
        (b"<!DOCTYPE html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"//go:build tinygo.wasm\n\npackage main\n", "Go source"),
        (b"!<arch>\n", "archive"),
    ],
)
def test_no_wasm(data: bytes, says: str, refused: Load) -> None:
    report = refused(data)
    assert (report.code, report.what) == ("direct-not-wasm", "worker.wasm is not WebAssembly")
    assert says in report.why


def test_a_long_comment_is_no_trouble(refused: Load) -> None:
    assert refused(b";; x\n" * 2000 + b";" * 3000).code == "direct-not-wasm"


@pytest.mark.parametrize("cut", [9, 20, 60, -1])
def test_cut_short(cut: int, refused: Load) -> None:
    report = refused(bytes(wasmtime.wat2wasm(worker()))[:cut])
    assert report.code == "direct-wasm-invalid"
    assert "offset" in report.what


def test_shared_memory_is_no_feature_of_workers(refused: Load) -> None:
    report = refused(worker(memory="1 2 shared"))
    assert report.code == "direct-wasm-invalid"
    assert "threads" in report.what


@pytest.mark.parametrize(
    ("imports", "named", "says"),
    [
        (
            ["gojs runtime.wasmExit", "gojs syscall/js.valueGet"],
            "gojs.runtime.wasmExit",
            "GOOS=js GOARCH=wasm",
        ),
        (["go debug"], "go.debug", "GOOS=js GOARCH=wasm"),
        (["gojs runtime.ticks", "wasi_snapshot_preview1 fd_write"], "gojs.runtime.ticks", "target `wasm`"),
        (["wasi_snapshot_preview1 fd_write"], "wasi_snapshot_preview1.fd_write", "GOOS=wasip1"),
        (["wasi:cli/stdout@0.2.0 get-stdout"], "wasi:cli/stdout@0.2.0.get-stdout", "WASI 0.2"),
        (["env log", "env time"], "env.log, env.time", "//go:wasmimport"),
        (["wbg __wbindgen_throw"], "wbg.__wbindgen_throw", "wasm-bindgen"),
        (["env emscripten_resize_heap"], "env.emscripten_resize_heap", "Emscripten"),
        (["env abort"], "env.abort", "AssemblyScript"),
    ],
)
def test_imports(imports: list[str], named: str, says: str, refused: Load) -> None:
    fields = [f'(import "{each.split()[0]}" "{each.split()[1]}" (func))' for each in imports]
    report = refused(f"(module {' '.join(fields)})")
    assert report.code == "direct-wasm-imports"
    assert named in report.what
    assert says in report.why + report.fix


def test_an_imported_memory(refused: Load) -> None:
    report = refused('(module (import "env" "memory" (memory 1)))')
    assert report.what == "worker.wasm needs functions that nobody provides: env.memory"


NO_HANDLE = """(module (memory (export "memory") 1)
  (func (export "responsePtr") (result i32) (i32.const 0))
  (func (export "responseLen") (result i32) (i32.const 0)){more})"""


def test_a_missing_export_lists_what_is_there_and_what_to_write(refused: Load) -> None:
    report = refused(NO_HANDLE.replace("{more}", '(func (export "other") (param i64 f32))'))
    assert report.code == "direct-export-missing"
    assert report.what == "worker.wasm does not export handle"
    assert (
        "It has: memory (memory), responsePtr (func (result i32)), responseLen (func (result i32)), "
        "other (func (param i64 f32))." in report.why
    )
    assert report.fix.startswith("Add to main.go:\n\n//export handle\nfunc handle(")


def test_long_lists_are_cut(refused: Load) -> None:
    many = " ".join(f'(func (export "f{number}"))' for number in range(1000))
    assert refused(NO_HANDLE.replace("{more}", many)).why.count("(func)") < 50
    many = " ".join(f'(import "env" "{"f" * 1000}{number}" (func))' for number in range(1000))
    assert refused(f"(module {many})").what.endswith(" and 960 more")


def test_no_exports_at_all(refused: Load) -> None:
    report = refused("(module)")
    assert report.what == "worker.wasm does not export memory, handle, responsePtr and responseLen"
    assert "no exports at all" in report.why


@pytest.mark.parametrize(
    ("export", "hint"),
    [
        ("Handle", "Handle is not handle"),
        ("_start", "a program that runs once"),
        ("main", "a program that runs once"),
        ("fetch", "not by `fetch`"),
    ],
)
def test_near_misses(export: str, hint: str, refused: Load) -> None:
    assert hint in refused(NO_HANDLE.replace("{more}", f'(func (export "{export}"))')).why


@pytest.mark.parametrize(
    ("go", "line", "says"),
    [
        ("package main\n\n// export handle\nfunc handle() {\n}\n", 3, "space behind the slashes"),
        (
            "package main\n\n//export handle\n\nfunc handle() {\n}\n",
            3,
            "between the comment and its function",
        ),
        ("package main\n\n//export Handle\nfunc handle() {\n}\n", 3, "upper and lower case"),
        ("package main\n\nfunc handle() {\n}\n", 3, "nothing exports it"),
    ],
)
def test_the_mistake_is_found_in_main_go(
    go: str, line: int, says: str, refused: Load, tmp_path: Path
) -> None:
    report = refused(NO_HANDLE.replace("{more}", ""), go)
    assert report.where == Place(str(tmp_path / "main.go"), line, 1, "", go.splitlines()[line - 1])
    assert says in report.fix
    assert "//export handle\nfunc handle(" in report.fix


def test_a_module_older_than_its_source(refused: Load) -> None:
    report = refused(NO_HANDLE.replace("{more}", ""), "package main\n\n//export handle\nfunc handle() {}\n")
    assert "the .wasm is older" in report.fix


def test_mistyped(refused: Load, tmp_path: Path) -> None:
    go = "package main\n\n//export getStatus\nfunc getStatus() int64 { return 200 }\n"
    report = refused(worker("", '(func (export "getStatus") (result i64) (i64.const 200))'), go)
    assert report.code == "direct-export-mistyped"
    assert (
        report.what
        == "worker.wasm exports getStatus as (func (result i64)), but it must be (func (result i32))"
    )
    assert report.where is not None
    assert (report.where.line, report.where.source) == (4, "func getStatus() int64 { return 200 }")
    assert "func getStatus() int32 {" in report.fix


def test_mistyped_handle_names_both_forms(refused: Load) -> None:
    report = refused(worker(params="(param i64)"))
    assert "must be (func) or (func (param i32 i32 i32 i32))" in report.what


@pytest.mark.parametrize(
    ("start", "during"),
    [
        ('(func $init (export "_initialize") (unreachable))', "_initialize"),
        ("(func $f (unreachable)) (start $f)", "the start function"),
    ],
)
def test_a_start_that_traps(start: str, during: str, refused: Load) -> None:
    report = refused(worker(start=start))
    assert report.code == "direct-start-failed"
    assert "RuntimeError: unreachable" in report.what
    assert during in report.why


def test_more_memory_than_there_is(refused: Load) -> None:
    report = refused(worker(memory="30000"))
    assert report.code == "direct-instantiate-failed"


def test_sixty_four_bit_memory(refused: Load) -> None:
    report = refused(
        worker()
        .replace("(memory (export", "(memory (export", 1)
        .replace('"memory") 2', '"memory") i64 2')
        .replace('(i32.const 16) "hello"', '(i64.const 16) "hello"')
    )
    assert (
        report.what
        == "worker.wasm exports memory as (memory i64), but it must be (memory), with 32-bit addresses"
    )
