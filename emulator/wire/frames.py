"""Frames: the messages between the front and one isolate.

A frame is a msgpack array whose first item is its tag. On the socket every frame
is preceded by its length in bytes, as an unsigned 32-bit big-endian integer.

A *body* inside a frame is ``None`` (no body), ``bytes`` (the whole body) or ``int``
(the id of a stream whose chunks follow). The side that produces a stream chooses
its id: the front uses even ids, the isolate odd ones.

Flow control: the producer of a stream may send ``WINDOW`` bytes before it hears
from the consumer; every ``Pull`` allows that many more bytes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from emulator.diagnostics.report import Report

WINDOW = 256 * 1024
"""Bytes of a stream that may be on their way before the consumer pulls more."""

MAX_FRAME = 64 * 1024 * 1024
"""Bytes; a longer frame means that the two sides have lost step."""

Headers = list[tuple[str, str]]
HeaderLines = str
"""Name, value, name, value..., a line each: one object, where every request pays for them."""


class ModuleRule(msgspec.Struct, frozen=True):
    """One entry of wrangler's ``rules``: which files are modules of which type.

    https://developers.cloudflare.com/workers/wrangler/configuration/#bundling
    """

    type: str
    """``ESModule``, ``CommonJS``, ``CompiledWasm``, ``Text``, ``Data``, ``PythonModule``..."""
    globs: list[str]
    fallthrough: bool = False


class Limits(msgspec.Struct, frozen=True):
    """The numbers of a plan that an isolate holds its Worker to; 0: there is no limit."""

    plan: str = "off"
    """The plan's name, for messages."""
    size_bytes: int = 0
    """Bytes that the modules of a Worker without Python may have together."""
    cpu_ms: float = 0
    """CPU time of one event."""
    flexible: bool = False
    """What events leave of their CPU time is saved up for others."""
    cpu_scale: float = 1.0
    """Measured CPU time is multiplied by this."""
    startup_cpu_ms: float = 0
    memory_mb: float = 0
    startup_memory_mb: float = 0
    log_kb: float = 0
    """Console output of one event."""
    wait_until_s: float = 0
    """How long ``waitUntil`` may go on after the response."""
    subrequests: float = 0
    """Requests to the network of one event."""
    connections: float = 0
    """How many of them may wait for the head of their response at once."""
    worker_loop: float = 0
    """How many Workers may call one another in a chain."""


