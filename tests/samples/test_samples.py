"""Every sample answers as its own README says: its curl lines are run, its texts expected."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from serving import Server, environment

SAMPLES = Path(__file__).parents[2] / "sample-workers"
ADDRESS = "http://localhost:8787"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


def console_steps(readme: str) -> list[tuple[str, str]]:
    """``(command, expected output)`` of the ``console`` blocks of a README, in order."""
    steps: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            steps.append((command, output.rstrip("\n")))
    return steps


def run_curl(command: str, server: Server) -> str:
    """What the line prints, with the README's address in place of the one really used."""
    done = subprocess.run(
        ["bash", "-c", command.replace(ADDRESS, server.url)],
        capture_output=True,
        env=environment(),
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().replace(server.url, ADDRESS).rstrip("\n")


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.iterdir() if path.is_dir()))
def test_sample_answers_as_its_readme_says(sample: str, serve: Callable[..., Server], tmp_path: Path) -> None:
    steps = console_steps((SAMPLES / sample / "README.md").read_text(encoding="utf-8"))
    serve_line, curl_lines = steps[0], steps[1:]
    assert serve_line == (f"cfw-emu serve sample-workers/{sample}", "")
    assert curl_lines, "the README shows no request"
    # A copy: where TinyGo is installed, serving builds the Go samples.
    project = shutil.copytree(SAMPLES / sample, tmp_path / sample, ignore=shutil.ignore_patterns(".*"))
    server = serve(str(project))
    answers = [(command, run_curl(command, server)) for command, _ in curl_lines]
    assert answers == curl_lines


def test_console_steps_reads_commands_and_outputs() -> None:
    readme = "text\n```console\n$ a 1\n```\n```python\n$ no\n```\n```console\n$ b\nx\n\ny\n$ c\n```\n"
    assert console_steps(readme) == [("a 1", ""), ("b", "x\n\ny"), ("c", "")]
