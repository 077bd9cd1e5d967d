"""Each mistake of ``cases/``, made in a Worker that one real server serves with all the others."""

from __future__ import annotations

import http.client
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from case_files import Case, Section, content_of, read_case, write
from serving import Server

HERE = Path(__file__).parent
SERVERS = ("served", "javascript", "wasm")
"""Directories of cases; those of one directory share a server."""

CASES = [read_case(path) for name in SERVERS for path in sorted(HERE.glob(f"cases/{name}/*/*.case"))]
REWRITE = bool(os.environ.get("CFW_EMU_REWRITE_CASES"))
"""Write what happened into the files instead of comparing: read the difference before you keep it."""


class Answer(NamedTuple):
    status: str
    text: str


MOST_WORKERS = 90
"""On one server; the plan allows 100."""


class Bench:
    """The server, its terminal, and the projects below ``root``."""

    def __init__(self, server: Server, root: Path) -> None:
        self.server = server
        self.root = root

    def ask(self, name: str, head: str, body: str) -> Answer:
        """``METHOD PATH [| Header: value]...``, told as ``500 text/plain`` and the body."""
        line, *fields = head.split(" | ")
        method, path = line.split(" ", 1)
        headers = dict(item.split(": ", 1) for item in fields) | {
            "Host": f"{name}.localhost:{self.server.port}"
        }
        headers.setdefault("User-Agent", "curl/8.5.0")
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=5)
        try:
            connection.request(method, path, body.encode() or None, headers)
            try:
                response = connection.getresponse()
            except (TimeoutError, ConnectionError) as error:
                return Answer("none", type(error).__name__ + "\n")
            kind = response.headers.get("Content-Type", "")
            status = f"{response.status} {kind.partition(';')[0]}".rstrip()
            try:
                text = response.read().decode()
            except (http.client.IncompleteRead, ConnectionError, TimeoutError) as cut:
                status += " timeout" if isinstance(cut, TimeoutError) else " cut"
                text = getattr(cut, "partial", b"").decode()
        finally:
            connection.close()
        # In a case's file every text ends with a line end.
        end = "\n" if text and not text.endswith("\n") else ""
        return Answer(status, self.portable(text) + end)

    def terminal(self, name: str) -> str:
        """What the terminal shows of one Worker."""
        entries: list[str] = []
        for line in self.server.output.splitlines():
            if line.startswith("[") or re.match(r"(Reloaded|Ready on) ", line):
                entries.append(line)
            elif entries:
                entries[-1] += "\n" + line
        own = [entry for entry in entries if entry.startswith((f"[{name}] ", f"Reloaded {name} "))]
        # Which Python the tests run on is no part of the case.
        return "".join(self.portable(entry) + "\n" for entry in own if "Runs on Python" not in entry)

    def settled(self, name: str, expected: str) -> str:
        """The terminal, once it shows what is expected or nothing comes any more."""
        last, since = "", time.monotonic()
        while time.monotonic() < since + (0.15 if REWRITE else 2):
            seen = self.terminal(name)
            if ordered(seen) == ordered(expected) and not REWRITE:
                break
            if seen != last and REWRITE:
                last, since = seen, time.monotonic()
            time.sleep(0.01)
        return seen

    def save(self, name: str, section: Section) -> None:
        """Save a file and wait until the server has taken it up."""
        before = self._versions(name)
        path, content = content_of(section)
        (self.root / name / path).write_bytes(content)
        end = time.monotonic() + 10
        while self._versions(name) == before and time.monotonic() < end:
            time.sleep(0.005)

    def _versions(self, name: str) -> int:
        """How often the terminal told that a version was put in place, or why it was not."""
        return len(re.findall(rf"^Reloaded {name} |^\[{name}\] . (?!.*\n  during)", self.server.output, re.M))

    def portable(self, text: str) -> str:
        """``text`` without the port, the directory and the times, and how much fits on the stack."""
        text = text.replace(str(self.root), "/projects").replace(str(self.server.port), "PORT")
        # The engine is built anew for each version of Python.
        text = re.sub(r"over 1\d,000 more frames", "over 10,000 more frames", text)
        return (
            re.sub(
                r"\(\d+(\.\d)? ms(, \d+(\.\d)? ms CPU)?(, [\d.,]+ MB)?\)| in \d+(\.\d)? m?s$",
                "",
                text,
                flags=re.MULTILINE,
            )
            .replace(" \n", "\n")
            .rstrip(" ")
        )


