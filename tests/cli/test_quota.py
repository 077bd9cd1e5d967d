"""The requests of a day as a user meets them: refused with 1027, shown and reset by ``cfw-emu quota``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from emulated import HELLO, HERE, ROOT, Emulated, project, until

DYING = """
import os

async def fetch(isolate, event, body):
    if not os.path.exists("{flag}"):
        open("{flag}", "w").close()
        os._exit(1)
    return 200, [], b"hello"
"""


def limited(directory: Path, name: str = "my-worker", requests: str = "4", source: str = HELLO) -> Path:
    root = project(directory, source, name)
    (root / "cfw-emu.toml").write_text('limits = "own.toml"\n')
    (root / "own.toml").write_text(f"requests_per_day = {requests}\n")
    return root


def quota(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    command = [sys.executable, "-m", "emulator", "quota", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=environment, timeout=30, cwd=cwd
    )


def used(*arguments: str | Path, cwd: Path) -> str:
    done = quota(*arguments, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return next(line for line in done.stdout.splitlines() if line.startswith("requests"))


def get(server: Emulated, path: str = "/", **headers: str) -> httpx.Response:
    return httpx.get(server.url + path, headers=headers, timeout=20, trust_env=False)


def statuses(server: Emulated, count: int, **headers: str) -> list[int]:
    return [get(server, **headers).status_code for _ in range(count)]


def test_the_fifth_request_of_four_is_refused_until_a_reset(tmp_path: Path) -> None:
    root = limited(tmp_path / "w")
    with Emulated(root, log=tmp_path / "log") as server:
        assert statuses(server, 6) == [200] * 4 + [429] * 2
        answer = get(server)
        assert answer.text == "error code: 1027" and answer.headers["cf-emu-limit"] == "requests"
        until(lambda: used(root, cwd=tmp_path) == "requests  4 of 4 a day, 100%")
        reset = quota(root, "--reset", cwd=tmp_path)
        assert "Counted from zero again; before: 4 requests" in reset.stdout
        assert statuses(server, 5) == [200] * 4 + [429]
    output = server.output
    assert output.count("Requests today: 2 of 4 (50%), plan own.toml\n") == 2
    assert output.count("Requests today: 4 of 4 (100%), plan own.toml. The next ones are refused until") == 2
    assert f"`cfw-emu quota {root} --reset` counts from zero." in output
    assert "GET / 429 Too Many Requests" in output
    # Nothing was refused that is not told, and nothing was written where the project's own files are.
    assert sorted(path.name for path in root.iterdir()) == [
        ".cfw-emu",
        "cfw-emu.toml",
        "entry.py",
        "own.toml",
        "wrangler.toml",
    ]


def test_the_pages_of_a_refusal(tmp_path: Path) -> None:
    root = limited(tmp_path / "w", requests="1")
    with Emulated(root, log=tmp_path / "log") as server:
        assert get(server).status_code == 200
        page = get(server, accept="text/html", **{"user-agent": "Mozilla/5.0"})
        assert page.status_code == 429 and "1027" in page.text
        assert page.headers["content-type"].startswith("text/html")
        error = json.loads(get(server, accept="application/json").text)["error"]
        assert error["code"] == "requests-exceeded" and error["event"] == "GET /"
        assert "00:00 UTC, in " in error["why"]
        assert f"cfw-emu quota {root} --reset" in error["fix"]
        for method in ("POST", "HEAD"):
            answer = httpx.request(method, server.url, content=b"x" * 1_000_000, trust_env=False)
            assert answer.status_code == 429
        assert get(server).status_code == 429


def test_all_workers_count_together_each_under_its_plan(tmp_path: Path) -> None:
    one, two = limited(tmp_path / "one", "one"), project(tmp_path / "two", name="two")
    (two / "cfw-emu.toml").write_text('limits = "off"\n')
    with Emulated(one, two, log=tmp_path / "log") as server:
        assert statuses(server, 3, host="two.localhost") == [200] * 3
        assert statuses(server, 2, host="one.localhost") == [200, 429]
        assert statuses(server, 1, host="two.localhost") == [200]
        until(lambda: used(one, cwd=tmp_path) == "requests  5 of 4 a day, 125%")
        # The data of both lie beside the first.
        assert used(two, cwd=tmp_path) == "requests  0 (no limit)"


def test_what_does_not_count(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    root = limited(tmp_path / "w", source=DYING.format(flag=flag))
    with Emulated(root, log=tmp_path / "log") as server:
        for _ in range(3):
            assert get(server, "/cdn-cgi/local/health").status_code == 200
            assert get(server, "/cdn-cgi/no-such-page").status_code == 404
            assert get(server, host="unknown.localhost").status_code == 404
        # Sent again to a fresh isolate.
        assert get(server).status_code == 200 and flag.exists()
        until(lambda: used(root, cwd=tmp_path) == "requests  1 of 4 a day, 25%")


def test_restarts_and_kills_keep_the_count(tmp_path: Path) -> None:
    root = limited(tmp_path / "w")
    with Emulated(root, log=tmp_path / "log") as server:
        assert statuses(server, 3) == [200] * 3
    # A run that ends by itself loses nothing.
    assert used(root, cwd=tmp_path) == "requests  3 of 4 a day, 75%"
    with Emulated(root, log=tmp_path / "log") as server:
        assert "Requests today: 3 of 4 (75%), plan own.toml\n" in server.output
        assert get(server).status_code == 200
        until(lambda: used(root, cwd=tmp_path) == "requests  4 of 4 a day, 100%")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with Emulated(root, log=tmp_path / "log") as server:
        assert get(server).status_code == 429


def test_two_servers_share_a_directory(tmp_path: Path) -> None:
    one, two = limited(tmp_path / "one", "one"), limited(tmp_path / "two", "two")
    state = tmp_path / "我的 data"
    shared = ("--persist-to", state)
    with (
        Emulated(one, *shared, log=tmp_path / "log1") as first,
        Emulated(two, *shared, log=tmp_path / "log2") as second,
    ):
        assert statuses(first, 3) == [200] * 3
        until(lambda: used(one, *shared, cwd=tmp_path).startswith("requests  3 "))
        assert get(second).status_code == 200
        until(lambda: used(one, *shared, cwd=tmp_path).startswith("requests  4 "))
        until(lambda: get(first).status_code == 429)
        assert get(second).status_code == 429
        assert quota(*shared, "--reset", cwd=tmp_path).returncode == 0
        assert get(first).status_code == 200
    assert not (one / ".cfw-emu").exists() and not (state / ".gitignore").exists()
    assert f"cfw-emu quota {one} --persist-to '{state}' --reset" in first.output + second.output


def test_a_saved_plan_is_in_force_at_once(tmp_path: Path) -> None:
    root = limited(tmp_path / "w", requests="1")
    with Emulated(root, log=tmp_path / "log") as server:
        assert statuses(server, 2) == [200, 429]
        (root / "own.toml").write_text('requests_per_day = "off"\n')
        until(lambda: get(server).status_code == 200)
        (root / "own.toml").write_text("requests_per_day = 2\n")
        until(lambda: get(server).status_code == 429)


def test_a_damaged_file_is_told_and_serving_goes_on(tmp_path: Path) -> None:
    root = limited(tmp_path / "w")
    (root / ".cfw-emu").mkdir()
    (root / ".cfw-emu" / "quota.sqlite").write_bytes(os.urandom(8192))
    with Emulated(root, log=tmp_path / "log") as server:
        server.saw("The file that counts requests by day is damaged")
        assert statuses(server, 5) == [200] * 4 + [429]
    (root / ".cfw-emu" / "quota.sqlite").write_bytes(os.urandom(8192))
    done = quota(root, cwd=tmp_path)
    assert done.returncode == 0 and "damaged" in done.stderr
    assert "requests  0 of 4 a day, 0%" in done.stdout


def test_a_place_that_cannot_be_written_to_is_told_once(tmp_path: Path) -> None:
    root = limited(tmp_path / "w")
    (root / ".cfw-emu").write_text("a file")
    with Emulated(root, log=tmp_path / "log") as server:
        assert statuses(server, 6) == [200] * 4 + [429] * 2
        server.saw("Today's requests cannot be counted on disk: ")
        server.saw(".cfw-emu is not a directory")
    assert server.output.count("cannot be counted on disk") == 1
    done = quota(root, "--reset", cwd=tmp_path)
    assert done.returncode == 0
    assert "before: nothing" in done.stdout


def test_quota_before_anything_was_served_writes_nothing(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    done = quota(cwd=root)
    assert done.stdout.startswith("plan  free\n")
    assert re.search(
        r"^day   \d{4}-\d\d-\d\d, begins anew at 00:00 UTC, in (\d+ h )?\d+ (min|s)$", done.stdout, re.M
    )
    assert "requests  0 of 100,000 a day, 0%\n" in done.stdout
    assert not (root / ".cfw-emu").exists()
    assert used("--limits", "paid", cwd=root) == "requests  0 (no limit)"


def test_quota_without_a_project(tmp_path: Path) -> None:
    done = quota(cwd=tmp_path)
    assert done.returncode == 1 and "No wrangler file in" in done.stderr and done.stdout == ""
    done = quota("--limits", "fre", "--persist-to", "x", cwd=tmp_path)
    assert done.returncode == 1 and "Did you mean free?" in done.stderr
