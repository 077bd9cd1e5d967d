"""Swaps, deaths and retirements, through the command line with fake isolates."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from emulated import HELLO, Emulated, alive, project, until

SLOW = """
import asyncio
async def fetch(isolate, event, body):
    await asyncio.sleep(0.3)
    return 200, [], b"old"
"""

DIES = """
import os, asyncio
async def fetch(isolate, event, body):
    if "die" in event.url and not os.path.exists(spec.root + "/died"):
        open(spec.root + "/died", "w").close()
        os.kill(os.getpid(), 11)
    return 200, [], b"alive"
"""


def isolate_pids(server: Emulated) -> list[int]:
    """All but the fork server, which is the front's only child."""
    return [pid for pid in server.descendants()[1:] if alive(pid)]


def test_saves_under_load_fail_no_request(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    failures: list[str] = []
    answers = {"GET": 0, "POST": 0}
    stop = threading.Event()
    with Emulated(root, log=tmp_path / "log") as server:

        def load(method: str) -> None:
            with httpx.Client(trust_env=False) as client:
                while not stop.is_set():
                    try:
                        answer = client.request(
                            method, server.url, content=b"x" if method == "POST" else None
                        )
                        answers[method] += 1
                        if answer.status_code != 200:
                            failures.append(answer.text)
                    except httpx.HTTPError as error:
                        failures.append(repr(error))

        threads = [threading.Thread(target=load, args=(method,)) for method in ("GET", "POST", "GET", "POST")]
        for thread in threads:
            thread.start()
        for number in range(20):
            (root / "entry.py").write_text(HELLO.replace('b"hello"', f'b"v{number}"'), encoding="utf-8")
            server.saw("Reloaded" if not number else "Ready")
            time.sleep(0.03)
        until(lambda: httpx.get(server.url, trust_env=False).text == "v19")
        stop.set()
        for thread in threads:
            thread.join()
        until(lambda: len(isolate_pids(server)) == 1)
    assert failures == []
    assert min(answers.values()) > 20


def test_requests_under_way_finish_on_the_old_version(tmp_path: Path) -> None:
    root = project(tmp_path / "w", SLOW)
    got: list[str] = []
    with Emulated(root, log=tmp_path / "log") as server:
        thread = threading.Thread(target=lambda: got.append(httpx.post(server.url, trust_env=False).text))
        thread.start()
        time.sleep(0.1)
        (root / "entry.py").write_text(HELLO, encoding="utf-8")
        server.saw("Reloaded my-worker in")
        assert httpx.get(server.url, trust_env=False).text == "hello"
        thread.join()
    assert got == ["old"]


@pytest.mark.parametrize(
    "save", [lambda path, text: path.write_text(text), lambda path, text: swap(path, text)]
)
def test_a_broken_save_is_answered_until_it_is_mended(
    tmp_path: Path, save: Callable[[Path, str], None]
) -> None:
    root = project(tmp_path / "w")
    with Emulated(root, log=tmp_path / "log") as server:
        save(root / "entry.py", "raise ValueError('boom')")
        server.saw("ValueError: boom")
        until(lambda: httpx.get(server.url, trust_env=False).status_code == 500)
        answer = httpx.get(server.url, trust_env=False)
        assert "ValueError: boom" in answer.text
        save(root / "entry.py", HELLO)
        until(lambda: httpx.get(server.url, trust_env=False).status_code == 200)


def swap(path: Path, text: str) -> None:
    """Save as careful editors do."""
    new = path.with_name(path.name + ".tmp")
    new.write_text(text)
    new.replace(path)


def test_a_broken_configuration_is_answered_until_it_is_mended(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    good = (root / "wrangler.toml").read_text()
    with Emulated(root, log=tmp_path / "log") as server:
        (root / "wrangler.toml").write_text(good.replace('"2026-01-01"', "5"))
        until(lambda: httpx.get(server.url, trust_env=False).status_code == 500)
        assert "compatibility_date" in httpx.get(server.url, trust_env=False).text
        (root / "wrangler.toml").write_text(good)
        until(lambda: httpx.get(server.url, trust_env=False).status_code == 200)


def test_a_worker_broken_at_the_start_is_served_as_its_error(tmp_path: Path) -> None:
    root = project(tmp_path / "w", "import nosuchmodule")
    with Emulated(root, log=tmp_path / "log") as server:
        assert server.output.index("nosuchmodule") < server.output.index("Ready on")
        assert "nosuchmodule" in httpx.get(server.url, trust_env=False).text
        (root / "entry.py").write_text(HELLO)
        until(lambda: httpx.get(server.url, trust_env=False).status_code == 200)


def test_a_get_whose_isolate_dies_is_replayed(tmp_path: Path) -> None:
    with Emulated(project(tmp_path / "w", DIES), log=tmp_path / "log") as server:
        answer = httpx.get(server.url + "/die", trust_env=False)
        assert (answer.status_code, answer.text) == (200, "alive")
        server.saw("The isolate ended: killed by SIGSEGV.")


def test_a_post_whose_isolate_dies_is_told_so(tmp_path: Path) -> None:
    with Emulated(project(tmp_path / "w", DIES), log=tmp_path / "log") as server:
        answer = httpx.post(server.url + "/die", trust_env=False)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "0"
        assert "killed by SIGSEGV" in answer.text
        assert httpx.post(server.url, trust_env=False).text == "alive"


def test_a_fork_server_that_dies_is_replaced(tmp_path: Path) -> None:
    with Emulated(project(tmp_path / "w"), log=tmp_path / "log") as server:
        os.kill(server.descendants()[0], signal.SIGKILL)
        server.saw("The fork server ended unexpectedly")
        assert until(lambda: httpx.get(server.url, trust_env=False).text) == "hello"


def test_no_process_outlives_a_killed_front(tmp_path: Path) -> None:
    busy = "async def fetch(isolate, event, body):\n    while True: pass\n"
    with Emulated(project(tmp_path / "w", busy), log=tmp_path / "log") as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.url, timeout=0.2, trust_env=False)
        pids = server.descendants()
        assert len(pids) == 2
        server.process.kill()
        server.process.wait()
        until(lambda: not any(map(alive, pids)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_in_two_seconds_even_when_busy(tmp_path: Path, number: int) -> None:
    busy = "async def fetch(isolate, event, body):\n    while True: pass\n"
    with Emulated(project(tmp_path / "w", busy), log=tmp_path / "log") as server:
        thread = threading.Thread(target=lambda: server.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        thread.start()
        time.sleep(0.1)
        pids = server.descendants()
        start = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(5) == 0
        assert time.monotonic() - start < 2
        thread.join()
        assert not any(map(alive, pids))
        assert "Traceback" not in server.output


def made_again(root: Path) -> None:
    """As a change of branches does: the directory is gone, then there is another of that name."""
    shutil.rmtree(root)
    project(root, HELLO.replace("hello", "made again"))


def renamed(root: Path) -> None:
    """The directory gives its place to another, whose files are old."""
    project(root.with_name("other"), HELLO.replace("hello", "made again"))
    for path in root.with_name("other").iterdir():
        os.utime(path, (1e9, 1e9))
    root.rename(root.with_name("before"))
    root.with_name("other").rename(root)


@pytest.mark.parametrize("replace", [made_again, renamed])
def test_a_directory_that_is_replaced_is_still_watched(
    tmp_path: Path, replace: Callable[[Path], None]
) -> None:
    root = project(tmp_path / "w")
    with Emulated(root, log=tmp_path / "log") as server:
        replace(root)
        until(lambda: httpx.get(server.url, trust_env=False).text == "made again")
        (root / "entry.py").write_text(HELLO.replace("hello", "saved"))
        until(lambda: httpx.get(server.url, trust_env=False).text == "saved")


def test_a_directory_that_the_configuration_names_later_is_watched(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    other = project(tmp_path / "other", HELLO.replace("hello", "other"))
    config = root / "wrangler.toml"
    with Emulated(root, log=tmp_path / "log") as server:
        config.write_text(config.read_text().replace('"entry.py"', '"../other/entry.py"'))
        until(lambda: httpx.get(server.url, trust_env=False).text == "other")
        (other / "entry.py").write_text(HELLO.replace("hello", "saved"))
        until(lambda: httpx.get(server.url, trust_env=False).text == "saved")


def test_files_that_come_with_a_new_directory_are_saved_files(tmp_path: Path) -> None:
    entry = HELLO.replace('b"hello"', 'open(spec.root + "/pages/a.html", "rb").read()')
    root = project(tmp_path / "w", entry + "\nopen(spec.root + '/pages/a.html').close()\n")
    (tmp_path / "pages" / "node_modules").mkdir(parents=True)
    (tmp_path / "pages" / "a.html").write_text("a page")
    with Emulated(root, log=tmp_path / "log") as server:
        assert "FileNotFoundError" in httpx.get(server.url, trust_env=False).text
        (tmp_path / "pages").rename(root / "pages")
        until(lambda: httpx.get(server.url, trust_env=False).text == "a page")
