"""Host functions of CompressionStream and DecompressionStream: zlib, chunk by chunk.

https://compression.spec.whatwg.org/
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Final

from ..engine import Value
from ..realm import HostError

_WINDOW_BITS: Final = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS, "deflate-raw": -zlib.MAX_WBITS}

MAX_OUTPUT_BYTES: Final = 64 * 1024
"""Most bytes that one step of decompression gives, so that a bomb stays a stream."""


class Compressor:
    """Compresses to one format, incrementally."""

    def __init__(self, format_: str) -> None:
        self._zlib = zlib.compressobj(wbits=_WINDOW_BITS[format_])

    def step(self, data: bytes) -> bytes:
        """Bytes that are ready after ``data``; may be empty."""
        return self._zlib.compress(data)

    def finish(self) -> bytes:
        """The rest."""
        return self._zlib.flush()


class Decompressor:
    """Decompresses one format, incrementally, ``MAX_OUTPUT_BYTES`` at a time."""

    def __init__(self, format_: str) -> None:
        self._zlib = zlib.decompressobj(wbits=_WINDOW_BITS[format_])

    def step(self, data: bytes) -> bytes:
        """Bytes that are ready after ``data``. Call again with no data while ``has_more``."""
        if self._zlib.eof:
            if data:
                raise HostError("TypeError", "Trailing bytes after end of compressed data")
            return b""
        try:
            out = self._zlib.decompress(self._zlib.unconsumed_tail + data, MAX_OUTPUT_BYTES)
        except zlib.error:
            raise HostError("TypeError", "Decompression failed.") from None
        if self._zlib.unused_data:
            raise HostError("TypeError", "Trailing bytes after end of compressed data")
        return out

    @property
    def has_more(self) -> bool:
        """Whether the data so far may give more output."""
        return bool(self._zlib.unconsumed_tail)

    def finish(self) -> bytes:
        """Checks that the data was whole."""
        out = self._zlib.flush()
        if not self._zlib.eof:
            raise HostError("TypeError", "Called close() on a decompression stream with incomplete data")
        return out


def functions() -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``. A codec crosses as an opaque JS object and lives as long as it."""

    def open_codec(format_: str, inflate: bool, owner: Value) -> Value:
        """A codec in the realm of ``owner``, any object of it."""
        return owner.context.new_host_object((Decompressor if inflate else Compressor)(format_))

    return {
        "zlibOpen": open_codec,
        "zlibStep": lambda codec, data: codec.step(data.to_bytes() if isinstance(data, Value) else b""),
        "zlibHasMore": lambda codec: codec.has_more,
        "zlibFinish": lambda codec: codec.finish(),
    }
