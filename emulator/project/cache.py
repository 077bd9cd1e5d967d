"""Where compiled WebAssembly is kept between runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from emulator.user_cache import user_cache


def wasm_cache(environment: Mapping[str, str], platform: str = sys.platform) -> str:
    """The user's cache directory for compiled modules, absolute; empty when the user has no home."""
    return user_cache("wasm", environment, platform)
