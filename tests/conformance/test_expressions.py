"""Expressions and snippets, evaluated by probe.py, give what the real runtime gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from isolates import Isolate
from recorded import recorded

# ---- what is recorded and not so here; strict: what begins to agree fails, and leaves the table

HTML_REWRITER = "HTMLRewriter is a later issue"
CACHES = "the Cache API is a later issue"
INTL = "QuickJS has no Intl; a later issue gives it one"
C_METHOD = "a method that Python's side of a proxy adds is a Python function here, a C function there"

EXPRESSIONS: dict[str, str] = {
    "js.HTMLRewriter.new().constructor.name": HTML_REWRITER,
    'await js.HTMLRewriter.new().on("p", create_proxy(type("H",(),{"element": lambda self,e: '
    'e.setAttribute("x","1")})())).transform(js.Response.new("<div><p>hi</p></div>")).text()': HTML_REWRITER,
    "sorted(k for k in js.Object.getOwnPropertyNames(js.globalThis).to_py() if k[0].isupper())": INTL,
    '(await (await js.caches.open("c")).match("http://x.com/none")) is None': CACHES,
    '(await js.caches.default.match("http://x.com/none")) is None': CACHES,
}

SNIPPETS: dict[str, str] = {
    "h33_structured_types": C_METHOD,
    "h37_eventsource_classes": INTL,
}

# ----


def _cases(items: list[dict[str, Any]], key: str, code: str, differences: dict[str, str]) -> list[Any]:
    unknown = set(differences)
    cases = []
    for number, item in enumerate(items):
        reason = differences.get(item[key])
        unknown.discard(item[key])
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
        name = item["name"] if key == "name" else f"{item['group']}-{number}"
        cases.append(pytest.param(item[code], item["expect"], id=name.replace(" ", "-"), marks=marks))
    assert not unknown, f"the table names what is not recorded: {unknown}"
    return cases


def _ask(probe: Callable[[], Isolate], code: str, *headers: tuple[str, str]) -> Any:
    answer = probe().fetch(
        "POST", "/p?q=1", [("x-probe", "1"), ("content-type", "text/plain"), *headers], code.encode()
    )
    assert answer.report is None, answer.report
    return answer.json


@pytest.mark.parametrize(
    ("expression", "expected"), _cases(recorded("expressions.json"), "expr", "expr", EXPRESSIONS)
)
def test_expression(probe: Callable[[], Isolate], expression: str, expected: Any) -> None:
    assert expected == _ask(probe, expression)


@pytest.mark.parametrize(("code", "expected"), _cases(recorded("snippets.json"), "name", "code", SNIPPETS))
def test_snippet(probe: Callable[[], Isolate], code: str, expected: Any) -> None:
    assert expected == _ask(probe, code, ("x-mode", "exec"))
