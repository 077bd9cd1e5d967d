"""The Go samples through HTTP; the expected answers are workerd's to the same files.

Whatever serves them answers the same: ``worker.wasm`` as it is in the repository, or TinyGo's where it is
installed (the servers get copies, which are built then).
"""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest
import wasmtime
from serving import Server, environment

SAMPLES = Path(__file__).parents[2] / "sample-workers"
GO_SAMPLES = ("go-direct", "go-hello", "go-router")

HELLO = b"Hello from Go (TinyGo) on Cloudflare Workers!"
NOT_FOUND = b"404 Not Found"
TEXT = "text/plain"
UTF8_TEXT = "text/plain;charset=UTF-8"
JSON = "application/json"

CHINESE = quote("/你好/世界")
LONG = "/" + "x" * 15_000

# What worker.js makes of each request. A query is no part of the path.
ROUTES = [
    ("GET", "/", 200, HELLO),
    ("GET", "/?", 200, HELLO),
    ("GET", "/?a=%2Fjson", 200, HELLO),
    ("GET", "/json", 200, b'{"message":"Hello from Go!","method":"GET"}'),
    ("GET", "/json?x=1", 200, b'{"message":"Hello from Go!","method":"GET"}'),
    ("POST", "/json", 200, b'{"message":"Hello from Go!","method":"POST"}'),
    ("PUT", "/json", 200, b'{"message":"Hello from Go!","method":"PUT"}'),
    ("DELETE", "/json", 200, b'{"message":"Hello from Go!","method":"DELETE"}'),
    ("GET", "/hello", 200, b"Hello!"),
    ("POST", "/hello", 200, b"Hello!"),
    ("GET", "/a/../hello", 200, b"Hello!"),
    ("GET", "/json/", 404, NOT_FOUND),
    ("GET", "/JSON", 404, NOT_FOUND),
    ("GET", "/hell%6f", 404, NOT_FOUND),
    ("GET", "/other", 404, NOT_FOUND),
    ("GET", CHINESE, 404, NOT_FOUND),
    ("GET", LONG, 404, NOT_FOUND),
]


class Answer(NamedTuple):
    status: int
    content_type: str | None
    body: bytes


class Client:
    """One connection to a server, kept open."""

    def __init__(self, server: Server) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        self.connection.request(method, path, body, headers or {})
        response = self.connection.getresponse()
        return Answer(response.status, response.headers["content-type"], response.read())

    def head(self, path: str) -> tuple[int, str | None, str | None]:
        """Status, Content-Type and Content-Length of a HEAD, which must have no body."""
        self.connection.request("HEAD", path)
        response = self.connection.getresponse()
        assert response.read() == b""
        return response.status, response.headers["content-type"], response.headers["content-length"]


class Clients(dict[str, Client]):
    """A client for each sample, which is served from the first time it is asked for."""

    def __init__(self, directory: Path, servers: ExitStack) -> None:
        self.directory = directory
        self.servers = servers

    def __missing__(self, sample: str) -> Client:
        copy = shutil.copytree(SAMPLES / sample, self.directory / sample, ignore=shutil.ignore_patterns(".*"))
        client = Client(self.servers.enter_context(Server(str(copy))))
        self.servers.callback(client.connection.close)
        self[sample] = client
        return client


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    with ExitStack() as servers:
        yield Clients(tmp_path_factory.mktemp("samples"), servers)


@pytest.mark.parametrize("sample", GO_SAMPLES)
def test_the_wasm_is_made_from_the_wat(sample: str) -> None:
    wat = (SAMPLES / sample / "worker.wat").read_text(encoding="utf-8")
    assert (SAMPLES / sample / "worker.wasm").read_bytes() == wasmtime.wat2wasm(wat)


@pytest.mark.parametrize("sample", GO_SAMPLES)
def test_the_wasm_exports_what_tinygo_exports(sample: str) -> None:
    source = (SAMPLES / sample / "main.go").read_text(encoding="utf-8")
    exported = {line.split()[1] for line in source.splitlines() if line.startswith("//export ")}
    module = wasmtime.Module.from_file(wasmtime.Engine(), str(SAMPLES / sample / "worker.wasm"))
    assert {export.name for export in module.exports} == exported | {"memory", "_initialize"}
    assert list(module.imports) == []


