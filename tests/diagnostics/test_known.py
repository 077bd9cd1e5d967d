"""The table of known mistakes: every code explains itself and is documented."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from emulator.diagnostics.known import KNOWN, explain, facts
from emulator.diagnostics.render import render_text
from emulator.diagnostics.report import Place, Report

DOCS = Path(__file__).parents[2] / "docs" / "errors.md"

REQUIRED = {
    "no-python-workers-flag",
    "headers-plain-dict",
    "no-wrangler-file",
    "main-missing",
    "main-not-found",
    "syntax-error",
    "import-error-project",
    "package-not-installed",
    "js-name-missing",
    "no-handler",
    "handler-ignored-by-date",
    "handler-arity",
    "not-a-response",
    "body-used",
    "hung",
    "subrequest-failed",
    "borrowed-proxy",
    "uncaught-exception",
    "port-in-use",
    "editor-js-import",
}


def sections() -> set[str]:
    return set(re.findall(r"^### ([a-z0-9-]+)$", DOCS.read_text("utf-8"), re.MULTILINE))


def test_every_code_has_its_section_and_every_section_its_code() -> None:
    assert sections() == set(KNOWN)


def test_every_section_has_symptom_why_and_fix() -> None:
    text = DOCS.read_text("utf-8")
    for block in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        for part in ("**You see**", "**Why.**", "**Fix.**"):
            assert part in block, (block.splitlines()[0], part)


def test_every_code_in_the_source_is_known() -> None:
    used: dict[str, str] = {}
    for path in sorted((DOCS.parents[1] / "emulator").rglob("*.py")):
        for match in re.finditer(r"(?:\bexplain\(|\bcode=)\s*\"([a-z0-9-]+)\"", path.read_text("utf-8")):
            used.setdefault(match[1], str(path))
    assert len(used) > 20
    assert {code: path for code, path in used.items() if code not in KNOWN} == {}


def test_the_promised_mistakes_are_known() -> None:
    assert set(KNOWN) >= REQUIRED


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_a_code_can_be_explained_with_and_without_its_facts(code: str) -> None:
    given: dict[str, Any] = {name: f"<{name}>" for name in facts(code) if name != "exception"}
    given.pop("other_port", None)
    report = explain(code, exception="ValueError: x", **given)
    assert report.code == code and report.what
    assert explain(code).what
    assert "{" not in report.what


def test_an_unknown_code_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        explain("no-such-code")


def test_values_of_the_user_are_not_templates() -> None:
    assert "{name}" in explain("config-unknown-key", key="{name}").what


def test_a_report_can_always_be_sent() -> None:
    report = explain("uncaught-exception", exception="ValueError: \ud800")
    assert report.what == "Uncaught ValueError: \\ud800"
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(report), type=Report) == report


def test_headers_plain_dict_shows_the_two_working_forms() -> None:
    fix = explain("headers-plain-dict").fix
    assert "Headers.new(d.items())" in fix
    assert "to_js(d, dict_converter=Object.fromEntries)" in fix


@pytest.mark.parametrize(
    ("handler", "kind", "expected"),
    [
        ("on_fetch", "str", "from js import Response\n\nreturn Response.new(text)"),
        ("Default.fetch", "str", "from workers import Response\n\nreturn Response(text)"),
        ("Default.fetch", "dict", "from workers import Response\n\nreturn Response.json(data)"),
        (
            "on_fetch",
            "dict",
            "import json\nfrom js import Headers, Response\n\n"
            'headers = Headers.new({"Content-Type": "application/json"}.items())\n'
            "return Response.new(json.dumps(data), headers=headers)",
        ),
        ("on_fetch", "coroutine", "return await make_response()"),
    ],
)
def test_not_a_response_shows_what_to_return(handler: str, kind: str, expected: str) -> None:
    report = explain("not-a-response", handler=handler, type=kind)
    assert report.what == "Incorrect type for Promise: the Promise did not resolve to 'Response'."
    assert report.fix == expected


def test_no_handler_follows_the_date() -> None:
    assert "async def on_fetch" in explain("no-handler", date="2025-08-13").fix
    assert "class Default(WorkerEntrypoint)" in explain("no-handler", date="2025-08-14").fix


def test_golden_text_of_a_request_mistake() -> None:
    where = Place("/w/src/entry.py", 7, 12, "on_fetch", "    return Response.new(body, headers=h)")
    report = explain("headers-plain-dict", where=where, frames=[where], event="GET /json")
    assert (
        render_text(report, "/w")
        == """\
✘ headers is a plain Python dict
  during GET /json
  --> src/entry.py:7:12 in on_fetch
  7 |     return Response.new(body, headers=h)
    |            ^
  why: JavaScript receives a proxy of the dict, not an object, and cannot read header pairs from it. \
Production never answers such a request ("Worker hung").
  fix: Use one of the working forms:

       from js import Headers
       headers = Headers.new(d.items())

       from js import Object
       from pyodide.ffi import to_js
       headers = to_js(d, dict_converter=Object.fromEntries)
  see: docs/errors.md#headers-plain-dict
"""
    )


def test_a_name_that_toml_does_not_know_bare_is_quoted() -> None:
    assert '\n"沒有" = "..."' in explain("env-missing", name="沒有").fix
    assert '\nNAME = "..."' in explain("env-missing", name="NAME").fix
