"""Packets of esbuild's service: what is written is read again, and nothing else is taken for one."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.project.bundle.packets import Malformed, Packet, decode, encode

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 2**32 - 1)
    | st.text(st.characters(codec="utf-8"))
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(st.integers(0, 2**31 - 1), st.booleans(), values)
def test_what_is_written_is_read_again(number: int, is_request: bool, value: Any) -> None:
    packet = Packet(number, is_request, value)
    data = encode(packet)
    assert len(data) == 4 + struct.unpack("<I", data[:4])[0]
    assert decode(data[4:]) == packet


def test_a_packet_byte_by_byte() -> None:
    # Length; id 1, a question; an object of one key: "a", a list of true and "é".
    expected = bytes.fromhex("22000000 02000000 06 01000000 01000000 61 05 02000000 01 01 03 02000000 c3a9")
    assert encode(Packet(1, True, {"a": [True, "é"]})) == struct.pack("<I", len(expected) - 4) + expected[4:]


@given(st.binary(max_size=60))
def test_whatever_else_comes_is_refused(data: bytes) -> None:
    try:
        packet = decode(data)
    except Malformed:
        return
    assert encode(packet)[4:] == data or any(byte > 1 for byte in data)  # a boolean is any byte


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_packet_that_is_cut_off(cut: int) -> None:
    data = encode(Packet(5, False, {"key": "value", "n": 3}))[4:]
    with pytest.raises(Malformed):
        decode(data[:-cut])
