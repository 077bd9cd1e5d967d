"""A report: one mistake, told as what happened, where, why, and how to mend it.

Call sites give facts (a code and values); the prose of each known mistake lives in
``emulator.diagnostics.known``. Reports travel over the wire as they are and are rendered
for terminal, HTML, text and JSON by ``emulator.diagnostics.render``.
"""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where in the user's files. Lines and columns count from 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0
    function: str = ""
    source: str = ""
    """The source line, without its newline."""


class Report(msgspec.Struct, frozen=True, array_like=True):
    """One explained mistake or one uncaught exception."""

    code: str
    """Stable name, also the anchor in docs/errors.md, e.g. ``headers-plain-dict``."""
    what: str
    """One line: what happened."""
    why: str = ""
    fix: str = ""
    """What to write instead; may have several lines."""
    where: Place | None = None
    frames: list[Place] = []
    """The user's frames, outermost first. Never ours."""
    exception: str = ""
    """The platform's or Python's own line, e.g. ``ValueError: boom``."""
    severity: str = "error"
    """``error`` or ``warning``."""
    event: str = ""
    """``GET /path`` of the event under way, when there is one."""
