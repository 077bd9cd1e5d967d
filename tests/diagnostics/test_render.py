"""Reports as terminal block, text, HTML page and JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.diagnostics.render import (
    Format,
    caret,
    location,
    negotiate,
    render_html,
    render_json,
    render_terminal,
    render_text,
)
from emulator.diagnostics.report import Place, Report

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0 Safari/537.36"
BROWSER_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

OUTER = Place("/w/src/entry.py", 4, 0, "on_fetch", "    return helper()")
INNER = Place("/w/src/helper.py", 9, 0, "helper", "    raise ValueError('<b>壞了</b>')")
REPORT = Report(
    code="uncaught-exception",
    what="Uncaught ValueError: <b>壞了</b>",
    why="It & that.",
    fix="try:\n    x < 1",
    where=INNER,
    frames=[OUTER, INNER],
    exception="ValueError: <b>壞了</b>",
    event="POST /a?b=1",
)


class Page(HTMLParser):
    """Collects the text and checks that tags are balanced and load nothing."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "img", "link", "iframe", "b" if "b" in self.stack else ""}
        assert not {"src", "href", "onclick", "style"} & {name for name, _ in attrs}
        if tag != "meta":
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.stack:
            self.words += data


def test_golden_text() -> None:
    assert (
        render_text(REPORT, "/w")
        == """\
✘ Uncaught ValueError: <b>壞了</b>
  during POST /a?b=1
  --> src/helper.py:9 in helper
  9 |     raise ValueError('<b>壞了</b>')
  at src/entry.py:4 in on_fetch
      return helper()
  why: It & that.
  fix: try:
           x < 1
  see: docs/errors.md#uncaught-exception
"""
    )


def test_colours_change_nothing_but_colour() -> None:
    coloured = render_terminal(REPORT, True, "/w")
    assert ESCAPES.search(coloured)
    assert ESCAPES.sub("", coloured) + "\n" == render_text(REPORT, "/w")


def test_nothing_of_the_users_commands_the_terminal() -> None:
    evil = "a\x1b[2Jb\r\x9b1m\u202e\ud800\n二"
    place = Place(f"/w/{evil}.py", 1, 2, evil, "x = '\x1b[2J'")
    report = Report("x", evil, evil, evil, place, [place], evil, event=evil)
    for text in (render_text(report, "/w"), render_html(report, "/w"), json.dumps(render_json(report))):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text)
        text.encode("utf-8")
    assert render_text(report).splitlines()[:2] == ["✘ a\\x1b[2Jb\\r\\x9b1m\\u202e\\ud800", "  二"]


def test_a_warning_has_its_own_sign() -> None:
    assert render_text(Report("x", "careful", severity="warning")).startswith("▲ careful\n")


def test_a_report_without_details_is_one_line() -> None:
    assert render_text(Report("", "just this")) == "✘ just this\n"


@pytest.mark.parametrize(
    ("source", "column", "expected"),
    [
        ("name = 1", 8, "       ^"),
        ("\tname = 1", 2, "\t^"),
        ("漢字 = 1", 6, "       ^"),
        ("e\u0301 = 1", 6, "    ^"),
        ("ab", 3, "  ^"),
        ("ab", 9, ""),
        ("ab", 0, ""),
    ],
)
def test_the_caret_stands_below_its_character(source: str, column: int, expected: str) -> None:
    assert caret(Place("f", 1, column, "", source)) == expected


def test_html_is_complete_escaped_and_self_contained() -> None:
    html = render_html(REPORT, "/w")
    page = Page(html)
    assert page.stack == []
    assert html.startswith("<!doctype html>")
    assert '<meta charset="utf-8">' in html
    assert "<b>壞了" not in html
    for text in ("Uncaught ValueError: <b>壞了</b>", "src/helper.py:9 in helper", "return helper()", "x < 1"):
        assert text in page.words
    assert page.words.index("src/helper.py:9") < page.words.index("src/entry.py:4")
    assert page.words.count("src/helper.py:9") == 1
    assert "://" not in html


@given(st.text(), st.text(), st.text(), st.integers(0, 50))
def test_html_survives_any_text(what: str, fix: str, source: str, column: int) -> None:
    place = Place("/w/a.py", 3, column, "f", source.split("\n")[0])
    Page(render_html(Report("x", what, fix=fix, where=place, exception=fix, event=what)))


def test_json_is_plain_data() -> None:
    data = json.loads(json.dumps(render_json(REPORT, "/w")))["error"]
    assert data["code"] == "uncaught-exception"
    assert data["where"] == {
        "file": "src/helper.py",
        "line": 9,
        "column": 0,
        "function": "helper",
        "source": "    raise ValueError('<b>壞了</b>')",
    }
    assert [frame["file"] for frame in data["frames"]] == ["src/entry.py", "src/helper.py"]
    assert data["docs"] == "docs/errors.md#uncaught-exception"


@pytest.mark.parametrize(
    ("accept", "agent", "expected"),
    [
        ("", "", "text"),
        ("*/*", "curl/8.5.0", "text"),
        ("*/*", CHROME, "text"),
        ("*/*", "python-requests/2.32", "text"),
        (BROWSER_ACCEPT, CHROME, "html"),
        ("text/html", "curl/8.5.0", "text"),
        ("text/*", CHROME, "html"),
        ("text/*", "Wget/1.21", "text"),
        ("application/json", "curl/8.5.0", "json"),
        ("application/json, text/plain, */*", "axios/1.7", "json"),
        ("application/json;q=0.5, text/html", CHROME, "html"),
        ("text/html;q=0.4, application/json;q=0.9", CHROME, "json"),
        ("application/*", "x", "json"),
        ("text/plain, application/json", "x", "text"),
        ("TEXT/HTML", CHROME, "html"),
        ("image/png", CHROME, "text"),
        ("text/html;q=0, */*", CHROME, "text"),
        ("text/html;q=oops, application/json", CHROME, "json"),
        (";;,,=", "x", "text"),
    ],
)
def test_negotiation(accept: str, agent: str, expected: Format) -> None:
    assert negotiate(accept, agent) == expected


@given(st.text(), st.text())
def test_negotiation_never_fails(accept: str, agent: str) -> None:
    assert negotiate(accept, agent) in ("html", "text", "json")


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/w/src/a.py", "/w", "src/a.py"),
        ("/w/src/a.py", "/w/", "src/a.py"),
        ("/wide/a.py", "/w", "/wide/a.py"),
        ("/w/a.py", "", "/w/a.py"),
        (r"C:\w\src\a.py", r"C:\w", "src/a.py"),
    ],
)
def test_location(path: str, root: str, expected: str) -> None:
    assert location(path, root) == expected


def test_importing_the_report_imports_no_other_room() -> None:
    code = (
        "import sys, emulator.diagnostics.report\n"
        "print([m for m in sys.modules if m.startswith('emulator.') and 'report' not in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['emulator.diagnostics']"


def test_the_exception_is_shown_only_when_it_says_more() -> None:
    assert render_text(Report("", "It broke.", exception="TypeError: It broke.")) == "✘ It broke.\n"
    assert render_text(Report("", "It broke.", exception="TypeError: x")) == "✘ It broke.\n  TypeError: x\n"
