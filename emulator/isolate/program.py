"""What a Worker consists of, seen from the isolate that runs it.

``worker.py`` owns the life of events; a *program* is the code that handles them: Python modules
(``python/program.py``), JavaScript modules (``javascript/program.py``), or one WebAssembly module
without any JavaScript (``direct/program.py``).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from emulator.diagnostics.report import Place, Report
from emulator.wire.channel import Streams
from emulator.wire.frames import Event, Headers, WorkerSpec

from .bridge.bridge import Bridge
from .events import EventContext
from .io import IsolateIO
from .loop import RealmLoop
from .memory import UNKNOWN
from .realm.engine import Engine, Value

_LENGTH: Final = "content-length"


def body_of(frame: Event, engine: Engine) -> Value | int | None:
    """The body of a request as the realm takes it: an ArrayBuffer, the number of a stream, or ``None``."""
    body = frame.body
    if isinstance(body, bytes):
        return engine.array_buffer(body)
    if body is None and _LENGTH in frame.headers and _LENGTH in frame.headers.split("\n")[::2]:
        return engine.array_buffer(b"")  # `Content-Length: 0` is a body, an empty one
    return body


class LoadError(Exception):
    """The Worker does not load; ``report`` says why."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.what)
        self.report = report


class Host(Protocol):
    """What a program finds around itself."""

    bridge: Bridge
    loop: RealmLoop
    streams: Streams
    io: IsolateIO

    def answer(
        self, event: EventContext, status: int, status_text: str, headers: Headers, body: bytes | int | None
    ) -> bool:
        """Send the response of ``event``, unless it is answered, or its client left: the stream ends then.

        Gives whether anybody waits for the stream.
        """

    def answer_whole(
        self, event: EventContext, status: int, status_text: str, headers: Headers, body: bytes | None
    ) -> None:
        """``answer`` and ``served`` in one, for a response that has no stream."""

    def fail(self, event: EventContext, report: Report) -> None:
        """Answer with a report; an event that has an answer gets it told on the terminal."""

    def is_cut(self, event: EventContext, error: Any = UNKNOWN) -> bool:
        """Whether ``event`` is over its CPU budget, or out of memory by ``error``, and answered for that.

        Ask before a failure is explained: afterwards there is memory for it, and
        JavaScript that runs for it is interrupted until then.
        """

    def served(self, event: EventContext) -> None:
        """The handler is over and the body of its response sent; ``waitUntil`` may go on."""

    def compiling(self) -> AbstractContextManager[None]:
        """``with`` it, WebAssembly is compiled: on the platform that costs a start next to nothing."""

    def tell(self, report: Report) -> None:
        """A mistake worth explaining that ends nothing, told on the terminal."""


class Program(Protocol):
    """One version of a Worker's code."""

    def load(self, spec: WorkerSpec) -> None:
        """Load it. Raises ``LoadError``."""

    def available(self) -> list[str]:
        """The events that it handles: ``fetch``, ``scheduled``..."""

    def warnings(self) -> list[Report]:
        """What is worth knowing about a Worker that loads."""

    def files(self) -> dict[str, int]:
        """Bytes of each file that was loaded, by its path; those of Python are told by their directory."""

    def begin(self, event: EventContext, frame: Event) -> None:
        """Handle ``event``, now or in a task; what goes wrong is answered by ``host.fail``."""

    def abort(self, event: EventContext) -> None:
        """The client left, or nothing can wake the handler: end it. ``host.served`` must follow."""

    def report(self, error: Any, event: str) -> Report:
        """A failure that nobody awaited (a timer, a listener, ``waitUntil``), explained."""

    def here(self) -> Place | None:
        """The user's line that runs now, where that can be known."""

    def waiting(self, event: EventContext) -> Place | None:
        """The line where the handler of ``event`` waits, where that can be known."""

    def memory(self) -> int:
        """Bytes of WebAssembly memory that it has now."""

    def leave(self) -> None:
        """The process is about to end."""
