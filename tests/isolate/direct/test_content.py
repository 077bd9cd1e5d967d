"""Headers in and out, and the default Content-Type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.isolate.direct.content import (
    JSON,
    TEXT,
    InvalidHeader,
    content_type,
    request_lines,
    response_headers,
)


@pytest.mark.parametrize(
    ("flat", "lines"),
    [
        ("", b""),
        ("host\nlocalhost", b"host: localhost\n"),
        ("b\n2\na\n1\nb\n3", b"a: 1\nb: 2, 3\n"),
        ("X-Y\n1\nx-y\n", b"x-y: 1, \n"),
        ("a%s\n%d\nb\n%s", b"a%s: %d\nb: %s\n"),
        ("A\n1\na\n2", b"a: 1, 2\n"),
        ("a\n1\nb", b"a: 1\n"),
        ("a\n你好", "a: 你好\n".encode()),
        ("a\n\udcff", b"a: ?\n"),
    ],
)
def test_request_headers_are_lines(flat: str, lines: bytes) -> None:
    assert request_lines(flat) == lines


@pytest.mark.parametrize(
    ("block", "headers"),
    [
        (b"", []),
        (b"\n\r\n  \n", []),
        (b"A: 1\nB:2", [("A", "1"), ("B", "2")]),
        (b"A: 1\r\nB:  2  \r\n", [("A", "1"), ("B", "2")]),
        (b"Set-Cookie: a=1\nSet-Cookie: b=2\n", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]),
        (b"A: b: c", [("A", "b: c")]),
        (b"A:", [("A", "")]),
        ("A: 你好".encode(), [("A", "你好")]),
        (b"  A: 1", [("A", "1")]),
    ],
)
def test_response_headers_are_read(block: bytes, headers: list[tuple[str, str]]) -> None:
    assert response_headers(block) == headers


@pytest.mark.parametrize(
    ("block", "line", "problem"),
    [
        (b"A: 1\nno colon\n", "no colon", "colon"),
        (b": 1", ": 1", "name"),
        (b"A b: 1", "A b: 1", "name"),
        (b"A : 1", "A : 1", "name"),
        ("名: 1".encode(), "名: 1", "name"),
        (b"A: 1\x002", "A: 1\x002", "value"),
        (b"A: 1\r2", "A: 1\r2", "value"),
    ],
)
def test_lines_that_are_no_headers(block: bytes, line: str, problem: str) -> None:
    with pytest.raises(InvalidHeader) as failure:
        response_headers(block)
    assert failure.value.line == line
    assert problem in failure.value.problem


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", TEXT),
        (b"{}", JSON),
        (b'{"a": 1}\n', JSON),
        (b" \r\n\t[1, 2] ", JSON),
        (b"[", TEXT),
        (b"{]", TEXT),
        (b"[link](x)", TEXT),
        (b"Hello {name}", TEXT),
        (b"   ", TEXT),
        (b'"text"', TEXT),
        (b"<p>", TEXT),
        ("你好".encode(), TEXT),
        (b" " * 5000 + b"{}" + b"\n" * 5000, JSON),
    ],
)
def test_content_type(body: bytes, expected: tuple[str, str]) -> None:
    assert content_type(body) == expected


@given(st.binary(max_size=300))
def test_any_bytes_are_headers_or_refused(block: bytes) -> None:
    try:
        headers = response_headers(block)
    except InvalidHeader:
        return
    assert response_headers("".join(f"{name}: {value}\n" for name, value in headers).encode()) == headers


@given(st.binary(max_size=50))
def test_any_bytes_have_a_content_type(body: bytes) -> None:
    assert content_type(body) in (JSON, TEXT)
