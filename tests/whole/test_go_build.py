"""A Go project through the installed command: TinyGo is a script that "compiles" to real WebAssembly."""

from __future__ import annotations

import os
import time
from pathlib import Path
from urllib.error import HTTPError

import pytest
import wasmtime
from serving import Server

TINYGO = """\
#!/bin/sh
wanted=$(sed -n 's/^\\/\\/compiles to //p' main.go)
if [ ! -f "$wanted" ]; then echo './main.go:1:1: syntax error: unexpected end' >&2; exit 1; fi
cp "$wanted" "$3"
"""


def program(answer: str) -> bytes:
    """The guide's exports, answering every request with a text."""
    return bytes(
        wasmtime.wat2wasm(
            f"""(module (memory (export "memory") 1) (data (i32.const 64) "{answer}")
            (func (export "handle")) (func (export "_initialize"))
            (func (export "responsePtr") (result i32) i32.const 64)
            (func (export "responseLen") (result i32) i32.const {len(answer)}))"""
        )
    )


def until(server: Server, text: str) -> None:
    end = time.monotonic() + 20
    while (got := server.get()) != text:
        assert time.monotonic() < end, got
        time.sleep(0.02)


def test_saving_go_source_changes_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools, root = tmp_path / "bin", tmp_path / "my-go"
    tools.mkdir()
    root.mkdir()
    (tools / "tinygo").write_text(TINYGO)
    (tools / "tinygo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    for answer in ("one", "two"):
        (tmp_path / f"{answer}.wasm").write_bytes(program(answer))
    (root / "wrangler.toml").write_text('name = "my-go"\ncompatibility_date = "2024-12-01"\n')
    (root / "go.mod").write_text("module my-go\n")
    (root / "main.go").write_text(f"//compiles to {tmp_path}/none.wasm\n")
    with Server(str(root)) as server:
        with pytest.raises(HTTPError) as caught:
            server.get()
        with caught.value as answer:
            assert "main.go:1:1" in answer.read().decode()
        (root / "main.go").write_text(f"//compiles to {tmp_path}/one.wasm\n")
        end = time.monotonic() + 20
        while "Reloaded" not in server.output and "built in" not in server.output:
            assert time.monotonic() < end
            time.sleep(0.02)
        until(server, "one")
        (root / "main.go").write_text(f"//compiles to {tmp_path}/two.wasm\n")
        until(server, "two")
        (root / "main.go").write_text(f"//compiles to {tmp_path}/none.wasm\n")
        while server.output.count("syntax error") < 2:
            assert time.monotonic() < end
            time.sleep(0.02)
        assert server.get() == "two"
        assert server.interrupt() == 0
