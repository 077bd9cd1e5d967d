"""What can be told about a project without serving it: mistakes in its source, its size, its limits."""

from emulator.project.check.result import Checked, Start, can_load, checked, counts
from emulator.project.check.show import as_json, as_text, summary

__all__ = ["Checked", "Start", "as_json", "as_text", "can_load", "checked", "counts", "summary"]
