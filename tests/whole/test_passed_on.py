"""A body that a Worker passes on untouched costs it nothing, however long it is, as on the platform."""

from __future__ import annotations

import hashlib
import http.server
import re
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from emulated import until
from serving import Server

BODY = bytes(range(256)) * 4096 * 40
JAVASCRIPT = """
export default {
  fetch(request) {
    return request.url.endsWith("/fetch") ? fetch(request.headers.get("x-from")) : new Response(request.body);
  },
};
"""
PYTHON = """
from js import Response, fetch

async def on_fetch(request, env):
    if request.url.endswith("/fetch"):
        return await fetch(request.headers.get("x-from"))
    return Response.new(request.body)
"""


def echoed(port: int) -> tuple[bytes, bytes]:
    """The head and the body of what comes back for a POST of ``BODY``, which is sent while the answer is read."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as client:
        head = f"POST /echo HTTP/1.0\r\nHost: localhost\r\nContent-Length: {len(BODY)}\r\n\r\n"
        sending = threading.Thread(target=lambda: client.sendall(head.encode() + BODY))
        sending.start()
        received = bytearray()
        while piece := client.recv(1 << 20):
            received += piece
        sending.join()
    head_back, _, body = bytes(received).partition(b"\r\n\r\n")
    return head_back, body


@pytest.mark.parametrize(("main", "source"), [("worker.js", JAVASCRIPT), ("entry.py", PYTHON)])
def test_of_a_request_and_of_a_subrequest(
    tmp_path: Path, serve: Callable[..., Server], main: str, source: str
) -> None:
    flags = 'compatibility_flags = ["python_workers"]\n' if main.endswith(".py") else ""
    (tmp_path / "wrangler.toml").write_text(
        f'name = "w"\nmain = "{main}"\ncompatibility_date = "2024-12-01"\n{flags}'
    )
    (tmp_path / main).write_text(source)
    server = serve(str(tmp_path))

    head, body = echoed(server.port)
    assert hashlib.sha256(body).digest() == hashlib.sha256(BODY).digest()
    assert f"\r\ncontent-length: {len(BODY)}\r\n".encode() in head.lower()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{upstream.server_port}/"
        received = httpx.get(f"{server.url}/fetch", headers={"x-from": url}, timeout=60, trust_env=False)
        upstream.shutdown()
    assert received.content == BODY
    assert received.headers["content-length"] == str(len(BODY))

    until(lambda: "/echo 200" in server.output and "/fetch 200" in server.output)
    spent = re.findall(r"/(?:echo|fetch) 200 OK \(.*?([0-9.]+) ms CPU", server.output)
    assert [milliseconds for milliseconds in map(float, spent) if milliseconds < 10] == [*map(float, spent)]
    assert len(spent) == 2


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers everything with ``BODY``."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
