"""fetch() over the host: what is sent, what comes back, aborts and failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.isolate.realm.realm import Realm

from .conftest import FakeIO, JSFailure

Run = Callable[..., Any]


class Started:
    """A fetch under way; its outcome is in ``globalThis.outcome``."""

    def __init__(self, run: Run, io: FakeIO, arguments: str, **values: Any) -> None:
        self.run = run
        run(
            f"""
            globalThis.outcome = null;
            fetch({arguments}).then((r) => {{ globalThis.response = r; globalThis.outcome = 'ok'; }},
                                    (e) => {{ globalThis.outcome = e && e.name ? [e.name, e.message] : e; }});
            return 0;""",
            **values,
        )
        self.call = next(iter(io.fetches), 0)

    @property
    def outcome(self) -> Any:
        return self.run("outcome")


@pytest.mark.parametrize(
    ("arguments", "method", "url", "headers", "body"),
    [
        ("'http://a.example'", "GET", "http://a.example/", [], None),
        ("new URL('https://a.example/b?c#d')", "GET", "https://a.example/b?c", [], None),
        ("new Request('http://a.example/', {headers: {'X-A': 'b'}})", "GET", "http://a.example/", ["X-A", "b"], None),
        ("'http://a.example/', {method: 'post', body: 'é'}", "POST", "http://a.example/",
         ["Content-Type", "text/plain;charset=UTF-8"], "é".encode()),
        ("'http://a.example/', {method: 'PUT', body: new Uint8Array([1]), headers: [['a', '1'], ['a', '2']]}", "PUT",
         "http://a.example/", ["a", "1", "a", "2"], b"\x01"),
        ("new Request('http://a.example/', {method: 'POST', body: 'x'}), {method: 'PATCH', body: 'y'}", "PATCH",
         "http://a.example/", ["Content-Type", "text/plain;charset=UTF-8"], b"y"),
    ],
)  # fmt: skip
def test_what_is_sent(
    run: Run, io: FakeIO, arguments: str, method: str, url: str, headers: list[str], body: bytes | None
) -> None:
    call = io.fetches[Started(run, io, arguments).call]
    assert (call.method, call.url, call.headers, call.body, call.redirect) == (
        method,
        url,
        headers,
        body,
        "follow",
    )


def test_an_incoming_request_is_passed_on_without_its_host(run: Run, io: FakeIO, realm: Realm) -> None:
    realm.engine.global_.set("makeRequest", realm.platform.get("makeRequest"))
    headers = "['Host', 'a.example', 'X', '1']"
    started = Started(
        run, io, f"'http://b.example/', makeRequest('GET', 'http://a.example/', {headers}, null, null)"
    )
    call = io.fetches[started.call]
    assert (call.url, call.headers) == ("http://b.example/", ["X", "1"])


def test_the_response(run: Run, io: FakeIO) -> None:
    started = Started(run, io, "'http://a.example/x', {redirect: 'manual'}")
    assert io.fetches[started.call].redirect == "manual"
    headers = ["Set-Cookie", "a=1", "Set-Cookie", "b=2", "Content-Type", "text/x"]
    io.answer(
        started.call, 201, headers, b"body", status_text="Made", url="http://b.example/", redirected=True
    )
    source = """
    const r = response;
    let immutable;
    try { r.headers.set('a', 'b'); } catch (e) { immutable = e.message; }
    return [r.status, r.statusText, r.ok, r.url, r.redirected, [...r.headers], await r.text(), immutable];"""
    assert started.outcome == "ok"
    assert run(source) == [
        201, "Made", True, "http://b.example/", True,
        [["content-type", "text/x"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]], "body",
        "Can't modify immutable headers.",
    ]  # fmt: skip


def test_a_response_can_be_changed_through_a_copy(run: Run, io: FakeIO) -> None:
    started = Started(run, io, "'http://a.example/'")
    io.answer(started.call, 404, ["A", "b"], b"body")
    source = """
    const r = new Response(response.body, response);
    r.headers.set('a', 'c');
    return [r.status, r.headers.get('a'), await r.text(), response.bodyUsed];"""
    assert run(source) == [404, "c", "body", True]


def test_null_body(run: Run, io: FakeIO) -> None:
    started = Started(run, io, "'http://a.example/'")
    io.answer(started.call, 204)
    assert run("[response.status, response.body, await response.text()]") == [204, None, ""]


def test_streaming_response(run: Run, io: FakeIO) -> None:
    stream = io.add_stream(b"one")
    started = Started(run, io, "'http://a.example/'")
    io.answer(started.call, body=stream)
    run("globalThis.reader = response.body.getReader(); return 0;")
    assert run("await reader.read()") == {"value": b"one", "done": False}
    run("globalThis.next = reader.read(); return 0;")
    assert stream in io.blocked_reads
    io.feed(stream, b"two", None)
    assert run("[(await next).value, (await reader.read()).done]") == [b"two", True]


def test_cancel_of_a_streaming_response(run: Run, io: FakeIO) -> None:
    stream = io.add_stream(b"one")
    started = Started(run, io, "'http://a.example/'")
    io.answer(started.call, body=stream)
    run("await response.body.cancel('enough')")
    assert io.cancelled_streams == {stream: "enough"}


def test_streaming_request_body(run: Run, io: FakeIO) -> None:
    io.hold_writes = True
    body = "new ReadableStream({start() { this.n = 0; }, pull(c) {" \
           " if (++this.n > 2) c.close(); else c.enqueue(new Uint8Array([this.n])); }})"  # fmt: skip
    started = Started(run, io, f"'http://a.example/', {{method: 'POST', body: {body}}}")
    (stream,) = io.outgoing
    assert io.fetches[started.call].body == stream
    out = io.outgoing[stream]
    assert (bytes(out.data), out.closed) == (b"\x01", False)
    io.release(stream)
    assert (bytes(out.data), out.closed) == (b"\x01\x02", False)
    io.release(stream)
    assert (bytes(out.data), out.closed, out.error) == (b"\x01\x02", True, None)


def test_request_body_of_known_length(run: Run, io: FakeIO) -> None:
    source = """
    const f = new FixedLengthStream(3);
    f.writable.getWriter().write(new Uint8Array(3));
    globalThis.f = f;
    return 0;"""
    run(source)
    started = Started(run, io, "'http://a.example/', {method: 'PUT', body: f.readable}")
    assert io.fetches[started.call].headers == ["Content-Length", "3"]


def test_request_body_that_fails(run: Run, io: FakeIO) -> None:
    Started(
        run,
        io,
        "'http://a.example/', {method: 'POST', body: new ReadableStream({pull() { throw new RangeError('boom'); }})}",
    )
    (out,) = io.outgoing.values()
    assert (out.closed, out.error) == (True, "RangeError: boom")


def test_reader_of_the_request_body_leaves(run: Run, io: FakeIO) -> None:
    io.hold_writes = True
    run("globalThis.why = null; return 0;")
    Started(
        run, io,
        "'http://a.example/', {method: 'POST', body: new ReadableStream({"
        "pull(c) { c.enqueue(new Uint8Array(1)); }, cancel(e) { globalThis.why = e.message; }})}",
    )  # fmt: skip
    (stream,) = io.outgoing
    io.release(stream, "gone")
    assert run("why") == "Network connection lost. (gone)"


@pytest.mark.parametrize("url", ["ftp://a.example/", "data:text/plain", "file:///etc/passwd"])
def test_other_protocols(run: Run, io: FakeIO, url: str) -> None:
    assert Started(run, io, "url", url=url).outcome == ["TypeError", f"Fetch API cannot load: {url}"]


def test_arguments_that_are_wrong_reject(run: Run, io: FakeIO) -> None:
    assert Started(run, io, "'nope'").outcome == ["TypeError", "Invalid URL: nope"]
    assert Started(run, io, "").outcome[0] == "TypeError"
    assert Started(run, io, "'http://a/', {headers: ['x']}").outcome == [
        "TypeError",
        "Incorrect type: the provided value is not of type 'Sequence'.",
    ]
    assert io.fetches == {}


def test_network_failure(run: Run, io: FakeIO) -> None:
    started = Started(run, io, "'http://a.example/'")
    io.fail(started.call, "connection refused")
    assert started.outcome == ["Error", "Network connection lost. (connection refused)"]


def test_a_used_request_cannot_be_sent(run: Run, io: FakeIO) -> None:
    run("globalThis.r = new Request('http://a/', {method: 'POST', body: 'x'}); await r.text();")
    name, message = Started(run, io, "r").outcome
    assert (name, message.startswith("Body has already been used")) == ("TypeError", True)


def test_aborted_before(run: Run, io: FakeIO) -> None:
    started = Started(run, io, "'http://a.example/', {signal: AbortSignal.abort()}")
    assert (started.outcome[0], io.fetches) == ("AbortError", {})


def test_abort_before_the_response(run: Run, io: FakeIO) -> None:
    run("globalThis.stop = new AbortController(); return 0;")
    started = Started(run, io, "'http://a.example/', {signal: stop.signal}")
    assert started.outcome is None
    run("stop.abort('why')")
    assert (started.outcome, io.cancelled_fetches) == ("why", [started.call])


def test_abort_during_the_response(run: Run, io: FakeIO) -> None:
    stream = io.add_stream(b"one")
    run("globalThis.stop = new AbortController(); return 0;")
    started = Started(run, io, "'http://a.example/', {signal: stop.signal}")
    io.answer(started.call, body=stream)
    source = """
    const reader = response.body.getReader();
    await reader.read();
    const pending = reader.read().catch((e) => e);
    stop.abort('why');
    return await pending;"""
    assert run(source) == "why"
    assert io.cancelled_streams == {stream: "why"}


def test_abort_stops_the_request_body(run: Run, io: FakeIO) -> None:
    io.hold_writes = True
    run("globalThis.stop = new AbortController(); globalThis.why = null; return 0;")
    Started(
        run, io,
        "'http://a.example/', {method: 'POST', signal: stop.signal, body: new ReadableStream({"
        "pull(c) { c.enqueue(new Uint8Array(1)); }, cancel(e) { globalThis.why = e; }})}",
    )  # fmt: skip
    run("stop.abort('enough')")
    (out,) = io.outgoing.values()
    assert (run("why"), out.closed, out.error) == ("enough", True, "enough")


def test_fetcher(run: Run, realm: Realm) -> None:
    source = """
    const seen = [], fetcher = {fetch(request) { seen.push(request.url); return new Response('bound'); }};
    const r = await fetch('http://a.example/', {fetcher});
    return [seen, await r.text()];"""
    assert run(source) == [["http://a.example/"], "bound"]


def test_error_is_an_error(run: Run, io: FakeIO) -> None:
    with pytest.raises(JSFailure):
        run("await fetch('ftp://x/')")
