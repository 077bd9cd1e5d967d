"""Each mistake of ``cases/command/``, which ends the command before anything is served."""

from __future__ import annotations

import os
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from case_files import Case, Section, read_case, write
from serving import command, environment

HERE = Path(__file__).parent
CASES = [read_case(path) for path in sorted(HERE.glob("cases/command/*.case"))]
REWRITE = bool(os.environ.get("CFW_EMU_REWRITE_CASES"))


def portable(text: str, root: Path) -> str:
    today = datetime.now(UTC).date().isoformat()
    return text.replace(str(root), "/projects").replace(today, "TODAY")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_explains_itself(case: Case, tmp_path: Path) -> None:
    root = tmp_path / case.name
    root.mkdir()
    for name, files in case.files(complete=False).items():
        write(tmp_path / name, files)
    (step,) = case.steps()
    done = subprocess.run(
        [command(), *shlex.split(step.rest)],
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )
    answer = Section("exit", str(done.returncode), portable(done.stderr, tmp_path))
    assert done.stdout == ""
    if REWRITE:
        case.sections = [s for s in case.sections if s.word != "exit"] + [answer]
        case.path.write_text(case.written(), encoding="utf-8")
        return
    assert [answer] == [s for s in case.sections if s.word == "exit"]
