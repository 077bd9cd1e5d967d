"""How much WebAssembly memory an isolate has. Apart from ``runtime.py``, which imports wasmtime."""

from __future__ import annotations

from typing import Final

MEMORY_BYTES: Final = 128 * 1024 * 1024
"""All memories together, at which the isolate asks to be replaced.

https://developers.cloudflare.com/workers/platform/limits/#memory
"""

GROW_LIMIT_BYTES: Final = 2 * MEMORY_BYTES
"""No memory grows past it: ``memory.grow`` gives -1. In between the isolate is replaced."""
