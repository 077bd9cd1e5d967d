"""The command line as a process, with fake isolates, for tests of the front and the fleet."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

HELLO = """
async def fetch(isolate, event, body):
    return 200, [("content-type", "text/plain;charset=UTF-8")], b"hello"
"""


def project(directory: Path, source: str = HELLO, name: str = "my-worker", extra: str = "") -> Path:
    """A project directory whose entry is ``source``, in the language of ``fake_isolate``."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "wrangler.toml").write_text(
        f'name = "{name}"\nmain = "entry.py"\ncompatibility_date = "2026-01-01"\n'
        f'compatibility_flags = ["python_workers"]\n{extra}',
        encoding="utf-8",
    )
    (directory / "entry.py").write_text(source, encoding="utf-8")
    return directory


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true value of ``condition``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not true within {seconds} s: {condition}")


class Emulated:
    """One run of ``serve --port 0`` on projects; a context manager."""

    def __init__(self, *arguments: str | Path, log: Path, fake: bool = True) -> None:
        program = [str(HERE / "fake_serve.py")] if fake else ["-m", "emulator"]
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}", "NO_PROXY": "*"}
        self._log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, *program, "serve", "--port", "0", *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
            )
        self.port = 0

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Emulated:
        def ready() -> Any:
            if self.process.poll() is not None:
                raise AssertionError(f"exit status {self.process.returncode}:\n{self.output}")
            return re.search(r"Ready on http://localhost:(\d+)$", self.output, re.MULTILINE)

        try:
            self.port = int(until(ready)[1])
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def saw(self, text: str) -> None:
        """Wait until ``text`` was printed."""
        try:
            until(lambda: text in self.output)
        except AssertionError:
            raise AssertionError(f"{text!r} is not in:\n{self.output}") from None

    def descendants(self) -> list[int]:
        """The pids of the fork server and all isolates."""
        found: list[int] = []
        parents = [self.process.pid]
        while parents:
            pid = parents.pop()
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except FileNotFoundError:
                continue
            found += map(int, children)
            parents += map(int, children)
        return found

    def raw(self, request: bytes) -> bytes:
        """Send bytes, read until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as sock:
            sock.sendall(request)
            answer = b""
            while data := sock.recv(65536):
                answer += data
            return answer


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False
