"""Building on save, through the command line with fake isolates and a fake TinyGo.

The fake TinyGo "compiles" by copying ``main.go`` to what ``-o`` names; the fake isolate answers with that.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import httpx
import pytest
from emulated import Emulated, alive, until

TINYGO = """\
#!/bin/sh
# build -o NAME -target wasm-unknown ./...
echo $$ > pid
echo "args: $*" >> runs
if grep -q bad main.go; then echo '# my-go'; echo './main.go:2:1: undefined: bad' >&2; exit 1; fi
if grep -q slow main.go; then sleep 600; fi
cp main.go "$3.tmp" && mv "$3.tmp" "$3"
"""

ANSWER = """
wasm = open(spec.root + "/{wasm}").read()
async def fetch(isolate, event, body):
    return 200, [], wasm.encode()
"""


@pytest.fixture
def tinygo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "tinygo").write_text(TINYGO)
    (directory / "tinygo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return directory


@pytest.fixture
def no_tinygo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in ("sh", "cat", "sleep"):
        (directory / name).symlink_to(shutil.which(name) or "")
    monkeypatch.setenv("PATH", str(directory))


def go_project(root: Path, source: str = "one\n", main: str = "worker.js", extra: str = "") -> Path:
    root.mkdir(parents=True)
    (root / "wrangler.toml").write_text(
        f'name = "my-go"\nmain = "{main}"\ncompatibility_date = "2026-01-01"\n{extra}', encoding="utf-8"
    )
    (root / "go.mod").write_text("module my-go\n")
    (root / "main.go").write_text(source)
    (root / "worker.js").write_text('# import m from "./worker.wasm"\n' + ANSWER.format(wasm="worker.wasm"))
    return root


def get(server: Emulated) -> str:
    with httpx.Client(trust_env=False) as client:
        return client.get(server.url, headers={"accept": "text/plain"}, timeout=20).text


def builds(root: Path) -> int:
    return len((root / "runs").read_text().splitlines()) if (root / "runs").exists() else 0


def reloads(server: Emulated) -> int:
    return server.output.count("Reloaded my-go")


def settle(directory: Path) -> None:
    """Wait until no build has begun for a second."""
    count, since = builds(directory), time.monotonic()
    end = since + 20
    while time.monotonic() - since < 1:
        assert time.monotonic() < end, "it builds for ever"
        time.sleep(0.05)
        if builds(directory) != count:
            count, since = builds(directory), time.monotonic()


def test_a_go_project_is_built_at_the_start_and_on_every_save(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w")
    with Emulated(root, log=tmp_path / "log") as server:
        assert "[my-go] build: tinygo build -o worker.wasm -target wasm-unknown ./..." in server.output
        assert "[my-go] built in " in server.output
        assert server.output.index("plan  ") < server.output.index("build:") < server.output.index("Ready on")
        assert get(server) == "one\n"
        assert (root / "runs").read_text() == "args: build -o worker.wasm -target wasm-unknown ./...\n"
        (root / "main.go").write_text("two\n")
        until(lambda: get(server) == "two\n")
        settle(root)
        assert (builds(root), reloads(server)) == (2, 1)
        (root / "go.sum").write_text("x\n")
        until(lambda: reloads(server) == 2)
        (root / "worker.js").write_text(ANSWER.format(wasm="worker.wasm") + "\n")
        until(lambda: reloads(server) == 3)
        assert builds(root) == 3


def test_a_fresh_wasm_is_served_as_it_is(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w")
    (root / "worker.wasm").write_text("built elsewhere")
    for name in ("go.mod", "main.go"):
        os.utime(root / name, (1, 1))
    with Emulated(root, log=tmp_path / "log") as server:
        assert get(server) == "built elsewhere"
        assert builds(root) == 0
        (root / "worker.wasm").write_text("and again")
        until(lambda: get(server) == "and again")
        assert builds(root) == 0


def test_an_old_wasm_is_built_again(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w")
    (root / "worker.wasm").write_text("old")
    os.utime(root / "worker.wasm", (1, 1))
    with Emulated(root, log=tmp_path / "log") as server:
        assert get(server) == "one\n"


def test_a_failing_build_keeps_the_last_good_version(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w")
    with Emulated(root, log=tmp_path / "log") as server:
        (root / "main.go").write_text("package main\nbad\n")
        server.saw("The build ended with status 1")
        assert "  --> main.go:2:1\n  2 | bad\n" in server.output
        assert "./main.go:2:1: undefined: bad" in server.output
        assert get(server) == "one\n"
        # What is no Go source is still reloaded.
        (root / "worker.js").write_text(
            ANSWER.format(wasm="worker.wasm").replace("wasm.encode()", "b'edited'")
        )
        until(lambda: get(server) == "edited")
        (root / "main.go").write_text("three\n")
        server.saw("built in")
        until(lambda: (root / "worker.wasm").read_text() == "three\n")


def test_without_a_good_version_the_report_is_served(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w", "package main\nbad\n")
    with Emulated(root, log=tmp_path / "log") as server:
        text = get(server)
        assert text.startswith("✘ The build ended with status 1: tinygo build -o worker.wasm")
        assert "main.go:2:1" in text
        (root / "main.go").write_text("good\n")
        until(lambda: get(server) == "good\n")


def test_a_newer_save_ends_the_build_that_runs(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w")
    with Emulated(root, log=tmp_path / "log") as server:
        (root / "main.go").write_text("slow\n")
        until(lambda: builds(root) == 2)
        pid = int(until(lambda: (root / "pid").read_text()))
        assert get(server) == "one\n"
        (root / "main.go").write_text("quick\n")
        until(lambda: get(server) == "quick\n")
        assert not alive(pid)
        assert "status" not in server.output.split("plan  ")[1]


def test_requests_wait_for_the_first_build_and_ctrl_c_ends_it(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w", "slow\n")
    server = Emulated(root, log=tmp_path / "log")
    try:
        pid = int(until(lambda: (root / "pid").exists() and (root / "pid").read_text()))
        until(lambda: "plan  " in server.output)
        assert "Ready on" not in server.output
        # A save during the first build counts.
        (root / "main.go").write_text("quick\n")
        with server:
            assert not alive(pid)
            assert get(server) == "quick\n"
            (root / "main.go").write_text("slow\n")
            until(lambda: builds(root) == 3)
            last = int(until(lambda: (root / "pid").read_text()))
            assert alive(last)
        assert server.process.returncode == 0
        until(lambda: not alive(last))
    finally:
        server.process.kill()
        server.process.wait()


def test_the_wasm_may_have_another_name(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w")
    (root / "worker.js").write_text(
        '"""\nimport app from "./build/app.wasm"\n"""\n' + ANSWER.format(wasm="build/app.wasm")
    )
    (root / "build").mkdir()
    with Emulated(root, log=tmp_path / "log") as server:
        assert get(server) == "one\n"
        assert "-o build/app.wasm " in (root / "runs").read_text()


def test_without_tinygo_and_wasm_it_says_how_to_get_them(no_tinygo: None, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w", main="worker.wasm")
    with Emulated(root, log=tmp_path / "log") as server:
        text = get(server)
        assert text.startswith('✘ "worker.wasm" is not built yet, and TinyGo is not installed\n')
        assert "tinygo build -o worker.wasm -target wasm-unknown ./..." in text
        assert "https://tinygo.org/getting-started/install/" in text
        (root / "worker.wasm").write_text(ANSWER.format(wasm="main.go"))
        until(lambda: get(server) == "one\n")
        (root / "main.go").write_text("newer\n")
        server.saw('▲ "worker.wasm" is older than main.go')
        assert get(server) == "one\n"


def test_the_project_s_own_command(tmp_path: Path) -> None:
    extra = '[build]\ncommand = "echo run >> ../runs && cat ../src/* > ../out.txt && cat tail.txt"\ncwd = "tools"\n'
    root = go_project(tmp_path / "w", extra=extra)
    (root / "go.mod").unlink()
    (root / "tools").mkdir()
    (root / "tools" / "tail.txt").write_text("from 工具\n", encoding="utf-8")
    (root / "src").mkdir()
    (root / "src" / "a.rs").write_text("a")
    (root / "worker.js").write_text(ANSWER.format(wasm="out.txt"))
    with Emulated(root, log=tmp_path / "log") as server:
        assert "[my-go] from 工具" in server.output
        assert get(server) == "a"
        (root / "src" / "b.rs").write_text("b")
        until(lambda: get(server) == "ab")
        settle(root)
        assert builds(root) == 2
        (root / "wrangler.toml").write_text(
            (root / "wrangler.toml").read_text().replace("../src/*", "../src/b.rs")
        )
        until(lambda: get(server) == "b")
        assert builds(root) == 3


@pytest.mark.parametrize(
    "command",
    [
        "cp main.go out.js && cp out.js main.js",
        "date +%N > stamp.txt && date +%N > out.map && cp main.go main.js",
        "date +%N > dist-$(date +%N).js; cp main.go main.js",
        "rm -rf dist; mkdir dist; date +%N > dist/a.js; cp main.go main.js",
        "for i in 1 2 3; do date > t$i.$(date +%N); done; rm t?.*; cp main.go main.js",
    ],
)
def test_a_build_that_writes_into_what_it_is_watched_for_ends(tmp_path: Path, command: str) -> None:
    extra = f'[build]\ncommand = "echo run >> {tmp_path}/runs; {command}"\nwatch_dir = ["."]\n'
    source = "async def fetch(isolate, event, body):\n    return 200, [], b'%s'\n"
    root = go_project(tmp_path / "w", source % "one", main="main.js", extra=extra)
    (root / "go.mod").unlink()
    for name in ("out.map", "stamp.txt", "main.js"):
        (root / name).write_text("x = 0\n")
    with Emulated(root, log=tmp_path / "log") as server:
        until(lambda: get(server) == "one")
        settle(tmp_path)
        before = builds(tmp_path)
        assert before < 12
        (root / "main.go").write_text(source % "two")
        until(lambda: get(server) == "two")
        settle(tmp_path)
        assert builds(tmp_path) - before < 8


def test_a_build_that_does_not_make_main(tmp_path: Path) -> None:
    root = go_project(tmp_path / "w", main="dist/w.js", extra='[build]\ncommand = "true"\n')
    with Emulated(root, log=tmp_path / "log") as server:
        assert get(server).startswith('✘ The build ended well, but there is no "dist/w.js"\n')
        (root / "dist").mkdir()
        (root / "dist" / "w.js").write_text(ANSWER.format(wasm="main.go"))
        until(lambda: get(server) == "one\n")


def test_a_build_goes_on_while_others_are_served(tinygo: Path, tmp_path: Path) -> None:
    slow = go_project(tmp_path / "all" / "slow", "slow\n")
    quick = go_project(tmp_path / "all" / "quick")
    (quick / "wrangler.toml").write_text((quick / "wrangler.toml").read_text().replace("my-go", "quick"))
    server = Emulated(quick, slow, log=tmp_path / "log")
    try:
        until(lambda: "[quick] built in" in server.output and (slow / "pid").exists())
        assert "Ready on" not in server.output
    finally:
        server.process.terminate()
        assert server.process.wait(20) == 0
    pid = int((slow / "pid").read_text())
    until(lambda: not alive(pid))


def test_after_a_failed_first_build_an_old_wasm_is_not_served(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w", "package main\nbad\n")
    (root / "worker.wasm").write_text("old")
    os.utime(root / "worker.wasm", (1, 1))
    with Emulated(root, log=tmp_path / "log") as server:
        assert get(server).startswith("✘ The build ended")
        (root / "worker.js").write_text(ANSWER.format(wasm="worker.wasm"))
        until(lambda: builds(root) == 2)
        assert get(server).startswith("✘ The build ended")


def test_a_removed_wasm_is_built_again(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w")
    with Emulated(root, log=tmp_path / "log") as server:
        (root / "worker.wasm").unlink()
        until(lambda: builds(root) == 2 and (root / "worker.wasm").exists())
        assert get(server) == "one\n"


def test_a_mistake_in_the_configuration_ends_the_build_and_mending_it_begins_another(
    tinygo: Path, tmp_path: Path
) -> None:
    root = go_project(tmp_path / "w")
    good = (root / "wrangler.toml").read_text()
    with Emulated(root, log=tmp_path / "log") as server:
        (root / "main.go").write_text("slow\n")
        until(lambda: builds(root) == 2)
        pid = int(until(lambda: (root / "pid").read_text()))
        (root / "wrangler.toml").write_text("name = 1\n" + good)
        until(lambda: get(server).startswith("✘"))
        until(lambda: not alive(pid))
        (root / "main.go").write_text("three\n")
        (root / "wrangler.toml").write_text(good)
        until(lambda: get(server) == "three\n")


def test_without_reload_it_is_built_once(tinygo: Path, tmp_path: Path) -> None:
    root = go_project(tmp_path / "w")
    with Emulated(root, "--no-reload", log=tmp_path / "log") as server:
        assert get(server) == "one\n"
        (root / "main.go").write_text("two\n")
        settle(root)
        assert builds(root) == 1


@pytest.mark.parametrize("command", ["cd /nowhere/at/all", "(", "exit 300"])
def test_commands_that_cannot_run(tmp_path: Path, command: str) -> None:
    root = go_project(tmp_path / "w", extra=f'[build]\ncommand = "{command}"\n')
    with Emulated(root, log=tmp_path / "log") as server:
        assert get(server).startswith("✘ The build ")
