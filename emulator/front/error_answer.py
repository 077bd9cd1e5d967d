"""Answers that are reports: HTML for browsers, text for curl, JSON when asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from emulator.diagnostics.report import Report

HeaderList = list[tuple[bytes, bytes]]


class ErrorAnswer(NamedTuple):
    """A response made by the front itself."""

    status: int
    headers: HeaderList
    body: bytes


def plain(status: int, text: str, *headers: tuple[bytes, bytes]) -> ErrorAnswer:
    """A text/plain answer."""
    return ErrorAnswer(status, [(b"content-type", b"text/plain;charset=UTF-8"), *headers], text.encode())


def explain(
    reports: list[Report], request_headers: Iterable[tuple[bytes, bytes]], root: str, status: int = 500
) -> ErrorAnswer:
    """The reports in the format that the client prefers. ``reports`` is not empty."""
    from emulator.diagnostics.render import negotiate, render_html, render_json, render_text

    wanted = {name: value.decode("latin-1") for name, value in request_headers}
    kind = negotiate(wanted.get(b"accept", ""), wanted.get(b"user-agent", ""))
    if kind == "html":
        body, media = render_html(reports[0], root), b"text/html;charset=UTF-8"
    elif kind == "json":
        value = render_json(reports[0], root)
        if reports[1:]:
            value["more"] = [render_json(report, root)["error"] for report in reports[1:]]
        body, media = json.dumps(value, ensure_ascii=False, indent=2) + "\n", b"application/json"
    else:
        body, media = "\n".join(render_text(report, root) for report in reports), b"text/plain;charset=UTF-8"
    headers = [(b"content-type", media), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", b"0"))
    return ErrorAnswer(status, headers, body.encode())
