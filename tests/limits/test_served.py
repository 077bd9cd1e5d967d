"""The size limit as a user meets it: the terminal, the answers, the saves that mend it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import Server

WRANGLER = 'name = "w"\nmain = "{main}"\ncompatibility_date = "2024-12-01"\n'
PYTHON = 'compatibility_flags = ["python_workers"]\n'
ENTRY = 'from js import Response\n\nasync def on_fetch(request, env):\n    return Response.new("served")\n'
WORKER = """\
import wasmModule from "./worker.wasm";
const instance = await WebAssembly.instantiate(wasmModule, { gojs: { "runtime.wasmExit": () => {} } });
export default {
  fetch() { return new Response("served " + instance.exports.answer()); },
};
"""
GO = """\
(module
  (import "gojs" "runtime.wasmExit" (func (param i32)))
  (func (export "answer") (result i32) i32.const 42)
  (@custom "filler" "{filler}"))
"""
DIRECT = """\
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "served")
  (func (export "handle"))
  (func (export "responsePtr") (result i32) i32.const 0)
  (func (export "responseLen") (result i32) i32.const 6)
  (@custom ".debug_info" "{filler}"))
"""
BIG = 2_000_000


def wasm(text: str, size: int = BIG) -> bytes:
    import wasmtime

    return bytes(wasmtime.wat2wasm(text.format(filler="x" * size)))


def project(root: Path, main: str, files: dict[str, str | bytes]) -> str:
    root.mkdir(parents=True, exist_ok=True)
    (root / "wrangler.toml").write_text(WRANGLER.format(main=main) + (PYTHON if main.endswith(".py") else ""))
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(root)


def get(server: Server, **headers: str) -> httpx.Response:
    return httpx.get(server.url, headers=headers, timeout=30, trust_env=False)


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_big_go_program_is_refused_with_the_advice_and_served_without_limits(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    root = project(tmp_path, "worker.js", {"worker.js": WORKER, "worker.wasm": wasm(GO)})
    server = serve(root)
    answer = get(server)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/plain;charset=UTF-8")
    assert answer.text.startswith("✘ The Worker is too big: 1.91 MiB, and the plan free allows 1.00 MiB\n")
    assert "1.91 MiB  worker.wasm" in answer.text and "after gzip" in answer.text
    assert "tinygo build -o worker.wasm -target wasm-unknown ./..." in answer.text
    assert "The Worker is too big" in server.output
    page = get(server, accept="text/html", **{"user-agent": "Mozilla/5.0"}).text
    assert "<h1>The Worker is too big" in page and "tinygo build" in page
    error = json.loads(get(server, accept="application/json").text)["error"]
    assert (error["code"], error["where"]["file"]) == ("worker-too-big", "worker.wasm")
    assert get(serve(root, "--limits", "off")).text == "served 42"


def test_a_smaller_program_is_served_again(serve: Callable[..., Server], tmp_path: Path) -> None:
    root = project(tmp_path, "worker.wasm", {"worker.wasm": wasm(DIRECT)})
    server = serve(root)
    answer = get(server).text
    assert "worker.wasm holds 1.91 MiB of debug information and names" in answer
    assert "-no-debug" in answer
    (tmp_path / "worker.wasm").write_bytes(wasm(DIRECT, 10))
    until(lambda: get(server).text == "served")
    (tmp_path / "worker.wasm").write_bytes(wasm(DIRECT))
    until(lambda: get(server).status_code == 500)


def test_a_python_project_is_refused_and_mended(serve: Callable[..., Server], tmp_path: Path) -> None:
    root = project(tmp_path, "src/entry.py", {"src/entry.py": ENTRY, "src/資料.txt": "x" * BIG})
    server = serve(root)
    banner, _, report = server.output.partition("plan  free: ")
    assert "too big" not in banner and "The Worker is too big" in report
    assert "1.91 MiB  src/資料.txt" in get(server).text
    (tmp_path / "src" / "資料.txt").unlink()
    until(lambda: get(server).text == "served")
    (tmp_path / "src" / "again.txt").write_text("x" * BIG)
    until(lambda: get(server).status_code == 500)


def test_the_settings_lift_the_limit_without_a_restart(serve: Callable[..., Server], tmp_path: Path) -> None:
    root = project(tmp_path, "src/entry.py", {"src/entry.py": ENTRY, "src/big.txt": "x" * BIG})
    server = serve(root)
    assert get(server).status_code == 500
    (tmp_path / "cfw-emu.toml").write_text('limits = "of"\n')
    until(lambda: "There is no plan" in get(server).text)
    (tmp_path / "cfw-emu.toml").write_text('limits = "own.toml"\n')
    (tmp_path / "own.toml").write_text("size_mib = 3\n")
    (tmp_path / "cfw-emu.toml").touch()
    until(lambda: get(server).text == "served")


@pytest.mark.parametrize("plan", ["free-2026", "paid", "off"])
def test_other_plans_serve_it(serve: Callable[..., Server], tmp_path: Path, plan: str) -> None:
    root = project(tmp_path, "src/entry.py", {"src/entry.py": ENTRY, "src/big.txt": "x" * BIG})
    server = serve(root, "--limits", plan)
    assert get(server).text == "served"
    assert f"plan  {plan}: " in server.output


def test_each_worker_has_its_own_plan(serve: Callable[..., Server], tmp_path: Path) -> None:
    one = project(tmp_path / "one", "src/entry.py", {"src/entry.py": ENTRY, "cfw-emu.toml": 'limits = "off"'})
    two = project(tmp_path / "two", "src/entry.py", {"src/entry.py": ENTRY})
    config = tmp_path / "two" / "wrangler.toml"
    config.write_text(config.read_text().replace('"w"', '"x"'))
    output = serve(one, two).output
    assert "plan  off: no limits  (w)\n" in output
    assert "plan  free: " in output and "(x)\n" in output
