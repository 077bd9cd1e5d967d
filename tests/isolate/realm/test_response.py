"""Response: bodies, init, statics, use and copies of bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.isolate.realm.realm import Realm

from .conftest import JSFailure, Undefined, take_response

Run = Callable[..., Any]
USED = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice."
NULL_BODY = "Response with null body status (101, 204, 205, or 304) cannot have a body."
TEXT = "text/plain;charset=UTF-8"


@pytest.mark.parametrize(
    ("body", "text", "content_type"),
    [
        ("'héllo'", "héllo", TEXT),
        ("''", "", TEXT),
        ("'a\\ud800b'", "a\ufffdb", TEXT),
        ("'\\ufeffx'", "x", TEXT),
        ("null", "", None),
        ("undefined", "", None),
        ("5", "5", TEXT),
        ("true", "true", TEXT),
        ("{}", "[object Object]", TEXT),
        ("[1, 2]", "1,2", TEXT),
        ("new TextEncoder().encode('by')", "by", None),
        ("new TextEncoder().encode('by').buffer", "by", None),
        ("new DataView(new TextEncoder().encode('abc').buffer, 1)", "bc", None),
        ("new Blob(['bl'], {type: 'T/x'})", "bl", "t/x"),
        ("new Blob(['bl'])", "bl", None),
        ("new URLSearchParams('a=b c')", "a=b+c", "application/x-www-form-urlencoded;charset=UTF-8"),
        ("new Response('st').body", "st", None),
    ],
)
def test_bodies(run: Run, body: str, text: str, content_type: str | None) -> None:
    source = f"const r = new Response({body}); return [await r.text(), r.headers.get('content-type')];"
    assert run(source) == [text, content_type]


def test_given_content_type_wins(run: Run) -> None:
    assert run("[...new Response('a', {headers: {'Content-Type': 'x/y'}}).headers]") == [
        ["content-type", "x/y"]
    ]


def test_reading_methods(run: Run) -> None:
    source = """
    const make = () => new Response('{"a":[1]}', {headers: {'content-type': 'Application/JSON'}});
    const blob = await make().blob();
    const bytes = await make().bytes();
    return [await make().json(), (await make().arrayBuffer()).byteLength, bytes instanceof Uint8Array, bytes.length,
            blob.size, blob.type, await blob.text()];"""
    assert run(source) == [{"a": [1]}, 9, True, 9, 9, "application/json", '{"a":[1]}']


def test_init(run: Run) -> None:
    source = """
    const r = new Response('a', {status: 404, statusText: 'Nope', headers: [['a', 'b']], cf: {x: 1}});
    const other = new Response('b', r);
    other.headers.set('a', 'c');
    return [r.status, r.statusText, r.ok, r.headers.get('a'), r.type, r.url, r.redirected, r.webSocket, r.cf.x,
            other.status, other.statusText, other.headers.get('a'), await other.text()];"""
    assert run(source) == [404, "Nope", False, "b", "default", "", False, None, 1, 404, "Nope", "c", "b"]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "OK"),
        (201, "Created"),
        (404, "Not Found"),
        (418, "I'm a teapot"),
        (500, "Internal Server Error"),
        (599, ""),
    ],
)
def test_reason_phrases(run: Run, realm: Realm, status: int, text: str) -> None:
    source = "const r = new Response('x', {status}); return [r.statusText, takeResponse(r)[1]];"
    assert run(source, status=status, takeResponse=take_response(realm)) == [text, text]


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("new Response('', {status: 199})", "RangeError", "Responses may only be constructed with status codes in the range 200 to 599, inclusive."),
        ("new Response('', {status: 600})", "RangeError", "Responses may only be constructed with status codes in the range 200 to 599, inclusive."),
        ("new Response('x', {status: 204})", "TypeError", NULL_BODY),
        ("new Response('x', {status: 304})", "TypeError", NULL_BODY),
        ("Response.json(1, {status: 204})", "TypeError", NULL_BODY),
        ("Response.json()", "TypeError", "Failed to execute 'json' on 'Response': parameter 1 is not of type 'Value'."),
        ("new Response('', 5)", "TypeError", "Failed to construct 'Response': constructor parameter 2 is not of type 'InitializerDict or Response'."),
        ("Response.redirect('nope')", "TypeError", "Unable to parse URL: nope"),
        ("Response.redirect('http://x.com/', 200)", "RangeError", "200 is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308."),
        ("Response.prototype.status", "TypeError", "Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details."),
        ("Response.prototype.text.call({})", "TypeError", "Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details."),
        ("Object.getOwnPropertyDescriptor(Response.prototype, 'status').get.call(new Request('http://a/'))", "TypeError", "Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details."),
        ("new Body()", "TypeError", "Illegal constructor"),
    ],
)  # fmt: skip
def test_refused(run: Run, source: str, name: str, message: str) -> None:
    with pytest.raises(JSFailure) as caught:
        run(source)
    assert (caught.value.name, caught.value.message) == (name, message)


def test_statics(run: Run) -> None:
    source = """
    const j = Response.json({a: [1, null]}, {status: 202, headers: {'x-a': 'b'}});
    const t = Response.json('é', {headers: {'content-type': 'a/b'}});
    const r = Response.redirect('http://x.com/a b', 307), e = Response.error();
    return [j.status, j.headers.get('content-type'), j.headers.get('x-a'), await j.text(),
            t.headers.get('content-type'), await t.text(),
            r.status, r.headers.get('location'), r.body, e.status, e.type, e.statusText];"""
    assert run(source) == [
        202, "application/json", "b", '{"a":[1,null]}', "a/b", '"é"', 307, "http://x.com/a%20b", None, 0, "error", "",
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["text", "json", "arrayBuffer", "bytes", "blob", "formData"])
def test_second_use(run: Run, method: str) -> None:
    with pytest.raises(JSFailure) as caught:
        run(f"const r = new Response('x'); await r.text(); await r.{method}();")
    assert (caught.value.name, caught.value.message) == ("TypeError", USED)


def test_body_used(run: Run) -> None:
    source = """
    const a = new Response('x'), b = new Response('x'), none = new Response(null);
    const before = a.bodyUsed;
    const text = a.text(), during = a.bodyUsed;
    const reader = b.body.getReader();
    const locked = b.bodyUsed;
    await reader.read();
    await none.text();
    return [before, during, await text, locked, b.bodyUsed, none.bodyUsed, await none.text(), none.body];"""
    assert run(source) == [False, True, "x", False, True, False, "", None]


def test_locked_body(run: Run) -> None:
    with pytest.raises(JSFailure, match="This ReadableStream is currently locked to a reader"):
        run("const r = new Response('x'); r.body.getReader(); await r.text();")


@pytest.mark.parametrize("prepare", ["", "r.body;", "const s = r.body; s.getReader().releaseLock();"])
@pytest.mark.parametrize(
    "body", ["'héllo'", "new TextEncoder().encode('héllo')", "new Response('héllo').body"]
)
def test_clone(run: Run, prepare: str, body: str) -> None:
    source = f"""
    const r = new Response({body}, {{status: 201, statusText: 'Made', headers: {{a: 'b'}}}});
    {prepare}
    const c = r.clone();
    c.headers.set('a', 'c');
    return [await r.text(), c.bodyUsed, await c.text(), c.status, c.statusText, r.headers.get('a')];"""
    assert run(source) == ["héllo", False, "héllo", 201, "Made", "b"]


def test_clone_does_not_share_bytes(run: Run) -> None:
    source = """
    const bytes = new Uint8Array([1, 2]);
    const a = new Response(bytes), b = a.clone();
    bytes[0] = 9;
    const first = await a.bytes();
    first[1] = 9;
    return [first, await b.bytes()];"""
    assert run(source) == [b"\x01\x09", b"\x01\x02"]


def test_clone_of_used(run: Run) -> None:
    with pytest.raises(JSFailure) as caught:
        run("const r = new Response('x'); await r.text(); r.clone();")
    assert caught.value.message == "This ReadableStream is currently locked to a reader,"


def test_body_stream(run: Run) -> None:
    source = """
    const r = new Response('abc'), s = r.body;
    const same = s === r.body, reader = s.getReader();
    return [same, s.constructor.name, await reader.read(), await reader.read(), r.bodyUsed];"""
    assert run(source) == [
        True,
        "ReadableStream",
        {"value": b"abc", "done": False},
        {"value": Undefined, "done": True},
        True,
    ]


def test_stream_stays_while_text_takes_the_source(run: Run) -> None:
    source = """
    const r = new Response('abc'), s = r.body;
    const text = await r.text();
    return [text, s.locked, r.body === s];"""
    assert run(source) == ["abc", True, True]


@pytest.mark.parametrize("chunk", ["'text'", "5", "{}", "null"])
def test_streams_have_to_give_bytes(run: Run, chunk: str) -> None:
    source = f"""
    let why;
    const s = new ReadableStream({{start(c) {{ c.enqueue({chunk}); }}, cancel(reason) {{ why = reason; }}}});
    const error = await new Response(s).text().catch((e) => e);
    return [error.name, error.message, why === error];"""
    assert run(source) == ["TypeError", "This ReadableStream did not return bytes.", True]


def test_stream_that_fails(run: Run) -> None:
    with pytest.raises(JSFailure) as caught:
        run("await new Response(new ReadableStream({pull() { throw new RangeError('boom'); }})).text()")
    assert (caught.value.name, caught.value.message) == ("RangeError", "boom")


def test_used_stream_is_no_body(run: Run) -> None:
    with pytest.raises(JSFailure, match="disturbed"):
        run("const r = new Response('x'); await r.text(); new Response(r.body);")
    with pytest.raises(JSFailure, match="locked"):
        run("const r = new Response('x'); r.body.getReader(); new Response(r.body);")


def test_many_chunks_do_not_grow_the_stack(run: Run) -> None:
    source = """
    const s = new ReadableStream({start(c) { for (let i = 0; i < 30000; i++) c.enqueue(new Uint8Array(1)); c.close(); }});
    return (await new Response(s).bytes()).length;"""
    assert run(source) == 30000


def test_prototype_names(run: Run) -> None:
    names = [
        "cf",
        "clone",
        "constructor",
        "headers",
        "ok",
        "redirected",
        "status",
        "statusText",
        "type",
        "url",
        "webSocket",
    ]
    body = ["arrayBuffer", "blob", "body", "bodyUsed", "bytes", "constructor", "formData", "json", "text"]
    assert run("Object.getOwnPropertyNames(Response.prototype).sort()") == names
    assert run("Object.getOwnPropertyNames(Body.prototype).sort()") == body
    assert run("String(new Response(''))") == "[object Response]"


def test_subclass(run: Run) -> None:
    source = """
    class Mine extends Response { constructor(b) { super(b, {status: 201}); } get twice() { return this.status * 2; } }
    const m = new Mine('x');
    return [m.twice, await m.text(), m instanceof Response];"""
    assert run(source) == [402, "x", True]
