"""Answers that are reports: HTML for browsers, text for curl, JSON when asked for.

A limit that was exceeded is answered as the platform does, with the report beside its error number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from random import getrandbits
from typing import NamedTuple

from emulator.diagnostics.report import Report
from emulator.front.limit_answer import LIMIT_HEADER, LimitAnswer, limit_answer

HeaderList = list[tuple[bytes, bytes]]


class ErrorAnswer(NamedTuple):
    """A response made by the front itself."""

    status: int
    headers: HeaderList
    body: bytes
    limit: str = ""
    """The limit that it is about, as in the header ``cf-emu-limit``; empty: none."""


def plain(status: int, text: str, *headers: tuple[bytes, bytes]) -> ErrorAnswer:
    """A text/plain answer."""
    return ErrorAnswer(status, [(b"content-type", b"text/plain;charset=UTF-8"), *headers], text.encode())


def explain(
    reports: Sequence[Report],
    request_headers: Iterable[tuple[bytes, bytes]],
    root: str,
    status: int = 500,
    ray: str = "",
) -> ErrorAnswer:
    """The reports in the format that the client prefers. ``reports`` is not empty.

    Where the first is about a limit, the status is that of the limit and not ``status``. ``ray`` is the
    request's ``CF-Ray``; without one, another is made up for the page.
    """
    from emulator.diagnostics.render import negotiate

    wanted = {name: value.decode("latin-1") for name, value in request_headers}
    kind = negotiate(wanted.get(b"accept", ""), wanted.get(b"user-agent", ""))
    limit = limit_answer(reports)
    headers = [(b"cache-control", b"no-store")]
    if limit is not None:
        status = limit.status
        ray = ray or f"{getrandbits(64):016x}"
        headers += [(LIMIT_HEADER, limit.limit.encode()), (b"cf-ray", ray.encode("latin-1", "replace"))]
    elif status == 503:
        headers.append((b"retry-after", b"0"))
    if kind == "json":
        body, media = _json(reports, root, limit), b"application/json"
    elif limit is not None and limit.number:
        body, media = _platform(reports[0], limit, kind == "html", root, wanted.get(b"host", ""), ray)
    else:
        body, media = _report(reports, kind == "html", root)
    exceeded = limit.limit if limit is not None else ""
    return ErrorAnswer(
        status, [(b"content-type", media), *headers], body.encode("utf-8", "replace"), exceeded
    )


def _json(reports: Sequence[Report], root: str, limit: LimitAnswer | None) -> str:
    from emulator.diagnostics.render import render_json

    value = render_json(reports[0], root)
    if limit is not None:
        value["limit"] = limit.limit
        value["error_code"] = limit.number or None
    if reports[1:]:
        value["more"] = [render_json(report, root)["error"] for report in reports[1:]]
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _platform(
    report: Report, limit: LimitAnswer, html: bool, root: str, host: str, ray: str
) -> tuple[str, bytes]:
    """The platform's own answer: a page for browsers, else only the number of the error."""
    if not html:
        return f"error code: {limit.number}", b"text/plain; charset=UTF-8"
    from emulator.diagnostics.limit_page import limit_page
    from emulator.front.target import hostname

    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    # The page shows the Ray ID without the data centre.
    shown = ray.partition("-")[0]
    page = limit_page(report, root, limit.number, hostname(host.encode("latin-1")), shown, date)
    return page, b"text/html; charset=UTF-8"


def _report(reports: Sequence[Report], html: bool, root: str) -> tuple[str, bytes]:
    from emulator.diagnostics.render import render_html, render_text

    if html:
        return render_html(reports[0], root), b"text/html;charset=UTF-8"
    return "\n".join(render_text(report, root) for report in reports), b"text/plain;charset=UTF-8"
