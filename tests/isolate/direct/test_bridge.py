"""docs/go-abi-worker.js, which users copy to deploy, answers as the direct ABI does. Runs in Node."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from direct_workers import ECHO, PUPPET, puppet_body, worker
from isolates import ForkedIsolates

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs"
BRIDGE = DOCS / "go-abi-worker.js"

Request = tuple[str, str, list[tuple[str, str]], bytes | None]

ECHO_REQUESTS: list[Request] = [
    ("GET", "/", [], None),
    ("POST", "/a%20b/%E4%BD%A0?x=1&y=%26", [("x-b", "2"), ("x-a", "1")], "你好".encode()),
    ("POST", "/b", [], b"\0\xff\xfe"),
    ("PUT", "/" + "x" * 100_000, [], b"z" * 300_000),
    ("DELETE", "/again", [], None),
]
PUPPET_REQUESTS: list[Request] = [
    ("POST", "/", [], puppet_body(status, headers, body))
    for status, headers, body in [
        (200, b"", b""),
        (201, b"X-One: 1\nX-Two:two \r\n\n", b"text"),
        (200, b"Set-Cookie: a=1\nSet-Cookie: b=2", b"{}\n"),
        (200, b"content-type: text/html;charset=UTF-8\n", b"<p>"),
        (404, b"", b' ["json"] '),
        (204, b"", b"dropped"),
        (304, b"ETag: x", b""),
        (599, b"", b"\xff\0"),
        (100, b"", b""),
        (600, b"", b""),
        (0, b"", b""),
        (-200, b"", b""),
        (200, b"no colon", b""),
        (200, b"bad name: 1", b""),
        (200, b"A: \x00", b""),
        (200, b"A : 1", b""),
        (200, b"\xef\xbb\xbfA: 1", b""),
    ]
] + [
    ("POST", "/", [], b"".join(n.to_bytes(4, "little", signed=True) for n in numbers))
    for numbers in [
        (131072, 1, 200, 0, 0),
        (0, -1, 200, 0, 0),
        (-1, 0, 200, -1, 0),
        (-1, 1, 200, 0, 0),
        (0, 0, 200, 0, 131073),
        (131071, 1, 200, 0, 0),
    ]
]
HELLO_REQUESTS: list[Request] = [("GET", "/", [], None), ("HEAD", "/", [], None), ("POST", "/", [], b"x")]

CASES = {
    "echo": (ECHO, ECHO_REQUESTS),
    "puppet": (PUPPET, PUPPET_REQUESTS),
    "hello": (worker(), HELLO_REQUESTS),
    "trap": (worker("(unreachable)"), HELLO_REQUESTS),
    "start": (
        worker(start='(func (export "_start") (i32.store8 (i32.const 16) (i32.const 72)))'),
        HELLO_REQUESTS,
    ),
}


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
@pytest.mark.parametrize("name", sorted(CASES))
def test_the_bridge_answers_as_the_direct_abi(name: str, isolates: ForkedIsolates, tmp_path: Path) -> None:
    text, requests = CASES[name]
    (tmp_path / "worker.wasm").write_bytes(bytes(wasmtime.wat2wasm(text)))
    assert through_bridge(tmp_path, requests) == directly(isolates, tmp_path, requests)


def through_bridge(directory: Path, requests: list[Request]) -> list[Any]:
    lines = [
        json.dumps(
            {
                "method": method,
                "url": f"http://localhost:8787{path}",
                "headers": [("host", "localhost:8787"), *headers],
                "body": None if body is None else base64.b64encode(body).decode(),
            }
        )
        for method, path, headers, body in requests
    ]
    done = subprocess.run(
        ["node", str(HERE / "bridge.mjs"), str(BRIDGE), str(directory / "worker.wasm")],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    return [
        answer["error"]
        if "error" in answer
        else (answer["status"], sorted(map(tuple, answer["headers"])), base64.b64decode(answer["body"]))
        for answer in map(json.loads, done.stdout.splitlines())
    ]


def directly(isolates: ForkedIsolates, directory: Path, requests: list[Request]) -> list[Any]:
    isolate = isolates.load(directory, "worker.wasm", kind="wasm")
    answers: list[Any] = []
    for method, path, headers, body in requests:
        reply = isolate.fetch(method, path, headers, body)
        if reply.report is not None:
            answers.append(reply.report.exception.partition(":")[0])
        else:
            shown = sorted((key.lower(), value) for key, value in reply.headers)
            answers.append((reply.status, shown, reply.body))
    isolate.kill()
    return answers


def test_the_document_shows_the_bridge() -> None:
    shown = (DOCS / "go-abi.md").read_text(encoding="utf-8")
    assert f"```js\n{BRIDGE.read_text(encoding='utf-8')}```\n" in shown
