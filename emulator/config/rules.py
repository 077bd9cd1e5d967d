"""Checks of ``rules``: which files are modules of which type.

https://developers.cloudflare.com/workers/wrangler/configuration/#bundling
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.config.document import Document, KeyPath
from emulator.config.words import close_matches, dotted, show
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report

MODULE_TYPES: Final = (
    "ESModule",
    "CommonJS",
    "CompiledWasm",
    "Text",
    "Data",
    "PythonModule",
    "PythonRequirement",
)

_EXAMPLES: Final[Mapping[str, str]] = {
    "CompiledWasm": "**/*.wasm",
    "Data": "**/*.bin",
    "ESModule": "**/*.mjs",
}


def rule_mistakes(document: Document, path: KeyPath, rules: list[Mapping[str, Any]]) -> list[Report]:
    """All that is wrong with the ``rules`` at ``path``; empty when they can be used."""
    return [
        mistake for index, rule in enumerate(rules) for mistake in _mistakes(document, (*path, index), rule)
    ]


def _mistakes(document: Document, path: KeyPath, rule: Mapping[str, Any]) -> list[Report]:
    found: list[Report] = []
    kind, globs, fallthrough = rule.get("type"), rule.get("globs"), rule.get("fallthrough")
    if kind not in MODULE_TYPES:
        found.append(_wrong_type(document, path, rule))
    if not isinstance(globs, list) or not all(isinstance(glob, str) for glob in globs):
        found.append(_wrong_globs(document, path, rule))
    if fallthrough is not None and not isinstance(fallthrough, bool):
        where = document.value_place(*path, "fallthrough")
        fix = document.line("fallthrough", "true").rstrip(",")
        key = dotted((*path, "fallthrough"))
        facts: dict[str, Any] = {"expected": "true or false", "value": show(fallthrough), "fix": fix}
        found.append(explain("config-wrong-type", key=key, where=where, **facts))
    return found


def _wrong_type(document: Document, path: KeyPath, rule: Mapping[str, Any]) -> Report:
    value = rule.get("type")
    near = close_matches(value, MODULE_TYPES) if isinstance(value, str) else []
    near = near or [name for name in MODULE_TYPES if name.lower() == str(value).lower()]
    line = document.line("type", show(near[0] if near else "Text")).rstrip(",")
    return explain(
        "config-rule-type",
        key=dotted((*path, "type")),
        got="is missing" if value is None else f"is {show(value)}",
        types=", ".join(MODULE_TYPES),
        line=line,
        where=document.value_place(*path, "type"),
    )


def _wrong_globs(document: Document, path: KeyPath, rule: Mapping[str, Any]) -> Report:
    value = rule.get("globs")
    example = value if isinstance(value, str) else _EXAMPLES.get(str(rule.get("type")), "**/*.txt")
    return explain(
        "config-wrong-type",
        key=dotted((*path, "globs")),
        expected="an array of text",
        value="nothing" if value is None else show(value),
        reason="The patterns say which files are modules of this type.",
        fix=document.line("globs", show([example])).rstrip(","),
        where=document.value_place(*path, "globs"),
    )
