from __future__ import annotations

import shutil
from pathlib import Path

from emulator.front.watched import Watched


def test_a_directory_made_again_is_another_one(tmp_path: Path) -> None:
    kept, removed, moved = (tmp_path / name for name in ("kept", "removed", "moved"))
    for directory in (kept, removed, moved):
        directory.mkdir()
    watched = Watched([kept, removed, moved, tmp_path / "none"])
    assert watched.roots == [kept, removed, moved]
    shutil.rmtree(removed)
    assert not watched.holds(removed)
    removed.mkdir()
    moved.rename(tmp_path / "elsewhere")
    moved.mkdir()
    assert [watched.holds(root) for root in (kept, removed, moved, tmp_path / "none")] == [
        True,
        False,
        False,
        False,
    ]
    watched.close()
    assert watched.roots == []
