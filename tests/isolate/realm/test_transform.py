"""TransformStream, the platform's byte-wise transforms, compression and text streams."""

from __future__ import annotations

import gzip
import resource
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import JSFailure

Run = Callable[..., Any]


def test_transformer(run: Run) -> None:
    source = """
    const {readable, writable} = new TransformStream({
      start(c) { c.enqueue('start'); }, transform(x, c) { c.enqueue(x * 2); c.enqueue(-x); }, flush(c) { c.enqueue('end'); }});
    ReadableStream.from([1, 2]).pipeTo(writable);
    const out = [];
    for await (const x of readable) out.push(x);
    return out;"""
    assert run(source) == ["start", 2, -1, 4, -2, "end"]


@pytest.mark.parametrize("stream", ["TransformStream", "IdentityTransformStream"])
def test_writes_before_anyone_reads(run: Run, stream: str) -> None:
    source = f"""
    const {{readable, writable}} = new {stream}(), w = writable.getWriter();
    (async () => {{
      for (let i = 0; i < 3; i++) await w.write(new TextEncoder().encode(`chunk${{i}};`));
      await w.close();
    }})();
    return await new Response(readable).text();"""
    assert run(source) == "chunk0;chunk1;chunk2;"


@pytest.mark.parametrize("stream", ["TransformStream", "IdentityTransformStream"])
def test_backpressure(run: Run, stream: str) -> None:
    source = f"""
    const {{readable, writable}} = new {stream}(), w = writable.getWriter();
    let written = 0;
    for (let i = 0; i < 5; i++) w.write(new Uint8Array([i])).then(() => {{ written++; }});
    await new Promise((r) => setTimeout(r, 1));
    const before = written, reader = readable.getReader();
    await reader.read();
    await new Promise((r) => setTimeout(r, 1));
    return [before, written];"""
    assert run(source) == [0, 1]


def test_errors_reach_both_sides(run: Run) -> None:
    source = """
    const {readable, writable} = new TransformStream({transform() { throw new RangeError('boom'); }});
    const w = writable.getWriter(), read = readable.getReader().read().catch((e) => e.message);
    return [await w.write(1).catch((e) => e.message), await read, await w.closed.catch((e) => e.message)];"""
    assert run(source) == ["boom", "boom", "boom"]


def test_cancel_of_the_readable_side_fails_the_writable(run: Run) -> None:
    source = """
    let why;
    const {readable, writable} = new TransformStream({cancel(reason) { why = reason; }});
    const w = writable.getWriter(), pending = w.write(1).catch((e) => e);
    await readable.cancel('enough');
    return [why, await pending, await w.closed.catch((e) => e)];"""
    assert run(source) == ["enough", "enough", "enough"]


def test_abort_of_the_writable_side_fails_the_readable(run: Run) -> None:
    source = """
    let why;
    const {readable, writable} = new TransformStream({cancel(reason) { why = reason; }});
    const read = readable.getReader().read().catch((e) => e);
    await writable.abort('lost');
    return [why, await read];"""
    assert run(source) == ["lost", "lost"]


def test_terminate(run: Run) -> None:
    source = """
    const {readable, writable} = new TransformStream({transform(x, c) { c.enqueue(x); c.terminate(); }});
    const w = writable.getWriter(), reader = readable.getReader(), read = reader.read();
    await w.write(1);
    return [(await read).value, (await reader.read()).done, await w.closed.catch((e) => e.name)];"""
    assert run(source) == [1, True, "TypeError"]


# ---- byte streams of the platform --------------------------------------------------------


def test_identity_refuses_what_is_not_bytes(run: Run) -> None:
    with pytest.raises(JSFailure) as caught:
        run("await new IdentityTransformStream().writable.getWriter().write('text')")
    assert (caught.value.name, caught.value.message) == (
        "TypeError",
        "This TransformStream is being used as a byte stream, but received a string on its writable side. If you wish "
        "to write a string, you'll probably want to explicitly UTF-8-encode it with TextEncoder.",
    )
    with pytest.raises(
        JSFailure, match="an object of non-ArrayBuffer/ArrayBufferView type on its writable side"
    ):
        run("await new IdentityTransformStream().writable.getWriter().write({})")


