"""TextEncoder, TextDecoder, atob and btoa in the realm."""

from __future__ import annotations

import base64
import codecs
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.isolate.realm.host.encodings import byte_table, encoding_name

from .conftest import JSFailure

FIXTURES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_encode(run):
    assert run("new TextEncoder().encode('hé😀')") == "hé😀".encode()
    assert run("new TextEncoder().encode()") == b""
    assert run("new TextEncoder().encode('a\\ud800b')") == "a\ufffdb".encode()
    assert run("String(new TextEncoder().encode('x').constructor.name)") == "Uint8Array"


def test_long_concatenated_strings_reach_the_host(run):
    assert (
        run("let s = ''; for (let i = 0; i < 9000; i++) s += 'ab'; return new TextEncoder().encode(s)")
        == b"ab" * 9000
    )


@pytest.mark.parametrize(
    ("source", "room", "answer"),
    [
        ("你好", 5, (1, 3)),
        ("ab", 9, (2, 2)),
        ("😀x", 4, (2, 4)),
        ("😀", 3, (0, 0)),
        ("é", 1, (0, 0)),
        ("", 0, (0, 0)),
    ],
)
def test_encode_into(run, source, room, answer):
    script = "const u = new Uint8Array(room); const r = new TextEncoder().encodeInto(source, u); return [r.read, r.written, u]"
    read, written, content = run(script, source=source, room=room)
    assert (read, written) == answer
    assert content[:written] == source.encode()[:written]
    assert content[written:] == bytes(room - written)


def test_decode(run):
    data = "\ufeff你好".encode()
    assert run("new TextDecoder().decode(data)", data=data) == "你好"
    assert run("new TextDecoder('utf8', {ignoreBOM: true}).decode(data)", data=data) == "\ufeff你好"
    assert run("new TextDecoder().decode(new DataView(data, 3, 3))", data=data) == "你"
    assert run("new TextDecoder().decode(new Uint16Array([0x4241]))") == "AB"
    assert run("new TextDecoder().decode()") == ""
    assert run("new TextDecoder().decode(new Uint8Array([0xff, 0x41]))") == "\ufffdA"


def test_fatal(run):
    with pytest.raises(JSFailure, match="TypeError: Failed to decode input"):
        run("new TextDecoder('utf-8', {fatal: true}).decode(new Uint8Array([0xff]))")
    with pytest.raises(JSFailure, match="TypeError: Failed to decode input"):
        run("new TextDecoder('utf-8', {fatal: true}).decode(new Uint8Array([0xe4]))")


def test_stream(run):
    script = """
      const d = new TextDecoder(); const u = new Uint8Array(data); const out = [];
      for (const byte of u) out.push(d.decode(new Uint8Array([byte]), {stream: true}));
      out.push(d.decode());
      return out.join('|')
    """
    assert run(script, data="\ufeffé你".encode() + b"\xe4") == "||||é|||你||\ufffd"


def test_labels(run):
    labels = ["utf8", " LATIN1 ", "gb2312", "sjis", "unicode", "ascii", "x-x-big5", "866"]
    expected = ["utf-8", "windows-1252", "gbk", "shift_jis", "utf-16le", "windows-1252", "big5", "ibm866"]
    assert run("labels.map((label) => new TextDecoder(label).encoding)", labels=labels) == expected
    for label in ("nope", "iso-2022-kr", ""):
        with pytest.raises(JSFailure, match="RangeError"):
            run("new TextDecoder(label)", label=label)


@pytest.mark.parametrize(
    ("label", "data", "text"),
    [
        ("big5", "\u4f60\u597d".encode("big5"), "你好"),
        ("gbk", "你好€".encode("gb18030"), "你好€"),
        ("shift_jis", "日本ｱ①".encode("cp932"), "日本ｱ①"),
        ("euc-jp", "日本".encode("euc_jp"), "日本"),
        ("iso-2022-jp", "日本a".encode("iso2022_jp"), "日本a"),
        ("euc-kr", "한국".encode("cp949"), "한국"),
        ("utf-16le", b"\xff\xfea\x00\x3d\xd8\x00\xde", "a😀"),
        ("utf-16be", b"\x00a\xd8\x00", "a\ufffd"),
        ("big5", b"\xa1\x45\xa2\x47\xa3\xe1", "\u2027￡€"),
        ("gbk", b"\x80\xa3\xa0", "€\u3000"),
        ("gbk", b"\x8030", "€30"),
        ("gbk", b"\x8130A", "\ufffd30A"),
        ("gbk", b"\x81\x30", "\ufffd"),
        ("gb18030", b"\x84\x32\x81\x31A", "\ufffdA"),
        ("gb18030", b"\x810\x81", "\ufffd"),
        ("euc-jp", b"\x8fA", "\ufffdA"),
        ("big5", b"\xfe\xff\x81A\x81", "\ufffd\ufffdA\ufffd"),
        ("euc-jp", b"\xad\xa1\xa1\xc1", "①～"),
        ("iso-2022-jp", b"\x1b$B\x2d\x21\x1b(B", "①"),
        ("shift_jis", b"\xa0\x80a", "\ufffd\x80a"),
        ("windows-1252", b"\x80\x81\x9f\xe9", "€\x81Ÿé"),
        ("windows-1255", b"\xca", "\u05ba"),
        ("windows-874", b"\xa1\xdb", "ก\ufffd"),
        ("koi8-u", b"\xae\xc1", "ўа"),
        ("x-user-defined", b"a\x80\xff", "a\uf780\uf7ff"),
    ],
)
def test_legacy_encodings(run, label, data, text):
    assert run("new TextDecoder(label).decode(data)", label=label, data=data) == text


