"""``pyodide.http``, ``pyodide.code`` and the modules that the platform's Pyodide offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from isolates import Isolate

Load = Callable[..., Isolate]

HTTP = """
import asyncio, json
from js import Response
from pyodide.http import AbortError, BodyUsedError, FetchResponse, HttpStatusError, pyfetch

async def ask(path):
    if path == "text":
        return await (await pyfetch("http://api/text")).text()
    if path == "json":
        return await (await pyfetch("http://api/json")).json()
    if path == "bytes":
        return list(await (await pyfetch("http://api/bytes")).bytes())
    if path == "string":
        return await (await pyfetch("http://api/text")).string()
    if path == "post":
        response = await pyfetch("http://api/echo", method="POST", body="data", headers={"X-A": "1"})
        return [response.status, response.ok, response.headers["x-method"], response.url, await response.text()]
    if path == "twice":
        response = await pyfetch("http://api/text")
        await response.text()
        try:
            await response.text()
        except BodyUsedError as error:
            return [isinstance(error, OSError), response.body_used]
    if path == "clone":
        response = await pyfetch("http://api/text")
        return [await response.clone().text(), await response.text()]
    if path == "status":
        response = await pyfetch("http://api/missing")
        try:
            response.raise_for_status()
        except HttpStatusError as error:
            return [error.status, str(error), isinstance(error, OSError), response.ok]
    if path == "down":
        try:
            await pyfetch("http://down/")
        except AbortError as error:
            return [isinstance(error, OSError), str(error)]

async def on_fetch(request):
    return Response.new(json.dumps(await ask(request.url.rsplit("/", 1)[1])))
"""

ANSWERS: dict[str, Any] = {
    "text": "你好",
    "json": {"a": [1, None]},
    "bytes": [0, 255],
    "string": "你好",
    "post": [200, True, "POST", "http://api/echo", "data"],
    "twice": [True, True],
    "clone": ["你好", "你好"],
    "status": [404, "404 Client Error:  for url: http://api/missing", True, False],
}


async def outside(call: Any, body: Any) -> Any:
    path = call.args["url"].rsplit("/", 1)[1]
    if "down" in call.args["url"]:
        raise ConnectionError("Network connection lost.")
    if not isinstance(body, bytes | None):
        body = b"".join([chunk async for chunk in body])
    bodies = {
        "text": "你好".encode(),
        "json": b'{"a": [1, null]}',
        "bytes": b"\0\xff",
        "echo": body,
    }
    return (200 if path in bodies else 404), [("x-method", call.args["method"])], bodies.get(path, b"nothing")


@pytest.mark.parametrize("path", ANSWERS)
def test_pyfetch(load: Load, path: str) -> None:
    isolate = load(HTTP)
    isolate.outside = outside
    assert ANSWERS[path] == isolate.fetch("GET", f"/{path}").json


def test_pyfetch_of_a_host_that_is_down(load: Load) -> None:
    isolate = load(HTTP)
    isolate.outside = outside
    is_os_error, message = isolate.fetch("GET", "/down").json
    assert is_os_error and message


def test_relaxed_call(load: Load) -> None:
    isolate = load(
        """
import json
from js import Response
from pyodide.code import relaxed_call
def two(a, b=5): return [a, b]
def named(a, *, k=1): return [a, k]
def rest(*a, **k): return [list(a), k]
class C:
    def m(self, x): return x
def on_fetch():
    found = [relaxed_call(two, 1, 2, 3), relaxed_call(two, 1, x=3), relaxed_call(named, 1, 2, k=3),
             relaxed_call(rest, 1, k=2), relaxed_call(C().m, 4, 5), relaxed_call(lambda: 6, 1, a=2)]
    try:
        relaxed_call(two)
    except TypeError as error:
        found.append(str(error))
    return Response.new(json.dumps(found))
"""
    )
    assert isolate.fetch().json == [
        [1, 2],
        [1, 5],
        [1, 3],
        [[1], {"k": 2}],
        4,
        6,
        "missing a required argument: 'a'",
    ]


def test_modules_of_the_platform(load: Load) -> None:
    isolate = load(
        """
import asyncio, json
import js, pyodide, pyodide.ffi, workers
from js import Response
from js.Math import max as js_max
from pyodide.ffi import JsArray, JsCallable, JsException, JsMap, JsProxy, JsPromise, jsnull
"""
        + """
def on_fetch():
    try:
        from js import nope
    except ImportError as error:
        missing = str(error)
    return Response.new(json.dumps([
        pyodide.__version__, js_max(1, 3), missing, js is js.globalThis or js == js.globalThis,
        isinstance(js.Array.new(), JsArray), isinstance(js.fetch, JsCallable), isinstance(js.Map.new(), JsMap),
        isinstance(js.Promise.new(lambda *_: None), JsPromise), isinstance(js.Object.new(), JsMap), bool(jsnull), jsnull,
    ]))
"""
    )
    assert isolate.fetch().json == [
        "0.28.2",
        3,
        "cannot import name 'nope' from 'js' (unknown location)",
        True,
        True,
        True,
        True,
        True,
        False,
        False,
        None,
    ]


def test_older_dates_have_the_older_runtime(load: Load) -> None:
    isolate = load(
        """
import json, pyodide, pyodide.ffi
from js import JSON, Response
from pyodide.ffi import to_js
def on_fetch():
    return Response.new(json.dumps([pyodide.__version__, JSON.parse("null") is None, hasattr(pyodide.ffi, "jsnull"),
                                    to_js({"a": 1}).constructor.name]))
""",
        date="2025-09-01",
    )
    assert isolate.fetch().json == ["0.26.0a2", True, False, "Map"]


WSGI = """
import io
from urllib.parse import urlsplit
from workers import Response, WorkerEntrypoint

def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("201 Created", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
    return [environ["REQUEST_METHOD"].encode(), b" ", body]

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlsplit(request.url)
        head = {}
        def start_response(status, headers, exc_info=None):
            head.update(status=int(status.split()[0]), headers=dict(headers))
        environ = {"REQUEST_METHOD": str(request.method), "PATH_INFO": url.path, "QUERY_STRING": url.query,
                   "wsgi.input": io.BytesIO((await request.text()).encode())}
        body = b"".join(application(environ, start_response))
        return Response(body, status=head["status"], headers=head["headers"])
"""


def test_a_wsgi_application(load: Load) -> None:
    reply = load(WSGI, flags=("python_workers",)).fetch("POST", "/a?b", body="你".encode())
    assert (reply.status, reply.text) == (201, "POST 你")
    assert ("X-Path", "/a") in reply.headers


def test_server_sent_events(load: Load) -> None:
    isolate = load(
        """
import asyncio
from js import ReadableStream, Response, TextEncoder
from pyodide.ffi import create_proxy
encode = TextEncoder.new().encode
async def on_fetch(request):
    count = 0
    async def pull(controller):
        nonlocal count
        await asyncio.sleep(0.01)
        count += 1
        if count > 3:
            controller.close()
        else:
            controller.enqueue(encode(f"data: {count}\\n\\n"))
    stream = ReadableStream.new(pull=create_proxy(pull))
    return Response.new(stream, headers={"content-type": "text/event-stream"}.items())
"""
    )
    exchange = isolate.begin()
    assert [exchange.chunk() for _ in range(4)] == [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n", None]
    assert exchange.reply().report is None
