"""The installed command, outside of the checkout, from start to Ctrl-C.

`.ci/run` runs this a second time against the wheel in a fresh environment (CFW_EMU_COMMAND).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from serving import Server, alive, command, environment

SAMPLE = Path(__file__).parents[2] / "sample-workers" / "python-hello"
HELLO = "Hello from Python on Cloudflare Workers!"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the sample, so that nothing is read from or written to the checkout."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "my-worker"))


def test_serves_until_ctrl_c_and_leaves_nothing(project: Path, serve: Callable[..., Server]) -> None:
    server = serve(str(project))
    assert server.get() == HELLO
    family = server.family()
    started = time.monotonic()
    assert server.interrupt() == 0
    assert time.monotonic() - started < 2
    assert family & alive() == set()
    assert "Traceback" not in server.output


def test_a_save_is_served(project: Path, serve: Callable[..., Server]) -> None:
    server = serve(str(project))
    assert server.get() == HELLO
    entry = project / "src" / "entry.py"
    entry.write_text(entry.read_text().replace("Hello from Python", "你好 from Python"), encoding="utf-8")
    end = time.monotonic() + 20
    while server.get() == HELLO and time.monotonic() < end:
        time.sleep(0.01)
    assert server.get() == "你好 from Python on Cloudflare Workers!"


def test_ready_is_printed_once(project: Path, serve: Callable[..., Server]) -> None:
    server = serve(str(project))
    server.get("/some/path?q=1")
    server.interrupt()
    lines = server.output.splitlines()
    assert [line for line in lines if "Ready on" in line] == [
        next(line for line in lines if line.endswith(f"Ready on {server.url}"))
    ]
    assert sum("GET /some/path" in line and "200" in line for line in lines) == 1


def test_a_port_in_use_is_one_clear_line(project: Path, serve: Callable[..., Server]) -> None:
    server = serve(str(project))
    done = subprocess.run(
        [command(), "serve", str(project), "--port", str(server.port)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(),
        timeout=30,
        check=False,
    )
    printed = (done.stdout + done.stderr).decode()
    assert done.returncode == 1
    assert sum(str(server.port) in line for line in printed.splitlines()) == 1
    assert "Traceback" not in printed
    assert server.get() == HELLO


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_a_project_that_cannot_be_written_is_served(project: Path, serve: Callable[..., Server]) -> None:
    for path in [*project.rglob("*"), project]:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert serve(str(project)).get() == HELLO
    finally:
        for path in [project, *project.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
