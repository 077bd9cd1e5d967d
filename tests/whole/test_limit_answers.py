"""A Worker over its CPU time as its users see it: curl, a browser, a program, the terminal, the report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path

import pytest
from serving import Server

WORKER = """\
export default {
  fetch(request) {
    const path = new URL(request.url).pathname;
    while (path === "/loop") {}
    return new Response("ok");
  }
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    project = tmp_path_factory.mktemp("project")
    (project / "wrangler.toml").write_text(
        'name = "my-worker"\nmain = "worker.js"\ncompatibility_date = "2026-01-01"\n'
    )
    (project / "worker.js").write_text(WORKER)
    with Server(str(project), "--report", "--persist-to", str(project / "state")) as running:
        yield running


def ask(server: Server, path: str, **headers: str) -> tuple[int, Message, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(
            "GET", path, headers={key.replace("_", "-"): value for key, value in headers.items()}
        )
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def test_curl(server: Server) -> None:
    status, headers, body = ask(server, "/loop", accept="*/*", user_agent="curl/8.5.0")
    assert (status, body) == (503, "error code: 1102")
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    assert headers["cf-emu-limit"] == "cpu"


def test_a_browser(server: Server) -> None:
    status, headers, body = ask(server, "/loop", accept="text/html", user_agent="Mozilla/5.0")
    assert status == 503
    assert headers["cf-ray"].partition("-")[0] in body
    assert "<title>Worker exceeded resource limits | 127.0.0.1 | Cloudflare</title>" in body
    assert "worker.js:4" in body


def test_a_program(server: Server) -> None:
    status, headers, body = ask(server, "/loop", accept="application/json")
    report = json.loads(body)
    assert (status, headers["content-type"]) == (503, "application/json")
    assert (report["limit"], report["error_code"], report["error"]["code"]) == ("cpu", 1102, "cpu-exceeded")
    assert (report["error"]["where"]["file"], report["error"]["where"]["line"]) == ("worker.js", 4)


def test_the_report_while_it_runs(server: Server) -> None:
    assert ask(server, "/users/1")[2] == ask(server, "/users/2")[2] == "ok"
    ask(server, "/loop")
    _, _, text = ask(server, "/cdn-cgi/local/report")
    assert re.search(r"^  GET /loop .* ✘ \d of \d requests over 10 ms CPU$", text, re.MULTILINE)
    assert re.search(r"^  GET /users/:id +2 .* fits", text, re.MULTILINE)
    data = json.loads(ask(server, "/cdn-cgi/local/report", accept="application/json")[2])
    assert data["fits"] is False
    assert {route["path"] for route in data["routes"]} == {"/loop", "/users/:id"}


def test_without_the_option_there_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(
        'name = "a"\nmain = "worker.js"\ncompatibility_date = "2026-01-01"\n'
    )
    (tmp_path / "worker.js").write_text(WORKER)
    with Server(str(tmp_path)) as server:
        status, _, body = ask(server, "/cdn-cgi/local/report")
        assert (status, body) == (404, "Routes are counted when cfw-emu is started with --report.\n")
        assert server.interrupt() == 0
        assert "Limits report" not in server.output


def test_the_report_at_the_end(server: Server) -> None:
    ask(server, "/loop")
    assert server.interrupt() == 0
    assert re.search(r"GET /loop 503 Service Unavailable \(\d+ ms, 1\d ms CPU", server.output)
    last = server.output.rpartition("Limits report of my-worker, plan free: 10 ms CPU")[2]
    assert "Does not fit the plan free: " in last
