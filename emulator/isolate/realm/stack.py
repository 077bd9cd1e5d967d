"""How much C stack JavaScript and WebAssembly may use before they throw RangeError.

V8's own stack lets simple functions call themselves about 10,000 times; QuickJS takes 0.8 KB for each.
"""

from __future__ import annotations

import functools
import resource
import sys
import threading
from typing import Final

_MB: Final = 1024 * 1024
WANTED_BYTES: Final = 8 * _MB
"""For 10,000 calls in JavaScript, or 1,000 calls from JavaScript to WebAssembly and back."""

_WHOLE_BYTES: Final = 64 * _MB
"""What the main thread's stack is let grow to: for both, and for Python and C code below them."""

_PLAIN_BYTES: Final = 8 * _MB
"""The stack of a main thread on macOS, and of other threads."""

_SHARES: Final = 3
"""JavaScript at its limit may call WebAssembly up to its limit; a third is for the code of others."""

_LOCALS: Final = 240
_FRAME_BYTES: Final = 16 * _LOCALS + 800
"""At most what a call of ``TOUCH`` takes: 16 bytes for each local variable, and QuickJS's own."""

TOUCH: Final = f"""(function touch(calls) {{
  var {", ".join(f"local{number}" for number in range(_LOCALS))};
  if (calls > 1) touch(calls - 1);
}})"""
"""A JavaScript function that uses so much stack that few calls of it reach the end."""


@functools.cache
def share_bytes() -> int:
    """What each of the two may use. Raises the limit of this process where the system lets it grow."""
    return min(WANTED_BYTES, _whole_bytes() // _SHARES)


def touching_calls() -> int:
    """How many calls of ``TOUCH`` within each other use nearly all that JavaScript may."""
    return share_bytes() * 9 // 10 // _FRAME_BYTES


def _whole_bytes() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    own = threading.current_thread() is threading.main_thread()
    # CPython 3.14 measures the stack when it starts, and ends the process below that.
    if sys.platform == "linux" and own and sys.version_info < (3, 14):
        # Linux keeps 128 MB of addresses free below the main thread's stack, and reads the limit as it grows.
        wanted = _WHOLE_BYTES if hard == resource.RLIM_INFINITY else min(_WHOLE_BYTES, hard)
        if soft == resource.RLIM_INFINITY:
            return _WHOLE_BYTES
        if soft < wanted:
            try:
                resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
            except (OSError, ValueError):
                return soft
            return wanted
        return soft
    return _PLAIN_BYTES if soft == resource.RLIM_INFINITY else min(soft, _PLAIN_BYTES)
