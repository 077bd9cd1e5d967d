"""How a Worker that is bigger than its plan allows is told: its biggest files, its size packed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.render import location
from emulator.diagnostics.report import Place, Report

_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_LISTED: Final = 8
_PACKED_BYTES: Final = 32 * _MIB
"""How much is packed to tell its size: that takes a second or two."""
_CHUNK: Final = 1 << 20
_GZIP_WINDOW: Final = 31
"""zlib's number for a window of 32 KB in gzip's format."""


def size_text(size: int) -> str:
    """Bytes as wrangler prints them: ``0.13 KiB``, ``1.95 MiB``."""
    return f"{size / _MIB:,.2f} MiB" if size >= _MIB else f"{size / _KIB:.2f} KiB"


def too_big(
    files: Mapping[str, int],
    limit: int,
    plan: str,
    root: str,
    **facts: Any,
) -> Report:
    """The report of an upload of ``files`` (absolute path -> bytes), which is over ``limit`` bytes.

    Reads the files to pack them. ``facts`` are further ones of ``worker-too-big``.
    """
    total = sum(files.values())
    biggest = sorted(files, key=lambda path: (-files[path], path))
    texts = size_text(total), size_text(limit)
    if texts[0] == texts[1]:
        texts = f"{total:,} bytes", f"{limit:,}"
    return explain(
        "worker-too-big",
        where=Place(biggest[0]),
        total=texts[0],
        limit=texts[1],
        plan=plan,
        gzip=_packed(biggest, total),
        files=_listing(biggest, files, root),
        **facts,
    )


def _listing(biggest: list[str], files: Mapping[str, int], root: str) -> str:
    listed = biggest[:_LISTED]
    sizes = [size_text(files[path]) for path in listed]
    width = max(map(len, sizes))
    lines = [f"  {size:>{width}}  {location(path, root)}" for size, path in zip(sizes, listed, strict=True)]
    others = biggest[_LISTED:]
    if others:
        rest = size_text(sum(files[path] for path in others))
        lines.append(f"  {rest:>{width}}  in {len(others):,} more file{'s' if len(others) > 1 else ''}")
    return "\n".join(lines)


def _packed(paths: Iterable[str], total: int) -> str:
    """The size after gzip, as wrangler tells it beside the total; empty when it takes too long to find."""
    if total > _PACKED_BYTES:
        return ""
    packer = zlib.compressobj(wbits=_GZIP_WINDOW)
    size = 0
    for path in paths:
        try:
            with open(path, "rb") as file:
                while chunk := file.read(_CHUNK):
                    size += len(packer.compress(chunk))
        except OSError:
            return ""
    return size_text(size + len(packer.flush()))
