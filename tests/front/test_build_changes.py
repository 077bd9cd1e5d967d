"""Saves and the writing of builds are told apart, whatever the clocks say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from emulator.front.build_changes import BuildChanges
from emulator.project.build import Build

TEXTS: Iterator[int] = count()


@pytest.fixture
def changes(tmp_path: Path) -> BuildChanges:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.ts").write_text("")
    (tmp_path / "src" / "out.js").write_text("")
    watched = (tmp_path / "src",)
    return BuildChanges(Build(tmp_path, "make", tmp_path, tmp_path / "src" / "w.js", True, True, watched))


def write(changes: BuildChanges, name: str, text: str | None = None) -> Path:
    path = changes.build.root / "src" / name
    path.write_text(f"text {next(TEXTS)}" if text is None else text)
    return path


def test_a_save_while_no_build_runs(changes: BuildChanges) -> None:
    assert changes.verdict(write(changes, "a.ts")) == "restart"
    changes.begin()
    changes.end()
    assert changes.verdict(write(changes, "a.ts")) == "restart"
    assert changes.verdict(write(changes, "new.ts")) == "restart"


def test_touching_a_file_counts_as_a_save(changes: BuildChanges) -> None:
    changes.begin()
    changes.end()
    path = changes.build.root / "src" / "a.ts"
    os.utime(path, (1, 1))
    assert changes.verdict(path) == "restart"


@pytest.mark.parametrize("late", [False, True])
def test_what_a_build_writes_starts_none(changes: BuildChanges, late: bool) -> None:
    changes.begin()
    made, new = write(changes, "w.js"), write(changes, "chunk-1.js")
    same = write(changes, "a.ts", "")
    if late:
        changes.end()
    assert [changes.verdict(path) for path in (made, new, same)] == ["nothing"] * 3
    if not late:
        changes.end()
    assert changes.wrote(made, succeeded=False)
    assert changes.verdict(write(changes, "chunk-1.js")) == "restart"


@pytest.mark.parametrize("late", [False, True])
def test_a_save_during_a_build_counts(changes: BuildChanges, late: bool) -> None:
    changes.begin()
    path = write(changes, "a.ts")
    if late:
        changes.end()
    assert changes.verdict(path) == "restart"


def test_many_saves_during_builds_all_count(changes: BuildChanges) -> None:
    for _ in range(3):
        changes.begin()
        assert changes.verdict(write(changes, "a.ts")) == "restart"
    for _ in range(2):
        changes.begin()
        assert changes.verdict(write(changes, "a.ts")) == "after"
        changes.end()
    # A whole build that left the file alone: it is the user's.
    changes.begin()
    changes.end()
    for _ in range(3):
        changes.begin()
        assert changes.verdict(write(changes, "a.ts")) == "restart"


def test_a_file_that_every_build_changes_is_its_output(changes: BuildChanges) -> None:
    verdicts = []
    for _ in range(10):
        changes.begin()
        path = write(changes, "out.js")
        changes.end()
        verdicts.append(changes.verdict(path))
    assert verdicts == ["restart"] * 3 + ["after"] * 3 + ["nothing"] * 4


def test_files_that_a_build_removes_end_its_repetitions(changes: BuildChanges) -> None:
    verdicts = []
    for _ in range(3):
        changes.begin()
        path = changes.build.root / "src" / "out.js"
        path.unlink(missing_ok=True)
        changes.end()
        verdicts.append(changes.verdict(path))
    assert verdicts == ["restart", "nothing", "nothing"]


def test_what_was_written_outside_of_the_watched_directories(changes: BuildChanges) -> None:
    changes.begin()
    path = changes.build.root / "other.js"
    path.write_text("x")
    changes.end()
    assert changes.wrote(path, succeeded=True)
    assert not changes.wrote(path, succeeded=False)
    assert not changes.wrote(changes.build.root / "none.js", succeeded=True)
