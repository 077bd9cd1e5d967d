"""What Python calls: makeRequest, takeLines, pumpBody, ExecutionContext."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from emulator.isolate.realm.engine import Value
from emulator.isolate.realm.realm import Realm

from .conftest import FakeIO, JSFailure, take_response

Run = Callable[..., Any]
NOT_A_RESPONSE = "Incorrect type for Promise: the Promise did not resolve to 'Response'."


@pytest.fixture(autouse=True)
def entry_points(realm: Realm) -> None:
    for name in ("makeRequest", "pumpBody", "makeContext", "abortRequest"):
        realm.engine.global_.set(name, realm.platform.get(name))
    realm.engine.global_.set("takeResponse", take_response(realm))


def test_make_request(run: Run) -> None:
    source = """
    const r = makeRequest('POST', 'http://a.example/p?q=1', ['Host', 'a.example', 'X', '1', 'x', '2'],
                          '{"colo":"TPE"}', new TextEncoder().encode('data').buffer);
    return [r.method, r.url, r.headers.get('x'), [...r.headers.keys()], r.cf.colo, r.cf === r.cf, r.bodyUsed,
            await r.text(), r.bodyUsed, r.constructor.name];"""
    assert run(source) == [
        "POST", "http://a.example/p?q=1", "1, 2", ["host", "x"], "TPE", True, False, "data", True, "Request",
    ]  # fmt: skip


def test_incoming_stream_is_read_when_wanted(run: Run, io: FakeIO) -> None:
    stream = io.add_stream(b"ab", b"", b"cd", None)
    source = """
    let reads = 0;
    globalThis.request = makeRequest('PUT', 'http://a.example/', [], null, id, () => { reads++; });
    const body = request.body;
    const reader = body.getReader();
    const before = reads;
    return [before, await reader.read(), reads, (await reader.read()).value, (await reader.read()).done, reads];"""
    assert run(source, id=stream) == [0, {"value": b"ab", "done": False}, 1, b"cd", True, 1]


@pytest.mark.parametrize("method", ["text", "arrayBuffer", "bytes"])
def test_incoming_stream_as_a_whole(run: Run, io: FakeIO, method: str) -> None:
    stream = io.add_stream(b"ab", b"cd", None)
    answer = run(f"await makeRequest('PUT', 'http://a/', [], null, id).{method}()", id=stream)
    assert answer == ("abcd" if method == "text" else b"abcd")


def test_incoming_stream_with_byob(run: Run, io: FakeIO) -> None:
    stream = io.add_stream(b"abc", b"de", None)
    source = """
    const reader = makeRequest('PUT', 'http://a/', [], null, id).body.getReader({mode: 'byob'}), out = [];
    for (;;) {
      const {done, value} = await reader.read(new Uint8Array(2));
      if (done) return out;
      out.push(value);
    }"""
    assert run(source, id=stream) == [b"ab", b"c", b"de"]


def test_incoming_stream_that_breaks(run: Run, io: FakeIO) -> None:
    stream = io.add_stream(b"ab", "Network connection lost.")
    with pytest.raises(JSFailure) as caught:
        run("await makeRequest('PUT', 'http://a/', [], null, id).text()", id=stream)
    assert caught.value.message == "Network connection lost."


def test_cancel_of_an_incoming_stream(run: Run, io: FakeIO) -> None:
    stream = io.add_stream(b"ab")
    run("await makeRequest('PUT', 'http://a/', [], null, id).body.cancel('enough')", id=stream)
    assert io.cancelled_streams == {stream: "enough"}


def test_clone_of_an_incoming_stream(run: Run, io: FakeIO) -> None:
    stream = io.add_stream(b"ab", b"cd", None)
    source = """
    const a = makeRequest('PUT', 'http://a/', [], null, id), b = a.clone();
    return Promise.all([a.text(), b.text()]);"""
    assert run(source, id=stream) == ["abcd", "abcd"]


@pytest.mark.parametrize("ask", [True, False])
def test_abort_request(run: Run, ask: bool) -> None:
    source = """
    const r = makeRequest('GET', 'http://a/', [], null, null);
    let event = 0;
    if (ask) r.signal.addEventListener('abort', () => event++);
    abortRequest(r, 'left');
    abortRequest(r, 'again');
    return [r.signal.aborted, r.signal.reason, event];"""
    assert run(source, ask=ask) == [True, "left", int(ask)]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("new Response('hi')", [200, "OK", ["Content-Type", "text/plain;charset=UTF-8"], "hi"]),
        ("new Response('a\\udc00')", [200, "OK", ["Content-Type", "text/plain;charset=UTF-8"], "a\udc00"]),
        ("new Response(null, {status: 204})", [204, "No Content", [], None]),
        ("new Response(new Uint8Array([1, 2]))", [200, "OK", [], b"\x01\x02"]),
        ("(() => { const r = new Response('hi'); r.body; r.headers.set('a', 'b'); return r; })()",
         [200, "OK", ["Content-Type", "text/plain;charset=UTF-8", "a", "b"], "hi"]),
        ("new Response(new Blob(['b']), {status: 404, statusText: 'X'})", [404, "X", [], b"b"]),
    ],
)  # fmt: skip
def test_take_response(run: Run, response: str, expected: list[Any]) -> None:
    assert run(f"takeResponse({response})") == expected


def test_take_response_marks_the_body_used(run: Run) -> None:
    source = """
    const r = new Response('x'), s = new Response(new Response('y').body);
    takeResponse(r); takeResponse(s);
    return [r.bodyUsed, s.bodyUsed, await r.text().catch((e) => e.message)];"""
    used = (
        "Body has already been used. It can only be used once. Use tee() first if you need to read it twice."
    )
    assert run(source) == [True, True, used]
    with pytest.raises(JSFailure) as caught:
        run("const r = new Response('x'); await r.text(); takeResponse(r);")
    assert (caught.value.name, caught.value.message) == ("TypeError", used)


@pytest.mark.parametrize("value", ["undefined", "null", "'text'", "5", "{}", "new Request('http://a/')"])
def test_take_response_refuses(run: Run, value: str) -> None:
    with pytest.raises(JSFailure) as caught:
        run(f"takeResponse({value})")
    assert (caught.value.name, caught.value.message) == ("TypeError", NOT_A_RESPONSE)


def test_fixed_length_streams_tell_their_length(run: Run) -> None:
    source = """
    const f = new FixedLengthStream(3), plain = new IdentityTransformStream();
    return [takeResponse(new Response(f.readable))[2], takeResponse(new Response(plain.readable))[2]];"""
    assert run(source) == [["Content-Length", "3"], []]


def test_of_streams_only_a_promised_length_goes_out(run: Run) -> None:
    source = """
    const headers = {'content-length': '9', a: 'b'}, out = [];
    for (const s of [new FixedLengthStream(3), new IdentityTransformStream()]) {
      out.push(takeResponse(new Response(s.readable, {headers}))[2]);
    }
    return out;"""
    assert run(source) == [["a", "b", "Content-Length", "3"], ["a", "b", ":content-length", "9"]]


@pytest.mark.parametrize(
    "body", ["'héllo'", "new TextEncoder().encode('héllo')", "new Response('héllo').body"]
)
def test_gzip_by_content_encoding(run: Run, body: str) -> None:
    source = f"""
    const headers = {{'Content-Encoding': 'gzip', 'Content-Length': '6'}};
    const r = new Response({body}, {{headers}});
    const [, , flat, sent] = takeResponse(r);
    return [flat.slice(0, 2), flat.includes('Content-Length'), await new Response(sent).bytes()];"""
    flat, has_length, sent = run(source)
    assert (flat, has_length) == (["Content-Encoding", "gzip"], False)
    assert gzip.decompress(sent).decode() == "héllo"


def test_bodies_that_are_not_encoded(run: Run) -> None:
    source = """
    const take = (body, coding, encodeBody) =>
      takeResponse(new Response(body, {encodeBody, headers: {'content-encoding': coding, 'content-type': 'a/b'}}));
    return [take('x', 'gzip', 'manual'), take(null, 'gzip'), take('x', 'zstd'), take('x', 'br')].map((t) => t.slice(2));"""
    assert run(source) == [
        [["content-encoding", "gzip", "content-type", "a/b"], "x"],
        [["content-encoding", "gzip", "content-type", "a/b"], None],
        [["content-encoding", "zstd", "content-type", "a/b"], "x"],
        [["content-type", "a/b"], "x"],
    ]


def test_an_error_response_is_no_answer(run: Run) -> None:
    with pytest.raises(JSFailure, match="must not be an error response"):
        run("takeResponse(Response.error())")


class Pump:
    """A reader of one body over ``pumpBody``, as the isolate will be."""

    def __init__(self, realm: Realm, run: Run, stream: str) -> None:
        self.engine = realm.engine
        self.events: list[Any] = []
        self.resume: Value | None = None
        run(f"globalThis.stream = {stream}; return 0;")
        function = self.engine.function
        self.cancel = realm.platform.get("pumpBody")(
            self.engine.global_.get("stream"),
            function(self._chunk, "onChunk"),
            function(lambda *_: self.events.append("end"), "onEnd"),
            function(lambda error, *_: self.events.append(str(error)), "onError"),
        )
        self.engine.run_jobs()

    def _chunk(self, chunk: Value, resume: Value) -> None:
        self.events.append(chunk.to_bytes())
        self.resume = resume

    def more(self) -> None:
        assert self.resume is not None
        self.resume()
        self.engine.run_jobs()


def test_pump_reads_on_only_when_told(realm: Realm, run: Run) -> None:
    pump = Pump(realm, run, "new ReadableStream({start() { this.n = 0; }, pull(c) {"
                            " if (++this.n > 2) c.close(); else c.enqueue(new Uint8Array([this.n])); }})")  # fmt: skip
    assert pump.events == [b"\x01"]
    pump.more()
    assert pump.events == [b"\x01", b"\x02"]
    pump.more()
    assert pump.events == [b"\x01", b"\x02", "end"]


def test_pump_gives_the_bytes_of_views_only(realm: Realm, run: Run) -> None:
    pump = Pump(
        realm, run, "new ReadableStream({start(c) { c.enqueue(new Uint8Array([1, 2, 3]).subarray(1, 2)); }})"
    )
    assert pump.events == [b"\x02"]


def test_pump_encodes_text(realm: Realm, run: Run) -> None:
    pump = Pump(realm, run, "new ReadableStream({start(c) { c.enqueue('é'); c.close(); }})")
    assert pump.events[0] == "é".encode()


def test_pump_of_what_is_neither_bytes_nor_text_fails(realm: Realm, run: Run) -> None:
    pump = Pump(
        realm,
        run,
        "new ReadableStream({start(c) { c.enqueue(5); }, cancel(e) { globalThis.why = e.name; }})",
    )
    assert pump.events == ["TypeError: This ReadableStream did not return bytes."]
    assert run("why") == "TypeError"


def test_pump_of_a_failing_stream(realm: Realm, run: Run) -> None:
    pump = Pump(realm, run, "new ReadableStream({pull() { throw new RangeError('boom'); }})")
    assert pump.events == ["RangeError: boom"]


def test_pump_cancel(realm: Realm, run: Run) -> None:
    pump = Pump(realm, run, "new ReadableStream({start(c) { c.enqueue(new Uint8Array(1)); },"
                            " cancel(reason) { globalThis.why = reason; }})")  # fmt: skip
    pump.cancel("left")
    pump.more()
    assert (pump.events, run("why")) == ([b"\x00"], "left")


def test_pump_with_an_eager_reader_keeps_the_stack_flat(run: Run) -> None:
    source = """
    const s = new ReadableStream({start(c) { for (let i = 0; i < 20000; i++) c.enqueue(new Uint8Array(1)); c.close(); }});
    let n = 0;
    return new Promise((resolve) => pumpBody(s, (chunk, resume) => { n++; resume(); }, () => resolve(n), resolve));"""
    assert run(source) == 20000


def test_context(run: Run) -> None:
    source = """
    const given = [], ctx = makeContext((promise) => given.push(promise));
    const answer = ctx.waitUntil(5);
    ctx.waitUntil({then(resolve) { resolve('thenable'); }});
    ctx.passThroughOnException();
    return [answer, await Promise.all(given), given[0] instanceof Promise, ctx.constructor.name, String(ctx), ctx.props];
    """
    _, values, promise, *names = run(source)
    assert (values, promise, names) == (
        [5, "thenable"],
        True,
        ["ExecutionContext", "[object ExecutionContext]", {}],
    )
    with pytest.raises(JSFailure, match="Illegal invocation"):
        run("makeContext(() => 0).waitUntil.call({}, 1)")
