"""The journal on the terminal: one line a request, log lines with the Worker's name, reports.

All of it goes to standard output, ``console.error`` included, so that lines stay in the
order in which things happened. Writing never blocks the server: lines are collected and
written when the reader can take them, and a reader that has stopped costs the oldest lines.
"""

from __future__ import annotations

import asyncio
import os
import select
from collections import deque
from collections.abc import Mapping
from typing import Final

from emulator.journal.events import Explained, JournalEvent, LogLine, Notice, Reloaded, RequestFinished

LEVELS: Final[Mapping[str, int]] = {"debug": 10, "log": 20, "info": 20, "warn": 30, "error": 40, "none": 50}
"""What ``--log-level`` and ``console.*`` names mean; ``log`` is another name of ``info``."""

_FLUSH_SECONDS: Final = 0.005
_RETRY_SECONDS: Final = 0.05
_PIECE: Final = 4096
"""A pipe that polls as writable takes this much (PIPE_BUF) without blocking."""
_MOST_LINES: Final = 20_000
_EXIT_SECONDS: Final = 0.5

_RED, _GREEN, _YELLOW, _BLUE, _DIM = "31", "32", "33", "34", "2"
_LEVEL_COLORS: Final[Mapping[str, str]] = {"error": _RED, "warn": _YELLOW, "debug": _DIM}


class Console:
    """A ``Journal`` that prints. ``roots`` shorten the file names in a Worker's reports."""

    def __init__(self, fd: int, color: bool, level: str, roots: Mapping[str, str]) -> None:
        self._fd = fd
        self._color = color
        self._level = LEVELS[level]
        self._roots = roots
        self._prefixed = len(roots) > 1
        self._lines: deque[str] = deque()
        self._pending = b""
        self._dropped = 0
        self._scheduled = False
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)

    def __call__(self, event: JournalEvent) -> None:
        """Print ``event`` when its level is high enough."""
        if isinstance(event, RequestFinished):
            if self._level <= 20:
                self.write(self._request(event))
        elif isinstance(event, LogLine):
            if self._level <= LEVELS.get(event.level, 20):
                self._log(event)
        elif isinstance(event, Explained):
            if self._level <= (30 if event.report.severity == "warning" else 40):
                self._explain(event)
        elif isinstance(event, Reloaded):
            if self._level <= 20:
                self.write(f"Reloaded {event.worker} in {event.milliseconds:.0f} ms")
        elif self._level <= LEVELS[event.level]:
            self._notice(event)

    def write(self, line: str) -> None:
        """Print a line, or several, whatever the level."""
        self._lines.append(line)
        if len(self._lines) > _MOST_LINES:
            self._lines.popleft()
            self._dropped += 1
        if not self._scheduled:
            self._schedule(_FLUSH_SECONDS)

    def close(self) -> None:
        """Write what waits, as long as the reader takes it."""
        self._collect()
        while self._pending and self._poll.poll(_EXIT_SECONDS * 1000):
            if not self._write_piece():
                return

    def _schedule(self, delay: float) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.close()
            return
        self._scheduled = True
        loop.call_later(delay, self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if not self._pending:
            self._collect()
        while self._pending:
            if not self._poll.poll(0):
                self._schedule(_RETRY_SECONDS)
                return
            if not self._write_piece():
                return
        if self._lines:
            self._schedule(_FLUSH_SECONDS)

    def _collect(self) -> None:
        if self._dropped:
            self._lines.appendleft(f"... {self._dropped:,} lines are missing: standard output was not read")
            self._dropped = 0
        if self._lines:
            text = "\n".join(self._lines) + "\n"
            self._lines.clear()
            self._pending += text.encode("utf-8", "replace")

    def _write_piece(self) -> bool:
        try:
            written = os.write(self._fd, self._pending[:_PIECE])
        except OSError:
            # Nobody reads any more (a closed pipe, a terminal that is gone).
            self._pending = b""
            return False
        self._pending = self._pending[written:]
        return True

    def _request(self, event: RequestFinished) -> str:
        status = f"{event.status} {event.status_text}".rstrip() if event.status else "client disconnected"
        if self._color:
            status = _paint(status, _status_color(event.status))
        took = _milliseconds(event.milliseconds)
        if event.cpu_us is not None:
            took += f", {_milliseconds(event.cpu_us / 1000)} CPU"
        if event.memory_bytes:
            took += f", {_megabytes(event.memory_bytes)}"
        line = f"{event.method} {event.path} {status} ({took})"
        return f"[{event.worker}] {line}" if self._prefixed else line

    def _log(self, event: LogLine) -> None:
        prefix = f"[{event.worker}] "
        color = _LEVEL_COLORS.get(event.level, "") if self._color else ""
        text = event.text.replace("\n", "\n" + " " * len(prefix))
        self.write(prefix + (_paint(text, color) if color else text))

    def _explain(self, event: Explained) -> None:
        from emulator.diagnostics.render import render_terminal

        block = render_terminal(event.report, self._color, self._roots.get(event.worker, ""))
        self.write(f"[{event.worker}] {block}\n")

    def _notice(self, event: Notice) -> None:
        color = _LEVEL_COLORS.get(event.level, "") if self._color else ""
        self.write(_paint(event.text, color) if color else event.text)


def _milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value >= 9.95 else f"{value:.1f} ms"


def _megabytes(size: int) -> str:
    """Of 1,048,576 bytes, as the limits count them."""
    value = size / 1_048_576
    return f"{value:.0f} MB" if value >= 9.95 else f"{value:.1f} MB"


def _status_color(status: int) -> str:
    return {2: _GREEN, 4: _YELLOW, 5: _RED}.get(status // 100, _BLUE)


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"
