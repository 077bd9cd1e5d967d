"""The error page: one report as a complete HTML document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Final

from emulator.diagnostics.render import anchor, caret, point, says_more
from emulator.diagnostics.report import Place, Report

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6675; --paper: #f6f7f9; --card: #fff;
  --line: #dfe3e8; --tone: #c62828; --code: #f0f2f5; --good: #1b7f3b; --link: #1a5fb4; --share: #f3d3d3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa5b3; --paper: #14171c;
  --card: #1c2027; --line: #2d333c; --tone: #ff6b6b; --code: #12151a; --good: #5fd38d; --link: #7fb2f0;
  --share: #5c2328; } }
:root.warning { --tone: #b26a00; }
@media (prefers-color-scheme: dark) { :root.warning { --tone: #f0b429; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2.5rem 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK TC", sans-serif; }
main { max-width: 58rem; margin: 0 auto; background: var(--card); border: 1px solid var(--line);
  border-top: 4px solid var(--tone); border-radius: 8px; padding: 1.75rem 2rem 1.25rem; }
h1 { font-size: 1.35rem; line-height: 1.35; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: .78rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft);
  margin: 1.6rem 0 .4rem; }
p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.event, footer { color: var(--soft); font-size: .9rem; }
.at { font: .85rem/1.5 ui-monospace, Menlo, Consolas, monospace; color: var(--link); margin: .9rem 0 .25rem;
  overflow-wrap: anywhere; }
pre { margin: 0; padding: .75rem 1rem; background: var(--code); border: 1px solid var(--line);
  border-radius: 6px; overflow-x: auto; tab-size: 4;
  font: .87rem/1.5 ui-monospace, Menlo, Consolas, "Noto Sans Mono CJK TC", monospace; }
pre i { font-style: normal; color: var(--soft); user-select: none; }
pre b { color: var(--tone); }
.fix pre { border-left: 3px solid var(--good); white-space: pre-wrap; overflow-wrap: anywhere; }
.list { margin: .5rem 0; }
.list span { display: block; margin: 0 -.5rem; padding: 0 .5rem; border-radius: 3px; white-space: pre;
  background: linear-gradient(var(--share), var(--share)) no-repeat; }
.list .plain { background: none; }
p + p, .list + p { margin-top: .6rem; }
footer { margin-top: 1.8rem; padding-top: .8rem; border-top: 1px solid var(--line); }
"""


_SHARE: Final = re.compile(r"\s*(\d{1,3})(?:\.\d+)?%\s")


def page(report: Report, root: str = "") -> str:
    """``report`` as an HTML document; file names are shown relative to ``root``."""
    title = escape(report.what)
    return (
        f'<!doctype html>\n<html lang="en" class="{escape(report.severity)}">\n<head>\n'
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        + "\n".join(parts(report, root))
        + "\n</main>\n</body>\n</html>\n"
    )


def parts(report: Report, root: str) -> Iterator[str]:
    """The blocks of a report below its heading."""
    if report.event:
        yield f'<p class="event">during {escape(report.event)}</p>'
    if says_more(report):
        yield f"<h2>Exception</h2>\n<pre>{escape(report.exception)}</pre>"
    places = _places(report)
    if places:
        yield "<h2>Where</h2>"
    for place in places:
        yield _place(place, root)
    if report.why:
        yield "<h2>Why</h2>\n" + "\n".join(_prose(report.why))
    if report.fix:
        yield f'<h2>Fix</h2>\n<div class="fix"><pre>{escape(report.fix)}</pre></div>'
    if report.code:
        yield f"<footer><code>{escape(report.code)}</code> &middot; {escape(anchor(report))}</footer>"


def _prose(text: str) -> Iterator[str]:
    """Paragraphs, and what stands indented in lines of its own (files with sizes, lines with shares)."""
    for paragraph in text.split("\n\n"):
        lines = paragraph.split("\n")
        if all(line.startswith("  ") for line in lines):
            yield f'<pre class="list">{"".join(map(_listed, lines))}</pre>'
        else:
            yield f"<p>{escape(paragraph)}</p>"


def _listed(line: str) -> str:
    """A line of a listing; one that begins with a share has a bar behind it."""
    share = _SHARE.match(line)
    width = f' style="background-size: {min(int(share[1]), 100)}% 100%"' if share else ' class="plain"'
    return f"<span{width}>{escape(line[2:])}\n</span>"


def _places(report: Report) -> list[Place]:
    """``where`` first, then the frames from the innermost to the outermost."""
    frames = list(reversed(report.frames))
    if report.where is None:
        return frames
    same = [
        frame for frame in frames[:1] if (frame.file, frame.line) == (report.where.file, report.where.line)
    ]
    return [report.where, *frames[len(same) :]]


def _place(place: Place, root: str) -> str:
    function = f" in {escape(place.function)}" if place.function else ""
    head = f'<div class="at">{escape(point(place, root))}{function}</div>'
    if not place.source.strip():
        return head
    number = str(place.line) if place.line else ""
    code = f"<i>{number} | </i>{escape(place.source)}"
    mark = caret(place)
    if mark:
        code += f"\n<i>{' ' * len(number)} | </i>{mark[:-1]}<b>^</b>"
    return f"{head}\n<pre>{code}</pre>"
