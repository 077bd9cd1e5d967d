"""Known mistakes: code -> what happened, why, and how to mend it.

Call sites give facts (``explain("main-not-found", main="src/entry.py", ...)``); the prose is in the
tables of this room and nowhere else. Each code is also the anchor of a section in
``docs/errors.md``. The texts are ``str.format`` templates; a fact that a call site leaves out becomes
an empty text, because the explanation of a mistake must never raise a second one.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.diagnostics.known_build import BUILD_MISTAKES
from emulator.diagnostics.known_check import CHECK_MISTAKES
from emulator.diagnostics.known_command import COMMAND_MISTAKES
from emulator.diagnostics.known_config import CONFIG_MISTAKES
from emulator.diagnostics.known_direct import DIRECT_MISTAKES
from emulator.diagnostics.known_exceeded import EXCEEDED_MISTAKES
from emulator.diagnostics.known_exports import MODULE_EXPORT_MISTAKES
from emulator.diagnostics.known_javascript import JAVASCRIPT_MISTAKES
from emulator.diagnostics.known_limits import LIMIT_MISTAKES
from emulator.diagnostics.known_load import LOAD_MISTAKES
from emulator.diagnostics.known_modules import MODULE_MISTAKES
from emulator.diagnostics.known_project import PROJECT_MISTAKES
from emulator.diagnostics.known_quota import QUOTA_MISTAKES
from emulator.diagnostics.known_request import REQUEST_MISTAKES
from emulator.diagnostics.mistake import Known
from emulator.diagnostics.report import Place, Report

__all__ = ["KNOWN", "Known", "encodable", "explain", "facts"]

KNOWN: Final[Mapping[str, Known]] = {
    **COMMAND_MISTAKES,
    **CONFIG_MISTAKES,
    **PROJECT_MISTAKES,
    **BUILD_MISTAKES,
    **LOAD_MISTAKES,
    **REQUEST_MISTAKES,
    **JAVASCRIPT_MISTAKES,
    **MODULE_MISTAKES,
    **MODULE_EXPORT_MISTAKES,
    **DIRECT_MISTAKES,
    **LIMIT_MISTAKES,
    **CHECK_MISTAKES,
    **EXCEEDED_MISTAKES,
    **QUOTA_MISTAKES,
}


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def facts(code: str) -> frozenset[str]:
    """The names of the facts that the texts of ``code`` mention."""
    names: set[str] = set()
    for template in KNOWN[code][:3]:
        names.update(field for _, field, _, _ in string.Formatter().parse(template) if field)
    return frozenset(names)


def encodable(text: str) -> str:
    """``text`` with lone surrogates spelled out: they can be neither sent nor printed as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def explain(
    code: str,
    *,
    where: Place | None = None,
    frames: Sequence[Place] = (),
    exception: str = "",
    event: str = "",
    severity: str = "",
    **given: Any,
) -> Report:
    """The report of a known mistake, its texts filled with the given facts.

    ``severity`` overrides the usual one of this mistake. Raises ``KeyError`` for an unknown code.
    """
    known = KNOWN[code]
    values = _Facts(given, exception=exception)
    if known.derive:
        values |= known.derive(values)
    return Report(
        code=code,
        what=encodable(known.what.format_map(values)),
        why=encodable(known.why.format_map(values).rstrip(" ")),
        fix=encodable(known.fix.format_map(values).strip("\n")),
        where=where,
        frames=list(frames),
        exception=encodable(exception),
        severity=severity or known.severity,
        event=event,
    )
