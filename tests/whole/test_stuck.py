"""A save while one Worker is in a loop that never ends, and another waits for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from serving import Server

WORKER = """
export default {
  async fetch(request) {
    console.log("begun");
    LONG
    return new Response("old");
  }
}
"""
NEW = "export default { fetch() { return new Response('new') } }"
LONG = {
    "loop": "await new Promise((resolve) => setTimeout(resolve, 1)); while (true) {}",
    "wait": "await new Promise((resolve) => setTimeout(resolve, 3000));",
}


def ask(server: Server, name: str, timeout: float = 20) -> str:
    request = Request(server.url, headers={"host": f"{name}.localhost"})
    with build_opener(ProxyHandler({})).open(request, timeout=timeout) as response:
        body: bytes = response.read()
    return body.decode()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_save_ends_the_loop_of_the_version_before_and_nothing_else(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    for name, long in LONG.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "wrangler.toml").write_text(
            f'name = "{name}"\nmain = "worker.js"\ncompatibility_date = "2026-01-01"\n'
        )
        (tmp_path / name / "worker.js").write_text(WORKER.replace("LONG", long))
    server = serve(str(tmp_path), "--limits", "off")
    answers: dict[str, str] = {}
    asking = [
        threading.Thread(target=lambda name=name: answers.update({name: ask(server, name)}))  # type: ignore[misc]
        for name in LONG
    ]
    for thread in asking:
        thread.start()
    wait_until(lambda: all(f"[{name}] begun" in server.output for name in LONG))
    with pytest.raises(TimeoutError):
        ask(server, "loop", timeout=0.3)
    for name in LONG:
        (tmp_path / name / "worker.js").write_text(NEW)
    wait_until(lambda: server.output.count("Reloaded") == 2)
    assert [ask(server, name) for name in LONG] == ["new", "new"]
    for thread in asking:
        thread.join()
    assert answers == {"loop": "new", "wait": "old"}
    assert "[loop] The version before was stuck in code that does not end" in server.output
    assert "[wait] The version before" not in server.output
