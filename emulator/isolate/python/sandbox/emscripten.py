"""Emscripten's error numbers and their texts, as arguments of ``OSError``."""

from __future__ import annotations

from typing import Final

EHOSTUNREACH: Final = (23, "Host is unreachable")
ENOEXEC: Final = (45, "Exec format error")
ENOSYS: Final = (52, "Function not implemented")
EPERM: Final = (63, "Operation not permitted")
ENOTSUP: Final = (138, "Not supported")
NO_PROCESSES: Final = (138, "emscripten does not support processes.")
