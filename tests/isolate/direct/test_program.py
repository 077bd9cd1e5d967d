"""A module as a Worker, in an isolate: requests, bodies, failures, the life of its memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wasmtime
from direct_workers import ECHO, PUPPET, puppet_body, worker
from isolates import ForkedIsolates, Isolate

from emulator.wire.channel import StreamCancelled
from emulator.wire.frames import Limits

Serve = Callable[..., Isolate]

TEXT = ("Content-Type", "text/plain;charset=UTF-8")


@pytest.fixture
def serve(isolates: ForkedIsolates, tmp_path: Path) -> Iterator[Serve]:
    """Load a module (text or bytes) as a Worker; ``go`` is the main.go beside it."""
    made: list[Isolate] = []

    def serve(module: str | bytes, go: str | None = None, limits: Limits | None = None) -> Isolate:
        data = module if isinstance(module, bytes) else bytes(wasmtime.wat2wasm(module))
        (tmp_path / "worker.wasm").write_bytes(data)
        if go is not None:
            (tmp_path / "main.go").write_text(go, encoding="utf-8")
        made.append(isolates.load(tmp_path, "worker.wasm", kind="wasm", limits=limits))
        return made[-1]

    yield serve
    for isolate in made:
        isolate.kill()


def test_a_request(serve: Serve) -> None:
    reply = serve(ECHO).fetch("POST", "/a%20b?q=1", [("B", "2"), ("a", "1"), ("b", "3")], "你好".encode())
    assert (reply.status, reply.headers) == (200, [TEXT])
    assert reply.text == (
        "POST\n/a%20b\nhttp://localhost:8787/a%20b?q=1\na: 1\nb: 2, 3\nhost: localhost:8787\n\n你好\n"
    )


@pytest.mark.parametrize("path", ["/", "//", "/a//b", "/%2F?/x", "/?", "/" + "y" * 100_000])
def test_paths(path: str, serve: Serve) -> None:
    expected = path.partition("?")[0]
    assert serve(ECHO).fetch("GET", path).text.split("\n")[1] == expected


def test_a_response_with_headers(serve: Serve) -> None:
    block = b"Set-Cookie: a\nSet-Cookie: b\nContent-Type: text/html\n"
    worker = serve(PUPPET)
    for _ in range(2):
        reply = worker.fetch("POST", "/", (), puppet_body(201, block, b"<p>"))
        assert (reply.status, reply.body) == (201, b"<p>")
        assert reply.headers == [("Set-Cookie", "a"), ("Set-Cookie", "b"), ("Content-Type", "text/html")]
    assert worker.fetch("POST", "/", (), puppet_body(200, b"", b"{}")).headers == [
        ("Content-Type", "application/json")
    ]


@pytest.mark.parametrize("status", [204, 205, 304])
def test_statuses_without_a_body(status: int, serve: Serve) -> None:
    reply = serve(PUPPET).fetch("POST", "/", (), puppet_body(status, b"ETag: x\n", b"dropped"))
    assert (reply.status, reply.headers, reply.body) == (status, [("ETag", "x")], b"")


def test_a_very_long_response(serve: Serve) -> None:
    text = worker(memory="1100").replace("(i32.const 5)))", "(i32.const 70000000)))")
    isolate = serve(text)
    for _ in range(2):
        reply = isolate.fetch()
        assert (len(reply.body), reply.body[:5]) == (70_000_000, b"hello")
        assert reply.headers == [TEXT, ("content-length", "70000000")]
    exchange = isolate.begin()
    exchange.chunk()
    exchange.abort()
    isolate.wait(exchange.done)


def test_state_lives_on(serve: Serve) -> None:
    count = "(i32.store8 (i32.const 16) (i32.add (i32.load8_u (i32.const 16)) (i32.const 1)))"
    isolate = serve(worker(count))
    assert [isolate.fetch().text for _ in range(3)] == ["iello", "jello", "kello"]


# ---- bodies that come as streams --------------------------------------------


def test_a_streamed_body_is_collected(serve: Serve) -> None:
    isolate = serve(ECHO)
    stream = isolate.upload()
    exchange = isolate.begin("POST", "/", (), stream)
    isolate.wait(stream.write(b"one,"))
    assert isolate.fetch("GET", "/other").text.startswith("GET\n/other\n")
    assert not exchange.answered
    isolate.wait(stream.write(b"x" * 600_000))
    stream.close()
    assert exchange.reply().body.endswith(b"\none," + b"x" * 600_000 + b"\n")


def test_a_streamed_body_is_not_waited_for_without_setBody(serve: Serve) -> None:
    isolate = serve(worker())
    stream = isolate.upload()
    assert isolate.begin("POST", "/", (), stream).reply().text == "hello"
    isolate.until(lambda: isinstance(stream.stopped, StreamCancelled))


def test_a_body_that_breaks_off(serve: Serve) -> None:
    isolate = serve(ECHO)
    stream = isolate.upload()
    exchange = isolate.begin("POST", "/", (), stream)
    stream.close("The client disconnected.")
    report = exchange.reply().report
    assert report is not None
    assert (report.code, report.what) == (
        "direct-body-broken",
        "The request's body broke off: The client disconnected.",
    )


def test_a_client_that_leaves_while_it_sends(serve: Serve) -> None:
    isolate = serve(ECHO)
    stream = isolate.upload()
    exchange = isolate.begin("POST", "/", (), stream)
    isolate.wait(stream.write(b"some"))
    exchange.abort()
    isolate.wait(exchange.done)
    assert isolate.fetch().status == 200


# ---- failures ---------------------------------------------------------------

GO = """package main

