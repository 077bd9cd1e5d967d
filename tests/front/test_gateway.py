"""What the front sends to a Worker and to a client, through the command line with fake isolates."""

from __future__ import annotations

import gzip
import http.server
import json
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from emulated import Emulated, project, until

WORKER = """
import asyncio, json
from fake_isolate import as_json

async def ticks(count, pause):
    for number in range(count):
        yield f"data: {number}\\n\\n".encode()
        await asyncio.sleep(pause)

async def broken():
    yield b"some"
    raise ValueError("boom")

async def fetch(isolate, event, body):
    path = event.url.split("/", 3)[3].partition("?")[0]
    headers = [("content-type", "text/plain;charset=UTF-8")]
    if path == "echo":
        return 200, headers, body
    if path == "count":
        total = 0
        if isinstance(body, bytes): total = len(body)
        elif body is not None:
            async for chunk in body: total += len(chunk)
        return 200, headers, str(total).encode()
    if path == "ignore":
        return 200, headers, b"ignored"
    if path == "ticks":
        return 200, [("content-type", "text/event-stream")], ticks(3, 0.01)
    if path == "endless":
        return 200, headers, ticks(10**9, 0.01)
    if path == "broken":
        return 200, headers, broken()
    if path == "fail":
        raise ValueError("boom")
    if path == "wait":
        isolate.log(event, "info", "waiting")
        await asyncio.sleep(3600)
    if path == "cookies":
        return 200, [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-name", "你好"), ("Connection", "close"),
                     ("Content-Length", "999"), ("Transfer-Encoding", "chunked")], b"ok"
    if path.startswith("status/"):
        return int(path[7:]), headers + [("content-length", "5")], b"hello"
    if path == "sub":
        args = {"method": "GET", "url": event.url.partition("?")[2], "headers": ["x-a", "1", "Host", "evil"],
                "redirect": dict(zip(event.headers.splitlines()[::2], event.headers.splitlines()[1::2])).get("x-redirect", "follow")}
        answer, stream = await isolate.call(event, args)
        if answer.error: return 500, headers, json.dumps(answer.error).encode()
        data = stream if isinstance(stream, bytes) or stream is None else b"".join([c async for c in stream])
        return 200, headers, json.dumps({"value": answer.value, "body": (data or b"").decode()}).encode()
    if path == "log":
        isolate.log(event, "error", "one\\ntwo")
    return 200, [("content-type", "application/json")], as_json(event, body)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    directory = tmp_path_factory.mktemp("front")
    first = project(directory / "a", WORKER, "first")
    (first / "cf.json").write_text('{"country": "DE", "colo": "FRA"}', encoding="utf-8")
    second = project(directory / "b", WORKER, "second", '[vars]\nSHOWN = "yes"\n')
    (second / ".dev.vars").write_text("SECRET=hush", encoding="utf-8")
    with Emulated(first, second, log=directory / "log") as running:
        yield running


@pytest.fixture
def client(server: Emulated) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False) as made:
        yield made


def seen(server: Emulated, target: bytes, *lines: bytes, host: bytes = b"localhost") -> dict[str, Any]:
    """What the Worker got for a raw request target."""
    head = b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: " + host, b"Connection: close", *lines])
    body = server.raw(head + b"\r\n\r\n").partition(b"\r\n\r\n")[2]
    event: dict[str, Any] = json.loads(body)
    return event


@pytest.mark.parametrize(
    ("target", "url"),
    [
        (b"/", "/"),
        (b"/a//b/../c?x=%2e&y=..", "/a//c?x=%2e&y=.."),
        (b"//double", "//double"),
        (b"/%2e%2e/a/./b", "/a/b"),
        (b"/a%2Fb%20c", "/a%2Fb%20c"),
        (b"/a?", "/a?"),
        (b"/a?b?c", "/a?b?c"),
        (b"/it's?it's", "/it's?it%27s"),
        (b'/"quoted"{}', "/%22quoted%22%7B%7D"),
        (b"http://elsewhere/x?y", "/x?y"),
        (b"/.hidden", "/.hidden"),
    ],
)
def test_the_url_is_what_the_client_sent(server: Emulated, target: bytes, url: str) -> None:
    assert seen(server, target)["url"] == "http://localhost" + url


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (b"localhost:8787", "http://localhost:8787"),
        (b"Example.COM:80", "http://example.com"),
        (b"[::1]:9", "http://[::1]:9"),
        (b"second.localhost:1", "http://second.localhost:1"),
    ],
)
def test_the_host_is_what_the_client_used(server: Emulated, host: bytes, origin: str) -> None:
    event = seen(server, b"/x", host=host)
    assert event["url"] == origin + "/x"
    assert ["host", host.decode()] in event["headers"]


def test_the_edge_adds_its_headers_and_replaces_those_sent(server: Emulated) -> None:
    event = seen(
        server,
        b"/",
        b"Accept-Encoding: zstd",
        b"CF-Connecting-IP: 6.6.6.6",
        b"X-Real-IP: 6.6.6.6",
        b"CF-Ray: forged",
        b"X-Name: \xe4\xbd\xa0",
        b"X-Two: 1",
        b"X-Two: 2",
    )
    ray = [value for name, value in event["headers"] if name == "cf-ray"]
    assert re.fullmatch(r"[0-9a-f]{16}-FRA", ray[0])
    assert [pair for pair in event["headers"] if pair[0] != "cf-ray"] == [
        ["host", "localhost"],
        ["connection", "close"],
        ["x-name", "你"],
        ["x-two", "1"],
        ["x-two", "2"],
        ["accept-encoding", "br, gzip"],
        ["cf-connecting-ip", "127.0.0.1"],
        ["cf-ipcountry", "DE"],
        ["cf-visitor", '{"scheme":"http"}'],
        ["x-forwarded-proto", "http"],
        ["x-real-ip", "127.0.0.1"],
    ]
    cf = event["cf"]
    assert (cf["country"], cf["colo"], cf["city"]) == ("DE", "FRA", "Austin")
    assert (cf["httpProtocol"], cf["clientAcceptEncoding"]) == ("HTTP/1.1", "zstd")


@pytest.mark.parametrize("host", [b"", b"Host:\r\n"])
def test_http_1_1_needs_a_host(server: Emulated, host: bytes) -> None:
    answer = server.raw(b"GET / HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_http_1_0_without_a_host(server: Emulated) -> None:
    answer = server.raw(b"GET /x HTTP/1.0\r\n\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["url"] == f"http://127.0.0.1:{server.port}/x"


def test_unknown_names_get_a_list(server: Emulated, client: httpx.Client) -> None:
    answer = client.get("/", headers={"host": f"third.localhost:{server.port}"})
    assert answer.status_code == 404
    assert f"http://second.localhost:{server.port}/" in answer.text


def test_a_bad_host_is_refused(server: Emulated) -> None:
    assert server.raw(b"GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n").startswith(
        b"HTTP/1.1 400 "
    )


@pytest.mark.parametrize(
    ("request_line", "hosts", "status"),
    [
        ("GET / HTTP/1.1", "Host: a\r\nHost: b\r\n", b"400"),
        ("GET / HTTP/1.1", "Host: localhost \r\n", b"200"),
        ("CONNECT a:80 HTTP/1.1", "Host: a:80\r\n", b"405"),
    ],
)
def test_which_hosts_are_served(server: Emulated, request_line: str, hosts: str, status: bytes) -> None:
    answer = server.raw(f"{request_line}\r\n{hosts}Connection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] == status


@pytest.mark.parametrize("size", [0, 1, 1000, 100_000, 3_000_000])
def test_bodies_arrive_whole(client: httpx.Client, size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    assert client.post("/echo", content=data).content == data
    assert client.post("/count", content=data).text == str(size)
    assert client.post("/ignore", content=data).text == "ignored"


def test_an_empty_body_is_none(client: httpx.Client) -> None:
    assert client.post("/").json()["body"] is None


def test_a_body_in_chunks(client: httpx.Client) -> None:
    assert client.post("/echo", content=iter([b"a" * 70_000, b"b"])).content == b"a" * 70_000 + b"b"


def test_repeated_and_own_headers_of_an_answer(client: httpx.Client) -> None:
    answer = client.get("/cookies")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert [value for name, value in answer.headers.raw if name == b"x-name"] == ["你好".encode()]
    assert answer.headers["content-length"] == "2"
    assert not {"connection", "server", "date", "transfer-encoding"} & answer.headers.keys()


@pytest.mark.parametrize("status", [204, 304])
def test_answers_that_have_no_body(server: Emulated, status: int) -> None:
    request = b"GET /status/%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % status
    head, _, body = server.raw(request).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert b"content-length" not in head
    assert body == b""


def test_head_has_a_length_and_no_body(client: httpx.Client) -> None:
    answer = client.head("/status/201")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (201, "5", b"")
    assert client.head("/ticks").content == b""
    assert client.get("/ignore").text == "ignored"


def test_events_arrive_as_they_are_written(client: httpx.Client) -> None:
    with client.stream("GET", "/ticks") as answer:
        assert list(answer.iter_text()) == ["data: 0\n\n", "data: 1\n\n", "data: 2\n\n"]


def test_a_broken_body_breaks_the_connection(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/broken")


@pytest.mark.parametrize("path", ["wait", "endless"])
def test_a_client_that_leaves_aborts_the_event(server: Emulated, path: str) -> None:
    before = server.output.count("aborted")
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        if path == "endless":
            sock.recv(1000)
        else:
            server.saw("[first] waiting")  # what has not begun says nothing when it is aborted
    if path == "wait":
        server.saw("[first] aborted")
        server.saw("GET /wait client disconnected")
        assert server.output.count("aborted") == before + 1
    else:
        server.saw("GET /endless client disconnected")


@pytest.mark.parametrize(
    ("accept", "agent", "kind"),
    [
        ("text/html,application/xhtml+xml", "Mozilla/5.0", "text/html;charset=UTF-8"),
        ("*/*", "curl/8.0", "text/plain;charset=UTF-8"),
        ("application/json", "python", "application/json"),
    ],
)
def test_failures_are_explained_in_the_form_asked_for(
    client: httpx.Client, accept: str, agent: str, kind: str
) -> None:
    answer = client.get("/fail", headers={"accept": accept, "user-agent": agent})
    assert (answer.status_code, answer.headers["content-type"]) == (500, kind)
    assert "boom" in answer.text


def test_websockets_are_refused_with_a_reason(client: httpx.Client) -> None:
    answer = client.get("/", headers={"connection": "upgrade", "upgrade": "websocket"})
    assert answer.status_code == 501
    assert "WebSocket" in answer.text


def test_health(client: httpx.Client) -> None:
    answer = client.get("/cdn-cgi/local/health")
    assert answer.status_code == 200
    assert answer.json()["workers"]["second"]["ready"] is True
    assert client.get("/cdn-cgi/unknown").status_code == 404


def test_the_terminal(server: Emulated, client: httpx.Client) -> None:
    client.get("/log?query")
    server.saw("[first] one\n        two")
    server.saw("[first] GET /log 200 OK (")
    assert re.search(r"GET /log 200 OK \([\d.]+ ms, 0\.8 ms CPU\)\n", server.output)
    assert 'env.SHOWN = "yes"' in server.output
    assert "env.SECRET = (hidden)" in server.output
    assert "hush" not in server.output
    assert server.output.count("Ready on") == 1


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/redirect/"):
            left = int(self.path[10:])
            self.send_response(302)
            self.send_header("Location", f"/redirect/{left - 1}" if left else "/end")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = json.dumps([[name.lower(), value] for name, value in self.headers.items()]).encode()
        zipped = self.path == "/gzip"
        data = gzip.compress(data) if zipped else data
        self.send_response(200, "Fine")
        if zipped:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("X-Two", "1")
        self.send_header("X-Two", "2")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

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


@pytest.mark.parametrize("path", ["/plain", "/gzip"])
def test_a_subrequest(client: httpx.Client, upstream: str, path: str) -> None:
    answer = client.get(f"/sub?{upstream}{path}").json()
    value = answer["value"]
    sent = dict(json.loads(answer["body"]))
    assert (value["status"], value["status_text"], value["redirected"]) == (200, "Fine", False)
    assert value["url"] == upstream + path
    assert [pair for pair in value["headers"] if pair[0] == "x-two"] == [["x-two", "1"], ["x-two", "2"]]
    assert ("content-length" in dict(value["headers"])) == (path == "/plain")
    assert "content-encoding" not in dict(value["headers"])
    assert (sent["x-a"], sent["cf-worker"]) == ("1", "first.workers.dev")
    assert sent["host"] == upstream.removeprefix("http://")
    assert "cf-connecting-ip" not in sent


def test_redirects(client: httpx.Client, upstream: str) -> None:
    value = client.get(f"/sub?{upstream}/redirect/3").json()["value"]
    assert (value["status"], value["url"], value["redirected"]) == (200, upstream + "/end", True)
    assert client.get(f"/sub?{upstream}/redirect/30").json() == [
        "TypeError",
        "Too many redirects.",
    ]
    manual = client.get(f"/sub?{upstream}/redirect/3", headers={"x-redirect": "manual"}).json()["value"]
    assert (manual["status"], dict(manual["headers"])["location"]) == (302, "/redirect/2")


def test_a_subrequest_that_cannot_connect(client: httpx.Client) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        name, message = client.get(f"/sub?http://127.0.0.1:{free.getsockname()[1]}/").json()
    assert name == "Error"
    assert message.startswith("Network connection lost: ")


def test_clients_that_leave_at_any_moment_leave_nothing_behind(
    server: Emulated, client: httpx.Client
) -> None:
    upload = b"POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 200_000
    for request in (upload, upload[:50], b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n") * 20:
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(request)
    until(lambda: client.get("/cdn-cgi/local/health").json()["workers"]["first"]["busy"] == 0)
    assert client.get("/ignore").text == "ignored"
