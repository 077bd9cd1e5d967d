"""Workers that never come back, seen by the others: while they load, while they serve, while they are built."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
from emulated import HELLO, Emulated, alive, project, until

ENDLESS = "while True: pass\n"
BUSY = """
async def fetch(isolate, event, body):
    if event.url.endswith("/loop"):
        isolate.log(event, "info", "in the loop")
        isolate.channel.flush()
        while True: pass
    return 200, [], b"quick"
"""


def ask(server: Emulated, path: str = "/", method: str = "GET", host: str = "localhost") -> httpx.Response:
    return httpx.request(method, server.url + path, headers={"host": host}, timeout=20, trust_env=False)


def get(server: Emulated, host: str = "localhost") -> str:
    return ask(server, host=host).text


def test_a_top_level_that_never_ends_holds_up_neither_others_nor_its_own_repair(tmp_path: Path) -> None:
    good, bad = project(tmp_path / "good", name="good"), project(tmp_path / "bad", ENDLESS, "bad")
    with Emulated(good, bad, log=tmp_path / "log") as server:
        late = "[bad] It is still loading, and its requests wait for it."
        assert server.output.index(late) < server.output.index("Ready on")
        assert "[good] It is still" not in server.output
        assert get(server) == "hello"
        (bad / "entry.py").write_text(HELLO)
        assert get(server, host="bad.localhost") == "hello"


def test_requests_to_a_loop_go_to_the_next_version(tmp_path: Path) -> None:
    root = project(tmp_path / "w", BUSY)
    answers: dict[str, httpx.Response] = {}
    with Emulated(root, log=tmp_path / "log") as server:
        assert get(server) == "quick"
        asking = [
            threading.Thread(target=lambda m=m: answers.update({m: ask(server, "/loop", m)}))  # type: ignore[misc]
            for m in ("POST", "GET")
        ]
        asking[0].start()
        server.saw("in the loop")
        asking[1].start()
        (root / "entry.py").write_text(HELLO)
        server.saw("Reloaded my-worker")
        assert get(server) == "hello"
        for thread in asking:
            thread.join()
        server.saw("The version before was stuck in code that does not end: it was killed.")
        until(lambda: sum(map(alive, server.descendants())) == 2)
    assert answers["GET"].text == "hello"
    assert answers["POST"].status_code == 503
    assert "killed: it was stuck in code that does not end" in answers["POST"].text


def test_a_build_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    command = "echo $$ > pids; sleep 600 & echo $! >> pids; wait"
    root = project(tmp_path / "w", extra=f'[build]\ncommand = "{command}"\nwatch_dir = "nothing"\n')
    with Emulated(root, log=tmp_path / "log") as server:
        server.saw("[my-worker] It is still being built, and its requests wait for it.")
        pids = [int(pid) for pid in (root / "pids").read_text().split()]
        assert [alive(pid) for pid in pids] == [True, True]
        server.process.kill()
        server.process.wait()
        until(lambda: not any(map(alive, pids)))
