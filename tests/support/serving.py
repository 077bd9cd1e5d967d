"""The installed ``cfw-emu serve``, started as a user would, for tests of the whole path."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from urllib.request import ProxyHandler, build_opener

READY = re.compile(r"Ready on (http://(?:localhost|\[?[0-9a-fA-F.:]+\]?):(\d+))\s*$", re.MULTILINE)


def command() -> str:
    """The ``cfw-emu`` under test: of the running Python, or what CFW_EMU_COMMAND names."""
    chosen = os.environ.get("CFW_EMU_COMMAND") or str(Path(sys.executable).with_name("cfw-emu"))
    if not os.access(chosen, os.X_OK):
        raise FileNotFoundError(f"{chosen} is not there: run `pip install -e '.[test]'` first")
    return chosen


def environment() -> dict[str, str]:
    """The environment less what would let the command see the checkout instead of its installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONUNBUFFERED": "1", "no_proxy": "*", "NO_PROXY": "*"}


class Server:
    """One run of ``cfw-emu serve ARGUMENTS --port 0``, outside of the checkout; a context manager.

    ``url`` is what the Ready line says, ``output`` all that was printed so far: to ``log``, or a file of its own.
    """

    def __init__(self, *arguments: str, timeout: float = 30, log: Path | None = None) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="cfw-emu-test-")
        self._log = log or Path(self._directory.name, "output")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [command(), "serve", *arguments, "--port", "0"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._directory.name,
                env=environment(),
                start_new_session=True,
            )
        try:
            ready = self._wait_until_ready(timeout)
        except BaseException:
            self.close()
            raise
        self.url, self.port = ready[1], int(ready[2])

    def _wait_until_ready(self, timeout: float) -> re.Match[str]:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if ready := READY.search(self.output):
                return ready
            if self.process.poll() is not None:
                raise AssertionError(f"exit code {self.process.returncode} before Ready:\n{self.output}")
            time.sleep(0.01)
        raise AssertionError(f"no Ready line in {timeout} s:\n{self.output}")

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str = "/") -> str:
        """The body of the answer to a GET; an answer of 400 or more raises ``HTTPError``."""
        with build_opener(ProxyHandler({})).open(self.url + path, timeout=20) as response:
            body: bytes = response.read()
        return body.decode()

    def family(self) -> set[int]:
        """The ids of all living processes of this server (Linux: from /proc)."""
        return family(self.process.pid)

    def interrupt(self, timeout: float = 10) -> int:
        """Press Ctrl-C: SIGINT to the foreground process. The exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout)

    def close(self) -> None:
        """End it whatever its state, with every process it started."""
        members = self.family()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in members & alive():
            os.kill(pid, signal.SIGKILL)
        self._directory.cleanup()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and hasattr(error, "add_note"):
            error.add_note(f"cfw-emu printed:\n{self.output}")
        self.close()


def _processes() -> dict[int, tuple[str, int, int]]:
    """``{pid: (state, parent, session)}`` of every process, from /proc/PID/stat (man 5 proc)."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(entry.name)] = (fields[0], int(fields[1]), int(fields[3]))
    return found


def alive() -> set[int]:
    """All processes that run; zombies do not."""
    return {pid for pid, (state, _, _) in _processes().items() if state not in "ZX"}


def family(root: int) -> set[int]:
    """``root``, its descendants and everything in its session, as far as they are alive."""
    table = _processes()
    members = {pid for pid, (_, _, session) in table.items() if session == root} | {root}
    while True:
        children = {pid for pid, (_, parent, _) in table.items() if parent in members} - members
        if not children:
            return members & {pid for pid, (state, _, _) in table.items() if state not in "ZX"}
        members |= children


def memory_mb(processes: set[int]) -> float:
    """Megabytes of memory that ``processes`` have to themselves or share (Linux: PSS; 0.0 elsewhere)."""
    total = 0
    for pid in processes:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024
