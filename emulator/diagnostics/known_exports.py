"""Known mistakes in what the modules of JavaScript Workers export (texts of ``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.mistake import Known

DEFAULT_EXPORT: Final = """export default {
  async fetch(request, env, ctx) {
    return new Response("Hello");
  },
};"""
"""The main module of a Worker, at its least."""


def _export(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``name``, ``similar``, ``offered`` (names), ``specifier``."""
    name, similar, offered = values.get("name"), values.get("similar"), str(values.get("offered") or "")
    specifier = values.get("specifier", "")
    if similar and similar != "default":
        return {"advice": f"Did you mean {similar}?"}
    if offered == "default":
        return {"advice": f'It has a default export only:\n\nimport {name} from "{specifier}";'}
    if name == "default" and offered:
        first = offered.split(", ")[0]
        return {"advice": f'It exports: {offered}\n\nimport {{ {first} }} from "{specifier}";'}
    return {"advice": f"It exports: {offered}" if offered else "It exports nothing."}


def _no_default(values: Mapping[str, Any]) -> dict[str, str]:
    """Fact ``names``: what the module exports."""
    names = str(values.get("names") or "")
    has = f"The module exports: {names}." if names else "The module exports nothing."
    return {"has": has, "advice": DEFAULT_EXPORT}


def _without_fetch(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``has`` (names of functions) and ``kind`` of the default export."""
    has = str(values.get("has") or "")
    method = values.get("kind") in ("entrypoint", "class")
    advice = (
        'import { WorkerEntrypoint } from "cloudflare:workers";\n\n'
        "export default class extends WorkerEntrypoint {\n"
        '  async fetch(request) {\n    return new Response("Hello");\n  }\n}'
        if method
        else DEFAULT_EXPORT
    )
    if "fetch" in has.lower().split(", "):
        has += " (upper and lower case matter)"
    return {"list": f"It has: {has}." if has else "It has no functions at all.", "advice": advice}


def _literal(text: str) -> str:
    """``text`` as a template: its braces stay braces."""
    return text.replace("{", "{{").replace("}", "}}")


MODULE_EXPORT_MISTAKES: Final[Mapping[str, Known]] = {
    "export-missing": Known(
        'No matching export in "{path}" for import "{name}"',
        "The module has no export of this name.",
        "{advice}",
        derive=_export,
    ),
    "service-worker-syntax": Known(
        'addEventListener("fetch", ...) is the old service worker format',
        "Projects with imports, wasm or bindings of today are ES modules: the handlers are the properties of "
        "the default export.",
        _literal(DEFAULT_EXPORT),
    ),
    "no-default-export": Known(
        "The main module has no default export",
        "{has} The platform calls the handlers of the default export.",
        "{advice}",
        derive=_no_default,
    ),
    "named-fetch-export": Known(
        "fetch is a named export; the platform calls the default export only",
        "`export function fetch` makes a named export, which nobody calls.",
        _literal(DEFAULT_EXPORT),
    ),
    "default-export-type": Known(
        "Incorrect type for map entry 'default': the provided value is not of type 'function or "
        "ExportedHandler'.",
        "The default export is {kind}; it must be an object with handlers, or a class that extends "
        "WorkerEntrypoint.",
        _literal(DEFAULT_EXPORT),
    ),
    "default-export-function": Known(
        "The default export is a function",
        "The platform takes a function for a class and does not call it with a request: such a Worker "
        "deploys, then fails on every request.",
        "Put it into an object:\n\n" + _literal(DEFAULT_EXPORT),
    ),
    "default-export-class": Known(
        "The default export is a class that does not extend WorkerEntrypoint",
        "The platform takes such a class for a Durable Object, which cannot be the default entrypoint.",
        'import {{ WorkerEntrypoint }} from "cloudflare:workers";\n\n'
        "export default class extends WorkerEntrypoint {{\n"
        '  async fetch(request) {{\n    return new Response("Hello");\n  }}\n}}',
    ),
    "default-without-fetch": Known(
        "Handler does not export a fetch() function.",
        "For a request the platform calls the function `fetch` of the default export. {list}",
        "{advice}",
        derive=_without_fetch,
    ),
}
