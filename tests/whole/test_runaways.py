"""Many requests, of which a few never end: those are cut, and every other one is answered as if alone."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import httpx
import pytest
from emulated import Emulated, until

WORKER = """
import asyncio, re
from workers import Response

async def on_fetch(request, env):
    kind, number = request.url.rsplit('/', 2)[1:]
    if kind == 'wait':
        await asyncio.sleep(0.005)
    elif kind == 'post':
        number = (await request.text()).removeprefix('number ')
    elif kind == 'loop':
        while True: pass
    elif kind == 'swallow':
        while True:
            try:
                while True: len(kind)
            except BaseException: pass
    elif kind == 'native':
        sum(range(10**11))
    elif kind == 'regex':
        re.match(r'(a+)+$', 'a' * 40 + 'b')
    elif kind == 'tasks':
        async def forever():
            while True: await asyncio.sleep(0)
        await asyncio.gather(*(forever() for _ in range(5)))
    return Response(f'{kind} {number}')
"""
RUNAWAYS = ("loop", "swallow", "native", "regex", "tasks")
INNOCENT = ("fast", "fast", "fast", "wait", "post")


def _project(directory: Path) -> Path:
    directory.mkdir()
    (directory / "wrangler.toml").write_text(
        'name = "my-worker"\nmain = "entry.py"\ncompatibility_date = "2025-06-01"\n'
        'compatibility_flags = ["python_workers"]\n',
        encoding="utf-8",
    )
    (directory / "entry.py").write_text(WORKER, encoding="utf-8")
    return directory


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str, number: int) -> str:
    """Status and body, on a connection that stays open."""
    body = f"number {number}" if kind == "post" else ""
    method = "POST" if kind == "post" else "GET"
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = f"{method} /{kind}/{number} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n"
    writer.write((head + body).encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    size = int(answer.partition("content-length: ")[2].partition("\r\n")[0])
    text = (await reader.readexactly(size)).decode()
    retry = " retry" if "retry-after: 0" in answer else ""
    return f"{answer.split()[1]}{retry} {text}"


async def _client(port: int, kinds: list[tuple[str, int]], answers: dict[tuple[str, int], str]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for kind, number in kinds:
        answers[kind, number] = await asyncio.wait_for(_ask(reader, writer, kind, number), 60)
    writer.close()


def _mixed(count: int, runaways: float, seed: int) -> list[tuple[str, int]]:
    chance = random.Random(seed)
    return [
        (chance.choice(RUNAWAYS if chance.random() < runaways else INNOCENT), number)
        for number in range(count)
    ]


def _files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts what is open in /proc")
@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_runaways_among_many(tmp_path: Path, count: int) -> None:
    project = _project(tmp_path / "w")
    answers: dict[tuple[str, int], str] = {}
    asked = _mixed(count, 0.01, seed=count)
    with Emulated(project, log=tmp_path / "log", fake=False) as server:
        httpx.get(f"{server.url}/fast/0", trust_env=False)
        processes, files = len(server.descendants()), _files(server.process.pid)

        async def all_clients() -> None:
            async with asyncio.TaskGroup() as group:
                for first in range(20):
                    group.create_task(_client(server.port, asked[first::20], answers))

        asyncio.run(all_clients())

        outcomes = Counter(
            "cut"
            if kind in RUNAWAYS and answer == "503 error code: 1102"
            else "right"
            if answer == f"200 {kind} {number}"
            # Begun, and lost with the isolate: a POST is not sent again.
            else "told"
            if kind == "post" and answer.startswith("503 retry")
            else f"{kind}: {answer}"
            for (kind, number), answer in answers.items()
        )
        wrong = {what: times for what, times in outcomes.items() if what not in ("right", "cut", "told")}
        assert (wrong, len(answers)) == ({}, count)
        assert outcomes["cut"] == sum(kind in RUNAWAYS for kind, _ in asked)
        assert outcomes["told"] < count / 100
        until(lambda: len(server.descendants()) <= processes)
        until(lambda: _files(server.process.pid) <= files + 5)  # the counts of the day are a database