def test_every_single_byte_encoding_has_a_table():
    names = {encoding_name(f"iso-8859-{i}") for i in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)}
    names |= {encoding_name(f"windows-{i}") for i in (874, *range(1250, 1259))}
    names |= {"ibm866", "koi8-r", "koi8-u", "macintosh", "x-mac-cyrillic", "iso-8859-8-i"}
    assert {len(byte_table(str(name))) for name in names} == {256}
    assert {byte_table(str(name))[:128] for name in names} == {bytes(range(128)).decode()}


@FIXTURES
@given(
    codec=st.sampled_from(["utf-8", "utf-16le", "utf-16be"]),
    data=st.one_of(st.text(max_size=12).map(lambda t: t.encode("utf-8", "replace")), st.binary(max_size=24)),
    cuts=st.lists(st.integers(0, 24), max_size=4),
)
def test_streaming_is_like_pythons_incremental_decoder(run, codec, data, cuts):
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    script = """
      const d = new TextDecoder(codec, {ignoreBOM: true}); let text = '';
      for (let i = 1; i < edges.length; i++) text += d.decode(data.slice(edges[i - 1], edges[i]), {stream: true});
      return text + d.decode()
    """
    decoder = codecs.getincrementaldecoder(codec)("replace")
    pieces = [decoder.decode(data[a:b]) for a, b in pairwise(edges)]
    assert run(script, codec=codec, data=data, edges=edges) == "".join(pieces) + decoder.decode(
        b"", final=True
    )


@FIXTURES
@given(
    name=st.sampled_from(["big5", "gbk", "shift_jis", "iso-2022-jp", "euc-jp", "euc-kr"]),
    data=st.one_of(
        st.binary(max_size=24), st.sampled_from(["你好", "日本", "한국"]).map(lambda t: t.encode("gb18030"))
    ),
    cut=st.integers(0, 24),
)
def test_legacy_streaming_is_like_decoding_at_once(run, name, data, cut):
    script = """
      const d = new TextDecoder(name);
      return [d.decode(data.slice(0, cut), {stream: true}) + d.decode(data.slice(cut)), new TextDecoder(name).decode(data)]
    """
    pieces, whole = run(script, name=name, data=data, cut=cut)
    assert pieces == whole


@FIXTURES
@given(data=st.binary(max_size=30))
def test_base64_round_trip(run, data):
    text = data.decode("latin-1")
    encoded = base64.b64encode(data).decode()
    assert run(
        "[btoa(text), atob(encoded), atob(loose)]",
        text=text,
        encoded=encoded,
        loose=f" {encoded.rstrip('=')}\n",
    ) == [
        encoded,
        text,
        text,
    ]


@pytest.mark.parametrize("text", ["a", "ab=c", "abc==", "====", "a_b-", "你", "abcde"])
def test_atob_refuses(run, text):
    with pytest.raises(JSFailure) as caught:
        run("atob(text)", text=text)
    assert caught.value.name == "InvalidCharacterError"


def test_btoa_refuses(run):
    with pytest.raises(JSFailure, match="InvalidCharacterError"):
        run("btoa('你')")


@pytest.mark.parametrize("second", range(0xA0, 0xC0, 5))
def test_half_a_surrogate_does_not_wait_for_its_end(run, second):
    source = f"""const d = new TextDecoder();
      return [d.decode(new Uint8Array([65, 0xED, {second}]), {{ stream: true }}), d.decode(new Uint8Array([66]))]"""
    assert run(source) == ["A\ufffd\ufffd", "B"]
    with pytest.raises(JSFailure, match="TypeError"):
        run(f"""new TextDecoder("utf-8", {{ fatal: true }})
                 .decode(new Uint8Array([0xED, {second}]), {{ stream: true }})""")


def test_what_may_become_a_character_waits(run):
    source = """const d = new TextDecoder();
      return [d.decode(new Uint8Array([0xED, 0x9F]), { stream: true }), d.decode(new Uint8Array([0xBF]))]"""
    assert run(source) == ["", "\ud7ff"]
