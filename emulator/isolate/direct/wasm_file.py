"""Read the module that ``main`` names and say what it is when it is none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place

from ..program import LoadError

_MAGIC: Final = b"\0asm"
_VERSION: Final = b"\x01\0\0\0"

_LOOKS: Final = (
    (re.compile(rb"\x1f\x8b"), "gzip"),
    (re.compile(rb"\x7fELF|MZ|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe"), "native"),
    (re.compile(rb"!<arch>"), "archive"),
    (re.compile(rb"version https://git-lfs"), "lfs"),
    (re.compile(rb"\s*(;;[^\n]*\s+|\(;.*?;\)\s*)*\(\s*(module|component)\b", re.DOTALL), "wat"),
    (re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE), "html"),
    (re.compile(rb"\s*(//[^\n]*\n\s*)*package\s+\w", re.DOTALL), "go"),
)
"""Beginnings of files that are taken for WebAssembly by mistake, and what they are."""


def read_module(path: str, shown: str) -> bytes:
    """The bytes of the core module at ``path``. Raises ``LoadError``; messages call the file ``shown``."""
    where = Place(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        problem = error.strerror or str(error)
        raise LoadError(
            explain("direct-wasm-unreadable", where=where, file=shown, problem=problem)
        ) from error
    if not data:
        raise LoadError(explain("direct-wasm-empty", where=where, file=shown))
    if data[:8] != _MAGIC + _VERSION:
        begins, looks = data[:8].hex(" "), _looks(data)
        raise LoadError(explain("direct-not-wasm", where=where, file=shown, begins=begins, looks=looks))
    return data


def _looks(data: bytes) -> str:
    """What a file is that is no core module; empty when that cannot be told."""
    if data[:4] == _MAGIC:
        return "component" if data[6:8] == b"\x01\0" else ""
    return next((name for pattern, name in _LOOKS if pattern.match(data[:4096])), "")
