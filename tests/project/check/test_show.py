"""The last line of ``cfw-emu check``."""

from __future__ import annotations

from emulator.diagnostics.report import Place, Report
from emulator.project.check.show import summary


def warning(what: str, where: Place | None = None) -> Report:
    return Report(code="python-version", what=what, where=where, severity="warning")


def test_what_is_shown_once_counts_once() -> None:
    told = [warning("Runs on Python 3.11"), warning("Runs on Python 3.11"), warning("Something else")]
    assert summary([], told) == "Checked 0 Workers: 2 warnings."


def test_the_same_mistake_in_two_places_counts_twice() -> None:
    told = [warning("a", Place("x.py", 1)), warning("a", Place("y.py", 1))]
    assert summary([], told) == "Checked 0 Workers: 2 warnings."
    mistakes = [Report(code="startup-cpu", what="Too slow"), Report(code="startup-cpu", what="Too slow")]
    assert summary([], mistakes) == "Checked 0 Workers: 2 mistakes."