class WorkerSpec(msgspec.Struct, frozen=True):
    """All that an isolate must know to load one version of a Worker."""

    name: str
    root: str
    """Absolute path of the project directory."""
    main: str
    """The entry module, absolute path."""
    compatibility_date: str
    compatibility_flags: list[str]
    vars: dict[str, Any]
    """Plain-text and JSON variables, as they appear on ``env``."""
    config_path: str = ""
    """Absolute path of the wrangler file, for messages."""
    packages: list[str] = []
    """Extra directories for ``sys.path``, after the project's own."""
    kind: str = "python"
    """What ``main`` is: ``python``, ``javascript``, or ``wasm`` (the direct ABI)."""
    rules: list[ModuleRule] = []
    """The project's own ``rules``, in order; the defaults come after them."""
    cache: str = ""
    """Absolute path of the directory for compiled WebAssembly modules; empty: keep none."""
    limits: Limits = Limits()
    interruptible: bool = False
    """Whether WebAssembly is compiled so that it can be interrupted, which makes tight loops slower."""
    absent: dict[str, str] = {}
    """Bindings that are configured but not emulated: their names with their keys of the wrangler file."""


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Base of all frames."""


# ---- front -> isolate -------------------------------------------------------


class Load(Frame, frozen=True, tag=1):
    """First frame: load this Worker, then answer ``Loaded`` or ``LoadFailed``."""

    spec: WorkerSpec


class Event(Frame, frozen=True, tag=2):
    """Something to handle. Only ``kind == "fetch"`` exists so far."""

    id: int
    kind: str
    method: str
    url: str
    headers: HeaderLines
    cf: str
    """``request.cf`` as JSON text."""
    body: bytes | int | None


class Abort(Frame, frozen=True, tag=3):
    """The client of event ``id`` left: cancel its work."""

    id: int


class Return(Frame, frozen=True, tag=4):
    """The answer to a ``Call``. ``error`` is ``(JS class name, message)``."""

    call: int
    value: Any
    body: bytes | int | None = None
    error: tuple[str, str] | None = None


class Retire(Frame, frozen=True, tag=5):
    """Finish what is under way, then exit with code 0."""


# ---- isolate -> front -------------------------------------------------------


class Loaded(Frame, frozen=True, tag=20):
    """The Worker proved that it loads. ``handlers`` are the events it can take."""

    handlers: list[str]
    cpu_us: int
    warnings: list[Report]
    files: dict[str, int] = {}
    """Bytes of each file that a Worker without Python consists of, by its absolute path."""


class LoadFailed(Frame, frozen=True, tag=21):
    report: Report
    files: dict[str, int] = {}
    """As those of ``Loaded``, when ``report`` says that they are too big."""


class Answer(Frame, frozen=True, tag=22):
    """The response to event ``id``."""

    id: int
    status: int
    status_text: str
    headers: Headers
    body: bytes | int | None
    cpu_us: int = -1
    """When it is not negative, all work of the event is over as well: no ``Done`` follows."""


class Failed(Frame, frozen=True, tag=23):
    """Event ``id`` has no response: the handler threw, hung or returned no Response."""

    id: int
    report: Report


class Done(Frame, frozen=True, tag=24):
    """All work of event ``id``, ``waitUntil`` included, is over."""

    id: int
    cpu_us: int


class Call(Frame, frozen=True, tag=25):
    """Ask the front to do I/O for event ``event``: ``target`` is ``fetch`` or a binding."""

    call: int
    event: int
    target: str
    method: str
    args: Any
    body: bytes | int | None = None


class CancelCall(Frame, frozen=True, tag=26):
    """The Worker no longer waits for this call."""

    call: int


class Log(Frame, frozen=True, tag=27):
    """A line of ``print`` or ``console``. ``event`` is 0 outside of any event."""

    event: int
    level: str
    text: str


class Explain(Frame, frozen=True, tag=28):
    """A mistake worth explaining that did not end an event (e.g. a dead callback)."""

    event: int
    report: Report


class Full(Frame, frozen=True, tag=29):
    """The isolate should be replaced: its memory passed the limit, or code that never ends is left in it."""

    memory_bytes: int
    """0 when memory is not the reason."""


class Memory(Frame, frozen=True, tag=31):
    """The Worker's memory, above that of an isolate without a Worker, when it has changed by a megabyte."""

    used_bytes: int


class Retiring(Frame, frozen=True, tag=30):
    """``Retire`` has arrived: the isolate is not stuck in code that never ends."""


# ---- both ways: streams -----------------------------------------------------


class Chunk(Frame, frozen=True, tag=40):
    stream: int
    data: bytes


class End(Frame, frozen=True, tag=41):
    """The stream is over; with ``error`` it broke."""

    stream: int
    error: str | None = None


class Pull(Frame, frozen=True, tag=42):
    """The consumer allows ``size`` more bytes."""

    stream: int
    size: int


class Cancel(Frame, frozen=True, tag=43):
    """The consumer wants no more of this stream."""

    stream: int
    reason: str = ""


ToIsolate = Load | Event | Abort | Return | Retire | Chunk | End | Pull | Cancel
ToFront = (
    Loaded
    | LoadFailed
    | Answer
    | Failed
    | Done
    | Call
    | CancelCall
    | Log
    | Explain
    | Full
    | Memory
    | Retiring
    | Chunk
    | End
    | Pull
    | Cancel
)
