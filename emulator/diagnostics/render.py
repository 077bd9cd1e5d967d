"""Reports as terminal blocks, plain text and JSON, and which of these a client wants.

The HTML page is in ``emulator.diagnostics.page``; ``render_html`` loads it on first use.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final, Literal

from emulator.diagnostics.report import Place, Report

Format = Literal["html", "text", "json"]

DOCS: Final = "docs/errors.md"

_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but tab and newline, line separators, text direction overrides, lone surrogates."""

_BOLD, _DIM, _RED, _YELLOW, _BLUE, _GREEN = "1", "2", "31", "33", "34", "32"


def location(path: str, root: str = "") -> str:
    """``path`` relative to ``root``, with forward slashes; unchanged when it lies outside."""
    if not root:
        return path
    base = root.rstrip("/\\")
    if path.startswith((base + "/", base + "\\")):
        return path[len(base) + 1 :].replace("\\", "/")
    return path


def point(place: Place, root: str = "") -> str:
    """``file:line:column``, without the parts that are unknown."""
    text = location(place.file, root)
    if place.line:
        text += f":{place.line}"
        if place.column:
            text += f":{place.column}"
    return text


def caret(place: Place) -> str:
    """The padding and the caret below ``place.source``; empty when there is no column.

    Tabs are kept, and characters that a terminal shows two cells wide get two spaces.
    """
    if not place.column or place.column > len(place.source) + 1:
        return ""
    return "".join(_blank(char) for char in place.source[: place.column - 1]) + "^"


def _blank(char: str) -> str:
    if char == "\t":
        return char
    if unicodedata.combining(char):
        return ""
    return "  " if unicodedata.east_asian_width(char) in "WF" else " "


def width(text: str) -> int:
    """How many columns of a terminal ``text`` takes: two for each CJK character."""
    return sum(len(_blank(char)) for char in text)


def render_terminal(report: Report, color: bool = False, root: str = "") -> str:
    """A compact block of lines without a final newline. File names are shown relative to ``root``."""
    paint = _paint if color else _plain
    return "\n".join(_block(printable(report), root, paint))


def render_text(report: Report, root: str = "") -> str:
    """The block of ``render_terminal`` without colours, with a final newline: a text/plain body."""
    return render_terminal(report, False, root) + "\n"


def render_html(report: Report, root: str = "") -> str:
    """A complete page, in UTF-8, without external resources. Everything of the user's is escaped."""
    from emulator.diagnostics.page import page

    return page(printable(report), root)


def render_json(report: Report, root: str = "") -> dict[str, Any]:
    """A JSON-able object: ``{"error": {code, what, why, fix, where, frames, ...}}``."""
    report = printable(report)
    return {
        "error": {
            "code": report.code,
            "severity": report.severity,
            "what": report.what,
            "why": report.why,
            "fix": report.fix,
            "where": _place_json(report.where, root) if report.where else None,
            "frames": [_place_json(frame, root) for frame in report.frames],
            "exception": report.exception,
            "event": report.event,
            "docs": anchor(report),
        }
    }


def anchor(report: Report) -> str:
    """Where the documentation of this mistake is; empty for a report without a code."""
    return f"{DOCS}#{report.code}" if report.code else ""


def says_more(report: Report) -> bool:
    """Whether the exception's own line adds anything to ``what``."""
    message = report.exception.partition(": ")[2]
    return bool(report.exception) and report.exception not in report.what and message != report.what


def negotiate(accept: str, user_agent: str = "") -> Format:
    """The format that the client prefers by its ``Accept`` header (RFC 9110, section 12.5.1).

    A missing ``Accept``, ``*/*`` alone, and curl get text; a browser names text/html and gets HTML.
    """
    ranges = _media_ranges(accept)
    offers: dict[Format, str] = {"html": "text/html", "json": "application/json", "text": "text/plain"}
    scores = {name: _score(ranges, media) for name, media in offers.items()}
    if user_agent.lower().startswith("curl/"):
        scores["html"] = (0.0, 0, 0)
    best = max(scores, key=lambda name: scores[name])
    quality, explicit, _ = scores[best]
    if quality <= 0:
        return "text"
    if explicit == 2:
        return best
    if explicit == 1 and best == "html" and "mozilla" not in user_agent.lower():
        return "text"
    return best if explicit else "text"


