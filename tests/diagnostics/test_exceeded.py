"""The prose about limits that were exceeded, and the platform's pages around it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.diagnostics.known import explain
from emulator.diagnostics.known_exceeded import EXCEEDED_MISTAKES
from emulator.diagnostics.limit_page import limit_page
from emulator.diagnostics.page import page
from emulator.diagnostics.render import render_text
from emulator.diagnostics.report import Place, Report

HOTTEST = "  62%  src/entry.py:12  in work\n   9%  src/entry.py:13  in work"
ODD = re.compile(r"  | [.,](?:\s|$)| \(\)| \"\"|\{|None")
"""What is left where a text forgot that a fact may be missing."""
DATE = "2026-01-02 03:04:05 UTC"


def cpu(**facts: object) -> Report:
    given = {"budget": "10 ms", "used": "14.2 ms", "plan": "free", **facts}
    return explain("cpu-exceeded", **given)


def test_cpu_cut_while_it_ran() -> None:
    where = Place("/w/src/entry.py", 12, 5, "work", "    while True:")
    report = explain(
        "cpu-exceeded",
        budget="10 ms",
        used="10.2 ms",
        plan="free",
        when="cut while it ran",
        hottest=HOTTEST,
        where=where,
        event="GET /loop",
    )
    assert (
        render_text(report, "/w")
        == """\
✘ Worker exceeded CPU time limit: 10.2 ms, and the plan free allows 10 ms
  during GET /loop
  --> src/entry.py:12:5 in work
  12 |     while True:
     |     ^
  why: Production answers such a request with error 1102. This one was cut while it ran.

       Where the time went (share of the samples):

         62%  src/entry.py:12  in work
          9%  src/entry.py:13  in work
  fix: If it is a loop that never ends, give it a condition that ends it, and check that it is met.

       Do less in one request:

       - What is the same for all requests belongs at the top of the module (it runs once), in KV or in the cache.
       - Big inputs: take a part at a time, or let the client send less.
       - Waiting costs nothing: only computing counts, fetch() and sleep do not.

       The paid plan allows 30 s: cfw-emu serve --limits paid
  see: docs/errors.md#cpu-exceeded
"""
    )


def test_cpu_counted_after_the_fact_mentions_rare_overruns() -> None:
    report = cpu(when="counted when it was over")
    assert "This one was counted when it was over." in report.why
    assert "--cpu flexible" in report.fix
    assert "never ends" not in report.fix


@pytest.mark.parametrize("when", ["counted when it was over", "cut while it ran"])
def test_cpu_with_saved_time_advises_no_saving(when: str) -> None:
    report = cpu(when=when, flexible=True)
    assert "what requests before it left of theirs: that did not suffice" in report.why
    assert "--cpu flexible" not in report.fix


def test_cpu_in_code_of_c() -> None:
    report = cpu(when="killed: it was in code that cannot be interrupted", native=True)
    assert "killed: it was in code that cannot be interrupted. Its whole isolate had to go" in report.why
    assert report.fix.startswith("The line calls code of C")


def test_the_advice_fits_the_plan() -> None:
    assert "--limits paid" in cpu().fix
    assert "--limits paid" not in cpu(plan="paid").fix
    assert "`limits.cpu_ms`" in cpu(plan="paid").fix


@pytest.mark.parametrize("what", ["Python", "JavaScript", "WebAssembly"])
def test_memory_tells_whose_it_is(what: str) -> None:
    report = explain("memory-exceeded", limit="128 MB", used="131 MB", plan="free", what=what)
    assert report.what == "Worker exceeded memory limit: 131 MB, and the plan free allows 128 MB"
    assert f"It was {what}'s that had to grow." in report.why
    assert what in report.fix


@pytest.mark.parametrize("code", sorted(EXCEEDED_MISTAKES))
def test_each_text_is_whole_without_its_facts(code: str) -> None:
    for report in (explain(code), explain(code, used="", limit="", plan="", name="", hottest="", what="?")):
        for text in (report.what, report.why, report.fix):
            assert text.strip() == text
            assert text
            assert ODD.search(text) is None


@pytest.mark.parametrize("code", sorted(EXCEEDED_MISTAKES))
@given(text=st.text(max_size=20))
def test_any_facts_make_a_report(code: str, text: str) -> None:
    names = (
        "used",
        "limit",
        "budget",
        "plan",
        "name",
        "hottest",
        "imports",
        "what",
        "resets",
        "depth",
        "when",
    )
    report = explain(code, **dict.fromkeys(names, text))
    assert render_text(report)
    assert page(report)


def test_listings_are_indented_whoever_made_them() -> None:
    assert "\n\n  90%  a.py:1\n  10%  b.py:2" in cpu(hottest="90%  a.py:1\n10%  b.py:2\n").why


@pytest.mark.parametrize(
    ("number", "title", "words"),
    [
        (1102, "Worker exceeded resource limits", 'class="cf-error-code">1102</span>'),
        (1101, "Worker threw exception", 'class="cf-error-code">1101</span>'),
        (1019, "Compute server error", 'class="cf-error-code">1019</span>'),
        (
            1027,
            "This website has been temporarily rate limited",
            '<h2 class="cf-subheadline">Error 1027</h2>',
        ),
    ],
)
def test_the_platforms_pages(number: int, title: str, words: str) -> None:
    html = limit_page(cpu(), "", number, "example.com", "8f2a", DATE)
    assert f"<title>{title} | example.com | Cloudflare</title>" in html
    assert words in html
    assert f"Ray ID: 8f2a &bull; {DATE}" in html
    assert "What happened" in html
    assert "://" not in html


def test_the_page_shows_the_hottest_lines_as_bars() -> None:
    html = limit_page(cpu(hottest=HOTTEST), "", 1102, "h", "r", DATE)
    assert '<span style="background-size: 62% 100%">62%  src/entry.py:12  in work\n</span>' in html
    assert '<span style="background-size: 9% 100%"> 9%  src/entry.py:13  in work\n</span>' in html


def test_lists_of_files_have_no_bars() -> None:
    html = page(explain("worker-too-big", files="  1.90 MiB  worker.wasm\n  0.02 KiB  worker.js"))
    assert '<span class="plain">1.90 MiB  worker.wasm\n</span>' in html


@given(st.text(), st.text(), st.text())
def test_nothing_on_the_page_is_markup_of_the_users(what: str, host: str, ray: str) -> None:
    html = limit_page(Report("x", f"<b>{what}", why=what), "", 1102, f"<b>{host}", f"<b>{ray}", DATE)
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("stage", "cpu_text", "memory_text"),
    [
        (
            "",
            "Production answers such a request with error 1102.",
            "so it is answered with error 1102. The others",
        ),
        ("answered", "Its answer was sent before", "Its answer was sent before"),
        ("nobody", "It was code that works for no request", "Code that works for no request"),
    ],
)
def test_what_became_of_the_request(stage: str, cpu_text: str, memory_text: str) -> None:
    assert explain("cpu-exceeded", stage=stage, when="cut while it ran").why.startswith(cpu_text)
    why = explain("memory-exceeded", stage=stage).why
    assert memory_text in why
    assert why.endswith("The others go on, and the next one meets a fresh isolate.")


def test_memory_that_took_the_process_with_it() -> None:
    why = explain("memory-exceeded", stage="died").why
    assert "The process ended with it: the requests beside it are sent again" in why
    assert "The others go on" not in why
