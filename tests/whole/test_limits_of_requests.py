"""Limits of requests, subrequests and logs, through the real server, with small numbers."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import Server

LIMITS = """\
plan = "free"
cpu_ms = "off"
url_kb = 1
request_headers_kb = 2
request_body_mb = 0.5
response_headers_kb = 1
subrequests = 20
connections = 3
log_kb = 1
worker_loop = 4
"""
JAVASCRIPT = """\
export default { async fetch(request) {
  const url = new URL(request.url), to = url.searchParams.get("to"), n = +url.searchParams.get("n");
  const told = (result) => result.status === "fulfilled" ? result.value.status : result.reason.message;
  switch (url.pathname) {
    case "/all": return Response.json((await Promise.allSettled(
      Array.from({ length: n }, () => fetch(to)))).map(told));
    case "/uncaught": for (let i = 0; i < n; i++) await fetch(to); break;
    case "/abort": {
      const control = new AbortController();
      const all = Promise.allSettled(Array.from({ length: 9 }, (_, i) =>
        fetch(to, i < 3 || i === 8 ? {} : { signal: control.signal })));
      setTimeout(() => control.abort(), 50);
      return Response.json((await all).map((result) => result.value?.status ?? result.reason.name));
    }
    case "/leave": fetch(to); fetch(to); fetch(to); fetch(to); return new Response("left");
    case "/pass": return fetch(to, request);
    case "/self": return fetch(request);
    case "/headers": return Response.json(Object.fromEntries(request.headers));
    case "/big": return new Response("x", { headers: { "x-big": "a".repeat(n) } });
    case "/big-stream": return new Response(new ReadableStream(), { headers: { "x-big": "a".repeat(n) } });
    case "/count": return new Response((await request.arrayBuffer()).byteLength);
    case "/early": {
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter(), say = (text) => writer.write(new TextEncoder().encode(text));
      (async () => {
        await say("begun ");
        try { for await (const _ of request.body); await say("whole"); }
        catch (error) { await say("broke: " + error.message); }
        await writer.close();
      })();
      return new Response(readable);
    }
    case "/log":
      for (let i = 0; i < n; i++) console.log(`line ${i} ` + "字".repeat(30));
      return new Response("logged");
    case "/log-big": console.log("begin" + "x".repeat(n) + "end"); console.warn("after"); break;
  }
  return new Response("ok");
} };
"""
PYTHON = """\
from workers import Response, WorkerEntrypoint, fetch
from urllib.parse import parse_qs, urlsplit

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlsplit(request.url)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path == "/uncaught":
            for _ in range(30):
                await fetch(query["to"])
        if url.path == "/caught":
            found = []
            for _ in range(21):
                try:
                    found.append((await fetch(query["to"])).status)
                except Exception as error:
                    found.append(str(error))
            return Response.json(found)
        if url.path == "/log":
            for number in range(100):
                print("line", number, "x" * 90)
        return Response("ok")
