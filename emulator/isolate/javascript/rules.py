"""Which imports are no JavaScript, by wrangler's module rules.

A rule's globs are matched against the specifier as it is written in the import, not against the path of the
file. https://developers.cloudflare.com/workers/wrangler/configuration/#bundling
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from emulator.wire.frames import ModuleRule

DEFAULT_RULES: Final = (
    ModuleRule("Text", ["**/*.txt", "**/*.html", "**/*.sql"]),
    ModuleRule("Data", ["**/*.bin"]),
    ModuleRule("CompiledWasm", ["**/*.wasm", "**/*.wasm?module"]),
)
"""What wrangler adds after the project's own rules."""

VALUE_TYPES: Final = frozenset(("Text", "Data", "CompiledWasm"))
"""Rules of these types make modules whose default export is a value; files of other types are JavaScript."""


class _Matcher(NamedTuple):
    pattern: re.Pattern[str]
    rule: ModuleRule
    shadowed_by: ModuleRule | None


class Rules:
    """The rules of one project, its own ones first.

    The first rule of a type without ``fallthrough = true`` ends that type: later ones, the default included,
    are shadowed, and a file that only they match cannot be imported.
    """

    def __init__(self, custom: Iterable[ModuleRule] = ()) -> None:
        self._used: list[_Matcher] = []
        self._shadowed: list[_Matcher] = []
        ended: dict[str, ModuleRule] = {}
        for rule in (*custom, *DEFAULT_RULES):
            shadow = ended.get(rule.type)
            (self._shadowed if shadow else self._used).extend(
                _Matcher(_glob(glob), rule, shadow) for glob in rule.globs
            )
            if not rule.fallthrough:
                ended.setdefault(rule.type, rule)

    def type_of(self, specifier: str) -> str | None:
        """The type of the module that ``specifier`` imports; None for JavaScript and JSON."""
        for pattern, rule, _ in self._used:
            if rule.type in VALUE_TYPES and pattern.match(specifier):
                return rule.type
        return None

    def shadowed(self, specifier: str) -> tuple[ModuleRule, ModuleRule] | None:
        """The rule that would match but is ignored, and the one that it is ignored for."""
        for pattern, rule, shadow in self._shadowed:
            if shadow is not None and rule.type in VALUE_TYPES and pattern.match(specifier):
                return rule, shadow
        return None


def _glob(glob: str) -> re.Pattern[str]:
    """A glob as wrangler reads it: ``*`` is any characters, ``/`` included; nothing else is special."""
    parts = re.split(r"\*+", glob)
    return re.compile(".*".join(re.escape(part) for part in parts) + r"\Z", re.DOTALL)
