"""Bytes, memoryviews and typed arrays."""

from __future__ import annotations

import pytest
from inside import inside, raises, run_js

KINDS = [
    ("Int8Array", "b", [-128, 0, 127]),
    ("Uint8Array", "B", [0, 1, 255]),
    ("Uint8ClampedArray", "B", [0, 1, 255]),
    ("Int16Array", "h", [-32768, 0, 32767]),
    ("Uint16Array", "H", [0, 1, 65535]),
    ("Int32Array", "i", [-(2**31), 0, 2**31 - 1]),
    ("Uint32Array", "I", [0, 1, 2**32 - 1]),
    ("Float32Array", "f", [-1.5, 0.0, 0.25]),
    ("Float64Array", "d", [-1.5, 0.1, 1e300]),
    ("BigInt64Array", "q", [-(2**63), 0, 2**63 - 1]),
    ("BigUint64Array", "Q", [0, 1, 2**64 - 1]),
]


@pytest.mark.parametrize(("name", "form", "values"), KINDS, ids=[kind[0] for kind in KINDS])
@inside
def test_typed_arrays(name, form, values):
    import struct

    import js
    from pyodide.ffi import JsBuffer, to_js

    data = struct.pack(f"<{len(values)}{form}", *values)
    made = run_js("(name, bytes) => new globalThis[name](bytes.slice().buffer)")(name, to_js(data))
    assert isinstance(made, JsBuffer) and made.constructor.name == name
    assert list(made) == values and len(made) == len(values)
    assert made.to_bytes() == data
    if name in ("Uint8Array", "Uint8ClampedArray"):
        assert bytes(made) == data
    else:  # as of any other iterable, its items
        with raises(ValueError, TypeError):
            bytes(made)
    view = made.to_memoryview()
    assert view.format == form and view.tolist() == values
    assert made.to_py().tolist() == values
    assert made[0] == values[0] and made[-1] == values[-1]
    made[1] = values[2]
    assert made[1] == values[2]
    if name != "Uint8ClampedArray":
        converted = to_js(memoryview(data).cast(form))
        assert converted.constructor.name == name and list(converted) == values
    target = memoryview(bytearray(len(data))).cast(form)
    made.assign_to(target)
    assert target.tobytes() == made.to_bytes()
    made.assign(memoryview(data).cast(form))
    assert made.to_bytes() == data
    assert list(js.Array.from_(made)) == values


@inside
def test_range_and_slices_of_typed_arrays():
    from js import Uint8Array

    array = Uint8Array.new(3)
    for bad in (3, -4):
        try:
            array[bad]
        except IndexError:
            continue
        raise AssertionError(f"index {bad} was accepted")
    with raises(NotImplementedError):
        array[0:1]
    for index in range(len(array)):
        array[index] = index + 1
    assert array.to_bytes() == b"\1\2\3" and 2 in array and 9 not in array
    assert array.slice(1).to_bytes() == b"\2\3" and array.subarray(1, 2).to_bytes() == b"\2"
    assert array.subarray(1).buffer.byteLength == 3
    for size in (2, 4):
        try:
            array.assign(b"x" * size)
        except ValueError as error:
            assert "cannot assign" in str(error)
            continue
        raise AssertionError(f"{size} bytes went into 3")


@inside
def test_array_buffers_and_data_views():
    from js import ArrayBuffer, DataView, Uint8Array

    buffer = ArrayBuffer.new(4)
    view = DataView.new(buffer, 1, 2)
    view.setUint16(0, 0x0102)
    assert buffer.to_bytes() == b"\0\1\2\0" and view.to_bytes() == b"\1\2"
    assert buffer.to_py().tolist() == [0, 1, 2, 0] and buffer.to_memoryview().nbytes == 4
    buffer.assign(b"abcd")
    assert Uint8Array.new(buffer).to_string() == "abcd" and buffer.to_string() == "abcd"
    with raises(TypeError):
        bytes(buffer)
    view.assign(b"xy")
    assert buffer.to_bytes() == b"axyd"
    assert not ArrayBuffer.new(0) and ArrayBuffer.new(1) and not Uint8Array.new(0)


@inside
def test_python_buffers_in_js():
    import array

    from js import Uint8Array
    from pyodide.ffi import create_proxy, to_js

    for source in (
        b"abc",
        bytearray(b"abc"),
        memoryview(b"abc"),
        memoryview(b"xabcx")[1:4],
        memoryview(b"aXbXc")[::2],
    ):
        assert to_js(source).to_bytes() == b"abc", source
    assert to_js(array.array("d", [1.5, 2.5])).constructor.name == "Float64Array"
    assert to_js(array.array("i", [1, -2])).to_py().tolist() == [1, -2]
    assert Uint8Array.new(b"abc").length == 3
    assert Uint8Array.new([1, 2, 3]).to_bytes() == b"\1\2\3"
    proxy = create_proxy(b"\1\2\3")
    buffer = run_js(
        "(p) => { const b = p.getBuffer('u8'); const t = b.data.reduce((x, y) => x + y); b.release(); return t }"
    )
    assert buffer(proxy) == 6
    assert to_js(b"").to_bytes() == b"" and to_js(b"").length == 0
    copied = bytearray(b"abc")
    converted = to_js(copied)
    copied[0] = 0
    assert converted.to_bytes() == b"abc"


@inside
async def test_bodies_of_bytes():
    from js import Blob, Response
    from pyodide.ffi import to_js

    data = bytes(range(256))
    for body in (to_js(data), to_js(data).buffer, Blob.new(to_js([to_js(data)]))):
        assert (await Response.new(body).arrayBuffer()).to_bytes() == data
    assert (await Response.new("你好").arrayBuffer()).to_bytes() == "你好".encode()


@inside
def test_text_decoding():
    from pyodide.ffi import to_js

    assert to_js("你好".encode()).to_string() == "你好"
    assert to_js("你好".encode("gbk")).to_string("gbk") == "你好"
    with raises(Exception):
        to_js(b"a").to_string("no-such-encoding")


@inside
def test_text_of_bytes_that_are_none():
    from js import Uint8Array
    from pyodide.ffi import to_js

    data = Uint8Array.new(to_js(b"hi\xff"))
    assert data.to_string("latin1") == "hiÿ"
    for label in (None, "utf-8", "utf-16"):
        with raises(ValueError):
            data.to_string(label)


@inside
def test_assignments_need_the_same_format():
    import array

    from js import Float32Array, Uint8Array, Uint32Array

    words = Uint32Array.new(2)
    with raises(ValueError):
        words.assign(bytes(8))
    words.assign(array.array("I", [1, 2]))
    assert list(words) == [1, 2] and words.index(2) == 1 and words.count(1) == 1
    with raises(BufferError):
        Uint8Array.new(2).assign_to(b"ab")
    with raises(TypeError):
        del words[0]
    with raises(TypeError):
        bytes(Float32Array.of(1.5))
    assert bytes(Uint8Array.of(1, 2)) == b"\1\2" == bytes(run_js("new Uint16Array([1, 2])"))
    assert not hasattr(words, "keys")