def test_identity_with_byob(run: Run) -> None:
    source = """
    const {readable, writable} = new IdentityTransformStream(), w = writable.getWriter();
    w.write(new Uint8Array([1, 2, 3])); w.write(new Uint8Array(0)); w.write(new Uint8Array([4]).buffer); w.close();
    const reader = readable.getReader({mode: 'byob'}), out = [];
    for (;;) {
      const {done, value} = await reader.read(new Uint8Array(2));
      if (done) return [out, value];
      out.push(value);
    }"""
    assert run(source) == [[b"\x01\x02", b"\x03", b"\x04"], b""]


def test_fixed_length(run: Run) -> None:
    source = """
    const write = async (length, ...chunks) => {
      const {readable, writable} = new FixedLengthStream(length), w = writable.getWriter(), log = [];
      const text = new Response(readable).text().catch((e) => e.message);
      for (const chunk of chunks) await w.write(new TextEncoder().encode(chunk)).catch((e) => log.push(e.message));
      await w.close().catch((e) => log.push(e.message));
      return [await text, ...log];
    };
    return [await write(4, 'ab', 'cd'), await write(4n, 'ab'), await write(3, 'ab', 'cd'), await write(0)];"""
    many = "Attempt to write too many bytes through a FixedLengthStream."
    few = "FixedLengthStream did not see all expected bytes before close()."
    good, short, long, empty = run(source)
    assert (good, short, long[:2], empty) == (["abcd"], [few, few], [many, many], [""])


def test_inheritance(run: Run) -> None:
    source = """
    return [new FixedLengthStream(1) instanceof IdentityTransformStream, String(new IdentityTransformStream()),
            new CompressionStream('gzip') instanceof TransformStream];"""
    assert run(source) == [True, "[object IdentityTransformStream]", True]


def test_piping_much_through_identity_stays_flat(run: Run) -> None:
    source = """
    const chunk = new Uint8Array(65536);
    let made = 0, seen = 0;
    const from = new ReadableStream({pull(c) { if (made++ < count) c.enqueue(chunk); else c.close(); }});
    await from.pipeThrough(new IdentityTransformStream()).pipeTo(new WritableStream({write(c) { seen += c.length; }}));
    return seen;"""
    run(source, count=100)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert run(source, count=4000) == 4000 * 65536
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 8 * 1024


# ---- compression -------------------------------------------------------------------------

COMPRESS = "(bytes, format) => new Response(new Response(bytes).body.pipeThrough(new CompressionStream(format))).bytes()"
EXPAND = "(bytes, format) => new Response(new Response(bytes).body.pipeThrough(new DecompressionStream(format))).bytes()"
DATA = bytes(range(256)) * 300


@pytest.mark.parametrize(("format_", "wbits"), [("gzip", 31), ("deflate", 15), ("deflate-raw", -15)])
def test_compression(run: Run, format_: str, wbits: int) -> None:
    packed = run(f"await ({COMPRESS})(bytes, format)", bytes=DATA, format=format_)
    assert zlib.decompress(packed, wbits) == DATA
    assert run(f"await ({EXPAND})(bytes, format)", bytes=packed, format=format_) == DATA


def test_decompression_byte_by_byte(run: Run) -> None:
    source = """
    const whole = new Uint8Array(bytes);
    const s = ReadableStream.from([...whole].map((b) => new Uint8Array([b]))).pipeThrough(new DecompressionStream('gzip'));
    return await new Response(s).text();"""
    assert run(source, bytes=gzip.compress("中文".encode())) == "中文"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not gzip data", "Decompression failed"),
        (gzip.compress(b"x" * 100)[:-4], "incomplete data"),
        (gzip.compress(b"x") + b"more", "Trailing bytes"),
        (b"", "incomplete data"),
    ],
)
def test_bad_data(run: Run, data: bytes, message: str) -> None:
    with pytest.raises(JSFailure) as caught:
        run(f"await ({EXPAND})(bytes, 'gzip')", bytes=data)
    assert caught.value.name == "TypeError" and message in caught.value.message


