"""Frames from what wasmtime tells about a trap."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.diagnostics.report import Place
from emulator.isolate.direct.backtrace import Frame, _located
from emulator.isolate.direct.go_source import GoSource, plain_name

MESSAGE = """error while executing at wasm backtrace:
    0:   0x1f00 - runtime._panic
                    at /usr/local/tinygo/src/runtime/panic.go:52:3
                - main.route
                    at /home/我/my worker/main.go:11
    1:     0x74 - worker.wasm!main.handle

Caused by:
    wasm trap: wasm `unreachable` instruction executed
"""


def test_inlined_functions_and_functions_without_lines() -> None:
    assert _located(MESSAGE) == [
        [
            Frame("runtime._panic", "/usr/local/tinygo/src/runtime/panic.go", 52, 3),
            Frame("main.route", "/home/我/my worker/main.go", 11, 0),
        ],
        [Frame("worker.wasm!main.handle")],
    ]


GO = """package main

func handle() {
}

func (s *store) get(key string) string {
	return ""
}

func generic[T any](value T) {
}
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("handle", 3),
        ("main.handle", 3),
        ("main.handle#wasmexport", 3),
        ("(*main.store).get", 6),
        ("main.generic", 10),
        ("main.other", 0),
        ("runtime.handle", 0),
        ("", 0),
    ],
)
def test_functions_are_found_in_the_source(name: str, line: int, tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text(GO)
    (tmp_path / "main_test.go").write_text("package main\n\nfunc other() {}\n")
    place = GoSource([str(tmp_path)]).function(name)
    assert (place.line if place else 0) == line


def test_only_the_users_files_have_source_lines(tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text(GO)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.go").write_text("package sub\r\nvar X = 1\r\n")
    source = GoSource([str(tmp_path)])
    main = str(tmp_path / "main.go")
    assert source.line(main, 3, "main.handle") == (main, "func handle() {")
    assert source.line(main, 999, "main.handle") == (main, "")
    assert source.line("/elsewhere/main.go", 3, "main.handle") == (main, "func handle() {")
    assert source.line("/elsewhere/main.go", 3, "other.handle") == ("/elsewhere/main.go", "")
    assert source.line(str(tmp_path / "sub" / "x.go"), 2, "sub.X")[1] == "var X = 1"
    assert source.line("/etc/passwd", 1, "main.x") == ("/etc/passwd", "")


def test_no_source_at_all(tmp_path: Path) -> None:
    assert GoSource([str(tmp_path / "missing")]).function("handle") is None
    assert Place("x", function=plain_name("main.f$1#wasmexport")).function == "main.f"
