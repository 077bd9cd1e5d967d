"""MIME types as responses and data: URLs have them, and fetch() of data: URLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.isolate.realm.host.mime import data_url, extract, parse

from .conftest import JSFailure

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Text/HTML; Charset=UTF-8", "text/html;charset=UTF-8"),
        ("text/plain", "text/plain"),
        ("foo", ""),
        ("", ""),
        ("a/", ""),
        ("a b/c", ""),
        ("é/x", ""),
        ("a/b; c", "a/b"),
        ("a/b ; c = d", "a/b"),
        ("a/b;c=", "a/b"),
        ('a/b;c=""', 'a/b;c=""'),
        ('a/b;c="x y";d="q\\"r"', 'a/b;c="x y";d="q\\"r"'),
        ("a/b;c=d;C=e", "a/b;c=d"),
        ('a/b;c="x"tail;d=e', "a/b;c=x;d=e"),
        ("a/b;c=é", 'a/b;c="é"'),
        ("a/b;c=日", "a/b"),
        ("*/*", ""),
        ("a/b, c/d;e=f", "c/d;e=f"),
        ("text/html;charset=a, text/html;x=y", "text/html;x=y;charset=a"),
        ('a/b;c="x,y", text', 'a/b;c="x,y"'),
        ("multipart/form-data;Boundary=x;y=z", "multipart/form-data; boundary=x;y=z"),
    ],
)
def test_extract(header: str, expected: str) -> None:
    assert extract(header) == expected


@given(st.text(alphabet='a/;=," \\\tb*é', max_size=40))
def test_what_is_extracted_is_extracted_again(header: str) -> None:
    once = extract(header)
    assert extract(once) == once
    parse(header)


@pytest.mark.parametrize(
    ("url", "kind", "body"),
    [
        ("data:,a%20b+c", "text/plain;charset=US-ASCII", b"a b+c"),
        ("data:,%ff%zz", "text/plain;charset=US-ASCII", b"\xff%zz"),
        ("data:TEXT/x,a,b?c", "text/x", b"a,b?c"),
        ("data:text,x", "text/plain;charset=US-ASCII", b"x"),
        ("data:;x=y,", "text/plain;x=y", b""),
        ("data:text/x;a=b;base64  ,eA", "text/x;a=b", b"x"),
        ("data:; BASE64,eA==", "text/plain;charset=US-ASCII", b"x"),
        ("data:text/x;base64;a=b,eA", "text/x;a=b", b"eA"),
        ("data:a/b;base64,eH%6B%3D", "a/b", b"xy"),
        ("data:a/b;base64,!!", "a/b", b""),
        ("data:a/b;base64,eHk=eHk=", "a/b", b"xy\x1e\x1e"),
        ("data:a/b;base64,eHl6Q", "a/b", b"xyz"),
    ],
)
def test_data_urls(run: Run, url: str, kind: str, body: bytes) -> None:
    assert data_url(url) == [kind, body]
    source = f"""
    const r = await fetch({url!r});
    return [r.status, r.statusText, r.url, [...r.headers], await r.bytes()];"""
    assert run(source) == [200, "OK", "", [["content-type", kind]], body]


def test_only_get_has_the_body_of_a_data_url(run: Run) -> None:
    source = "(async (method) => (await fetch('data:,x', { method })).body === null)"
    assert run(f"await Promise.all(['GET', 'HEAD', 'POST'].map({source}))") == [False, True, True]


def test_a_data_url_without_a_comma_is_refused(run: Run) -> None:
    with pytest.raises(JSFailure, match="Fetch API cannot load: data:x"):
        run("await fetch('data:x')")