"""
TOO_MANY = "Too many subrequests by single Worker invocation."


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    now = most = asked = 0

    def do_GET(self) -> None:
        with Upstream.lock:
            Upstream.now += 1
            Upstream.asked += 1
            Upstream.most = max(Upstream.most, Upstream.now)
        if self.path == "/slow":
            time.sleep(0.2)
        with Upstream.lock:
            Upstream.now -= 1
        data = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        with contextlib.suppress(OSError):
            self.send_response(200)
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


def project(root: Path, name: str, main: str, source: str, flags: str = "") -> None:
    root.mkdir(parents=True)
    (root / "wrangler.toml").write_text(
        f'name = "{name}"\nmain = "{main}"\ncompatibility_date = "2026-01-01"\n{flags}'
    )
    (root / main).write_text(source, encoding="utf-8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("limits")
    (directory / "small.toml").write_text(LIMITS)
    python = 'compatibility_flags = ["python_workers"]\n'
    project(directory / "workers" / "js", "js", "worker.js", JAVASCRIPT)
    project(directory / "workers" / "py", "py", "entry.py", PYTHON, python)
    limits = ("--limits", str(directory / "small.toml"), "--log-level", "debug")
    with Server(*limits, str(directory / "workers")) as running:
        yield running


def ask(server: Server, path: str, method: str = "GET", worker: str = "js", **options: Any) -> httpx.Response:
    headers = {"host": f"{worker}.localhost:{server.port}", **options.pop("headers", {})}
    with httpx.Client(trust_env=False, timeout=30) as client:
        return client.request(method, server.url + path, headers=headers, **options)


def saw(server: Server, text: str) -> str:
    """All that was printed, as soon as ``text`` is in it."""
    end = time.monotonic() + 20
    while text not in server.output:
        assert time.monotonic() < end, server.output
        time.sleep(0.01)
    return server.output


def test_subrequests_above_the_limit_fail_and_connections_wait(server: Server, upstream: str) -> None:
    Upstream.most = 0
    assert ask(server, f"/all?n=22&to={upstream}/slow").json() == [200] * 20 + [TOO_MANY] * 2
    assert Upstream.most == 3
    assert ask(server, f"/all?n=5&to={upstream}/").json() == [200] * 5


def test_an_uncaught_refusal_is_explained(server: Server, upstream: str) -> None:
    for worker in ("js", "py"):
        answer = ask(server, f"/uncaught?n=30&to={upstream}/", worker=worker)
        assert answer.status_code == 500
        assert f"✘ {TOO_MANY[:-1]} (20)" in answer.text
        assert "docs/errors.md#subrequests-exceeded" in answer.text
        assert ("--> entry.py:10" in answer.text) == (worker == "py")


def test_python_meets_the_same_words(server: Server, upstream: str) -> None:
    assert ask(server, f"/caught?to={upstream}/", worker="py").json() == [200] * 20 + [TOO_MANY]


def test_one_that_is_aborted_gives_up_its_place(server: Server, upstream: str) -> None:
    found = ask(server, f"/abort?to={upstream}/slow").json()
    assert found == [200] * 3 + ["AbortError"] * 5 + [200]


def test_what_an_event_leaves_behind_is_not_sent(server: Server, upstream: str) -> None:
    before = Upstream.asked
    assert ask(server, f"/leave?to={upstream}/slow").text == "left"
    assert ask(server, f"/all?n=3&to={upstream}/slow").json() == [200] * 3
    # The fourth had to wait for a connection, and its event ended before it had one.
    assert Upstream.asked - before <= 6
    saw(server, f"The subrequest GET {upstream}/slow was cancelled: its event was over")
    assert server.output.count("#subrequest-cancelled") == 1


def test_the_headers_of_the_edge_cannot_be_forged(server: Server, upstream: str) -> None:
    forged = {"cf-worker": "bank.example", "cf-ew-via": "nonsense"}
    found = ask(server, f"/pass?to={upstream}/", headers=forged).json()
    assert (found["cf-worker"], found["cf-ew-via"]) == ("js.workers.dev", "3")
    inner = ask(server, f"/pass?to={server.url.replace('localhost', 'js.localhost')}/headers").json()
    assert (inner["cf-worker"], inner["cf-ew-via"]) == ("js.workers.dev", "3")
    saw(server, f"[js] fetch GET {upstream}/ goes to this machine")


def test_a_worker_that_calls_itself(server: Server) -> None:
    before = server.output.count("GET /self 500")
    answer = ask(server, "/self", headers={"accept": "text/plain"})
    assert (answer.status_code, answer.text) == (500, "error code: 1019")
    assert "Workers called each other 4 deep" in saw(server, "#worker-loop")
    # The fifth call in the chain is the one that is refused.
    end = time.monotonic() + 20
    while server.output.count("GET /self 500") - before < 5:
        assert time.monotonic() < end, server.output
        time.sleep(0.01)
    assert server.output.count("GET /self 500") - before == 5


def test_a_long_url(server: Server) -> None:
    room = 1024 - len(f"http://js.localhost:{server.port}/?")
    assert ask(server, "/?" + "a" * room).text == "ok"
    answer = ask(server, "/?" + "a" * (room + 1))
    assert (answer.status_code, answer.headers["cf-emu-limit"]) == (414, "url")
    assert "1,025 bytes" in answer.text
    saw(server, "GET / 414")


@pytest.mark.parametrize("name", ["x-mine", "cookie", "accept-encoding", "cf-ray", "cf-ew-via"])
def test_big_headers(server: Server, name: str) -> None:
    assert ask(server, "/", headers={name: "a" * 1500}).text == "ok"
    answer = ask(server, "/", headers={name: "a" * 2040})
    assert (answer.status_code, answer.headers["cf-emu-limit"]) == (431, "headers")


def test_an_announced_body_that_is_too_big(server: Server) -> None:
    assert ask(server, "/count", "POST", content=b"x" * 524_288).text == "524288"
    with httpx.Client(trust_env=False, timeout=30) as client:
        for _ in range(2):  # on one connection, which goes on
            answer = client.post(server.url + "/count", content=b"x" * 524_289)
            assert (answer.status_code, answer.headers["cf-emu-limit"]) == (413, "body")
        assert client.post(server.url + "/count", content=b"x").text == "1"


def test_a_body_in_chunks_that_is_too_big(server: Server) -> None:
    pieces = [b"x" * 65_536] * 8
    assert ask(server, "/count", "POST", content=iter(pieces)).text == "524288"
    answer = ask(server, "/count", "POST", content=iter([*pieces, b"x"]))
    assert (answer.status_code, answer.headers["cf-emu-limit"]) == (413, "body")


def test_a_body_that_is_refused_is_none_of_the_requests_of_the_day(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('plan = "free"\nrequests_per_day = 1\nrequest_body_mb = 0.0001\n')
    project(tmp_path / "w", "w", "worker.js", "export default { fetch() { return new Response('ran'); } };")
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"c8\r\n" + b"x" * 200 + b"\r\n"
    with Server("--limits", str(tmp_path / "one.toml"), str(tmp_path / "w")) as server:
        for whole in (b"0\r\n\r\n", b""):
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
                client.sendall(head + chunk + whole)
                assert client.recv(65536).startswith(b"HTTP/1.1 413 ")
        answers = [httpx.get(server.url, timeout=30, trust_env=False) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]


def test_a_worker_that_has_answered_sees_the_body_break(server: Server) -> None:
    answer = ask(server, "/early", "POST", content=iter([b"x" * 65_536] * 9))
    assert answer.status_code == 200
    assert answer.text.startswith("begun broke: The body of the request is too big")


@pytest.mark.parametrize("path", ["/big", "/big-stream"])
def test_big_response_headers(server: Server, path: str) -> None:
    answer = ask(server, f"{path}?n=1030", headers={"accept": "text/plain"})
    assert (answer.status_code, answer.headers["cf-emu-limit"]) == (500, "response-headers")
    assert "x-big" not in answer.headers
    assert ask(server, "/big?n=900").text == "x"


@pytest.mark.parametrize("worker", ["js", "py"])
def test_a_request_that_logs_too_much(server: Server, worker: str) -> None:
    before = len(server.output)
    for _ in range(2):
        assert ask(server, "/log?n=100", worker=worker).status_code == 200
    end = time.monotonic() + 20
    while server.output[before:].count("GET /log 200") < 2:
        assert time.monotonic() < end
        time.sleep(0.01)
    output = server.output[before:]
    assert output.count("The request wrote more to the console than the platform keeps (1 KB)") == 2
    assert output.count("line 8 ") == 2
    assert "line 11 " not in output


def test_one_line_that_is_too_long_is_cut(server: Server) -> None:
    before = len(server.output)
    assert ask(server, "/log-big?n=30000000").text == "ok"
    saw(server, "GET /log-big 200")
    output = server.output[before:]
    assert "begin" + "x" * 1019 in output and "x" * 1020 not in output
    assert "after" not in output and output.count("#log-truncated") == 1


def test_what_does_not_fit_is_refused_at_start_and_after_a_save(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    project(tmp_path / "w", "w", "worker.js", JAVASCRIPT)
    running = serve(str(tmp_path / "w"))
    assert httpx.get(running.url, trust_env=False).text == "ok"
    wrangler = tmp_path / "w" / "wrangler.toml"
    text = wrangler.read_text()
    wrangler.write_text(text + f'[vars]\nBIG = "{"x" * 6000}"\n')
    assert "#variable-too-big" in saw(running, "#variable-too-big")
    answer = httpx.get(running.url, trust_env=False)
    assert answer.status_code == 500 and 'The variable "BIG" is too big: 5.9 KB' in answer.text
    (tmp_path / "w" / "cfw-emu.toml").write_text('limits = "off"\n')
    end = time.monotonic() + 20
    while httpx.get(running.url, trust_env=False).text != "ok":
        assert time.monotonic() < end, running.output
        time.sleep(0.05)
    assert httpx.get(running.url + "/?" + "a" * 20_000, trust_env=False).text == "ok"
