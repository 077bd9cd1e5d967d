"""Checks of a wrangler file: every mistake becomes a report with its place; none stops the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from emulator.config.document import Document, KeyPath
from emulator.config.keys import KEYS, REMOVED, Key, Type
from emulator.config.names import name_mistakes
from emulator.config.rules import rule_mistakes
from emulator.config.words import LABEL_MAX, close_matches, dotted, show, worker_name
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

_NAME: Final = re.compile(r"[a-z0-9_][a-z0-9_-]*")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

_EXPECTED: Final[Mapping[Type, tuple[str, str]]] = {
    "string": ("text", '"text"'),
    "boolean": ("true or false", "true"),
    "number": ("a number", "10"),
    "object": ("a table of keys", ""),
    "array": ("an array", '["..."]'),
    "string array": ("an array of text", '["..."]'),
    "objects": ("an array of tables", ""),
    "string or array": ("text or an array of text", '"text"'),
    "strings": ("a table of text", ""),
    "protocol": ('"http" or "https"', '"http"'),
    "name": ("text", '"my-worker"'),
    "date": ("a date in double quotes", '"2024-12-01"'),
}
"""How the message names a type, and an example of a value of it."""


class Checker:
    """Collects the mistakes of one document."""

    def __init__(self, document: Document, today: date) -> None:
        self.document = document
        self.today = today
        self.errors: list[Report] = []
        self.warnings: list[Report] = []

    def table(self, table: Mapping[str, Any], path: KeyPath = ()) -> dict[str, Any]:
        """The well-formed keys of the top level or of one environment (``path``)."""
        good: dict[str, Any] = {}
        for name, value in table.items():
            where = (*path, name)
            key = KEYS.get(name)
            if name in REMOVED:
                self._warn("config-removed-key", where, **REMOVED[name]._asdict())
            elif key is None or (path and key.scope == "top"):
                self._unknown(where, _allowed(path), key)
            elif not _is_nothing(key, value) and self._key(where, key, value):
                good[name] = value
        self.errors += name_mistakes(self.document, table, path)
        return good

    def environment(self, environments: object, name: str) -> Mapping[str, Any] | None:
        """The table of one environment, or None after reporting that there is none."""
        existing = list(environments) if isinstance(environments, Mapping) else []
        if not isinstance(environments, Mapping) or name not in environments:
            self._no_environment(name, existing)
            return None
        table = environments[name]
        if not isinstance(table, Mapping):
            self._wrong(("env", name), "object", table)
            return None
        return table

    def not_inherited(self, top: Mapping[str, Any], own: Mapping[str, Any], environment: str) -> None:
        """Warn, as wrangler does, about what stands at the top level but not in the environment."""
        for name in top:
            if name not in KEYS or KEYS[name].scope != "own":
                continue
            missing = [name] if name not in own else []
            if name in ("vars", "define") and isinstance(top[name], Mapping):
                inner = own.get(name, {})
                missing = [
                    f"{name}.{key}" for key in top[name] if isinstance(inner, Mapping) and key not in inner
                ]
            for key in missing:
                where = self.document.key_place("env", environment)
                self.warnings.append(
                    explain("config-not-inherited", key=key, field=name, environment=environment, where=where)
                )

    def not_emulated(self, tables: list[tuple[Mapping[str, Any], KeyPath]]) -> None:
        """One warning that names all keys that are accepted without effect."""
        found: dict[str, Place | None] = {}
        for table, path in tables:
            for name, value in table.items():
                if name in KEYS and not KEYS[name].emulated and value not in (None, [], {}):
                    found.setdefault(name, self.document.key_place(*path, name))
        if found:
            where = next(iter(found.values()))
            self.warnings.append(explain("config-not-emulated", keys=", ".join(found), where=where))

    def _key(self, path: KeyPath, key: Key, value: object) -> bool:
        if key.type == "name":
            return self._name(path, value)
        if key.type == "date":
            return self._date(path, value)
        if not fits(key.type, value):
            self._wrong(path, key.type, value)
            return False
        if path[-1] == "rules" and isinstance(value, list):
            mistakes = rule_mistakes(self.document, path, value)
            self.errors += mistakes
            return not mistakes
        if key.fields and isinstance(value, Mapping):
            return self._fields(path, key.fields, value)
        return self._numbers(path, value)

    def _fields(self, path: KeyPath, fields: Mapping[str, Type], table: Mapping[str, Any]) -> bool:
        before = len(self.errors)
        for name, value in table.items():
            if name not in fields:
                self._unknown((*path, name), list(fields))
            elif not fits(fields[name], value):
                self._wrong((*path, name), fields[name], value)
        return len(self.errors) == before

    def _numbers(self, path: KeyPath, value: object) -> bool:
        """TOML has integers that JavaScript has not; wrangler's parser refuses them."""
        if self.document.language != "TOML":
            return True
        if isinstance(value, Mapping):
            return all([self._numbers((*path, name), item) for name, item in value.items()])
        if isinstance(value, list):
            return all([self._numbers((*path, index), item) for index, item in enumerate(value)])
        if isinstance(value, int) and abs(value) > 2**53 - 1:
            fix = f'Write it as text: "{value}"'
            self._error("config-wrong-type", path, expected="at most 2**53 - 1", value=value, fix=fix)
            return False
        return True

    def _name(self, path: KeyPath, value: object) -> bool:
        if not isinstance(value, str):
            self._wrong(path, "name", value)
            return False
        if not _NAME.fullmatch(value):
            better = worker_name(value)
            fix = self.document.line("name", show(better or "my-worker")).rstrip(",")
            self._error("config-bad-name", path, value=show(value), fix=fix)
            return False
        if len(value) > LABEL_MAX:
            self._warn("config-long-name", path, name=value, length=len(value))
        return True

    def _date(self, path: KeyPath, value: object) -> bool:
        if not isinstance(value, str):
            example = value.isoformat()[:10] if isinstance(value, date) else self.today.isoformat()
            fix = self.document.line(str(path[-1]), show(example)).rstrip(",")
            reason = (
                "TOML has dates of its own, but wrangler reads only text." if isinstance(value, date) else ""
            )
            self._error("config-bad-date", path, value=show(value), reason=reason, fix=fix)
            return False
        day = _parse_date(value)
        if day is None:
            self._error("config-bad-date", path, value=show(value), **self._date_help(str(path[-1]), value))
        elif day > self.today:
            fix = self.document.line(str(path[-1]), show(self.today.isoformat())).rstrip(",")
            self._error("config-future-date", path, value=value, today=self.today, fix=fix)
        return day is not None and day <= self.today

    def _date_help(self, key: str, value: str) -> dict[str, str]:
        example = self.today.isoformat()
        reason = "It selects the platform's behaviour as of that day."
        if any(dash in value for dash in "–—−"):
            reason = "Use hyphens (-), not the longer dashes that word processors insert."
            example = re.sub("[–—−]", "-", value)
        elif _DATE.fullmatch(value):
            reason = "The calendar has no such day."
        elif (parts := re.fullmatch(r"(\d{4})\D(\d{1,2})\D(\d{1,2})", value, re.ASCII)) is not None:
            example = f"{parts[1]}-{int(parts[2]):02}-{int(parts[3]):02}"
        if _parse_date(example) is None:
            example = self.today.isoformat()
        return {"reason": reason, "fix": self.document.line(key, show(example)).rstrip(",")}

    def _unknown(self, path: KeyPath, known: list[str], misplaced: Key | None = None) -> None:
        name = str(path[-1])
        if misplaced is not None:
            suggestion = f'"{name}" belongs at the top level of the file.'
        else:
            near = close_matches(name.lower().replace("-", "_"), known)
            suggestion = f'Did you mean "{near[0]}"?' if near else "Remove it."
        self._warn("config-unknown-key", path, suggestion=suggestion)

    def _no_environment(self, name: str, existing: list[str]) -> None:
        has = (
            "The file has " + ", ".join(existing) + "."
            if existing
            else "The file has no environments at all."
        )
        if near := close_matches(name, existing):
            has += f' Did you mean "{near[0]}"?'
        toml = self.document.language == "TOML"
        facts: dict[str, Any] = {
            "environment": name,
            "file": self.document.source.path.name,
            "existing": has,
            "section": f"[env.{name}]" if toml else f'"env": {{ "{name}": {{}} }}',
            "where": self.document.key_place("env") or Place(str(self.document.source.path)),
        }
        # Wrangler goes on with the top level when the file has no environments at all.
        if existing:
            self.errors.append(explain("config-unknown-environment", **facts))
        else:
            self.warnings.append(explain("config-unknown-environment", severity="warning", **facts))

    def _wrong(self, path: KeyPath, expected: Type, value: object) -> None:
        words, example = _EXPECTED[expected]
        name = str(path[-1])
        if isinstance(value, str) and expected in ("string array", "array"):
            example = f"[{show(value)}]"
        elif (
            expected == "string" and isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)
        ):
            example = show(value[0])
        elif (
            expected in ("string", "name") and isinstance(value, int | float) and not isinstance(value, bool)
        ):
            example = show(str(value))
        elif expected == "boolean" and str(value).lower() in ("true", "false"):
            example = str(value).lower()
        fix = self.document.line(name, example).rstrip(",") if example else self._section(path, expected)
        self._error("config-wrong-type", path, expected=words, value=show(value), fix=fix)

    def _section(self, path: KeyPath, expected: Type) -> str:
        name = dotted(path)
        if self.document.language == "TOML":
            header = f"[[{name}]]" if expected == "objects" else f"[{name}]"
            return f'{header}\nkey = "value"'
        return f'"{path[-1]}": [{{ ... }}]' if expected == "objects" else f'"{path[-1]}": {{ ... }}'

    def _error(self, code: str, path: KeyPath, **facts: Any) -> None:
        where = self.document.value_place(*path)
        self.errors.append(explain(code, key=dotted(path), where=where, **facts))

    def _warn(self, code: str, path: KeyPath, **facts: Any) -> None:
        where = self.document.key_place(*path)
        self.warnings.append(explain(code, key=dotted(path), where=where, **facts))


def fits(expected: Type, value: object) -> bool:
    """Whether a parsed value has the type."""
    match expected:
        case "any":
            return True
        case "string" | "name" | "date":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "protocol":
            return value in ("http", "https")
        case "object":
            return isinstance(value, Mapping)
        case "strings":
            return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())
        case "array":
            return isinstance(value, list)
        case "objects":
            return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)
        case "string array":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "string or array":
            return isinstance(value, str) or fits("string array", value)


def _is_nothing(key: Key, value: object) -> bool:
    """Whether the key might as well be absent. A name may be empty: ``wrangler init`` once wrote that."""
    return (value is None and key.nullable) or (value == "" and key.type == "name")


def _allowed(path: KeyPath) -> list[str]:
    """The keys that may stand at the top level, or in an environment."""
    return [name for name, key in KEYS.items() if not path or key.scope != "top"]


def _parse_date(text: str) -> date | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
