"""The isolate's program: ``preload`` once in the fork server, ``run`` in each fork."""

from __future__ import annotations

import asyncio
import faulthandler
import functools
import importlib
import os
import socket

from emulator.user_cache import user_cache
from emulator.wire.channel import ISOLATE_FIRST_ID, Channel, Streams
from emulator.wire.frames import ToIsolate
from emulator.wire.recorder import FlightRecorder

from .bridge.bridge import Bridge
from .bridge.core import install
from .io import IsolateIO
from .loop import RealmLoop
from .memory import MemoryWatch
from .meter import frames
from .meter.meter import Meter
from .python import helper_module, pyodide_compat, sandbox
from .realm.engine import Value
from .realm.host import host_functions
from .realm.io import RealmIO
from .realm.realm import Realm


class Prepared:
    """What all isolates share until they are forked: a booted realm with the SDK imported."""

    def __init__(self) -> None:
        self.io: RealmIO | None = None
        self.realm = Realm(host_functions(self._current_io), user_cache("realm", os.environ))
        self.bridge: Bridge = install(self.realm)
        pyodide_compat.complete(self.bridge)
        self.workers_module: Value = self.realm.platform.get("workersModule")
        """The JS module ``cloudflare:workers``."""
        helper_module.install(self.bridge, self.bridge.wrap(self.workers_module))
        import pyodide.http
        import pyodide.webloop

        pyodide_compat.complete_http()
        importlib.import_module("workers.asgi")  # for its effect: what an isolate need not import

        self.future_class: type = pyodide.webloop.PyodideFuture
        self.task_class: type = pyodide.webloop.PyodideTask

    def _current_io(self) -> RealmIO:
        assert self.io is not None, "the realm has no outside before it is forked"
        return self.io


@functools.cache
def prepared() -> Prepared:
    """Boot once per process; a forked child finds it booted."""
    return Prepared()


def preload() -> None:
    """Boot all that isolates share. Called once, before any fork."""
    prepared()
    sandbox.prepare()
    frames.prepare()
    # They import the SDK, which needs the bridge in place.
    importlib.import_module("emulator.isolate.worker")
    importlib.import_module("emulator.isolate.python.program")


def warm() -> None:
    """Import, before the next fork, what Workers of JavaScript and WebAssembly need besides."""
    for name in ("wasm.runtime", "wasm.host", "javascript.program", "direct.program"):
        importlib.import_module(f"emulator.isolate.{name}")
    # For the places of errors, and for the source of modules that catch them.
    importlib.import_module("tree_sitter_javascript")


def run(sock: socket.socket, recorder: int) -> None:
    """Serve one isolate on its connected socket until it retires or the socket ends."""
    from .worker import Worker

    base = prepared()
    memory = MemoryWatch()
    loop = RealmLoop(base.bridge.engine, base.future_class, base.task_class, memory)
    asyncio.set_event_loop(loop)
    flight = FlightRecorder(recorder)
    # Before wasmtime's handlers, which pass on what is not theirs.
    faulthandler.enable(flight.fd, all_threads=False)
    loop.cells = flight.cells
    # In the context of whichever event was the last; its own code may not stop the loop.
    stop = functools.partial(asyncio.SelectorEventLoop.stop, loop)
    channel = Channel(ToIsolate, lambda frame: worker.on_frame(frame), lambda exc: stop(), flushed=False)
    streams = Streams(channel, ISOLATE_FIRST_ID)
    io = IsolateIO(loop, channel, streams)
    base.io = io
    worker = Worker(base.bridge, loop, channel, streams, io, base.workers_module, Meter(loop, flight))
    sock.setblocking(False)
    loop.run_until_complete(loop.create_unix_connection(lambda: channel, sock=sock))
    if not channel.lost:  # the front may have ended while the connection was made
        loop.run_forever()
    worker.leave()
