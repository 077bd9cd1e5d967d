"""What the edge refuses: where each limit begins, and what a client may send in CF-EW-Via."""

from __future__ import annotations

import sys

import pytest

from emulator.front.request_limits import RequestLimits, content_length, headers_size, size_text
from emulator.limits import PLANS, plan_named

FREE = RequestLimits.of(plan_named("free"))
SMALL = RequestLimits("mine.toml", url=20, headers=40, body=10, response_headers=30, chain=3)
URL = "http://w/"


def code(
    limits: RequestLimits, url: str = URL, headers: list[tuple[bytes, bytes]] | None = None, hops: int = 0
) -> str:
    report = limits.refusal("GET /", url, headers or [], hops)
    return report.code if report is not None else ""


def test_the_documented_numbers() -> None:
    assert (FREE.url, FREE.headers, FREE.body) == (16 * 1024, 128 * 1024, 100 * 1024 * 1024)
    assert (FREE.response_headers, FREE.chain) == (128 * 1024, 16)


@pytest.mark.parametrize("plan", PLANS)
def test_each_plan_has_its_limits(plan: str) -> None:
    limits = RequestLimits.of(plan_named(plan))
    assert limits.plan == plan
    assert (limits == RequestLimits()) == (plan == "off")


def test_off_refuses_nothing() -> None:
    off = RequestLimits.of(plan_named("off"))
    assert (off.url, off.chain) == (sys.maxsize, 0)
    assert code(off, "http://w/" + "a" * 10**6, [(b"content-length", b"9" * 18)], hops=10**6) == ""


def test_a_url() -> None:
    assert code(SMALL, "x" * 20) == ""
    assert code(SMALL, "x" * 21) == "url-too-long"


def test_headers_count_as_on_the_wire() -> None:
    pairs = [(b"name", b"x" * 12), (b"other", b"y" * 11)]
    assert headers_size(pairs) == len(b"name: xxxxxxxxxxxx\r\nother: yyyyyyyyyyy\r\n") == 40
    assert code(SMALL, headers=pairs) == ""
    assert code(SMALL, headers=[*pairs[:1], (b"other", b"y" * 12)]) == "request-headers-too-big"


@pytest.mark.parametrize(
    ("length", "refused"),
    [(b"10", False), (b"11", True), (b"0011", True), (b"-5", False), (b"1e9", False), (b"", False)],
)
def test_an_announced_body(length: bytes, refused: bool) -> None:
    assert code(SMALL, headers=[(b"content-length", length)]) == ("request-body-too-big" if refused else "")


def test_a_chain_of_workers() -> None:
    assert code(SMALL, hops=2) == ""
    report = SMALL.refusal("GET /", URL, [], 3)
    assert report is not None and report.code == "worker-loop" and "3 deep" in report.what


@pytest.mark.parametrize(
    ("via", "hops"),
    [
        (b"15", 1),
        (b"1", 15),
        (b"0", 16),
        (b"16", 0),
        (b"99", 0),
        (b"-1", 0),
        (b"", 0),
        (b"1 5", 0),
        (b"\xb2", 0),
        (b"9" * 5000, 0),
        (b"cloudflare", 0),
    ],
)
def test_what_a_client_may_send(via: bytes, hops: int) -> None:
    assert FREE.hops(via) == hops


def test_the_report_names_the_numbers() -> None:
    report = FREE.refusal("POST /upload", URL, [(b"content-length", b"%d" % (200 * 1024 * 1024))], 0)
    assert report is not None and report.event == "POST /upload"
    assert "200 MB" in report.what and "100 MB" in report.what and "free" in report.what


def test_numbers_that_would_look_alike_are_told_in_bytes() -> None:
    report = FREE.body_too_big("POST /", FREE.body + 1)
    assert "104,857,601 bytes" in report.what and "104,857,600 bytes" in report.what
    assert "more than 100 MB" in FREE.body_too_big("POST /", FREE.body + 1, more=True).what


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1024, "1 KB"), (17_715, "17.3 KB"), (104_857_600, "100 MB")],
)
def test_sizes_as_people_write_them(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("value", "length"),
    [(b"", 0), (b"-1", 0), (b"12", 12), (b"9" * 25, sys.maxsize), (b"18446744073709551615", sys.maxsize)],
)
def test_a_length_of_any_size(value: bytes, length: int) -> None:
    assert content_length(value) == length
