"""Habits from wrangler, paths in place of commands, and standard streams that are closed or full."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from serving import command, environment


def run(*arguments: str, cwd: Path, shell: str = "") -> subprocess.CompletedProcess[str]:
    words: list[str] = [command(), *arguments]
    if shell:
        words = ["sh", "-c", f'"$0" "$@" {shell}', *words]
    return subprocess.run(
        words, cwd=cwd, env=environment(), capture_output=True, encoding="utf-8", timeout=50
    )


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("deploy --dry-run", "`cfw-emu check` tells what a deploy would say"),
        ("publish", "`npx wrangler deploy`"),
        ("login", "needs no account"),
        ("tail my-worker", "prints each request"),
        ("secret put KEY", ".dev.vars"),
        ("kv:namespace create x", "`npx wrangler kv:namespace`"),
        ("d1 execute x", "`npx wrangler d1`"),
        ("rollback", "`npx wrangler deploy`"),
        ("deployments list", "`npx wrangler deployments`"),
        ("chekc", "Did you mean `cfw-emu check`?"),
        ("nonsense", "`cfw-emu --help`"),
        ("./my-worker", "cfw-emu serve ./my-worker"),
        ("wrangler.toml", "cfw-emu serve wrangler.toml"),
    ],
)
def test_what_there_is_instead(tmp_path: Path, words: str, hint: str) -> None:
    (tmp_path / "wrangler.toml").write_text('name = "w"\n')
    done = run(*words.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    first, *rest = done.stderr.splitlines()
    assert first.startswith(f'✘ There is no command "{words.split()[0]}"')
    assert hint in "\n".join(rest)


def test_help_of_a_command_that_there_is_not(tmp_path: Path) -> None:
    assert "npx wrangler deploy" in run("deploy", "--help", cwd=tmp_path).stderr


LIMITS = 'plan = "paid"\nsize_mib = 3\n'


def test_limits_shows_a_file_of_limits(tmp_path: Path) -> None:
    (tmp_path / "限制.toml").write_text(LIMITS)
    done = run("limits", "限制.toml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("plan  限制.toml: 30,000 ms CPU")
    assert "3 MiB" in done.stdout
    twice = run("limits", "限制.toml", "--limits", "free", cwd=tmp_path)
    assert twice.returncode == 2 and "are two plans" in twice.stderr


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cpu = 5\n", "limits-unknown-key"),
        ("cpu_ms = = 5\n", "config-syntax"),
        ('cpu_ms = "5"\n', "limits-bad-value"),
    ],
)
def test_mistakes_of_a_file_of_limits(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "l.toml").write_text(text)
    done = run("limits", "l.toml", cwd=tmp_path)
    assert done.returncode == 1 and f"errors.md#{code}" in done.stderr


def test_limits_reads_the_settings_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "l.toml").write_text(LIMITS)
    (tmp_path / "cfw-emu.toml").write_text('limits = "l.toml"\nother = 1\n')
    done = run("limits", "cfw-emu.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout[:12]) == (0, "plan  l.toml")
    assert "settings-unknown-key" in done.stderr


@pytest.mark.parametrize("name", ["serve", "check", "quota"])
def test_a_file_of_limits_is_no_project(tmp_path: Path, name: str) -> None:
    (tmp_path / "l.toml").write_text(LIMITS)
    done = run(name, "l.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert "l.toml is a file of limits, not a project" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "text",
    ['name = "w"\nmain = "w.js"\n', 'plan = "free"\nname = "w"\n', "", "[vars]\nA = 1\n", "other = 1\n"],
)
def test_other_wrangler_files_are_no_files_of_limits(tmp_path: Path, text: str) -> None:
    (tmp_path / "staging.toml").write_text(text)
    done = run("check", "staging.toml", cwd=tmp_path)
    assert "limits-file-as-project" not in done.stdout


def python_worker(root: Path) -> None:
    (root / "entry.py").write_text("def on_fetch(request):\n    raise ValueError\n")
    (root / "wrangler.toml").write_text(
        'name = "w"\nmain = "entry.py"\ncompatibility_date = "2025-01-01"\ncompatibility_flags = ["python_workers"]\n'
    )


@pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_standard_streams(tmp_path: Path, closed: str) -> None:
    python_worker(tmp_path)
    done = run("check", cwd=tmp_path, shell=closed)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["check", "limits", "quota"])
def test_a_full_disk(tmp_path: Path, words: str) -> None:
    python_worker(tmp_path)
    done = run(words, cwd=tmp_path, shell=">/dev/full")
    assert done.returncode == 1
    assert done.stderr == "cfw-emu: cannot write the output: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")
def test_a_pipe_that_nobody_reads_any_more(tmp_path: Path) -> None:
    python_worker(tmp_path)
    done = run("check", cwd=tmp_path, shell="| head -1")
    assert done.stdout.splitlines()[0].startswith("w  entry.py (Python)")
    assert done.stderr == ""


def test_a_file_of_limits_that_is_wrong_is_told_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        python_worker(tmp_path / name)
        text = (tmp_path / name / "wrangler.toml").read_text()
        (tmp_path / name / "wrangler.toml").write_text(text.replace('"w"', f'"{name}"'))
    (tmp_path / "l.toml").write_text("cpu = 5\n")
    done = run("check", "a", "b", "--limits", "l.toml", cwd=tmp_path)
    assert done.stdout.count("There is no limit") == 1
