"""Known mistakes around the file that counts requests and operations by day (texts of ``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.mistake import Known

_ELSEWHERE: Final = "Or keep local data elsewhere:\n\ncfw-emu serve --persist-to DIR"

_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "full": ("the disk is full", f"Free some space. {_ELSEWHERE}"),
    "denied": ("it may not be written to", f"Let this user write to it and to its directory. {_ELSEWHERE}"),
    "locked": ("another program keeps it locked", "End the program that has it open, for example sqlite3."),
    "newer": (
        "it was made by a newer cfw-emu",
        "Update cfw-emu (`pip install -U cfw-emu`), or delete the file.",
    ),
}
"""What is wrong with the file, and what to do."""


def _unusable(values: Mapping[str, Any]) -> dict[str, str]:
    problem = str(values.get("problem") or "it cannot be used")
    told, advice = _KINDS.get(str(values.get("kind", "")), (problem, f"Mend or move it. {_ELSEWHERE}"))
    return {"trouble": told, "advice": advice}


QUOTA_MISTAKES: Final[Mapping[str, Known]] = {
    "quota-unusable": Known(
        "Today's requests cannot be counted on disk: {trouble}",
        "The counts of each day are kept in {file}. Until it can be written to, they are kept in memory "
        "alone, and a restart forgets them. Requests are answered as before.",
        "{advice}",
        "warning",
        derive=_unusable,
    ),
    "quota-damaged": Known(
        "The file that counts requests by day is damaged: {problem}",
        "It is no database of cfw-emu (any more). It was set aside as {aside}, and counting began anew.",
        "Delete it, if you do not need it. `cfw-emu quota` shows the counts from now on.",
        "warning",
    ),
}
