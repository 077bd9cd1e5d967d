"""Runs a project's build command: its output as it comes, its end, and its death when it is not wanted."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import re
import signal
import time
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.front.build_report import failure, is_telling
from emulator.project.build import Build

Say = Callable[[str], None]
"""Shows one line."""

Guard = Callable[[int], Callable[[], None]]
"""Has a process group killed when the server is; what it gives is called when the group is over."""

_LINE_CHARS: Final = 2_000
_SHOWN_LINES: Final = 2_000
"""Lines of one build that are shown; a command that floods its output is not to flood the terminal."""
_FLOOD_BYTES: Final = 8_192
"""Of what is read at once, the part that is looked at when no more of it is shown."""
_KEPT_LINES: Final = 40
_TELLING_LINES: Final = 20
_THROTTLE_SECONDS: Final = 0.002
_TERM_SECONDS: Final = 1.0
"""How long a command may take to end by itself once it is told to."""
_DRAIN_SECONDS: Final = 0.3
"""How long output is awaited that a background process of an ended command may still hold open."""
_SLOW_SECONDS: Final = 30.0
_LINE_END: Final = re.compile("\r\n|\n|\r")


async def run_build(build: Build, say: Say, guard: Guard) -> Report | None:
    """Run the command to its end; gives None when it succeeded, else why it did not.

    Cancelled, it kills the command with all that it started. Nothing that the command started in its own
    process group outlives it.
    """
    if not build.cwd.is_dir():
        return explain("build-no-directory", cwd=build.cwd, command=build.command)
    output = _Output(say)
    begun = time.monotonic()
    status = await _run(build, output, say, guard)
    if status:
        return failure(build, status, list(output.telling), list(output.kept))
    say(f"built in {_duration(time.monotonic() - begun)}")
    return None


async def _run(build: Build, output: _Output, say: Say, guard: Guard) -> int | None:
    """The exit status of the command, negative for a signal."""
    loop = asyncio.get_running_loop()
    starting = loop.create_task(_start(build, output))
    slow = loop.call_later(_SLOW_SECONDS, say, f"still running after {_SLOW_SECONDS:.0f} s: {build.command}")
    release: Callable[[], None] | None = None
    try:
        transport, command = await asyncio.shield(starting)
        release = guard(transport.get_pid())
        await asyncio.shield(command.exited)
        await asyncio.wait([command.closed], timeout=_DRAIN_SECONDS)
    finally:
        slow.cancel()
        # Cancelled while it starts, the event loop would forget the process, or kill the shell alone.
        transport, command = await starting
        await _end(transport.get_pid(), command)
        if release is not None:
            release()
        transport.close()
        output.close()
    return transport.get_returncode()


async def _start(build: Build, output: _Output) -> tuple[asyncio.SubprocessTransport, _Command]:
    return await asyncio.get_running_loop().subprocess_shell(
        lambda: _Command(output),
        build.command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=str(build.cwd),
        env=os.environ | {"WRANGLER_COMMAND": "dev"},
        start_new_session=True,
    )


async def _end(group: int, command: _Command) -> None:
    """Leave no process of the command's group behind."""
    if not command.exited.done():
        _kill(group, signal.SIGTERM)
        await asyncio.wait([command.exited], timeout=_TERM_SECONDS)
    _kill(group, signal.SIGKILL)
    await asyncio.wait([command.exited], timeout=_TERM_SECONDS)


def _kill(group: int, number: signal.Signals) -> None:
    # macOS answers EPERM for a group whose members are all zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


class _Command(asyncio.SubprocessProtocol):
    """The event loop's side of a running command."""

    def __init__(self, output: _Output) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        """No more output comes."""
        self._output = output
        self._pipe: asyncio.ReadTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        process = cast(asyncio.SubprocessTransport, transport)
        self._pipe = cast("asyncio.ReadTransport | None", process.get_pipe_transport(1))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._output.feed(data)
        if self._output.floods and self._pipe is not None:
            # The pipe holds the command back, and the server has time for its requests.
            self._pipe.pause_reading()
            asyncio.get_running_loop().call_later(_THROTTLE_SECONDS, self._resume)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def process_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)

    def _resume(self) -> None:
        if self._pipe is not None and not self._pipe.is_closing():
            self._pipe.resume_reading()


class _Output:
    """Bytes to lines: shown up to a limit, and the last and the telling ones kept for a report."""

    def __init__(self, say: Say) -> None:
        self.kept: deque[str] = deque(maxlen=_KEPT_LINES)
        self.telling: list[str] = []
        """The first lines that name a place in a source file, or a known mistake."""
        self._say = say
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._lines = 0

    @property
    def floods(self) -> bool:
        return self._lines > _SHOWN_LINES

    def feed(self, data: bytes) -> None:
        if self.floods:
            data = data[-_FLOOD_BYTES:]
        *lines, self._rest = _LINE_END.split(self._rest + self._decoder.decode(data))
        # A line that never ends is shown in pieces.
        if len(self._rest) > _LINE_CHARS:
            lines.append(self._rest)
            self._rest = ""
        shown = max(0, _SHOWN_LINES + 1 - self._lines)
        skipped = len(lines) - shown - _KEPT_LINES
        if skipped > 0:
            # One read may bring a hundred thousand lines.
            del lines[shown : shown + skipped]
        for line in lines:
            self._line(line)

    def close(self) -> None:
        """The rest, which has no line end."""
        self.feed(b"\n" if self._rest else b"")

    def _line(self, line: str) -> None:
        if not line.strip():
            return
        line = line if len(line) <= _LINE_CHARS else line[: _LINE_CHARS - 1] + "…"
        self._lines += 1
        self.kept.append(line)
        if len(self.telling) < _TELLING_LINES and is_telling(line):
            self.telling.append(line)
        if self._lines <= _SHOWN_LINES:
            self._say(line.rstrip())
        elif self._lines == _SHOWN_LINES + 1:
            self._say(f"(more than {_SHOWN_LINES:,} lines: the rest is not shown)")


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
