"""Compiled modules on disk: used when they are whole, made anew when they are not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from emulator.isolate.wasm.runtime import compile_module

WASM = bytes(
    wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "f") (result i32) i32.const 7))')
)


def kept(cache: Path) -> Path:
    (file,) = cache.glob("*.cwasm")
    return file


def exports(cache: Path) -> list[str]:
    return [export.name for export in compile_module(WASM, str(cache)).exports]


def test_a_compiled_module_is_kept_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "not" / "there"
    assert exports(cache) == ["memory", "f"]
    before = kept(cache).stat()
    assert before.st_mode & 0o077 == 0

    def compiles(*_: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(wasmtime.Module, "__init__", compiles)
    assert exports(cache) == ["memory", "f"]
    assert kept(cache).stat() == before


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "shorter by a byte": lambda data: data[:-1],
    "longer by a byte": lambda data: data + b"\0",
    "random": lambda data: os.urandom(len(data)),
    "another text": lambda data: b"not a module\n",
    "one bit": lambda data: data[:2000] + bytes([data[2000] ^ 1]) + data[2001:],
    "no code": lambda data: data[:1024] + bytes(len(data) - 1024),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    exports(tmp_path)
    file = kept(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(DAMAGE[damage](whole))
    assert exports(tmp_path) == ["memory", "f"]
    assert kept(tmp_path).read_bytes() == whole


def compilations(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows with each compilation from now on."""
    compiled: list[object] = []
    compile_anew = wasmtime.Module.__init__

    def compiles(self: wasmtime.Module, *arguments: Any) -> None:
        compiled.append(self)
        compile_anew(self, *arguments)

    monkeypatch.setattr(wasmtime.Module, "__init__", compiles)
    return compiled


def test_a_file_of_another_user_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exports(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    compiled = compilations(monkeypatch)
    assert exports(tmp_path) == ["memory", "f"]
    assert len(compiled) == 1


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    exports(tmp_path)
    kept(tmp_path).chmod(mode)
    compiled = compilations(monkeypatch)
    assert exports(tmp_path) == ["memory", "f"]
    assert len(compiled) == 1
    assert kept(tmp_path).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kind", ["directory", "fifo", "dead link"])
def test_what_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    exports(tmp_path)
    file = kept(tmp_path)
    file.unlink()
    if kind == "directory":
        file.mkdir()
    elif kind == "fifo":
        os.mkfifo(file)
    else:
        file.symlink_to("nowhere")
    assert exports(tmp_path) == ["memory", "f"]


@pytest.mark.parametrize("place", ["/proc/none", "/dev/full", "/dev/null/below"])
def test_where_nothing_can_be_kept_it_is_compiled_each_time(place: str) -> None:
    assert exports(Path(place)) == ["memory", "f"]


def test_few_files_stay(tmp_path: Path) -> None:
    for number in range(70):
        compile_module(WASM + bytes([0, 3, 1, 65, number]), str(tmp_path))
    assert len(list(tmp_path.glob("*.cwasm"))) == 64
    assert list(tmp_path.glob("*.part")) == []
