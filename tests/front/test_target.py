from __future__ import annotations

import string

import ada_url
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.front.target import hostname, origin, url_of

ASCII = string.ascii_letters + string.digits + string.punctuation


@given(st.text("/.%2eEab?=&\\'\"#|[]^`{}~:@ü" + string.punctuation, max_size=12))
@settings(deadline=None)
def test_the_quick_way_gives_what_the_parser_gives(target: str) -> None:
    sent = ("/" + target).encode()
    whole = "http://localhost" + sent.decode("latin-1")
    expected = ada_url.URL(whole)
    expected.hash = ""
    assert url_of("http://localhost", sent) == expected.href


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"localhost:8787", "http://localhost:8787"),
        (b"EXAMPLE.com", "http://example.com"),
        (b"example.com:80", "http://example.com"),
        (b"127.1", "http://127.0.0.1"),
        (b"[::1]:8787", "http://[::1]:8787"),
    ],
)
def test_origin(host: bytes, expected: str) -> None:
    assert origin("http", host) == expected


@pytest.mark.parametrize("host", [b"", b"a b", b"user@host", b"host/path", b"a?b", b"[::1", b"host:99999"])
def test_no_origin(host: bytes) -> None:
    with pytest.raises(ValueError, match=r"[Ii]nvalid"):
        origin("http", host)


@pytest.mark.parametrize(
    ("host", "name"), [(b"A.localhost:1", "a.localhost"), (b"[::1]:1", "[::1]"), (b"x", "x")]
)
def test_hostname(host: bytes, name: str) -> None:
    assert hostname(host) == name
