"""``print``, ``sys.stderr`` and ``logging`` of a Worker, as lines of its log."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Final

MAX_LINE: Final = 64 * 1024
"""Characters; a longer line is cut into several."""


class LogStream(io.TextIOBase):
    """A text stream that gives each full line to ``log(level, line)``."""

    def __init__(self, level: str, log: Callable[[str, str], None]) -> None:
        self._level = level
        self._log = log
        self.unfinished = ""
        """The beginning of a line that has not ended."""
        self._cut = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        """Take ``text``; whole lines leave at once, in one piece when they come together."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        *lines, self.unfinished = (self.unfinished + text).split("\n")
        if lines and self._cut and not lines[0]:
            del lines[0]  # the end of a line that has left already
        if lines:
            self._log(self._level, "\n".join(lines))
        self._cut = len(self.unfinished) > MAX_LINE
        if self._cut:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Let go of an unfinished line."""
        if self.unfinished:
            partial, self.unfinished = self.unfinished, ""
            self._log(self._level, partial)


def redirect(log: Callable[[str, str], None]) -> Callable[[], None]:
    """Send stdout and stderr to ``log``, give an empty stdin; gives what flushes both."""
    out, err = LogStream("log", log), LogStream("error", log)
    sys.stdout, sys.stderr, sys.stdin = out, err, io.StringIO("")

    def flush() -> None:
        if out.unfinished or err.unfinished:
            out.flush()
            err.flush()

    return flush