def printable(report: Report) -> Report:
    """The report without characters that command a terminal or cannot be encoded: names, messages and
    source lines come from programs and requests."""
    where = report.where and _printable_place(report.where)
    return Report(
        code=_visible(report.code),
        what=_visible(report.what),
        why=_visible(report.why),
        fix=_visible(report.fix),
        where=where,
        frames=[_printable_place(frame) for frame in report.frames],
        exception=_visible(report.exception),
        severity=report.severity,
        event=_visible(report.event),
    )


def _printable_place(place: Place) -> Place:
    file, function = _visible(place.file), _visible(place.function)
    return Place(file, place.line, place.column, function, _CONTROL.sub("\ufffd", place.source))


def _visible(text: str) -> str:
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


def _media_ranges(accept: str) -> dict[str, tuple[float, int]]:
    """Media range -> (quality, position), for the well-formed ranges of an ``Accept`` header."""
    ranges: dict[str, tuple[float, int]] = {}
    for position, item in enumerate(accept.lower().split(",")):
        media, *parameters = (part.strip() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = _quality(value.strip())
        if media:
            ranges.setdefault("*/*" if media == "*" else media, (quality, position))
    return ranges


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value <= 1 else 0.0


def _score(ranges: dict[str, tuple[float, int]], media: str) -> tuple[float, int, int]:
    """(quality, 2 for an exact match, 1 for ``type/*``, 0 for ``*/*``, minus the position)."""
    kind = media.split("/")[0]
    for explicit, candidate in ((2, media), (1, f"{kind}/*"), (0, "*/*")):
        if candidate in ranges:
            quality, position = ranges[candidate]
            return quality, explicit, -position
    return 0.0, 0, 0


def _block(report: Report, root: str, paint: Any) -> Iterator[str]:
    warning = report.severity == "warning"
    sign, tone = ("▲", _YELLOW) if warning else ("✘", _RED)
    first, *rest = report.what.split("\n")
    yield paint(f"{sign} {first}", _BOLD, tone)
    yield from (f"  {line}" for line in rest)
    if report.event:
        yield paint(f"  during {report.event}", _DIM)
    if report.where:
        yield from _excerpt(report.where, root, paint, tone)
    for frame in _other_frames(report):
        yield paint(f"  at {point(frame, root)}", _BLUE) + (f" in {frame.function}" if frame.function else "")
        if frame.source.strip():
            yield f"      {frame.source.strip()}"
    if says_more(report):
        yield from _section("", report.exception, paint, _BOLD)
    yield from _section("why: ", report.why, paint, _DIM)
    yield from _section("fix: ", report.fix, paint, _GREEN)
    if anchor(report):
        yield paint(f"  see: {anchor(report)}", _DIM)


def _excerpt(place: Place, root: str, paint: Any, tone: str) -> Iterator[str]:
    yield paint(f"  --> {point(place, root)}", _BLUE) + (f" in {place.function}" if place.function else "")
    if not place.source.strip() or not place.line:
        return
    gutter = str(place.line)
    yield f"  {paint(gutter + ' |', _BLUE)} {place.source}"
    mark = caret(place)
    if mark:
        yield f"  {paint(' ' * len(gutter) + ' |', _BLUE)} {mark[:-1]}{paint('^', _BOLD, tone)}"


def _other_frames(report: Report) -> list[Place]:
    """The frames from the innermost outwards, without the first when ``where`` shows it already."""
    frames = report.frames[::-1]
    if frames and report.where and (frames[0].file, frames[0].line) == (report.where.file, report.where.line):
        return frames[1:]
    return frames


def _section(label: str, text: str, paint: Any, tone: str) -> Iterator[str]:
    if not text:
        return
    first, *rest = text.split("\n")
    yield f"  {paint(label, tone)}{first}" if label else f"  {paint(first, tone)}"
    for line in rest:
        yield f"       {line}" if line.strip() else ""


def _place_json(place: Place, root: str) -> dict[str, Any]:
    return {
        "file": location(place.file, root),
        "line": place.line,
        "column": place.column,
        "function": place.function,
        "source": place.source,
    }


def _paint(text: str, *codes: str) -> str:
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if text else text


def _plain(text: str, *codes: str) -> str:
    return text
