"""Names that are nearly right."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

_LONGEST: Final = 200
"""Characters; nothing is near to a longer name."""


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The candidate most like ``name``: alike but for case, else by its letters; "" when none is near."""
    from difflib import get_close_matches

    known = list(candidates) if len(name) <= _LONGEST else []
    alike = {candidate.lower(): candidate for candidate in known}.get(name.lower())
    return alike or next(iter(get_close_matches(name, known, 1)), "")


def nearest_file(name: str, names: Iterable[str]) -> str:
    """The file name most like ``name``; an extension in common is no likeness, unless it is a rare one."""
    known = list(names)
    stem, extension = os.path.splitext(name)
    stems = {os.path.splitext(other)[0]: other for other in known}
    stems |= {os.path.splitext(other)[0]: other for other in known if other.endswith(extension)}
    if near := nearest(stem, stems):
        return stems[near]
    same = [other for other in known if extension and os.path.splitext(other)[1] == extension]
    return same[0] if len(same) == 1 and extension not in (".js", ".mjs", ".json") else ""


def spelled(path: str, root: str) -> str:
    """How the existing file ``path`` is spelled on disk, if otherwise; "" when it is spelled right.

    File systems of macOS and Windows find ``./Lib.js`` where the file is ``lib.js``. Looked at
    below ``root`` only.
    """
    if not path.startswith(root + os.sep):
        return ""
    right = [root]
    for part in path[len(root) + 1 :].split(os.sep):
        right.append(_entry(os.sep.join(right), part))
    found = os.sep.join(right)
    return "" if found == path else found


def _entry(directory: str, name: str) -> str:
    try:
        names = os.listdir(directory)
    except OSError:
        return name
    if name in names:
        return name
    folded = {other.casefold(): other for other in names}
    return folded.get(name.casefold(), name)
