"""Compatibility flags: which are on for a date and a list of flags.

Source: https://developers.cloudflare.com/workers/configuration/compatibility-flags/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ON_FROM: Final[dict[str, str]] = {
    "python_workers": "",
    "python_workers_20250116": "2025-09-29",
    "python_no_global_handlers": "2025-08-14",
    "python_workers_force_new_vendor_path": "2025-08-11",
    "python_workflows": "2025-09-20",
    "python_dedicated_snapshot": "2025-10-16",
    "python_check_rng_state": "2025-12-16",
    "python_request_headers_preserve_commas": "2026-02-17",
    "python_workflows_implicit_dependencies": "2026-02-25",
    "enable_python_external_sdk": "2026-04-21",
    "python_process_pth_files": "2026-05-26",
    "fetch_iterable_type_support": "2026-02-19",
    "python_workers_20260610": "",
    "python_workers_20260817": "",
    "python_workers_development": "",
}
"""Enable flag -> date from which it is on by itself (empty: never)."""

_DISABLED_BY: Final = {
    "python_workflows_implicit_dependencies": "no_python_workflows_implicit_dependencies",
    "enable_python_external_sdk": "disable_python_external_sdk",
    "python_workers_force_new_vendor_path": "",
    "fetch_iterable_type_support": "no_fetch_iterable_type_support",
}


class CompatibilityFlags:
    """The flags in force for one Worker."""

    def __init__(self, date: str, flags: Sequence[str]) -> None:
        self.date = date
        self._given = frozenset(flags)

    def on(self, name: str) -> bool:
        """Whether the flag of this enable name is in force."""
        off = _DISABLED_BY.get(name, f"disable_{name}")
        if off and off in self._given:
            return False
        since = ON_FROM.get(name, "")
        return name in self._given or bool(since and self.date >= since)

    def items(self) -> list[tuple[str, bool]]:
        """Every known flag by its enable name, and whether it is in force."""
        return [(name, self.on(name)) for name in ON_FROM]

    def shown(self) -> frozenset[str]:
        """What ``Cloudflare.compatibilityFlags`` shows: the flags given, and those of the date."""
        return self._given.union(name for name, on in self.items() if on)

    @property
    def python_version(self) -> tuple[int, int]:
        """The CPython that production runs for these flags."""
        if any(self.on(f"python_workers_{name}") for name in ("20260610", "20260817", "development")):
            return 3, 14
        return (3, 13) if self.on("python_workers_20250116") else (3, 12)
