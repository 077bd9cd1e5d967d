"""Running build commands: output, failures, floods, and leaving no process behind."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from emulated import alive, until

from emulator.diagnostics.render import render_text
from emulator.diagnostics.report import Report
from emulator.front.build import run_build
from emulator.project.build import Build

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    def runs(work: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            return runner.run(work)

    return runs


def build(root: Path, command: str, cwd: str = "") -> Build:
    return Build(root, command, root / cwd, root / "worker.wasm", custom=True, required=True)


def unguarded(group: int) -> Callable[[], None]:
    return lambda: None


def outcome(run: Any, root: Path, command: str, cwd: str = "") -> tuple[Report | None, list[str]]:
    lines: list[str] = []
    return run(run_build(build(root, command, cwd), lines.append, unguarded)), lines


def test_output_comes_line_by_line_and_ends_with_the_time(run: Any, tmp_path: Path) -> None:
    report, lines = outcome(
        run, tmp_path, "printf '一\\r\\ntwo\\n\\n' && echo three >&2 && printf 'bad \\377 byte, no end'"
    )
    assert report is None
    assert lines[:-1] == ["一", "two", "three", "bad � byte, no end"]
    assert lines[-1].startswith("built in ")


def test_it_runs_in_its_directory_with_the_environment_of_wrangler(run: Any, tmp_path: Path) -> None:
    (tmp_path / "sub dir").mkdir()
    command = 'pwd && echo "$WRANGLER_COMMAND" && echo "$HOME" && cat'
    report, lines = outcome(run, tmp_path, command, "sub dir")
    assert report is None
    assert lines[:-1] == [str(tmp_path / "sub dir"), "dev", os.environ["HOME"]]


def test_a_directory_that_is_not_there(run: Any, tmp_path: Path) -> None:
    report, lines = outcome(run, tmp_path, "true", "nowhere")
    assert report is not None and report.code == "build-no-directory"
    assert lines == []


GO_ERROR = """\
✘ The build ended with status 1: ./compile
  --> main.go:3:13
  3 | var 名 = "", undefined
    |              ^
  ./main.go:3:15: undefined: undefined
  why: Its output ends with

       # my-worker
       ./main.go:3:15: undefined: undefined
  fix: Mend main.go:3; saving runs the build again.
  see: docs/errors.md#build-failed
