"""The size of an upload, as ``wrangler deploy --dry-run`` tells it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from emulator.diagnostics.upload import size_text

_CHUNK: Final = 1 << 20
_GZIP_WINDOW: Final = 31
"""zlib's number for a window of 32 KB in gzip's format."""
_PACKED_BYTES: Final = 256 << 20
"""How much is packed to tell its size: more takes minutes, and is refused by every plan."""
_KIB: Final = 1024


@dataclass(frozen=True)
class Measured:
    """The files of an upload."""

    files: Mapping[str, int]
    """Absolute path -> bytes, in wrangler's order."""
    gzip_bytes: int | None
    """All of them packed as one; None: too much to pack, or unreadable."""

    @property
    def bytes(self) -> int:
        return sum(self.files.values())

    def line(self) -> str:
        """``Total Upload: 470.15 KiB / gzip: 182.92 KiB``, as wrangler prints it."""
        text = f"Total Upload: {self.bytes / _KIB:.2f} KiB"
        return text if self.gzip_bytes is None else f"{text} / gzip: {self.gzip_bytes / _KIB:.2f} KiB"

    def biggest(self, root: str, count: int) -> list[tuple[str, str]]:
        """The biggest files: their sizes, and their paths below ``root``."""
        paths = sorted(self.files, key=lambda path: (-self.files[path], path))[:count]
        return [(size_text(self.files[path]), os.path.relpath(path, root)) for path in paths]


def measure(main: str, modules: Mapping[str, int], packages: Mapping[str, int] | None = None) -> Measured:
    """Measure an upload of ``modules`` (with ``main``) and of vendored ``packages``; reads all of them."""
    own = [path for path in sorted(modules, key=_walk_order) if path != main]
    theirs = sorted(packages or {}, key=_walk_order)
    sizes = {**modules, **(packages or {})}
    # Wrangler packs the additional modules, the vendored ones, and the entry point last.
    files = {path: sizes[path] for path in [*own, *theirs, *([main] if main in modules else [])]}
    return Measured(files, _packed(files, sum(files.values())))


def _walk_order(path: str) -> list[bytes]:
    """Directories are walked where their names stand among those of files."""
    return [part.encode("utf-8", "surrogateescape") for part in path.split("/")]


def _packed(paths: Iterable[str], total: int) -> int | None:
    if total > _PACKED_BYTES:
        return None
    packer = zlib.compressobj(wbits=_GZIP_WINDOW)
    size = 0
    for path in paths:
        try:
            with open(path, "rb") as file:
                while chunk := file.read(_CHUNK):
                    size += len(packer.compress(chunk))
        except OSError:
            return None
    return size + len(packer.flush())
