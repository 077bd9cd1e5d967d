"""The servers that are compared, each started as its users start it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from harness.load import BadAnswer, exchange, request_bytes

BENCHMARKS = Path(__file__).parents[1]
REPOSITORY = BENCHMARKS.parent
PEERS = BENCHMARKS / ".cache" / "peers"
WRANGLER = PEERS / "node_modules" / ".bin" / "wrangler"
WORKERD_HOME = BENCHMARKS / ".cache" / "workerd"
"""Apart from wrangler's, which is pinned to an older one."""
WORKERD = WORKERD_HOME / "node_modules" / ".bin" / "workerd"
HELLO = b"Hello from Python on Cloudflare Workers!"
ROUTED = b'{"message":"Hello from Go!","method":"GET"}'

# wrangler without questions, telemetry and look-ups: only its own work is measured.
WRANGLER_ENVIRONMENT = {
    "CI": "1",
    "WRANGLER_SEND_METRICS": "false",
    "CLOUDFLARE_CF_FETCH_ENABLED": "false",
    "NO_UPDATE_NOTIFIER": "1",
}


@dataclass(frozen=True)
class Kind:
    """A server to measure. ``command`` may hold ``{port}`` and ``{project}``."""

    name: str
    project: Path
    """Copied for each run: what is measured is never the checkout."""
    source: str
    """The file of the project that a save changes."""
    command: tuple[str, ...]
    quiet: tuple[str, ...]
    """Options that switch the line a request off."""
    path: str = "/"
    answer: bytes = HELLO
    """The body of ``GET path``."""
    edit: tuple[bytes, bytes] = (HELLO, b"%b")
    """What a save replaces in ``source``, and by what: ``%b`` is the new body."""
    beside: Path | None = None
    """Files copied into the project's copy, over its own."""


def kinds() -> dict[str, Kind]:
    """The servers by their short names."""
    scripts = Path(sys.executable).parent
    samples = REPOSITORY / "sample-workers"
    serve = (str(scripts / "cfw-emu"), "serve", "{project}", "--port", "{port}", "--host", "127.0.0.1")
    # The free plan, but for its requests a day, of which there are more here.
    serve = (*serve, "--limits", str(BENCHMARKS / "limits.toml"))
    dev = (str(WRANGLER), "dev", "--port", "{port}", "--ip", "127.0.0.1", "--inspector-port", "0")
    app = (str(scripts / "uvicorn"), "hello:app", "--port", "{port}", "--host", "127.0.0.1")
    workerd = (str(WORKERD), "serve", "config.capnp", "--socket-addr=http=127.0.0.1:{port}")
    off = ("--log-level", "error")
    router = Kind(
        "cfw-emu, worker.js",
        samples / "go-router",
        "worker.js",
        serve,
        off,
        path="/json",
        answer=ROUTED,
        edit=(b"new Response(body,", b'new Response("%b",'),
    )
    return {
        "cfw-emu": Kind("cfw-emu, Python", samples / "python-hello", "src/entry.py", serve, off),
        "cfw-emu-off": Kind(
            "cfw-emu, Python, no limits", samples / "python-hello", "src/entry.py", (*serve[:-1], "off"), off
        ),
        "wrangler-js": Kind("wrangler dev, JS", BENCHMARKS / "peers" / "js-hello", "worker.js", dev, off),
        "wrangler-python": Kind("wrangler dev, Python", samples / "python-hello", "src/entry.py", dev, off),
        "uvicorn": Kind(
            "bare uvicorn", BENCHMARKS / "peers" / "uvicorn-hello", "hello.py", app, (*off, "--no-access-log")
        ),
        "router": router,
        "router-direct": replace(
            router, name="cfw-emu, direct ABI", beside=BENCHMARKS / "peers" / "go-router-direct"
        ),
        "router-wrangler": replace(router, name="wrangler dev, worker.js", command=dev),
        "router-workerd": replace(
            router,
            name="workerd, worker.js",
            command=workerd,
            quiet=(),
            beside=BENCHMARKS / "peers" / "go-router-workerd",
        ),
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class NoAnswer(Exception):
    """The server did not answer as expected in time; the text has what it printed."""


class Running:
    """One run of a server on a copy of its project; a context manager that ends it."""

    def __init__(self, kind: Kind, *, quiet: bool = False, cache: Path | None = None) -> None:
        """``cache``: the directory that stands for the user's own ``~/.cache``."""
        self.kind = kind
        self.port = free_port()
        self._directory = tempfile.TemporaryDirectory(prefix="cfw-emu-bench-")
        self.project = Path(self._directory.name, "project")
        _copy(kind.project, self.project)
        if kind.beside is not None:
            _copy(kind.beside, self.project)
        self._log = Path(self._directory.name, "output")
        parts = (*kind.command, *(kind.quiet if quiet else ()))
        command = [part.format(port=self.port, project=self.project) for part in parts]
        own = {} if cache is None else {"XDG_CACHE_HOME": str(cache)}
        with self._log.open("wb") as log:
            self.started = time.perf_counter()
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.project,
                env={**os.environ, **WRANGLER_ENVIRONMENT, **own},
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def source(self) -> Path:
        return self.project / self.kind.source

    def wait_for_answer(self, timeout: float) -> float:
        """Ask until it answers as it should; the time of that answer."""
        return self.wait_for(self.kind.answer, timeout)

    def wait_for(self, body: bytes, timeout: float, pause: float = 0.001) -> float:
        """Ask until the answer is ``body``; the time (``perf_counter``) of that answer."""
        end = time.perf_counter() + timeout
        while time.perf_counter() < end:
            if ask(self.port, self.kind.path) == body:
                return time.perf_counter()
            if self.process.poll() is not None:
                break
            time.sleep(pause)
        raise NoAnswer(f"{self.kind.name}: no answer {body!r} in {timeout} s; it printed:\n{self.output}")

    def memory_mb(self, kind: str = "Pss") -> float:
        """Megabytes (10**6) of all processes of its tree: the sum of their ``Pss`` or ``Pss_Anon``.

        Pages that n processes share count one nth in each (man 5 proc, smaps_rollup).
        """
        return sum(_rollup_bytes(pid, kind) for pid in self._family()) / 1e6

    def _family(self) -> set[int]:
        """Everything in its session, and all their descendants."""
        table = _processes()
        members = {pid for pid, (_, session) in table.items() if session == self.process.pid}
        while children := {pid for pid, (parent, _) in table.items() if parent in members} - members:
            members |= children
        return members

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        family = self._family()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in family & _processes().keys():
            os.kill(pid, signal.SIGKILL)
        self._directory.cleanup()


def ask(port: int, path: str = "/") -> bytes | None:
    """The body of ``GET path`` on a new connection, or None if there is no whole answer of 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as one:
            answer = exchange(one, request_bytes(port, path))
    except (OSError, BadAnswer):
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        return body.partition(b"\r\n")[2].partition(b"\r\n")[0]
    return body


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


def _processes() -> dict[int, tuple[int, int]]:
    """``{pid: (parent, session)}``, from /proc/PID/stat (man 5 proc)."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(entry.name)] = (int(fields[1]), int(fields[3]))
    return found


def _rollup_bytes(pid: int, kind: str) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith(f"{kind}:"))
