"""``cfw-emu limits``, and the option ``--limits`` with mistakes."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from emulated import HERE, ROOT, project


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    command = [sys.executable, "-m", "emulator", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=environment, timeout=30, cwd=cwd
    )


def row(output: str, name: str) -> list[str]:
    return next(line for line in output.splitlines() if line.startswith(name)).split("  ")


def test_the_plan_where_there_is_no_project(tmp_path: Path) -> None:
    done = run("limits", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("plan  free: ") and "10 ms CPU" in done.stdout
    cells = [cell for cell in row(done.stdout, "size_mib ") if cell]
    assert [cell.strip() for cell in cells[:5]] == [
        "size_mib",
        "1 MiB",
        "size of the Worker, uncompressed",
        "yes",
        "10027",
    ]
    assert "\x1b" not in done.stdout


def test_the_plan_of_a_project(tmp_path: Path) -> None:
    root = project(tmp_path / "w", extra="[limits]\ncpu_ms = 5\n")
    (root / "cfw-emu.toml").write_text('limits = "paid"\n')
    done = run("limits", root, cwd=tmp_path)
    assert done.stdout.startswith("plan  paid: ") and "5 ms CPU" in done.stdout
    assert "(from wrangler.toml)" in done.stdout
    assert run("limits", cwd=root).stdout == done.stdout
    assert run("limits", root, "--limits", "off", cwd=tmp_path).stdout.startswith("plan  off: no limits\n")


def test_a_misspelled_setting_is_told(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    (root / "cfw-emu.toml").write_text('limts = "paid"\n')
    for done in (run("limits", root, cwd=tmp_path), run("limits", cwd=root)):
        assert done.returncode == 0 and done.stdout.startswith("plan  free: ")
        assert 'Unexpected key "limts" in cfw-emu.toml' in done.stderr


def test_a_path_without_a_project(tmp_path: Path) -> None:
    done = run("limits", tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert "No wrangler file in" in done.stderr and done.stdout == ""


def test_an_unknown_plan_ends_both_commands(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    for command in (("limits",), ("serve", "--port", "0")):
        done = run(*command, root, "--limits", "fre", cwd=tmp_path)
        assert done.returncode == 1
        assert 'There is no plan "fre"' in done.stderr and "Did you mean free?" in done.stderr


def test_mistakes_of_the_settings_end_the_start(tmp_path: Path) -> None:
    root = project(tmp_path / "w")
    (root / "cfw-emu.toml").write_text("limits = 5\n")
    done = run("serve", root, "--port", "0", cwd=tmp_path)
    assert done.returncode == 1
    assert "cfw-emu.toml:1:10" in done.stderr


@pytest.mark.parametrize(("columns", "wide"), [(40, False), (60, False), (80, False), (120, True)])
def test_a_terminal_gets_a_table(columns: int, wide: bool, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "LINES": "40", "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "emulator", "limits"]
    environment["PYTHONPATH"] = str(ROOT)
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment, cwd=tmp_path) as process:
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # Linux: the other end was closed
            while data := os.read(ours, 65536):
                text += data
        os.close(ours)
        assert process.wait(30) == 0
    output = text.decode()
    assert "size_mib" in output and "1 MiB" in output
    assert ("10027" in output) is wide
    assert columns < 60 or ("service_subrequests" in output and "1,000 a request" in output)
    table = output.replace("\r", "").partition("\n\n")[2]
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in table.splitlines()) <= columns