def test_a_bomb_is_a_stream(run: Run) -> None:
    source = """
    const reader = new Response(bytes).body.pipeThrough(new DecompressionStream('gzip')).getReader();
    let total = 0, most = 0;
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return [total, most <= 65536];
      total += value.length; most = Math.max(most, value.length);
    }"""
    assert run(source, bytes=gzip.compress(bytes(5_000_000))) == [5_000_000, True]


def test_unknown_format(run: Run) -> None:
    with pytest.raises(
        JSFailure, match="The compression format must be either 'deflate', 'deflate-raw' or 'gzip'"
    ):
        run("new CompressionStream('br')")


# ---- text --------------------------------------------------------------------------------


def test_text_encoder_stream_joins_surrogates(run: Run) -> None:
    source = """
    const s = ReadableStream.from(['a', '\\ud83d', '\\ude00', 5, '\\ud83d']).pipeThrough(new TextEncoderStream());
    return [await new Response(s).text(), new TextEncoderStream().encoding];"""
    assert run(source) == ["a😀5\ufffd", "utf-8"]


def test_text_decoder_stream_joins_bytes(run: Run) -> None:
    source = """
    const bytes = new TextEncoder().encode('a中😀');
    const s = ReadableStream.from([...bytes].map((b) => new Uint8Array([b]))).pipeThrough(new TextDecoderStream());
    const out = [];
    for await (const x of s) out.push(x);
    const d = new TextDecoderStream('utf-8', {fatal: true});
    return [out, d.encoding, d.fatal, d.ignoreBOM];"""
    assert run(source) == [["a", "中", "😀"], "utf-8", True, False]


def test_fatal_text_decoder_stream(run: Run) -> None:
    source = """
    const s = ReadableStream.from([new Uint8Array([255])]).pipeThrough(new TextDecoderStream('utf-8', {fatal: true}));
    return await s.getReader().read().catch((e) => e.name);"""
    assert run(source) == "TypeError"


NOISE = "const noise = crypto.getRandomValues(new Uint8Array(65536));"


def test_a_writer_into_compression_never_waits(run: Run) -> None:
    source = f"""{NOISE}
    const cs = new CompressionStream('gzip'), w = cs.writable.getWriter();
    for (let i = 0; i < 40; i++) await w.write(noise);
    await w.close();
    const ds = new DecompressionStream('gzip'), v = ds.writable.getWriter();
    await v.write(await new Response(cs.readable).bytes());
    await v.close();
    return (await new Response(ds.readable).bytes()).length;"""
    assert run(source) == 40 * 65536


@pytest.mark.parametrize("bytes_each", [65536, 1])
def test_a_pipe_into_compression_waits_for_the_reader(run: Run, bytes_each: int) -> None:
    """Only what fits in a megabyte of output is read ahead; a small body is done with nobody reading."""
    source = f"""{NOISE}
    let pulled = 0, done = false;
    const source = new ReadableStream({{
      pull(c) {{ c.enqueue(noise.slice(0, {bytes_each})); if (++pulled === 60) c.close(); }} }});
    const cs = new CompressionStream('gzip');
    const piped = source.pipeTo(cs.writable).then(() => {{ done = true; }});
    await scheduler.wait(50);
    const before = [pulled < 60, done];
    const all = await new Response(cs.readable.pipeThrough(new DecompressionStream('gzip'))).bytes();
    await piped;
    return [before, all.length];"""
    assert run(source) == [[True, False] if bytes_each > 1 else [False, True], 60 * bytes_each]


def test_a_pipe_of_what_inflates_a_thousandfold_waits_too(run: Run) -> None:
    source = """
    const zipped = await new Response(
      new Response(new Uint8Array(8_000_000)).body.pipeThrough(new CompressionStream('gzip'))).bytes();
    const ds = new DecompressionStream('gzip');
    let done = false;
    const piped = new Response(zipped).body.pipeTo(ds.writable).then(() => { done = true; });
    await scheduler.wait(50);
    const before = done;
    return [before, (await new Response(ds.readable).bytes()).length, (await piped) ?? null, done];"""
    assert run(source) == [False, 8_000_000, None, True]
