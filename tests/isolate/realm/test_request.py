"""Request: URL, method, init, bodies and copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import JSFailure, Undefined

Run = Callable[..., Any]
BODY_OF_GET = "Request with a GET or HEAD method cannot have a body."


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("'http://x.com'", "http://x.com/"),
        ("'http://x.com/a?b=1#h'", "http://x.com/a?b=1#h"),
        ("new URL('http://x.com/a/../b')", "http://x.com/b"),
        ("new Request('http://x.com/r')", "http://x.com/r"),
        ("'https://例え.jp/路'", "https://xn--r8jz45g.jp/%E8%B7%AF"),
    ],
)
def test_url(run: Run, url: str, expected: str) -> None:
    assert run(f"new Request({url}).url") == expected


@pytest.mark.parametrize(
    ("method", "expected"), [("post", "POST"), ("patch", "PATCH"), ("Purge", "PURGE"), ("query", "QUERY")]
)
def test_method(run: Run, method: str, expected: str) -> None:
    assert run(f"new Request('http://x.com', {{method: '{method}'}}).method") == expected


@pytest.mark.parametrize(
    ("arguments", "name", "message"),
    [
        ("", "TypeError", "Failed to construct 'Request': constructor parameter 1 is not of type 'Request or string'."),
        ("'nope'", "TypeError", "Invalid URL: nope"),
        ("'/path'", "TypeError", "Invalid URL: /path"),
        ("'http://x.com', {method: 'GET', body: 'x'}", "TypeError", BODY_OF_GET),
        ("'http://x.com', {method: 'head', body: ''}", "TypeError", BODY_OF_GET),
        ("'http://x.com', {body: 'x'}", "TypeError", BODY_OF_GET),
        ("'http://x.com', {method: 'a b'}", "TypeError", "Invalid HTTP method string: a b"),
        ("'http://x.com', {redirect: 'error'}", "TypeError", 'Invalid redirect value, must be one of "follow" or "manual" ("error" won\'t be implemented since it does not make sense at the edge; use "manual" and check the response status code).'),
        ("'http://x.com', {signal: {}}", "TypeError", "Incorrect type for the 'signal' field on 'RequestInitializerDict': the provided value is not of type 'AbortSignal'."),
        ("'http://x.com', {cache: 'force-cache'}", "TypeError", "Unsupported cache mode: force-cache"),
        ("'http://x.com', 5", "TypeError", "Failed to construct 'Request': constructor parameter 2 is not of type 'RequestInitializerDict or Request'."),
    ],
)  # fmt: skip
def test_refused(run: Run, arguments: str, name: str, message: str) -> None:
    with pytest.raises(JSFailure) as caught:
        run(f"new Request({arguments})")
    assert (caught.value.name, caught.value.message) == (name, message)


def test_defaults(run: Run) -> None:
    source = """
    const r = new Request('http://x.com');
    return [r.method, r.redirect, r.signal.aborted, r.signal === r.signal, r.cf, r.cache, r.integrity, r.keepalive,
            r.fetcher, r.body, r.bodyUsed, [...r.headers], String(r)];"""
    assert run(source) == [
        "GET", "follow", False, True, Undefined, Undefined, "", False, None, None, False, [], "[object Request]",
    ]  # fmt: skip


def test_init(run: Run) -> None:
    source = """
    const signal = AbortSignal.abort('why');
    const r = new Request('http://x.com', {method: 'POST', body: 'hi', headers: {a: 'b'}, redirect: 'manual', signal,
                                           cf: {cacheTtl: 5}, cache: 'no-store'});
    return [r.headers.get('content-type'), r.headers.get('a'), r.redirect, r.signal === signal, r.cf.cacheTtl, r.cache,
            await r.text(), r.bodyUsed];"""
    assert run(source) == ["text/plain;charset=UTF-8", "b", "manual", True, 5, "no-store", "hi", True]


@pytest.mark.parametrize("body", ["'data'", "new TextEncoder().encode('data')", "new Response('data').body"])
def test_from_a_request_the_body_moves(run: Run, body: str) -> None:
    source = f"""
    const a = new Request('http://x.com/a', {{method: 'POST', body: {body}, headers: {{a: 'b'}}}});
    const stream = a.body;
    const b = new Request(a, {{headers: {{c: 'd'}}}});
    return [a.bodyUsed, b.bodyUsed, b.method, b.url, b.headers.get('a'), b.headers.get('c'), await b.text(),
            stream.locked,
            await a.text().catch((e) => e.name)];"""
    assert run(source) == [True, False, "POST", "http://x.com/a", None, "d", "data", True, "TypeError"]


def test_from_a_request_with_another_body(run: Run) -> None:
    source = """
    const a = new Request('http://x.com/a', {method: 'POST', body: 'one'});
    const b = new Request(a, {body: 'two'}), c = new Request(a, {method: 'PUT', body: null});
    return [await a.text(), await b.text(), c.method, c.body];"""
    assert run(source) == ["one", "two", "PUT", None]


def test_url_and_a_request_as_init(run: Run) -> None:
    source = """
    const a = new Request('http://x.com/a', {method: 'POST', body: 'one', headers: {a: 'b'}});
    const b = new Request('http://y.com/b', a);
    return [b.url, b.method, b.headers.get('a'), await b.text(), a.bodyUsed];"""
    assert run(source) == ["http://y.com/b", "POST", "b", "one", True]


def test_used_request_cannot_be_moved(run: Run) -> None:
    with pytest.raises(JSFailure, match="Cannot reconstruct a Request with a used body"):
        run(
            "const a = new Request('http://x.com', {method: 'POST', body: 'x'}); await a.text(); new Request(a);"
        )


def test_get_from_a_request_with_a_body(run: Run) -> None:
    with pytest.raises(JSFailure) as caught:
        run("new Request(new Request('http://x.com', {method: 'POST', body: 'x'}), {method: 'GET'})")
    assert caught.value.message == BODY_OF_GET


def test_clone(run: Run) -> None:
    source = """
    const a = new Request('http://x.com/a', {method: 'POST', body: 'one', headers: {a: 'b'}});
    const b = a.clone();
    b.headers.set('a', 'c');
    return [a.headers.get('a'), await a.text(), b.method, b.headers.get('a'), await b.text(), a.signal === b.signal];"""
    assert run(source) == ["b", "one", "POST", "c", "one", True]


def test_own_names(run: Run) -> None:
    names = [
        "cache",
        "cf",
        "clone",
        "constructor",
        "fetcher",
        "headers",
        "integrity",
        "keepalive",
        "method",
        "redirect",
        "signal",
        "url",
    ]
    assert run("Object.getOwnPropertyNames(Request.prototype).sort()") == names
