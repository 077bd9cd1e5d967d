"""Processes that native code ends: what the client and the terminal are told."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import httpx
import pytest
from serving import Server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="allocations fail on Linux only")

WORKER = """\
import faulthandler
from js import Response

async def on_fetch(request):
    if request.url.endswith("/full"):
        kept = [b"x" * (1 << 20) for _ in range(100)]
        faulthandler._sigabrt()
    if request.url.endswith("/crash"):
        faulthandler._sigabrt()
    return Response.new("ok")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    project = tmp_path_factory.mktemp("project")
    (project / "wrangler.toml").write_text(
        'name = "my-worker"\nmain = "entry.py"\ncompatibility_date = "2025-06-01"\n'
        'compatibility_flags = ["python_workers"]\n'
    )
    (project / "entry.py").write_text(WORKER)
    with Server(str(project), "--limits", "paid") as running:
        yield running


def test_a_library_that_aborts_for_want_of_memory(server: Server) -> None:
    answer = httpx.get(f"http://127.0.0.1:{server.port}/full", headers={"accept": "*/*"})
    assert (answer.status_code, answer.text) == (503, "error code: 1102")
    assert answer.headers["cf-emu-limit"] == "memory"
    assert httpx.get(f"http://127.0.0.1:{server.port}/").text == "ok"
    assert "Worker exceeded memory limit" in server.output
    assert "entry.py:7 in on_fetch" in server.output


def test_one_that_crashes_for_another_reason(server: Server) -> None:
    answer = httpx.post(f"http://127.0.0.1:{server.port}/crash", headers={"accept": "*/*"})
    assert answer.status_code == 503
    assert "killed by SIGABRT" in answer.text
    assert "entry.py:9 in on_fetch" in answer.text
    assert httpx.get(f"http://127.0.0.1:{server.port}/").text == "ok"