"""


def test_a_compiler_error_is_shown_where_it_is(run: Any, tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text('package main\n\nvar 名 = "", undefined\n', encoding="utf-8")
    (tmp_path / "compile").write_text(
        "#!/bin/sh\necho '# my-worker'\nprintf '\\033[31m./main.go:3:15: undefined: undefined\\033[0m\\n'\nexit 1\n"
    )
    (tmp_path / "compile").chmod(0o755)
    report, _ = outcome(run, tmp_path, "./compile")
    assert report is not None
    assert render_text(report, str(tmp_path)) == GO_ERROR


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("main.go:2:1: expected declaration", (2, 1)),
        ("vet: ./main.go:2:1: undefined: x", (2, 1)),
        ("error: main.go:2: no column", (2, 0)),
        ("    main.go:2:1:", (2, 1)),
        ("main.go(2,1): error TS1005", (2, 1)),
        ("  --> main.go:2:1", (2, 1)),
        ("{root}/main.go:2:1: absolute", (2, 1)),
        ("other.go:2:1: not there", None),
        ("main.go:1:1: warning: unused\nmain.go:2:1: error: bad", (2, 1)),
        ("main.go:99:1: beyond the end", (99, 1)),
        ("https://example.com:80: no file", None),
    ],
)
def test_places_of_several_compilers(tmp_path: Path, line: str, place: tuple[int, int] | None) -> None:
    (tmp_path / "main.go").write_text("package main\nbad\n")
    text = line.format(root=tmp_path)
    report, _ = outcome(asyncio.run, tmp_path, f"cat <<'END'\n{text}\nEND\nexit 2")
    assert report is not None and report.code == "build-failed"
    found = report.where and (report.where.line, report.where.column)
    assert found == place


@pytest.mark.parametrize(
    ("script", "code", "mentions"),
    [
        ("tinygo-x1 build", "build-program-missing", "tinygo-x1"),
        ("echo 'sh: 1: go: not found'; exit 127", "build-program-missing", "https://go.dev/dl/"),
        ("echo 'zsh:1: command not found: tinygo'; exit 127", "build-program-missing", "tinygo.org"),
        ("echo 'make: tinygo: No such file or directory'; exit 2", "build-program-missing", "tinygo.org"),
        (
            "echo 'package w: build constraints exclude all Go files in /w'; exit 1",
            "go-build-constraints",
            "tinygo build -o worker.wasm -target wasm-unknown ./...",
        ),
        (
            "echo 'error: requires go version 1.18 through 1.22, got go1.23'; exit 1",
            "tinygo-go-version",
            "go1.22",
        ),
        ("kill -9 $$", "build-failed", "SIGKILL"),
        ("echo 'error: file \"x\" not found'; exit 1", "build-failed", "status 1"),
    ],
)
def test_known_failures(tmp_path: Path, script: str, code: str, mentions: str) -> None:
    report, _ = outcome(asyncio.run, tmp_path, script)
    assert report is not None and report.code == code
    assert mentions in render_text(report, str(tmp_path))


def test_a_flood_of_output_is_neither_kept_nor_shown(run: Any, tmp_path: Path) -> None:
    report, lines = outcome(run, tmp_path, "yes 'a line' | head -c 3000000; printf '%05000d' 0; exit 3")
    assert report is not None and report.what.startswith("The build ended with status 3")
    assert len(lines) == 2001
    assert lines[-1] == "(more than 2,000 lines: the rest is not shown)"
    assert len(report.why) < 10_000


def test_a_line_without_end_comes_in_pieces(tmp_path: Path) -> None:
    _, lines = outcome(asyncio.run, tmp_path, "head -c 100000 /dev/zero | tr '\\0' x")
    assert max(map(len, lines)) <= 2000


def test_the_server_goes_on_while_a_build_floods(run: Any, tmp_path: Path) -> None:
    async def scenario() -> float:
        task = asyncio.create_task(run_build(build(tmp_path, "yes"), lambda _: None, unguarded))
        longest = 0.0
        for _ in range(100):
            before = time.thread_time()
            await asyncio.sleep(0.005)
            longest = max(longest, time.thread_time() - before)
        task.cancel()
        await asyncio.wait([task])
        return longest

    assert run(scenario()) < 0.5


def test_cancelling_kills_all_that_the_command_started(run: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        stubborn = "trap '' TERM; (trap '' TERM; echo $BASHPID; sleep 1000 & echo $!; wait) & echo $$; wait"
        lines: list[str] = []
        task = asyncio.create_task(
            run_build(
                build(tmp_path, f'bash -c "{stubborn.replace("$", chr(92) + "$")}"'), lines.append, unguarded
            )
        )
        while len(lines) < 3:
            await asyncio.sleep(0.01)
        pids = [int(line) for line in lines]
        assert all(alive(pid) for pid in pids)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        until(lambda: not any(alive(pid) for pid in pids))

    run(scenario())


def test_a_background_process_neither_delays_nor_outlives_the_build(run: Any, tmp_path: Path) -> None:
    start = time.monotonic()
    report, lines = outcome(run, tmp_path, "sleep 1000 & echo $!")
    assert report is None and time.monotonic() - start < 10
    until(lambda: not alive(int(lines[0])))


@pytest.mark.parametrize("turns", range(6))
def test_cancelled_while_it_starts_it_leaves_nothing(run: Any, tmp_path: Path, turns: int) -> None:
    """Whatever the loop was doing then."""

    async def scenario() -> None:
        command = "sh -c 'echo > begun; sleep 0.2; echo > survived'; true"
        task = asyncio.create_task(run_build(build(tmp_path, command), lambda _: None, unguarded))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.4)

    run(scenario())
    assert not (tmp_path / "survived").exists()
