"""Compatibility flags: which are on for a date and a list of flags.

Source: https://developers.cloudflare.com/workers/configuration/compatibility-flags/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

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
    "fetch_standard_url": "2024-06-03",
    "set_tostring_tag": "2024-09-26",
    "upper_case_all_http_methods": "2024-10-14",
    "cache_option_enabled": "2024-11-11",
    "cache_no_cache_enabled": "2025-08-07",
    "strip_bom_in_read_all_text": "2026-01-13",
    "enhanced_error_serialization": "2026-04-21",
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
    "fetch_standard_url": "fetch_legacy_url",
    "set_tostring_tag": "do_not_set_tostring_tag",
    "upper_case_all_http_methods": "no_upper_case_all_http_methods",
    "cache_option_enabled": "cache_option_disabled",
    "cache_no_cache_enabled": "cache_no_cache_disabled",
    "strip_bom_in_read_all_text": "do_not_strip_bom_in_read_all_text",
    "enhanced_error_serialization": "legacy_error_serialization",
}
_OF_REALM: Final = (
    "fetch_standard_url",
    "set_tostring_tag",
    "upper_case_all_http_methods",
    "cache_option_enabled",
    "cache_no_cache_enabled",
    "strip_bom_in_read_all_text",
    "enhanced_error_serialization",
)
"""Flags without which the realm's classes behave otherwise (``platform.older``)."""


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

    def tell(self, platform: Any) -> None:
        """Have the realm whose ``platform`` object this is behave so, before the Worker loads."""
        shown, older = platform.get("compatibilityFlags"), platform.get("older")
        for name in self.shown():
            shown.set(name, True)
        missing = [name for name in _OF_REALM if not self.on(name)]
        for name in missing:
            older.set(name, True)
        if missing:
            platform.get("becomeOlder")()

    @property
    def python_version(self) -> tuple[int, int]:
        """The CPython that production runs for these flags."""
        if any(self.on(f"python_workers_{name}") for name in ("20260610", "20260817", "development")):
            return 3, 14
        return (3, 13) if self.on("python_workers_20250116") else (3, 12)
