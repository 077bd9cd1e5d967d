"""Blob, File, FormData and the two encodings of forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.isolate.realm.host.forms import part_offsets
from emulator.isolate.realm.realm import HostError

from .conftest import JSFailure

Run = Callable[..., Any]
MULTIPART = "{'content-type': 'multipart/form-data; boundary=\"b\"'}"


def test_blob(run: Run) -> None:
    source = """
    const b = new Blob(['a', new Uint8Array([98]), new Uint8Array([0, 99]).subarray(1), new Blob(['é']), 5],
                       {type: 'Text/X'});
    return [b.size, b.type, await b.text(), await b.bytes(), (await b.arrayBuffer()).byteLength, String(b),
            await new Response(b.stream()).text(), new Blob().size, new Blob([], {type: 'é'}).type];"""
    assert run(source) == [6, "text/x", "abcé5", "abcé5".encode(), 6, "[object Blob]", "abcé5", 0, ""]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", "abcdef"),
        ("1", "bcdef"),
        ("1, 3", "bc"),
        ("-2", "ef"),
        ("-4, -1", "cde"),
        ("4, 2", ""),
        ("9", ""),
        ("0, 99", "abcdef"),
        ("NaN, 1.9", "a"),
    ],
)
def test_slice(run: Run, arguments: str, text: str) -> None:
    assert run(f"await new Blob(['abcdef']).slice({arguments}).text()") == text


def test_slice_has_a_type_of_its_own(run: Run) -> None:
    assert run(
        "const b = new Blob(['a'], {type: 'x/y'}); return [b.slice().type, b.slice(0, 1, 'T').type];"
    ) == ["", "t"]


def test_blob_does_not_share_bytes(run: Run) -> None:
    source = """
    const bytes = new Uint8Array([1]), b = new Blob([bytes]);
    bytes[0] = 9; (await b.bytes())[0] = 8;
    return await b.bytes();"""
    assert run(source) == b"\x01"


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("new Blob(new Set(['a']))", "TypeError", "Failed to construct 'Blob': constructor parameter 1 is not of type 'Array'."),
        ("new Blob('a')", "TypeError", "Failed to construct 'Blob': constructor parameter 1 is not of type 'Array'."),
        ("new Blob(['a'], {endings: 'native'})", "Error", "The 'endings' field on 'Options' is not implemented."),
        ("new File(['a'])", "TypeError", "Failed to construct 'File': constructor parameter 2 is not of type 'string'."),
        ("new FormData().append('a')", "TypeError", "Failed to execute 'append' on 'FormData': parameter 2 is not of type 'File or Blob or string'."),
        ("Object.getOwnPropertyDescriptor(Blob.prototype, 'size').get.call({})", "TypeError", "Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details."),
        ("await new Response('x', {headers: {'content-type': 'multipart/form-data'}}).formData()", "TypeError", "No boundary string in Content-Type header. The multipart/form-data MIME type requires a boundary parameter, e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4."),
        ("await new Response('x').formData()", "TypeError", "Unrecognized Content-Type header value. FormData can only parse the following MIME types: multipart/form-data, application/x-www-form-urlencoded"),
        ("await new Response(new Uint8Array(1)).formData()", "TypeError", "Parsing a Body as FormData requires a Content-Type header."),
        (f"await new Response('x', {{headers: {MULTIPART}}}).formData()", "TypeError", "No initial boundary string (or you have a truncated message)."),
    ],
)  # fmt: skip
def test_refused(run: Run, source: str, name: str, message: str) -> None:
    with pytest.raises(JSFailure) as caught:
        run(source)
    assert (caught.value.name, caught.value.message) == (name, message)


def test_file(run: Run) -> None:
    source = """
    const f = new File(['a'], 'n.txt', {type: 'a/b', lastModified: 5});
    return [f.name, f.type, f.lastModified, f.size, String(f), f instanceof Blob, new File([], 'x').lastModified > 0];"""
    assert run(source) == ["n.txt", "a/b", 5, 1, "[object File]", True, True]


def test_form_data(run: Run) -> None:
    source = """
    const f = new FormData();
    f.append('a', 1); f.append('b', undefined); f.append('a', '2');
    const before = [f.get('a'), f.getAll('a'), f.has('b'), f.has('zz'), f.get('zz'), f.get('b'), [...f.keys()],
                    [...f.values()], [...f.entries()].length];
    f.set('a', '3'); f.set('c', '4'); f.delete('b');
    const seen = [];
    f.forEach((value, key, parent) => seen.push([key, value, parent === f]));
    return [before, [...f], seen, String(f)];"""
    assert run(source) == [
        ["1", ["1", "2"], True, False, None, "undefined", ["a", "b", "a"], ["1", "undefined", "2"], 3],
        [["a", "3"], ["c", "4"]],
        [["a", "3", True], ["c", "4", True]],
        "[object FormData]",
    ]


def test_form_data_names_files(run: Run) -> None:
    source = """
    const f = new FormData(), file = new File(['x'], 'own.txt', {type: 't/p', lastModified: 7});
    f.set('k', new Blob(['b'])); f.set('named', new Blob(['b']), 'n.bin'); f.set('f', file); f.set('g', file, 'g.txt');
    return [[...f].map(([k, v]) => [k, v.constructor.name, v.name, v.type]), f.get('f') === file, f.get('g').lastModified > 7];
    """
    assert run(source) == [
        [["k", "File", "k", ""], ["named", "File", "n.bin", ""], ["f", "File", "own.txt", "t/p"], ["g", "File", "g.txt", "t/p"]],
        True,
        True,
    ]  # fmt: skip


def test_urlencoded(run: Run) -> None:
    source = """
    const r = new Response('a=1&b=x+y%20%E4%B8%AD&a=2&empty=', {
      headers: {'content-type': 'application/x-www-form-urlencoded; charset=utf-8'}});
    return [...await r.formData()];"""
    assert run(source) == [["a", "1"], ["b", "x y 中"], ["a", "2"], ["empty", ""]]


def test_multipart_from_elsewhere(run: Run) -> None:
    body = (
        b'preamble\r\n--b\r\ncontent-disposition: form-data; name="plain"\r\n\r\n1\n2\r\n'
        b'--b\r\nContent-Disposition: form-data; filename="a \\"q\\".txt"; name="f"\r\nContent-Type: text/html\r\n\r\n\r\n'
        b'--b\r\nContent-Disposition: form-data; name="%22x"\r\n\r\n\xe4\xb8\xad\r\n--b--\r\nepilogue'
    )
    source = f"""
    const f = await new Response(body, {{headers: {MULTIPART}}}).formData(), file = f.get('f');
    return [[...f.keys()], f.get('plain'), file.name, file.type, file.size, f.get('%22x')];"""
    assert run(source, body=body) == [["plain", "f", "%22x"], "1\n2", 'a "q".txt', "text/html", 0, "中"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "No initial boundary string"),
        (b"--b", "Boundary string was not succeeded by CRLF, LF, or '--'."),
        (b"--b\r\n", "No multipart message header termination found."),
        (b"--b\r\nA: b\r\n\r\nx", "No subsequent boundary string after multipart message."),
        (b"--bX\r\nA: b\r\n\r\nx\r\n--bX--", "Boundary string was not succeeded by"),
        (b"--b\r\nA: b\r\n\r\nx\r\n--bY\r\n--b--", "Boundary string was not succeeded by"),
    ],
)
def test_malformed_multipart(body: bytes, message: str) -> None:
    with pytest.raises(HostError, match=message):
        part_offsets(body, "b")


@pytest.mark.parametrize("content", [b"", b"x", b"x--b", b"\r\n", b"x\r\n-b--"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_contents_of_parts(content: bytes, end: bytes) -> None:
    body = b"--b" + end + b"A: b" + end * 2 + content + end + b"--b--"
    assert [body[start:stop] for _, _, start, stop in part_offsets(body, "b")] == [content]


def test_empty_multipart() -> None:
    assert part_offsets(b"--b--\r\n", "b") == []


NAMES = st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n'), min_size=1, max_size=12)
"""What a name may have to come back: quotes and line ends do not, as on the platform."""
ENTRIES = st.lists(
    st.one_of(
        st.tuples(NAMES, st.text(st.characters(codec="utf-8"), max_size=40)),
        st.tuples(NAMES, NAMES, st.binary(max_size=60)),
    ),
    max_size=5,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=ENTRIES)
def test_multipart_round_trip(run: Run, entries: list[tuple[Any, ...]]) -> None:
    run("globalThis.form = new FormData(); return 0;")
    for name, *rest in entries:
        if len(rest) == 1:
            run("form.append(name, text)", name=name, text=rest[0])
        else:
            run(
                "form.append(name, new Blob([data], {type: 'a/b'}), filename)",
                name=name,
                filename=rest[0],
                data=rest[1],
            )
    source = """
    const parsed = await new Response(form).formData(), out = [];
    for (const [key, value] of parsed) {
      out.push(typeof value === 'string' ? [key, value] : [key, value.name, await value.bytes()]);
    }
    return out;"""
    assert run(source) == [list(entry) for entry in entries]