class Benches:
    """A bench for each directory of ``SERVERS``, from its first case on."""

    def __init__(self, make_root: Callable[[str], Path]) -> None:
        self._make_root = make_root
        self._stack = ExitStack()
        self._made: dict[tuple[str, int], Bench] = {}

    def of(self, case: Case) -> Bench:
        server = SHARED[case.path]
        if server not in self._made:
            root = self._make_root("-".join(map(str, server)))
            for other in CASES:
                for name, files in other.files().items() if SHARED[other.path] == server else ():
                    write(root / name, files)
            self._made[server] = Bench(
                self._stack.enter_context(Server(str(root), "--cpu-scale", "0.01", timeout=55)), root
            )
        return self._made[server]

    def close(self) -> None:
        self._stack.close()


def server_of(case: Case) -> str:
    return case.path.parent.parent.name


def shared() -> dict[Path, tuple[str, int]]:
    """Which server serves a case: one for each directory, and another when the plan allows no more Workers."""
    servers: dict[Path, tuple[str, int]] = {}
    for directory in SERVERS:
        workers = 0
        for case in CASES:
            if server_of(case) == directory:
                workers += len(case.files())
                servers[case.path] = (directory, workers // MOST_WORKERS)
    return servers


SHARED = shared()


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Benches]:
    made = Benches(tmp_path_factory.mktemp)
    yield made
    made.close()


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{server_of(case)}/{case.path.parent.name}/{case.name}"
)
def test_it_explains_itself(case: Case, benches: Benches) -> None:
    bench = benches.of(case)
    answers: list[Answer] = []
    for step in case.steps():
        if step.word == "save":
            bench.save(case.name, step)
        else:
            answers.append(bench.ask(case.name, step.rest, step.text))
    expected = [Answer(s.rest, s.text) for s in case.sections if s.word == "answer"]
    expected_terminal = terminal_of(case)
    terminal = bench.settled(case.name, expected_terminal)
    if REWRITE:
        rewrite(case, answers, terminal)
        return
    assert answers == expected
    assert ordered(terminal) == ordered(expected_terminal)
    assert bench.server.process.poll() is None


def terminal_of(case: Case) -> str:
    """What the terminal is to show on this version of Python."""
    texts = {s.rest: s.text for s in case.sections if s.word == "terminal"}
    return texts.get("on Python {}.{}".format(*sys.version_info), texts.get("", ""))


def ordered(terminal: str) -> tuple[list[str], list[str]]:
    """Requests with reloads, and all else, each in order: the two come from different ends of the server."""
    entries = re.split(r"\n(?=\[|Reloaded )", terminal)
    ends = [entry for entry in entries if re.match(r"\[\S+\] [A-Z]+ /|Reloaded ", entry)]
    return ends, [entry.rstrip() for entry in entries if entry not in ends]


def rewrite(case: Case, answers: list[Answer], terminal: str) -> None:
    kept = [s for s in case.sections if s.word != "answer" and (s.word, s.rest) != ("terminal", "")]
    case.sections = []
    for section in kept:
        case.sections.append(section)
        if section.word == "request":
            answer = answers.pop(0)
            case.sections.append(Section("answer", answer.status, answer.text))
    case.sections.append(Section("terminal", "", terminal))
    case.path.write_text(case.written(), encoding="utf-8")
