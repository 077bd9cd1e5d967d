"""Packages that want threads or sockets and get what Workers have."""

from __future__ import annotations

import pytest


def test_anyio_runs_blocking_functions_inline(load):
    pytest.importorskip("anyio")
    worker = load(
        "from js import Response\n"
        "import anyio.to_thread\n"
        "async def on_fetch(request):\n"
        "    return Response.new(str(await anyio.to_thread.run_sync(int, '12')))\n"
    )
    reply = worker.fetch()
    assert (reply.text, reply.lines) == ("12", [])


HTTPX = """
import httpx
from js import Response

async def on_fetch(request):
    async with httpx.AsyncClient() as client:
        first = await client.get("https://example.test/a", params={"q": "你"})
    with httpx.Client() as client:
        second = client.post("https://example.test/b", content=b"sent", headers={"x-mine": "1"})
    return Response.new(f"{first.status_code} {first.text} {second.json()}")
"""


def test_httpx_goes_through_fetch(load):
    worker = load(HTTPX)
    seen = []

    async def outside(call, body):
        seen.append((call.args["method"], call.args["url"], body))
        return 200, [("content-type", "application/json"), ("content-encoding", "gzip")], b'{"a": 1}'

    worker.outside = outside
    assert worker.fetch().text == "200 {\"a\": 1} {'a': 1}"
    assert seen == [
        ("GET", "https://example.test/a?q=%E4%BD%A0", None),
        ("POST", "https://example.test/b", b"sent"),
    ]


def test_httpx_reports_what_fetch_reports(load):
    worker = load(
        "import httpx\n"
        "from js import Response\n"
        "async def on_fetch(request):\n"
        "    try:\n"
        "        await httpx.AsyncClient().get('https://nowhere.test')\n"
        "    except httpx.ConnectError as error:\n"
        "        return Response.new('no connection')\n"
    )

    async def outside(call, body):
        raise ConnectionError("refused")

    worker.outside = outside
    assert worker.fetch().text == "no connection"
