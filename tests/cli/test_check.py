"""``cfw-emu check``: each file of ``check_cases/`` is a project, a command, and all that it printed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from case_files import Case, Section, read_case, write
from fake_esbuild import fake_esbuild
from serving import command, environment

HERE = Path(__file__).parent
CASES = [read_case(path) for path in sorted(HERE.glob("check_cases/*.case"))]
REWRITE = bool(os.environ.get("CFW_EMU_REWRITE_CASES"))

HELLO = """
from js import Response

def on_fetch(request):
    return Response.new("hello")
"""


_ROW = r"^  (?:(?:size_mib|startup_cpu_ms|variables|variable_kb|crons|package|build|not counted) | +[\d.,]+ [KM]iB ).*"
"""A row of the table of one Worker."""


def run(*arguments: str, cwd: Path, timeout: float = 40) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command(), *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
    )


def project(root: Path, files: dict[str, str], name: str = "my-worker", extra: str = "") -> Path:
    main = next(
        (path for path in ("src/entry.py", "worker.js", "worker.wasm") if path in files), "src/entry.py"
    )
    flags = 'compatibility_flags = ["python_workers"]\n' if main.endswith(".py") else ""
    head = f'name = "{name}"\nmain = "{main}"\ncompatibility_date = "2024-12-01"\n{flags}{extra}'
    write(root, {path: text.encode() for path, text in {"wrangler.toml": head, **files}.items()})
    return root


def checked(root: Path, *arguments: str) -> tuple[int, Any]:
    """The exit status and the one Worker of ``check --format json``."""
    done = run("check", "--format", "json", *arguments, cwd=root)
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert (answer["version"], answer["ok"]) == (1, done.returncode == 0)
    return done.returncode, answer


def codes(root: Path) -> list[tuple[str, str, int]]:
    """Severity, code and line of each report but for that about the running Python."""
    _, answer = checked(root)
    reports = [*answer["reports"], *(r for worker in answer["workers"] for r in worker["reports"])]
    return [
        (r["severity"], r["code"], r["where"]["line"] if r["where"] else 0)
        for r in reports
        if r["code"] != "python-version"
    ]


def portable(text: str, root: Path) -> str:
    """``text`` without directories, measured times, and what depends on the Python that runs."""
    text = text.replace(str(root), "/projects")
    text = re.sub(r"(?<=Startup Time: )\d+", "N", text)
    text = re.sub(
        r"^( +startup_cpu_ms +)[\d,]+ of 1,000 ms +", r"\1N of 1,000 ms  ", text, flags=re.MULTILINE
    )
    text = re.sub(r"(?<=CPU time limit: )[\d,]+", "N", text)
    # How wide the columns are depends on what was measured.
    text = re.sub(_ROW, lambda row: _narrow(row[0]), text, flags=re.MULTILINE)
    text = re.sub(r"^ +startup_memory_mb .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"(/ gzip: )[\d.]+", r"\1N", text)
    text, told = re.subn(r"▲ Runs on Python (?:.+\n)+?  see: .*\n\n", "", text)
    return re.sub(r"^Checked .*", lambda line: _fewer(line[0], told), text, flags=re.MULTILINE)


def _narrow(row: str) -> str:
    return ("  " if row.startswith("   ") else "") + "  " + re.sub(r" {2,}", "  ", row.strip())


def _fewer(line: str, warnings: int) -> str:
    """The last line with fewer warnings in it."""
    head, _, rest = line.rstrip(".").partition(": ")
    parts = []
    for part in rest.split(", "):
        if found := re.fullmatch(r"(\d+) warnings?", part):
            left = int(found[1]) - warnings
            part = f"{left} warning{'' if left == 1 else 's'}" if left else ""
        parts += [part] if part else []
    return f"{head}: {', '.join(parts) or 'nothing to mend'}."


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_says_so(case: Case, tmp_path: Path) -> None:
    workers = case.files()
    for name, files in workers.items():
        write(tmp_path / name, files)
    (step,) = case.steps()
    done = run(*shlex.split(step.rest), cwd=tmp_path if len(workers) > 1 else tmp_path / case.name)
    answer = Section("exit", str(done.returncode), portable(done.stdout, tmp_path))
    assert done.stderr == ""
    if REWRITE:
        case.sections = [s for s in case.sections if s.word != "exit"] + [answer]
        case.path.write_text(case.written(), encoding="utf-8")
        return
    assert [answer] == [s for s in case.sections if s.word == "exit"]


def test_the_json_of_a_worker(tmp_path: Path) -> None:
    files = {"src/entry.py": HELLO, "src/頁.html": "<p>你好</p>", ".dev.vars": "KEY=secret\n"}
    root = project(tmp_path / "專案", files)
    status, answer = checked(root, "--limits", "paid")
    (worker,) = answer["workers"]
    assert (status, answer["reports"], worker["ok"]) == (0, [], True)
    assert worker["upload"]["gzip_bytes"] > 0 and worker["startup"]["cpu_ms"] > 0
    sizes = {path: len(text.encode()) for path, text in files.items() if path.startswith("src/")}
    assert {file["path"]: file["bytes"] for file in worker["upload"]["files"]} == sizes
    assert worker["upload"]["bytes"] == sum(sizes.values())
    assert {
        key: worker[key] for key in ("name", "config", "main", "kind", "environment", "plan", "handlers")
    } == {
        "name": "my-worker",
        "config": "wrangler.toml",
        "main": "src/entry.py",
        "kind": "python",
        "environment": None,
        "plan": "paid",
        "handlers": ["fetch"],
    }
    limits = {limit["name"]: (limit["used"], limit["limit"], limit["ok"]) for limit in worker["limits"]}
    assert limits["variables"] == (1, 128, True)
    assert limits["size_mib"][1] == 64


def test_a_mistake_in_json(tmp_path: Path) -> None:
    root = project(tmp_path, {"src/entry.py": HELLO + "\nimport subprocess\nsubprocess.run(['ls'])\n"})
    assert codes(root) == [("error", "python-process", 8)]


def test_warnings_count_when_asked(tmp_path: Path) -> None:
    root = project(tmp_path, {"worker.js": "export default { async scheduled() {} };"})
    assert [run("check", *options, cwd=root).returncode for options in ([], ["--strict"])] == [0, 1]


def test_what_cfw_emu_cannot_do_like_the_platform_never_counts(tmp_path: Path) -> None:
    # Python 3.12 is production's for this date; triggers are not emulated yet.
    root = project(tmp_path, {"src/entry.py": HELLO}, extra='triggers = { crons = ["0 * * * *"] }\n')
    assert run("check", "--strict", cwd=root).returncode == 0


def test_nothing_is_written_into_the_project_and_nothing_runs_on(tmp_path: Path) -> None:
    root = project(
        tmp_path, {"src/entry.py": "import helper\n" + HELLO, "src/helper.py": "open('/tmp/x', 'w')\n"}
    )
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    assert run("check", cwd=root).returncode == 0
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before


def test_a_worker_that_is_too_big_is_measured_and_loaded_all_the_same(tmp_path: Path) -> None:
    source = "export default { fetch() { return new Response('x'); } };\n//" + "x" * 1_100_000
    root = project(tmp_path, {"worker.js": source})
    status, answer = checked(root)
    (worker,) = answer["workers"]
    assert status == 1 and worker["upload"]["bytes"] == len(source) and worker["startup"]
    assert codes(root)[0][:2] == ("error", "worker-too-big")
    assert checked(root, "--limits", "paid")[0] == 0


def test_a_big_python_worker_and_packages_that_the_plan_does_not_count(tmp_path: Path) -> None:
    files = {"src/entry.py": HELLO, "python_modules/httpx/big.py": "x" * 2_000_000}
    root = project(tmp_path, files)
    status, answer = checked(root)
    (worker,) = answer["workers"]
    assert status == 0 and worker["upload"]["bytes"] > 2_000_000
    assert worker["upload"]["not_counted"] == [{"package": "httpx", "bytes": 2_000_000}]
    assert next(limit["used"] for limit in worker["limits"] if limit["name"] == "size_mib") < 0.01
    (root / "src" / "data.txt").write_text("x" * 2_000_000)
    assert ("error", "worker-too-big") in [(severity, code) for severity, code, _ in codes(root)]


def test_an_environment_is_checked(tmp_path: Path) -> None:
    extra = '[env.live]\nvars = { NAME = "x" }\n'
    source = "export default { fetch(request, env) { return new Response(env.NAME); } };"
    root = project(tmp_path, {"worker.js": source}, extra=extra)
    assert codes(root) == [("warning", "env-missing", 1)]
    status, answer = checked(root, "--env", "live")
    (worker,) = answer["workers"]
    assert (status, worker["name"], worker["environment"], worker["reports"]) == (
        0,
        "my-worker-live",
        "live",
        [],
    )


def test_two_workers_of_one_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        project(tmp_path / name, {"src/entry.py": HELLO})
    done = run("check", ".", cwd=tmp_path)
    assert done.returncode == 1 and 'Two projects are named "my-worker"' in done.stdout


def test_a_directory_without_projects(tmp_path: Path) -> None:
    status, answer = checked(tmp_path)
    assert (status, answer["workers"], [r["code"] for r in answer["reports"]]) == (
        1,
        [],
        ["no-wrangler-file"],
    )


def test_a_worker_that_ends_its_process(tmp_path: Path) -> None:
    root = project(tmp_path, {"src/entry.py": "import ctypes\nctypes.string_at(0)\n" + HELLO})
    status, answer = checked(root)
    assert status == 1
    assert answer["workers"][0]["startup"] is None
    assert answer["workers"][0]["upload"]["bytes"] > 0


def test_the_bundle_of_the_projects_own_esbuild_is_what_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = 'name = "w"\nmain = "w.js"\ncompatibility_date = "2025-01-01"\n'
    script = 'import "big";\nexport default { fetch() { return new Response() } };\n'
    package = "export const text = `" + "x" * (2 << 20) + "`;"
    files = {"wrangler.toml": settings, "w.js": script, "node_modules/big/index.js": package}
    write(tmp_path, {name: text.encode() for name, text in files.items()})

    doubted = json.loads(run("check", "--format", "json", cwd=tmp_path).stdout)
    (worker,) = doubted["workers"]
    assert (doubted["ok"], worker["upload"]["bundled"], worker["upload"]["exact"]) == (True, False, False)
    assert [(report["code"], report["severity"]) for report in worker["reports"]] == [
        ("size-not-exact", "warning")
    ]
    assert run("check", "--strict", cwd=tmp_path).returncode == 1

    program = fake_esbuild(tmp_path / "esbuild", size=300, output="dist/w.js", parts={"w.js": 200})
    monkeypatch.setenv("ESBUILD_BINARY_PATH", str(program))
    done = run("check", "--strict", cwd=tmp_path)
    assert done.returncode == 0
    assert "\nTotal Upload: 0.29 KiB / gzip: 0." in done.stdout and "as they are written" not in done.stdout
    upload = json.loads(run("check", "--format", "json", cwd=tmp_path).stdout)["workers"][0]["upload"]
    assert (upload["bytes"], upload["bundled"], upload["exact"]) == (300, True, True)
    assert upload["files"] == [{"path": "w.js", "bytes": 200}]

    fake_esbuild(program, error="Could not resolve")
    done = run("check", cwd=tmp_path)
    assert (
        done.returncode == 0 and "esbuild cannot bundle the Worker: src/index.js:3: Could not" in done.stdout
    )
