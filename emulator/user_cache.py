"""The user's cache directory, for what is expensive to make and can be made again."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_ABANDONED_SECONDS: Final = 24 * 3600
"""Nobody writes for that long: who began such a file was killed."""


def user_cache(name: str, environment: Mapping[str, str], platform: str = sys.platform) -> str:
    """The directory ``name`` among this program's caches, absolute; empty when the user has no home.

    https://specifications.freedesktop.org/basedir-spec/latest/: a relative ``XDG_CACHE_HOME`` is ignored.
    """
    xdg = environment.get("XDG_CACHE_HOME", "")
    if xdg and Path(xdg).is_absolute():
        base = Path(xdg)
    else:
        home = environment.get("HOME", "")
        if not home or not Path(home).is_absolute():
            return ""
        base = Path(home, "Library", "Caches") if platform == "darwin" else Path(home, ".cache")
    return str(base / "cfw-emu" / name)


def keep(path: Path, content: bytes, most: int) -> None:
    """Make a file of a cache, whole or not at all; of those with its ending the ``most`` newest stay.

    Raises ``OSError``: a full disk, or a home that cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    for old in sorted(path.parent.glob(f"*{path.suffix}"), key=_last_made)[:-most]:
        old.unlink(missing_ok=True)
    for part in path.parent.glob("*.part"):
        if time.time() - _last_made(part) > _ABANDONED_SECONDS:
            with contextlib.suppress(OSError):
                part.unlink()


def _last_made(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0
