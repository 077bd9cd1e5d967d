"""Platform files as bytecode: read only if it is whole and ours, else compiled as ever."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.isolate.realm import bytecode
from emulator.isolate.realm.engine import Engine
from emulator.isolate.realm.host import host_functions
from emulator.isolate.realm.realm import Realm

from .conftest import FakeIO

SOURCES = {
    "cfw-emu:one.js": "(class One { #x = /a+/u; get x() { return this.#x.test('caab'); } })",
    "cfw-emu:two.js": "// 註解\n(function fail() {\n  throw new TypeError('二' + 10n);\n})",
}


def _made(directory: Path) -> Path:
    (path,) = directory.glob("*.bytecode")
    return path


def _boot(directory: str | Path) -> Realm:
    return Realm(host_functions(FakeIO), str(directory))


def _compiling(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the times that sources are compiled."""
    count: list[int] = []
    compile_ = bytecode._compile

    def counted(*args: Any) -> Any:
        count.append(1)
        return compile_(*args)

    monkeypatch.setattr(bytecode, "_compile", counted)
    return count


def test_a_realm_boots_from_what_the_first_start_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "快取" / "realm"
    compiled = _compiling(monkeypatch)
    for _ in range(3):
        realm = _boot(directory)
        source = "[new URL('http://a.example/b?c#d').search, new Response('x').status, typeof fetch].join()"
        assert realm.engine.eval(source, "t.js") == "?c,200,function"
    assert len(compiled) == 1
    assert oct(directory.stat().st_mode & 0o777) == "0o700"
    assert [path.name for path in directory.iterdir()] == [_made(directory).name]


def test_values_names_and_lines_are_those_of_the_sources(tmp_path: Path) -> None:
    for _ in range(2):
        engine = Engine()
        one, two = map(engine.context.eval_function, bytecode.compiled(engine, SOURCES, str(tmp_path)))
        engine.global_.set("One", one)
        engine.global_.set("two", two)
        assert engine.eval("new One().x", "t.js") is True
        thrown = engine.eval("try { two() } catch (e) { e.message + e.stack }", "t.js")
        assert str(thrown).startswith("二10    at fail (cfw-emu:two.js:3:")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:100] + b"\xff" + path.read_bytes()[101:]),
        lambda path: path.write_bytes(b"\0" * path.stat().st_size),
    ],
    ids=["cut off", "empty", "a wrong byte", "zeros"],
)
def test_a_damaged_file_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], object]
) -> None:
    engine = Engine()
    bytecode.compiled(engine, SOURCES, str(tmp_path))
    whole = _made(tmp_path).read_bytes()
    damage(_made(tmp_path))
    compiled = _compiling(monkeypatch)
    for _ in range(2):
        assert len(bytecode.compiled(engine, SOURCES, str(tmp_path))) == 2
    assert len(compiled) == 1
    assert _made(tmp_path).read_bytes() == whole


def test_a_pipe_in_the_place_of_the_file_is_replaced(tmp_path: Path) -> None:
    engine = Engine()
    bytecode.compiled(engine, SOURCES, str(tmp_path))
    path = _made(tmp_path)
    path.unlink()
    os.mkfifo(path)
    assert len(bytecode.compiled(engine, SOURCES, str(tmp_path))) == 2
    assert path.is_file()


def test_other_sources_and_another_engine_have_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    keys = {bytecode._key(engine, SOURCES), bytecode._key(engine, {**SOURCES, "cfw-emu:one.js": "1"})}
    keys.add(bytecode._key(engine, dict(reversed(SOURCES.items()))))
    library = tmp_path / "library.so"
    library.write_bytes(b"built anew")
    monkeypatch.setattr(engine.api, "_name", str(library))
    keys.add(bytecode._key(engine, SOURCES))
    assert len(keys) == 4


def test_a_file_of_another_user_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    bytecode.compiled(engine, SOURCES, str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    compiled = _compiling(monkeypatch)
    bytecode.compiled(engine, SOURCES, str(tmp_path))
    assert len(compiled) == 1


def test_where_nothing_can_be_written_it_is_compiled(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a directory")
    for directory in ("", file, file / "below"):
        assert _boot(directory).engine.eval("typeof Response", "t.js") == "function"
    assert file.read_text() == "not a directory"


def test_only_the_last_files_stay(tmp_path: Path) -> None:
    engine = Engine()
    for number in range(6):
        bytecode.compiled(engine, {"cfw-emu:x.js": str(number)}, str(tmp_path))
        os.utime(max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns), (number + 1, number + 1))
    assert len(list(tmp_path.iterdir())) == 4
