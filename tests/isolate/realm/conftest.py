"""A realm with a fake outside: manual clock, recorded logs and fetches, scripted streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulator.isolate.realm.engine import Engine, JSError, Undefined, Value
from emulator.isolate.realm.host import host_functions
from emulator.isolate.realm.realm import Realm


class JSFailure(Exception):
    """What ``run`` raises when the JavaScript threw; ``name`` is the error's ``name``."""

    def __init__(self, name: str, message: str, stack: str = "") -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message
        self.stack = stack


@dataclass
class Timer:
    due: float
    every: float | None
    fire: Value


@dataclass
class FetchCall:
    method: str
    url: str
    headers: list[str]
    body: bytes | int | None
    redirect: str
    settle: Value


@dataclass
class Outgoing:
    """A stream that the Worker writes; ``hold`` keeps ``ready`` callbacks back for ``release``."""

    data: bytearray = field(default_factory=bytearray)
    chunks: list[bytes] = field(default_factory=list)
    waiting: list[Value] = field(default_factory=list)
    hold: bool = False
    closed: bool = False
    error: str | None = None


class FakeIO:
    """Implements ``RealmIO``. Nothing happens by itself: tests advance the clock and settle fetches."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self.now = 0.0
        self.timers: dict[int, Timer] = {}
        self.logs: list[tuple[str, str]] = []
        self.fetches: dict[int, FetchCall] = {}
        self.cancelled_fetches: list[int] = []
        self.incoming: dict[int, list[bytes | str | None]] = {}
        """Scripted chunks by stream id: bytes, ``None`` for the end, ``str`` for a failure."""
        self.blocked_reads: dict[int, Value] = {}
        self.cancelled_streams: dict[int, str] = {}
        self.outgoing: dict[int, Outgoing] = {}
        self.hold_writes = False
        self.event: Any = 1
        self._last = 0

    def _id(self) -> int:
        self._last += 1
        return self._last

    def call(self, function: Value, *args: Any) -> None:
        assert self.engine is not None
        converted = [self.engine.array_buffer(arg) if isinstance(arg, bytes) else arg for arg in args]
        function(*converted)
        self.engine.run_jobs()

    # ---- timers and logs ----

    def set_timer(self, delay_ms: float, repeat: bool, fire: Value) -> int:
        timer = self._id()
        self.timers[timer] = Timer(self.now + delay_ms, max(delay_ms, 1.0) if repeat else None, fire)
        return timer

    def clear_timer(self, timer: int) -> None:
        self.timers.pop(timer, None)

    def advance(self, ms: float) -> None:
        """Let ``ms`` pass, firing what is due on the way, in order."""
        until = self.now + ms
        while due := self._next_due(until):
            self._fire(due)
        self.now = until

    def advance_to_next(self) -> bool:
        """Jump to the next timer and fire it; False when there is none."""
        due = self._next_due(float("inf"))
        if due:
            self._fire(due)
        return due is not None

    def _next_due(self, until: float) -> int | None:
        due = [(timer.due, key) for key, timer in self.timers.items() if timer.due <= until]
        return min(due)[1] if due else None

    def _fire(self, key: int) -> None:
        timer = self.timers[key]
        self.now = max(self.now, timer.due)
        if timer.every is None:
            del self.timers[key]
        else:
            timer.due = self.now + timer.every
        self.call(timer.fire)

    def log(self, level: str, text: str) -> None:
        self.logs.append((level, text))

    def context(self) -> Any:
        return self.event

    # ---- fetch ----

    def fetch(
        self,
        method: str,
        url: str,
        headers: list[str],
        body: bytes | int | None,
        redirect: str,
        settle: Value,
    ) -> int:
        call = self._id()
        self.fetches[call] = FetchCall(method, url, headers, body, redirect, settle)
        return call

    def cancel_fetch(self, call: int) -> None:
        self.cancelled_fetches.append(call)
        self.fetches.pop(call, None)

    def answer(
        self,
        call: int,
        status: int = 200,
        headers: list[str] | None = None,
        body: bytes | int | None = None,
        *,
        status_text: str = "",
        url: str | None = None,
        redirected: bool = False,
    ) -> None:
        """Settle a fetch with a response."""
        assert self.engine is not None
        asked = self.fetches.pop(call)
        content = self.engine.array_buffer(body) if isinstance(body, bytes) else body
        answer = [status, status_text, headers or [], url or asked.url, redirected, content]
        self.call(asked.settle, None, answer)

    def fail(self, call: int, message: str) -> None:
        """Settle a fetch with a network failure."""
        self.call(self.fetches.pop(call).settle, message)

    # ---- streams ----

    def add_stream(self, *chunks: bytes | str | None) -> int:
        """A stream for the Worker to read; gives its id. Without ``None`` at the end it stays open."""
        stream = self._id()
        self.incoming[stream] = list(chunks)
        return stream

    def feed(self, stream: int, *chunks: bytes | str | None) -> None:
        """More of an incoming stream; wakes a reader that waits."""
        self.incoming[stream].extend(chunks)
        if stream in self.blocked_reads:
            self.read_stream(stream, self.blocked_reads.pop(stream))

    def read_stream(self, stream: int, deliver: Value) -> None:
        chunks = self.incoming[stream]
        if not chunks:
            self.blocked_reads[stream] = deliver
            return
        chunk = chunks.pop(0)
        if isinstance(chunk, str):
            self.call(deliver, chunk)
        else:
            self.call(deliver, None, chunk)

    def cancel_stream(self, stream: int, reason: str) -> None:
        self.cancelled_streams[stream] = reason

    def open_stream(self) -> int:
        stream = self._id()
        self.outgoing[stream] = Outgoing(hold=self.hold_writes)
        return stream

    def write_stream(self, stream: int, data: bytes, ready: Value) -> None:
        out = self.outgoing[stream]
        out.data += data
        out.chunks.append(data)
        if out.hold:
            out.waiting.append(ready)
        else:
            self.call(ready, None)

    def release(self, stream: int, error: str | None = None) -> None:
        """Answer the oldest held write: ready for more, or the reader left."""
        self.call(self.outgoing[stream].waiting.pop(0), error)

    def close_stream(self, stream: int, error: str | None) -> None:
        self.outgoing[stream].closed = True
        self.outgoing[stream].error = error


@pytest.fixture
def io() -> FakeIO:
    """The outside world of ``realm``."""
    return FakeIO()


@pytest.fixture
def realm(io: FakeIO) -> Iterator[Realm]:
    """A freshly booted realm over ``io``."""
    realm = Realm(host_functions(lambda: io))
    io.engine = realm.engine
    yield realm


@pytest.fixture
def run(realm: Realm, io: FakeIO) -> Callable[..., Any]:
    """``run(source, **values)``: run JavaScript in an async function, give its value as Python.

    ``source`` is an expression, or statements with ``return``. ``values`` are variables of the
    script; bytes arrive as ArrayBuffer. The fake clock advances while the promise is pending.
    Arrays come back as lists, plain objects as dicts, buffers as bytes; a thrown error is
    raised as ``JSFailure``. ``None`` is null; undefined is ``engine.Undefined``.
    """

    def run_js(source: str, /, **values: Any) -> Any:
        return Runner(realm, io).run(source, values)

    return run_js


class Runner:
    """One evaluation for ``run``."""

    def __init__(self, realm: Realm, io: FakeIO) -> None:
        self.engine = realm.engine
        self.io = io
        self.kind = self.engine.eval("(v) => Object.prototype.toString.call(v).slice(8, -1)", "kind.js")
        self.outcome: list[Any] = []

    def run(self, source: str, values: dict[str, Any]) -> Any:
        function = self._compile(source, ", ".join(values))
        args = [self.engine.array_buffer(v) if isinstance(v, bytes) else v for v in values.values()]
        self._watch(function(*args))
        self.engine.run_jobs()
        while not self.outcome and self.io.advance_to_next():
            pass
        if not self.outcome:
            raise AssertionError(f"promise never settles: {source}")
        failed, value = self.outcome
        if failed:
            raise JSFailure(*value)
        return self.to_python(value)

    def _compile(self, source: str, parameters: str) -> Value:
        try:
            function = self.engine.eval(f"(async ({parameters}) => (\n{source}\n))", "test.js")
        except JSError:
            function = self.engine.eval(f"(async ({parameters}) => {{\n{source}\n}})", "test.js")
        assert isinstance(function, Value)
        return function

    def _watch(self, promise: Value) -> None:
        watch = self.engine.eval(
            """(promise, settle) => void promise.then(
                 (value) => settle(false, value),
                 (e) => settle(true, Object(e) === e ? [String(e.name), String(e.message), String(e.stack)]
                                                     : ["(not an error)", String(e), ""]))""",
            "watch.js",
        )
        watch(promise, self.engine.function(self._settle, "settle"))

    def _settle(self, failed: bool, value: Any) -> None:
        self.outcome = [failed, value.to_python() if failed else value]

    def to_python(self, value: Any) -> Any:
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            return int(value)
        if not isinstance(value, Value):
            return value
        if value.is_string:
            return str(value)
        kind = self.kind(value)
        if kind == "Array":
            return [self.to_python(value.get(i)) for i in range(len(value))]
        if kind == "ArrayBuffer" or kind.endswith("Array"):
            return value.to_bytes()
        if kind == "Object" and not value.is_function:
            return {key: self.to_python(value.get(key)) for key in value.keys()}  # noqa: SIM118
        return value


_TAKE = """(takeLines) => (response) => {
  const [status, reason, lines, body] = takeLines(response);
  return [status, reason, lines === "" ? [] : lines.split("\\n"), body];
}"""


def take_response(realm: Realm) -> Value:
    """``platform.takeLines`` with the headers as a flat array."""
    taking: Value = realm.engine.eval(_TAKE, "take.js")(realm.platform.get("takeLines"))
    return taking


__all__ = ["FakeIO", "JSFailure", "Runner", "Undefined", "take_response"]
