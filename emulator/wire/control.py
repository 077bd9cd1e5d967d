"""The control socket between the front and the fork server: fixed-size messages.

A ``FORK`` request brings two file descriptors along: the isolate's end of its socket to the front,
and its flight recorder. The end of the control socket means: kill every isolate and guarded process
group, and exit.
"""

from __future__ import annotations

from struct import Struct as Layout
from typing import Final

REQUEST: Final = Layout("!cI")
"""Front to fork server: ``FORK`` or ``KILL``, isolate; ``WARM``, 0; ``GUARD`` or ``RELEASE``, a group."""

NOTICE: Final = Layout("!cIiQ")
"""Fork server to front: ``STARTED``, isolate, pid, 0; or ``ENDED``, isolate, exit status (negative: signal),

and the most bytes of memory that it had at once, those that it shared with the fork server included.
"""

FORK: Final = b"F"
KILL: Final = b"K"
WARM: Final = b"W"
"""Import what Workers of JavaScript and WebAssembly need, before the forks that follow."""
GUARD: Final = b"G"
"""A process group of the front's (a build) that is to be killed, too, when the control socket ends."""
RELEASE: Final = b"R"
"""That group is over."""
STARTED: Final = b"S"
ENDED: Final = b"E"
