"""The size of an upload, as ``wrangler deploy --dry-run`` tells it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emulator.diagnostics.upload import packed_files, packed_size, size_text

if TYPE_CHECKING:
    from emulator.project.bundle import Bundle

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
    bundle_bytes: int | None = None
    """What the upload takes where ``files`` are only parts of a bundle."""
    why_inexact: str = ""
    """Why wrangler's number may be another one; empty where it is the same."""

    @property
    def bytes(self) -> int:
        return sum(self.files.values()) if self.bundle_bytes is None else self.bundle_bytes

    def line(self) -> str:
        """``Total Upload: 470.15 KiB / gzip: 182.92 KiB``, as wrangler prints it."""
        text = f"Total Upload: {self.bytes / _KIB:.2f} KiB"
        text += "" if self.gzip_bytes is None else f" / gzip: {self.gzip_bytes / _KIB:.2f} KiB"
        return f"{text} ({self.why_inexact})" if self.why_inexact else text

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
    return Measured(files, packed_files(files, sum(files.values()), _PACKED_BYTES))


def measure_bundle(bundle: Bundle) -> Measured:
    """Measure the upload of a JavaScript Worker."""
    packed = packed_size([*(content for _, content in bundle.modules), bundle.main])
    why = "without wrangler's polyfills of Node.js" if bundle.polyfilled else ""
    return Measured(bundle.files, packed, bundle.bytes, why)


def _walk_order(path: str) -> list[bytes]:
    """Directories are walked where their names stand among those of files."""
    return [part.encode("utf-8", "surrogateescape") for part in path.split("/")]
