"""Which toolchain made a module."""

from __future__ import annotations

import pytest

from emulator.diagnostics.go_targets import Target, build_target
from emulator.diagnostics.known_direct import target_texts


@pytest.mark.parametrize(
    ("imports", "target"),
    [
        ([], None),
        ([("gojs", "runtime.wasmExit"), ("gojs", "runtime.wasmWrite")], "go-js"),
        ([("go", "debug"), ("go", "runtime.wasmExit")], "go-js"),
        ([("gojs", "syscall/js.valueGet"), ("gojs", "runtime.resetMemoryDataView")], "go-js"),
        ([("wasi_snapshot_preview1", "fd_write"), ("gojs", "runtime.ticks")], "tinygo-wasm"),
        ([("wasi_snapshot_preview1", "sched_yield")], "wasip1"),
        ([("env", "log"), ("wasi_snapshot_preview1", "fd_write")], "wasip1"),
        ([("wasi:clocks/wall-clock@0.2.0", "now")], "wasip2"),
        ([("./x_bg.js", "__wbg_log_123")], "wasm-bindgen"),
        ([("env", "emscripten_notify_memory_growth")], "emscripten"),
        ([("env", "abort")], "assemblyscript"),
        ([("env", "log")], "host"),
    ],
)
def test_target(imports: list[tuple[str, str]], target: Target | None) -> None:
    assert build_target(imports) == target
    assert bool(target_texts(target)["built"]) == (target is not None)
    assert target_texts(target)["rebuild"]
