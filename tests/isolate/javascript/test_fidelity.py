"""Answers of whole JavaScript Workers that were compared with workerd's."""

from __future__ import annotations

import json

import pytest
from isolates import LoadWorker, fetching


@pytest.fixture
def serve(serve: LoadWorker) -> LoadWorker:
    """Load a Worker whose fetch handler has this body."""
    return lambda body, **spec: serve(fetching(body), **spec)


def test_standard_headers_go_out_as_one_line_and_others_as_they_were_appended(serve: LoadWorker) -> None:
    isolate = serve(
        """
        const headers = new Headers();
        for (const [name, value] of [["Vary", "b"], ["X-M", "1"], ["vary", "a"], ["X-M", "2"], ["Set-Cookie", "c=1"],
          ["Set-Cookie", "d=2"]]) headers.append(name, value);
        return new Response(null, { headers });
        """
    )
    sent = [(name.lower(), value) for name, value in isolate.fetch("GET", "/").headers]
    assert sent == [
        ("vary", "b, a"),
        ("x-m", "1"),
        ("x-m", "2"),
        ("set-cookie", "c=1"),
        ("set-cookie", "d=2"),
    ]


def test_incoming_requests_do_not_follow_redirects(serve: LoadWorker) -> None:
    isolate = serve(
        """
        const made = new Request("http://a/");
        return Response.json([request.redirect, request.clone().redirect, new Request(request).redirect, made.redirect]);
        """
    )
    assert json.loads(isolate.fetch("GET", "/").text) == ["manual", "manual", "manual", "follow"]


@pytest.mark.parametrize(
    ("date", "text"),
    [("2026-01-01", "[object AsyncGenerator]"), ("2026-06-01", "chunk")],
    ids=["before", "after"],
)
def test_flags_follow_the_compatibility_date(serve: LoadWorker, date: str, text: str) -> None:
    isolate = serve(
        """
        async function* chunks() { yield new TextEncoder().encode("chunk"); }
        return new Response(chunks());
        """,
        date=date,
    )
    assert isolate.fetch("GET", "/").text == text
