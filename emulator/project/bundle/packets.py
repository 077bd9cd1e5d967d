"""What travels to and from ``esbuild --service``, the mode that esbuild's own JavaScript API runs it in.

A packet is its length, an id, and one value: JSON's kinds, and bytes. All numbers are of 32 bits, little
endian. The lowest bit of the id tells an answer from a question.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

_U32 = struct.Struct("<I")


class Malformed(Exception):
    """These bytes are no packet of esbuild's."""


class Packet(NamedTuple):
    id: int
    is_request: bool
    value: Any
    """None, bool, int, str, bytes, list or dict."""


def encode(packet: Packet) -> bytes:
    """The packet, its length before it."""
    out = bytearray(_U32.pack(packet.id << 1 | (not packet.is_request)))
    _write(out, packet.value)
    return _U32.pack(len(out)) + bytes(out)


def decode(data: bytes) -> Packet:
    """A packet without its length. Raises ``Malformed``."""
    try:
        reader = _Reader(data)
        number = reader.number()
        value = reader.value()
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise Malformed(str(error)) from error
    if reader.at != len(data):
        raise Malformed(f"{len(data) - reader.at} bytes more than a value")
    return Packet(number >> 1, not number & 1, value)


def _write(out: bytearray, value: Any) -> None:
    if value is None:
        out.append(0)
    elif isinstance(value, bool):
        out += bytes((1, value))
    elif isinstance(value, int):
        out.append(2)
        out += _U32.pack(value & 0xFFFFFFFF)
    elif isinstance(value, str):
        out.append(3)
        _write_bytes(out, value.encode("utf-8", "surrogateescape"))
    elif isinstance(value, bytes):
        out.append(4)
        _write_bytes(out, value)
    elif isinstance(value, list):
        out.append(5)
        out += _U32.pack(len(value))
        for item in value:
            _write(out, item)
    else:
        out.append(6)
        out += _U32.pack(len(value))
        for key, item in value.items():
            _write_bytes(out, key.encode())
            _write(out, item)


def _write_bytes(out: bytearray, data: bytes) -> None:
    out += _U32.pack(len(data))
    out += data


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def number(self) -> int:
        (number,) = _U32.unpack_from(self._data, self.at)
        self.at += _U32.size
        return int(number)

    def value(self) -> Any:
        kind = self._data[self.at]
        self.at += 1
        match kind:
            case 0:
                return None
            case 1:
                self.at += 1
                return bool(self._data[self.at - 1])
            case 2:
                return self.number()
            case 3:
                return self._text()
            case 4:
                return self._bytes()
            case 5:
                return [self.value() for _ in range(self.number())]
            case 6:
                return {self._text(): self.value() for _ in range(self.number())}
        raise Malformed(f"unknown kind of value {kind}")

    def _text(self) -> str:
        return self._bytes().decode("utf-8", "surrogateescape")

    def _bytes(self) -> bytes:
        size = self.number()
        data = self._data[self.at : self.at + size]
        if len(data) != size:
            raise Malformed("a value that is cut off")
        self.at += size
        return data
