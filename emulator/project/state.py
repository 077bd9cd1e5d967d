"""Where local data is kept between runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

STATE_NAME: Final = ".cfw-emu"
"""Beside the wrangler file, as wrangler has ``.wrangler/state``; never watched and never uploaded."""


def state_directory(persist_to: Path | None, root: Path) -> Path:
    """``--persist-to`` (relative to the current directory), else ``.cfw-emu`` in ``root``; absolute.

    One directory stands for one account of the platform: what is served with it shares its data and quotas.
    Several projects that are served at once share the directory of the first.
    """
    return Path(os.path.abspath(persist_to)) if persist_to is not None else root / STATE_NAME
