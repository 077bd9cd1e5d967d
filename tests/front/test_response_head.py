"""Header fields of responses: what is sent, and what may not be."""

from __future__ import annotations

import pytest

from emulator.front.response_head import STATUS_LINES, InvalidField, field, fields_of


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("Content-Type", "text/plain", b"content-type: text/plain\r\n"),
        ("x-name", "你好", "x-name: 你好\r\n".encode()),
        ("x-empty", "", b"x-empty: \r\n"),
        ("x-tab", "a\tb", b"x-tab: a\tb\r\n"),
        ("x-control", "a\x01b\x7f", b"x-control: a\x01b\x7f\r\n"),
        ("x-long", "v" * 5000, b"x-long: " + b"v" * 5000 + b"\r\n"),
        ("Connection", "close", b""),
        ("Transfer-Encoding", "chunked", b""),
    ],
)
def test_a_field(name: str, value: str, line: bytes) -> None:
    assert field(name, value) == line
    assert field(name, value) == line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("a\r\nb", "x"),
        ("ä", "x"),
        ("a\n", "x"),
        ("a", "x\r\nb: c"),
        ("a", "x\0"),
        ("a", "y" * 5000 + "\n"),
    ],
)
def test_what_is_no_field_is_not_sent(name: str, value: str) -> None:
    for _ in range(2):
        with pytest.raises(InvalidField):
            field(name, value)


def test_other_lines() -> None:
    assert STATUS_LINES[404] == b"HTTP/1.1 404 Not Found\r\n"
    assert STATUS_LINES[599] == b"HTTP/1.1 599 \r\n"
    assert fields_of([(b"a", b"1"), (b"b", b"2")]) == [b"a: 1\r\n", b"b: 2\r\n"]