def test_hello_answers_every_request_alike(clients: Clients) -> None:
    hello = clients["go-hello"]
    for method, path in [("GET", "/"), ("POST", "/"), ("GET", "/any?thing"), ("GET", CHINESE)]:
        assert hello.ask(method, path) == (200, UTF8_TEXT, HELLO)
    assert hello.head("/") == (200, UTF8_TEXT, "45")


@pytest.mark.parametrize(("method", "path", "status", "body"), ROUTES, ids=lambda value: str(value)[:30])
def test_router_answers_by_path(method: str, path: str, status: int, body: bytes, clients: Clients) -> None:
    content_type = JSON if path.partition("?")[0] == "/json" else TEXT
    assert clients["go-router"].ask(method, path) == (status, content_type, body)


@pytest.mark.parametrize(("method", "path", "status", "body"), ROUTES, ids=lambda value: str(value)[:30])
def test_direct_answers_as_the_router_does(
    method: str, path: str, status: int, body: bytes, clients: Clients
) -> None:
    content_type = JSON if body.startswith(b"{") else UTF8_TEXT
    assert clients["go-direct"].ask(method, path) == (status, content_type, body)


@pytest.mark.parametrize(("sample", "text"), [("go-router", TEXT), ("go-direct", UTF8_TEXT)])
def test_head_has_the_headers_of_the_whole_answer(sample: str, text: str, clients: Clients) -> None:
    client = clients[sample]
    assert client.head("/") == (200, text, "45")
    assert client.head("/json") == (200, JSON, "44")  # "method":"HEAD"
    assert client.head("/other") == (404, text, "13")


@pytest.mark.parametrize("sample", ["go-router", "go-direct"])
def test_two_hundred_requests_are_answered_each_by_its_own(sample: str, clients: Clients) -> None:
    client = clients[sample]
    for number in range(50):
        method = ("GET", "POST", "PUT", "PATCH")[number % 4]
        expected = {"message": "Hello from Go!", "method": method}
        assert json.loads(client.ask(method, "/json").body) == expected
        assert client.ask("GET", "/").body == HELLO
        assert client.ask("GET", "/hello").body == b"Hello!"
        assert client.ask("GET", quote("/" + "長" * number)).status == (404 if number else 200)


ECHOED = [
    (b"", "text/markdown"),
    ("# 你好\n".encode(), "text/markdown;charset=UTF-8"),
    (bytes(range(256)), "application/octet-stream"),
    (bytes(range(256)) * 4096, "application/octet-stream"),
    (b'{"a":1}', "application/x-ndjson"),
]


@pytest.mark.parametrize(("body", "content_type"), ECHOED, ids=lambda value: str(value)[:20])
def test_direct_gives_back_body_and_content_type(body: bytes, content_type: str, clients: Clients) -> None:
    answer = clients["go-direct"].ask("POST", "/echo", body, {"Content-Type": content_type})
    assert answer == (200, content_type, body)


def test_direct_has_nothing_left_of_the_request_before(clients: Clients) -> None:
    direct = clients["go-direct"]
    direct.ask("POST", "/echo", b"secret", {"Content-Type": "text/css"})
    assert direct.ask("GET", "/echo") == (200, UTF8_TEXT, b"")
    assert direct.ask("GET", "/hello") == (200, UTF8_TEXT, b"Hello!")


# The lines of the guide's Go chapter, and what it says they print.
GUIDE = [
    ("curl http://localhost:8787/", "Hello from Go (TinyGo) on Cloudflare Workers!"),
    ("curl http://localhost:8787/json", '{"message":"Hello from Go!","method":"GET"}'),
    ("curl http://localhost:8787/hello", "Hello!"),
    (
        'curl -w "\\nHTTP Status: %{http_code}" http://localhost:8787/other',
        "404 Not Found\nHTTP Status: 404",
    ),
]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("sample", ["go-router", "go-direct"])
@pytest.mark.parametrize(("command", "printed"), GUIDE)
def test_the_guides_lines_print_what_it_says(
    sample: str, command: str, printed: str, clients: Clients
) -> None:
    port = clients[sample].connection.port
    done = subprocess.run(
        ["bash", "-c", command.replace("8787", str(port))],
        capture_output=True,
        env=environment(),
        timeout=30,
        check=True,
    )
    assert done.stdout.decode() == printed
