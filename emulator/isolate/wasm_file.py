"""What a file is that was taken for WebAssembly by mistake."""

from __future__ import annotations

import re
from typing import Final

_MAGIC: Final = b"\0asm"

BEGINNING: Final = _MAGIC + b"\x01\0\0\0"
"""What every core module begins with: the magic number and the version."""

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


def looks(data: bytes) -> str:
    """What a file is that is no core module; empty when that cannot be told."""
    if not data:
        return "empty"
    if data[:4] == _MAGIC:
        return "component" if data[6:8] == b"\x01\0" else ""
    return next((name for pattern, name in _LOOKS if pattern.match(data[:4096])), "")
