"""Saves while requests come: none of them fails, and the newest version answers in the end."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from pathlib import Path

from serving import Server

SAVES = 20
WRANGLER = """name = "busy"
main = "entry.py"
compatibility_date = "2024-12-01"
compatibility_flags = ["python_workers"]
"""
WORKER = """
import asyncio
from js import Response

async def on_fetch(request, env):
    body = await request.text()
    await asyncio.sleep(0.005)
    return Response.new(f"version VERSION {request.method} {body}")
"""


class Load:
    """Requests without a pause, on kept connections, until ``stop``."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self.answers = 0
        self.failures: list[str] = []
        self._threads = [
            threading.Thread(target=self._ask, args=(m,)) for m in ("GET", "POST", "GET", "POST")
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, method: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._over.is_set():
            try:
                connection.request(method, "/", b"body" if method == "POST" else None)
                response = connection.getresponse()
                text = response.read().decode()
            except OSError as error:
                self.failures.append(f"{method}: {error!r}")
                break
            ends = "POST body" if method == "POST" else "GET "
            if response.status != 200 or not text.endswith(ends):
                self.failures.append(f"{method}: {response.status} {text}")
            self.answers += 1
        connection.close()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def version(number: int) -> str:
    return WORKER.replace("VERSION", str(number))


def test_twenty_saves_under_load_drop_no_request(tmp_path: Path, serve: Callable[..., Server]) -> None:
    entry = tmp_path / "entry.py"
    (tmp_path / "wrangler.toml").write_text(WRANGLER)
    entry.write_text(version(0))
    server = serve(str(tmp_path))
    load = Load(server.port)
    try:
        for number in range(1, SAVES + 1):
            entry.write_text(version(number))
            end = time.monotonic() + 10
            while server.output.count("Reloaded busy") < number and time.monotonic() < end:
                time.sleep(0.01)
    finally:
        load.stop()

    assert (load.failures, load.answers > SAVES) == ([], True)
    assert server.output.count("Reloaded busy") == SAVES
    assert server.get("/").startswith(f"version {SAVES} ")
