"""The directories that are watched, and whether their names still mean the same ones."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path


class Watched:
    """Directories, held open: else a directory that is made anew may get the number of the one before."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self._held: dict[Path, int] = {}
        for root in roots:
            with contextlib.suppress(OSError):
                self._held[root] = os.open(root, os.O_RDONLY | os.O_DIRECTORY)

    @property
    def roots(self) -> list[Path]:
        """Those that are there."""
        return list(self._held)

    def holds(self, root: Path) -> bool:
        """Whether the directory that ``root`` names now is one of these."""
        held = self._held.get(root)
        try:
            return held is not None and os.path.samestat(os.fstat(held), os.stat(root))
        except OSError:
            return False

    def close(self) -> None:
        """Let go of them."""
        for held in self._held.values():
            os.close(held)
        self._held.clear()
