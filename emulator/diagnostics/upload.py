"""How a Worker that is bigger than its plan allows is told: its biggest files, its size packed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.render import location
from emulator.diagnostics.report import Place, Report

_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_LISTED: Final = 8
_PACKED_BYTES: Final = 32 * _MIB
"""How much is packed to tell its size: that takes a second or two."""
_SHARE: Final = 4
"""A package of node_modules is named when it is at least this part of the whole."""
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
    total: int | None = None,
    packed: int | None = None,
    **facts: Any,
) -> Report:
    """The report of an upload of ``files`` (absolute path -> bytes), which is over ``limit`` bytes.

    ``total`` bytes (default: those of the files) are ``packed`` bytes after gzip; without that, the files are
    read and packed. ``facts`` are further ones of ``worker-too-big``.
    """
    if total is None:
        total = sum(files.values())
    biggest = sorted(files, key=lambda path: (-files[path], path))
    if packed is None:
        packed = packed_files(biggest, total, _PACKED_BYTES)
    texts = size_text(total), size_text(limit)
    if texts[0] == texts[1]:
        texts = f"{total:,} bytes", f"{limit:,}"
    return explain(
        "worker-too-big",
        where=Place(biggest[0]),
        total=texts[0],
        limit=texts[1],
        plan=plan,
        gzip="" if packed is None else size_text(packed),
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


def package_facts(files: Mapping[str, int], total: int) -> dict[str, Any]:
    """Facts about the biggest package of node_modules, when it is a good part of ``total`` bytes."""
    packages: dict[str, int] = {}
    for path, size in files.items():
        _, found, rest = path.rpartition("/node_modules/")
        if found:
            parts = rest.split("/")
            name = "/".join(parts[: 2 if rest.startswith("@") else 1])
            packages[name] = packages.get(name, 0) + size
    biggest = max(packages, key=lambda name: packages[name], default="")
    if not biggest or packages[biggest] * _SHARE < total:
        return {}
    return {"package": biggest, "package_size": size_text(packages[biggest])}


def packed_size(contents: Iterable[bytes]) -> int:
    """Bytes of all of ``contents`` after gzip, packed as one, as wrangler tells it beside the total."""
    packer = zlib.compressobj(wbits=_GZIP_WINDOW)
    size = sum(len(packer.compress(content)) for content in contents)
    return size + len(packer.flush())


def packed_files(paths: Iterable[str], total: int, most: int) -> int | None:
    """The same for files of ``total`` bytes; None: more than ``most``, which takes long, or unreadable."""
    if total > most:
        return None
    try:
        return packed_size(_chunks(paths))
    except OSError:
        return None


def _chunks(paths: Iterable[str]) -> Iterator[bytes]:
    for path in paths:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
