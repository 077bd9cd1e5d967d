"""Which files are the user's own: reports point at these, whoever's code failed."""

from __future__ import annotations

from typing import Final

_PACKAGES: Final = ("/python_modules/", "/node_modules/", "/site-packages/")
"""Directories in a project whose files others wrote; a virtual environment's may even hold this program."""


def is_own(file: str, root: str) -> bool:
    """Whether ``file`` lies in the project ``root``, which ends in a slash, and not in a package in it."""
    if not file.startswith(root):
        return False
    inside = file[len(root) - 1 :]
    return not any(directory in inside for directory in _PACKAGES)
