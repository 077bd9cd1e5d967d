"""Outbound fetch against a server of our own: methods, bodies, redirects, failures."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
from collections.abc import AsyncIterable, Iterator
from typing import Any

import pytest

from emulator.fleet.calls import CallFailed, CallResult, Subrequests
from emulator.front.destinations import is_local
from emulator.front.outbound import Outbound
from emulator.journal.events import JournalEvent, Notice
from emulator.wire.channel import FRONT_FIRST_ID, Channel, InStream, Streams
from emulator.wire.frames import Call, Chunk, End, Limits, WorkerSpec

SPEC = WorkerSpec("w", "/", "/entry.py", "2026-01-01", [], {})


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(length)
        if self.headers.get("transfer-encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        if self.path.startswith("/redirect/"):
            _, _, status, target = self.path.split("/", 3)
            self.send_response(int(status))
            self.send_header("Location", target)
            self.send_header("Set-Cookie", "kept=no")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"some")
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        data = json.dumps({"method": self.command, "headers": headers, "body": body.decode()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


async def read(result: CallResult) -> bytes:
    assert isinstance(result.body, AsyncIterable)
    return b"".join([chunk async for chunk in result.body])


def fetch(
    method: str, url: str, *headers: str, redirect: str = "follow", body: Any = None
) -> tuple[Any, Any]:
    """The value and what the upstream saw."""

    async def main() -> tuple[Any, Any]:
        outbound = Outbound()
        args = {"method": method, "url": url, "headers": list(headers), "redirect": redirect}
        try:
            result = await outbound(
                SPEC, Call(1, 1, "fetch", "fetch", args, None), body, Subrequests(Limits())
            )
            data = await read(result)
        finally:
            await outbound.close()
        return result.value, json.loads(data) if data else None

    return asyncio.run(main())


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_methods(upstream: str, method: str) -> None:
    value, saw = fetch(method, upstream)
    assert value["status"] == 200
    assert (saw is None) == (method == "HEAD")
    if saw:
        assert saw["method"] == method
        assert saw["headers"].get("content-length", "0") == "0"


def test_a_body(upstream: str) -> None:
    _, saw = fetch("POST", upstream, "Content-Type", "text/plain", body="你好".encode())
    assert (saw["body"], saw["headers"]["content-type"]) == ("你好", "text/plain")


def stream(*chunks: bytes) -> InStream:
    """A body that comes from an isolate."""
    streams = Streams(Channel(Any, lambda frame: None, lambda error: None), FRONT_FIRST_ID)
    made = streams.incoming(1)
    for chunk in chunks:
        streams.handle(Chunk(1, chunk))
    streams.handle(End(1, None))
    return made


def test_a_stream_goes_with_its_length_where_that_is_known(upstream: str) -> None:
    for headers, length in (("Content-Length", "6"), "6"), ((), None):
        _, saw = fetch("POST", upstream, *headers, body=stream(b"abc", b"def"))
        assert saw["body"] == "abcdef"
        assert saw["headers"].get("content-length") == length
        assert saw["headers"].get("transfer-encoding") == (None if length else "chunked")


def test_the_length_of_a_stream_is_not_that_of_what_a_redirect_asks_for(upstream: str) -> None:
    sent = stream(b"abc", b"def")
    _, saw = fetch("POST", f"{upstream}/redirect/303//end", "Content-Length", "6", body=sent)
    assert (saw["method"], saw["body"]) == ("GET", "")
    assert "content-length" not in saw["headers"]


@pytest.mark.parametrize(
    ("status", "method", "after"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "PUT", "GET"),
        (307, "POST", "POST"),
        (302, "PUT", "PUT"),
    ],
)
def test_redirects_rewrite_the_method_by_the_standard(
    upstream: str, status: int, method: str, after: str
) -> None:
    value, saw = fetch(
        method, f"{upstream}/redirect/{status}//end", "Content-Type", "text/plain", body=b"data"
    )
    assert saw["method"] == after
    assert saw["body"] == ("data" if after == method else "")
    assert ("content-type" in saw["headers"]) == (after == method)
    assert (value["url"], value["redirected"]) == (f"{upstream}/end", True)


def test_secrets_stay_with_their_origin(upstream: str) -> None:
    other = upstream.replace("127.0.0.1", "localhost")
    headers = ("Authorization", "Bearer x", "Cookie", "a=1", "X-Kept", "1")
    _, same = fetch("GET", f"{upstream}/redirect/302//end", *headers)
    assert same["headers"]["authorization"] == "Bearer x"
    assert same["headers"]["cookie"] == "a=1"
    _, across = fetch("GET", f"{upstream}/redirect/302/{other}/end", *headers)
    assert not {"authorization", "cookie"} & across["headers"].keys()
    assert across["headers"]["x-kept"] == "1"


def test_redirect_error(upstream: str) -> None:
    with pytest.raises(CallFailed, match="redirect") as caught:
        fetch("GET", f"{upstream}/redirect/302//end", redirect="error")
    assert caught.value.js_class == "TypeError"


def test_a_body_that_is_cut(upstream: str) -> None:
    with pytest.raises(ConnectionError, match="Network connection lost"):
        fetch("GET", f"{upstream}/cut")


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd"])
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(CallFailed, match="Fetch API cannot load"):
        fetch("GET", url)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(CallFailed, match="Network connection lost: "):
        fetch("GET", "http://nosuchhost.invalid/")


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("a.localhost", True), ("127.9.9.9", True), ("::1", True), ("x.com", False)],
)
def test_proxies_are_never_asked_for_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local


def ask(
    upstream: str, *paths: str, limits: Limits, hops: int = 0, headers: tuple[str, ...] = ()
) -> tuple[list[Any], list[str]]:
    """What the upstream saw of each request of one event, or what it threw; and what the terminal was told."""
    told: list[str] = []

    def journal(event: JournalEvent) -> None:
        assert isinstance(event, Notice) and event.level == "debug"
        told.append(event.text)

    async def main() -> list[Any]:
        outbound, subrequests, found = Outbound(journal), Subrequests(limits, hops), list[Any]()
        spec = WorkerSpec("w", "/", "/entry.py", "2026-01-01", [], {}, limits=limits)
        for path in paths:
            args = {"method": "GET", "url": upstream + path, "headers": list(headers), "redirect": "follow"}
            try:
                result = await outbound(spec, Call(1, 1, "fetch", "fetch", args, None), None, subrequests)
                found.append(json.loads(await read(result)))
            except CallFailed as failure:
                found.append(str(failure))
        await outbound.close()
        return found

    return asyncio.run(main()), told


def test_requests_above_the_limit_fail(upstream: str) -> None:
    found, _ = ask(upstream, "/1", "/2", "/3", "/4", limits=Limits(subrequests=2))
    assert [type(each) for each in found] == [dict, dict, str, str]
    assert found[2] == "Too many subrequests by single Worker invocation."


def test_each_redirect_counts(upstream: str) -> None:
    twice = "/redirect/302//redirect/302//end"
    found, _ = ask(upstream, twice, "/4", limits=Limits(subrequests=3))
    assert isinstance(found[0], dict) and found[1] == "Too many subrequests by single Worker invocation."
    found, _ = ask(upstream, twice, limits=Limits(subrequests=2))
    assert found == ["Too many subrequests by single Worker invocation."]


def test_what_is_never_sent_does_not_count(upstream: str) -> None:
    found, _ = ask("ftp://x", "/1", "/2", limits=Limits(subrequests=1))
    assert all("Fetch API cannot load" in text for text in found)


@pytest.mark.parametrize(
    ("hops", "limit", "left"),
    [(0, 16, "15"), (14, 16, "1"), (15, 16, "0"), (40, 16, "0"), (0, 3, "2"), (0, 0, "15")],
)
def test_the_headers_of_the_edge(upstream: str, hops: int, limit: float, left: str) -> None:
    forged = ("CF-EW-Via", "16", "cf-worker", "bank.example", "CF-Connecting-IP", "1.1.1.1", "x-kept", "1")
    (saw,), _ = ask(upstream, "/", limits=Limits(worker_loop=limit), hops=hops, headers=forged)
    assert (saw["headers"]["cf-worker"], saw["headers"]["cf-ew-via"]) == ("w.workers.dev", left)
    assert saw["headers"]["x-kept"] == "1" and "cf-connecting-ip" not in saw["headers"]


def test_what_stays_near_is_listed_without_secrets(upstream: str) -> None:
    _, told = ask(upstream, "/redirect/302//end?token=1", "/b?key=2", limits=Limits())
    assert told == [
        f"[w] fetch GET {upstream}/redirect/302//end goes to this machine",
        f"[w] fetch GET {upstream}/end goes to this machine",
        f"[w] fetch GET {upstream}/b goes to this machine",
    ]
