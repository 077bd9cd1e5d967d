"""Where compiled WebAssembly is kept between runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def wasm_cache(environment: Mapping[str, str], platform: str = sys.platform) -> str:
    """The user's cache directory for compiled modules, absolute; empty when the user has no home.

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
    return str(base / "cfw-emu" / "wasm")
