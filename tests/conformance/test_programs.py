"""Whole Workers behind ``cfw-emu serve`` answer over HTTP as the real runtime did."""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from emulated import Emulated
from recorded import recorded

PROGRAMS = recorded("programs.json")

WRANGLER = """name = "recorded"
main = "src/entry.py"
compatibility_date = "2026-03-01"
compatibility_flags = [{flags}]

[vars]
MY_VAR = "hello"
"""


class Answered(NamedTuple):
    status: int
    headers: list[list[str]]
    body: str


def _project(directory: Path, source: str) -> Path:
    flags = ["python_workers", *(["disable_python_no_global_handlers"] if "def on_fetch" in source else [])]
    (directory / "src").mkdir()
    (directory / "src/entry.py").write_text(source, encoding="utf-8")
    config = WRANGLER.format(flags=", ".join(f'"{flag}"' for flag in flags))
    (directory / "wrangler.toml").write_text(config, encoding="utf-8")
    return directory


def _ask(port: int, request: dict[str, Any]) -> Answered:
    """One request on a connection of its own; the path goes out exactly as it is written."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        body = request.get("body")
        headers = dict(request.get("headers") or {})
        connection.request(
            request["method"], request["path"], None if body is None else body.encode(), headers
        )
        response = connection.getresponse()
        content = response.read().decode("latin-1")
        return Answered(response.status, _selection(response.getheaders()), content)
    finally:
        connection.close()


def _selection(headers: list[tuple[str, str]]) -> list[list[str]]:
    """What the recording kept: no framing, no connection, no date."""
    dropped = {"content-length", "transfer-encoding", "connection", "date", "server", "keep-alive"}
    return sorted([name.lower(), value] for name, value in headers if name.lower() not in dropped)


@pytest.mark.parametrize("program", PROGRAMS, ids=[program["name"] for program in PROGRAMS])
def test_program(program: dict[str, Any], tmp_path: Path) -> None:
    directory = tmp_path / "worker"
    directory.mkdir()
    with Emulated(_project(directory, program["source"]), log=tmp_path / "log", fake=False) as server:
        for request, recording in zip(program["requests"], program["answers"], strict=True):
            time.sleep(request.get("wait") or 0)
            actual = _ask(server.port, request)
            expected = Answered(recording["status"], sorted(recording["headers"]), recording["body"])
            if expected.status == 500 and not expected.headers:
                # A Worker that failed: how the failure is shown is the development server's own.
                assert expected.status == actual.status
            else:
                assert expected == actual, request
