"""WebAssembly memory that only grows: another isolate takes over between requests, and none fails."""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime
from serving import Server, memory_mb

SAMPLES = Path(__file__).parents[2] / "sample-workers"

# Each request takes 1 MB for good, as a Go program under gc=leaking does with what it allocates.
LEAK = """(module
  (memory (export "memory") 1)
  (func (export "handle") (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable)))
  (func (export "responsePtr") (result i32) i32.const 8)
  (func (export "responseLen") (result i32) i32.const 5)
  (data (i32.const 8) "hello"))"""

BRIDGE = """import module from "./worker.wasm";
const instance = await WebAssembly.instantiate(module, {});
const { handle, responsePtr, responseLen, memory } = instance.exports;
export default {
  async fetch() {
    handle();
    return new Response(new TextDecoder().decode(new Uint8Array(memory.buffer, responsePtr(), responseLen())));
  },
};
"""


class Clients:
    """``number`` clients that ask ``path`` without a pause, for ``seconds`` or ``requests`` in all."""

    def __init__(self, port: int, number: int, path: str = "/") -> None:
        self._port = port
        self._number = number
        self._path = path
        self.answers = 0
        self.failures: list[str] = []

    def run(self, more: Callable[[int], bool], body: str) -> None:
        """Ask as long as ``more(answers)``; every answer must be 200 with ``body``."""
        threads = [threading.Thread(target=self._ask, args=(more, body)) for _ in range(self._number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _ask(self, more: Callable[[int], bool], body: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while more(self.answers) and not self.failures:
            try:
                connection.request("GET", self._path)
                response = connection.getresponse()
                text = response.read().decode()
            except OSError as error:
                self.failures.append(repr(error))
                break
            if response.status != 200 or text != body:
                self.failures.append(f"{response.status} {text}")
            self.answers += 1
        connection.close()


def _project(root: Path, main: str) -> Path:
    root.joinpath("wrangler.toml").write_text(
        f'name = "leak"\nmain = "{main}"\ncompatibility_date = "2024-12-01"\n'
    )
    root.joinpath("worker.wasm").write_bytes(wasmtime.wat2wasm(LEAK))
    root.joinpath("worker.js").write_text(BRIDGE)
    return root


@pytest.mark.parametrize("main", ["worker.js", "worker.wasm"])
def test_a_leak_fails_no_request(tmp_path: Path, serve: Callable[..., Server], main: str) -> None:
    server = serve(str(_project(tmp_path, main)))
    clients = Clients(server.port, 4)
    clients.run(lambda answers: answers < 600, "hello")
    assert clients.failures == []
    assert server.output.count("a fresh isolate takes over") >= 3
    assert memory_mb(server.family()) < 700


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("sample", ["go-router", "go-direct"])
def test_soak(sample: str, tmp_path: Path, serve: Callable[..., Server]) -> None:
    """Ten minutes in all of the samples' own leak; CFW_EMU_SOAK_SECONDS for another time."""
    end = time.monotonic() + float(os.environ.get("CFW_EMU_SOAK_SECONDS", "600")) / 2
    many = tmp_path / "limits.toml"
    many.write_text('requests_per_day = "off"\n')
    server = serve(
        str(SAMPLES / sample), "--log-level", "warn", "--limits", str(many), "--persist-to", str(tmp_path)
    )
    clients = Clients(server.port, 8, "/hello")
    clients.run(lambda answers: answers < 20_000, "Hello!")
    before = memory_mb(server.family())
    clients.run(lambda _: time.monotonic() < end, "Hello!")
    assert clients.failures == []
    # One isolate's memory may be full while another has just begun.
    assert memory_mb(server.family()) < before + 2 * 128
