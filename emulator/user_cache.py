"""The user's cache directory, for what is expensive to make and can be made again."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


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
