"""A Worker without JavaScript, as a user runs it: `cfw-emu serve` and HTTP."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wasmtime
from direct_workers import ECHO, PUPPET, puppet_body, worker
from serving import Server

CONFIG = 'name = "direct"\nmain = "worker.wasm"\ncompatibility_date = "2024-12-01"\n'

Run = Callable[[str], Server]


def compiled(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Serve a project whose ``main`` is this module (text)."""
    made: list[Server] = []

    def run(text: str) -> Server:
        (tmp_path / "wrangler.toml").write_text(CONFIG)
        (tmp_path / "worker.wasm").write_bytes(compiled(text))
        made.append(Server(str(tmp_path)))
        return made[-1]

    yield run
    for server in made:
        server.close()


def ask(
    server: Server, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, str | None, bytes]:
    """Status, Content-Type, body."""
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})  # type: ignore[arg-type]
        response = connection.getresponse()
        return response.status, response.getheader("content-type"), response.read()
    finally:
        connection.close()


def until(server: Server, status: int) -> tuple[int, str | None, bytes]:
    """Ask until the answer has this status, as a save takes a moment."""
    end = time.monotonic() + 30
    while (answer := ask(server, "GET", "/"))[0] != status:
        assert time.monotonic() < end, answer
        time.sleep(0.01)
    return answer


TEXT = "text/plain;charset=UTF-8"


def test_requests(run: Run) -> None:
    server = run(ECHO)
    status, kind, body = ask(server, "GET", "/a/../b%20c/%E4%BD%A0?q=<>")
    method, path, url, *_ = body.decode().split("\n")
    assert (status, kind) == (200, TEXT)
    assert (method, path) == ("GET", "/b%20c/%E4%BD%A0")
    assert url == f"http://localhost:{server.port}/b%20c/%E4%BD%A0?q=%3C%3E"
    assert ask(server, "HEAD", "/") == (200, TEXT, b"")
    pieces = (b"x" * 100_000 for _ in range(10))
    assert ask(server, "POST", "/", pieces)[2].endswith(b"\n" + b"x" * 1_000_000 + b"\n")


def test_responses(run: Run) -> None:
    server = run(PUPPET)
    body = puppet_body(418, b"Content-Type: text/html\nX-A: 1\n", b"<p>")
    assert ask(server, "POST", "/", body) == (418, "text/html", b"<p>")
    assert ask(server, "POST", "/", puppet_body(204, b"", b"dropped")) == (204, None, b"")
    status, _, told = ask(server, "POST", "/", puppet_body(0, b"", b""))
    assert (status, b"docs/errors.md#direct-status" in told) == (500, True)


def test_a_mistake_is_answered_until_it_is_mended(run: Run, tmp_path: Path) -> None:
    server = run("(module)")
    status, _, told = ask(server, "GET", "/")
    assert (status, b"docs/errors.md#direct-export-missing" in told) == (500, True)
    (tmp_path / "worker.wasm").write_bytes(compiled(worker()))
    assert until(server, 200) == (200, TEXT, b"hello")
    (tmp_path / "worker.wasm").write_bytes(compiled(worker("(unreachable)")))
    assert b"RuntimeError: unreachable" in until(server, 500)[2]
