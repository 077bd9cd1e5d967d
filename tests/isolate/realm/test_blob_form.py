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
        ("new File(['a'])", "TypeError", "Failed to construct 'File': 2 arguments required, but only 1 present."),
        ("new FormData().append('a')", "TypeError", "Failed to execute 'append' on 'FormData': 2 arguments required, but only 1 present."),
        ("Object.getOwnPropertyDescriptor(Blob.prototype, 'size').get.call({})", "TypeError", "Illegal invocation"),
        ("await new Response('x', {headers: {'content-type': 'multipart/form-data'}}).formData()", "TypeError", "No boundary string in Content-Type header. The multipart/form-data MIME type requires a boundary parameter, e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4."),
        ("await new Response('x').formData()", "TypeError", "Unrecognized Content-Type header value. FormData can only parse the following MIME types: multipart/form-data, application/x-www-form-urlencoded."),
        ("await new Response(new Uint8Array(1)).formData()", "TypeError", "Parsing a Body as FormData requires a Content-Type header."),
        (f"await new Response('x', {{headers: {MULTIPART}}}).formData()", "TypeError", "Malformed multipart/form-data body: the boundary of the Content-Type does not occur."),
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
    return [[...f].map(([k, v]) => [k, v.constructor.name, v.name, v.type]), f.get('f') === file, f.get('g').lastModified];
    """
    assert run(source) == [
        [["k", "File", "k", ""], ["named", "File", "n.bin", ""], ["f", "File", "own.txt", "t/p"], ["g", "File", "g.txt", "t/p"]],
        True,
        7,
    ]  # fmt: skip


def test_urlencoded(run: Run) -> None:
    source = """
    const r = new Response('a=1&b=x+y%20%E4%B8%AD&a=2&empty=', {
      headers: {'content-type': 'application/x-www-form-urlencoded; charset=utf-8'}});
    return [...await r.formData()];"""
    assert run(source) == [["a", "1"], ["b", "x y 中"], ["a", "2"], ["empty", ""]]


def test_multipart_from_elsewhere(run: Run) -> None:
    body = (
        b"preamble\r\n--b\r\ncontent-disposition: form-data; name=plain\r\n\r\n1\n2\r\n"
        b'--b  \r\nContent-Disposition: form-data; filename="a \\"q\\".txt"; name="f"\r\nContent-Type: text/html\r\n\r\n\r\n'
        b'--b\r\nContent-Disposition: form-data; name="%22x%22"\r\n\r\n\xe4\xb8\xad\r\n--b--\r\nepilogue'
    )
    source = f"""
    const f = await new Response(body, {{headers: {MULTIPART}}}).formData(), file = f.get('f');
    return [[...f.keys()], f.get('plain'), file.name, file.type, file.size, f.get('"x"')];"""
    assert run(source, body=body) == [["plain", "f", '"x"'], "1\n2", 'a "q".txt', "text/html", 0, "中"]


@pytest.mark.parametrize(
    "body",
    [b"--b", b"--b\r\n", b"--b\r\nA: b\r\n\r\nx", b"--bX\r\nA: b\r\n\r\nx\r\n--bX--", b"--b\r\n\r\n\r\n"],
)
def test_malformed_multipart(body: bytes) -> None:
    with pytest.raises(HostError, match="Malformed multipart/form-data body"):
        part_offsets(body, "b")


def test_lines_like_the_boundary_are_content() -> None:
    content = b"x\r\n--bY\r\n--b -\r\n"
    body = b"--b\r\nA: b\r\n\r\n" + content + b"\r\n--b--"
    assert [body[head_end + 4 : end] for _, head_end, end in part_offsets(body, "b")] == [content]


def test_empty_multipart() -> None:
    assert part_offsets(b"--b--\r\n", "b") == []


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="%\\"), max_size=12)
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