//export handle
func handle() {
	route("/")
}

func route(path string) {
	panic("no")
}

func (s *store) get() {}
"""

NESTED = """(func $runtime._panic (unreachable))
  (func $main.route (call $runtime._panic))"""


def test_a_trap_tells_where(serve: Serve, tmp_path: Path) -> None:
    isolate = serve(worker("(call $main.route)", NESTED), GO)
    report = isolate.fetch("GET", "/x").report
    assert report is not None
    assert (report.code, report.event) == ("direct-trap", "GET /x")
    assert report.what == "Uncaught RuntimeError: unreachable (in main.handle)"
    go, wasm = str(tmp_path / "main.go"), str(tmp_path / "worker.wasm")
    assert [(place.file, place.line, place.function) for place in report.frames] == [
        (go, 4, "main.handle"),
        (go, 8, "main.route"),
        (wasm, 0, "runtime._panic"),
    ]
    assert report.where is not None
    assert (report.where.line, report.where.source) == (8, "func route(path string) {")


LINES = """package main

//export handle
func handle() {
	route(1)
}

func route(path int32) {

	if path > 0 {
		panic("no")
	}
}
"""


def test_debug_information_leads_to_the_line(serve: Serve, tmp_path: Path) -> None:
    isolate = serve((Path(__file__).parent / "data" / "panic.wasm").read_bytes(), LINES)
    report = isolate.fetch().report
    assert report is not None
    go = str(tmp_path / "main.go")
    assert [(place.file, place.line, place.function) for place in report.frames] == [
        (go, 5, "main.handle"),
        (go, 11, "main.route"),
        ("/opt/tinygo/src/runtime/panic.go", 21, "runtime._panic"),
    ]
    assert report.where is not None
    assert (report.where.line, report.where.source) == (11, '\t\tpanic("no")')


def test_a_trap_without_source_or_names(serve: Serve, tmp_path: Path) -> None:
    text = worker("(unreachable)").replace("$main.handle ", "")
    report = serve(text).fetch().report
    assert report is not None
    assert [place.function for place in report.frames] == ["wasm-function[0]"]


def test_endless_recursion(serve: Serve) -> None:
    isolate = serve(worker("(call $main.handle)"))
    report = isolate.fetch().report
    assert report is not None
    assert report.exception == "RangeError: Maximum call stack size exceeded"
    assert len(report.frames) <= 20
    assert isolate.fetch().report is not None


def test_no_memory_left(serve: Serve) -> None:
    grow = """(loop $more (br_if $more (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) (unreachable)"""
    report = serve(worker(grow)).fetch().report
    assert report is not None
    assert "it ran out" in report.why
    assert "-gc=conservative" in report.fix


def test_a_response_outside_of_the_memory(serve: Serve) -> None:
    body = b"".join(number.to_bytes(4, "little", signed=True) for number in (0, -5, 200, 0, 0))
    report = serve(PUPPET).fetch("POST", "/", (), body).report
    assert report is not None
    assert (report.code, report.exception) == (
        "direct-response-out-of-bounds",
        "RangeError: Invalid typed array length: -5",
    )
    assert report.what == "responsePtr() and responseLen() lie outside of the memory: -5 bytes at address 0"


def test_a_status_that_is_none(serve: Serve) -> None:
    report = serve(PUPPET).fetch("POST", "/", (), puppet_body(0, b"", b"")).report
    assert report is not None
    assert (report.code, report.what) == (
        "direct-status",
        "getStatus() gave 0, which is no status of a response",
    )


def test_a_header_that_is_none(serve: Serve) -> None:
    report = serve(PUPPET).fetch("POST", "/", (), puppet_body(200, b"A: 1\nno colon\n", b"")).report
    assert report is not None
    assert (report.code, report.what) == (
        "direct-header-invalid",
        "A response header is not valid: 'no colon'",
    )


def test_a_leak_asks_for_another_isolate(serve: Serve) -> None:
    isolate = serve(worker("(drop (memory.grow (i32.const 512)))"))
    for _ in range(6):
        assert isolate.fetch().text == "hello"
    isolate.until(lambda: isolate.full)
    assert len(isolate.full) == 1 and isolate.full[0] > 128 * 1024 * 1024


def test_it_retires(serve: Serve) -> None:
    isolate = serve(worker())
    assert isolate.fetch().text == "hello"
    assert isolate.retire() == 0
