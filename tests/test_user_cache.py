"""The user's cache directory."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from emulator.user_cache import keep


def test_a_file_is_made_with_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "a.x"
    keep(path, b"content", 4)
    assert path.read_bytes() == b"content"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert os.listdir(path.parent) == ["a.x"]


def test_the_newest_stay(tmp_path: Path) -> None:
    for age, name in enumerate(["new.x", "old.x", "older.x", "oldest.y"]):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    keep(tmp_path / "now.x", b"", 2)
    assert sorted(os.listdir(tmp_path)) == ["new.x", "now.x", "oldest.y"]


def test_nothing_is_left_of_a_file_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "a.x").mkdir()
    (tmp_path / "a.x" / "in the way").write_bytes(b"")
    with pytest.raises(OSError):
        keep(tmp_path / "a.x", b"content", 2)
    assert os.listdir(tmp_path) == ["a.x"]


def test_what_killed_programs_left_goes_after_a_day(tmp_path: Path) -> None:
    for hours, name in ((1, "young.part"), (25, "old.part")):
        (tmp_path / name).write_bytes(b"half")
        made = time.time() - hours * 3600
        os.utime(tmp_path / name, (made, made))
    (tmp_path / "dir.part").mkdir()
    os.utime(tmp_path / "dir.part", (1000, 1000))
    keep(tmp_path / "a.x", b"content", 4)
    assert sorted(os.listdir(tmp_path)) == ["a.x", "dir.part", "young.part"]
