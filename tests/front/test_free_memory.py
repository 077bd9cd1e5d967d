"""Memory that malloc keeps, given back."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from http_peer import Client, answer_with, play

from emulator.front import free_memory, server
from emulator.front.free_memory import FreeMemory

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

BURSTS = """
from emulator.front.free_memory import FreeMemory, _resident

memory = FreeMemory()
assert memory._info is not None
for _ in range(2):
    parts = [b"x" * 100_000 for _ in range(2_000)]
    kept = parts[::100]  # none of which is at the end, where malloc gives back by itself
    kept.append(b"x" * 100_000)
    parts.clear()
    before = _resident()
    memory.look()
    assert before - _resident() > 150_000_000, before - _resident()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone can be told")
def test_much_is_given_back_each_time() -> None:
    subprocess.run([sys.executable, "-c", BURSTS], check=True, timeout=60)


def test_where_malloc_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "_STATM", "/none/there")
    FreeMemory().look()


def test_an_idle_server_looks_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[FreeMemory] = []
    monkeypatch.setattr(server, "TRIM_SECONDS", 0.01)
    monkeypatch.setattr(FreeMemory, "look", lambda memory: looks.append(memory))

    async def scene(client: Client) -> None:
        assert (await client.ask(GET)).body == b"hello"
        async with asyncio.timeout(10):
            while len(looks) < 3:
                await asyncio.sleep(0.01)
        assert (await client.ask(GET)).body == b"hello"
        await client.server.stop()
        assert looks[0] is looks[-1]
        looks.clear()
        await asyncio.sleep(0.05)
        assert not looks

    play(lambda request: answer_with(request, b"hello"), scene)
