"""The position locators against random documents: every key and value is found where it was written."""

from __future__ import annotations

import json
import math
import string
import tomllib
from typing import Any

import pyjson5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.config.places_json import locate_json
from emulator.config.places_toml import locate_toml

Where = dict[tuple[str | int, ...], tuple[int, int]]

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.text(
    string.ascii_letters, min_size=1
)
SCALARS = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=6)


class Writer:
    """Writes a document piece by piece, noting where each key and value begins."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.marks: Where = {}

    def fill(self, *choices: str) -> None:
        self.text += self.draw(st.sampled_from(choices))


class JsonWriter(Writer):
    def blank(self) -> None:
        self.fill("", " ", "\r\n", "\t", '/* "x": [ */', "// {\n", "\n  ")

    def value(self, value: Any, path: tuple[str | int, ...] = ()) -> None:
        if isinstance(value, dict):
            self.items("{", "}", [(key, key, item) for key, item in value.items()], path)
        elif isinstance(value, list):
            self.items("[", "]", [(index, None, item) for index, item in enumerate(value)], path)
        else:
            self.text += json.dumps(value, ensure_ascii=self.draw(st.booleans()))

    def items(self, start: str, end: str, items: list[Any], path: tuple[str | int, ...]) -> None:
        self.text += start
        for number, (part, key, item) in enumerate(items):
            self.blank()
            at = len(self.text)
            if key is not None:
                self.text += json.dumps(key, ensure_ascii=self.draw(st.booleans()))
                self.blank()
                self.text += ":"
                self.blank()
            self.marks[*path, part] = (at, len(self.text))
            self.value(item, (*path, part))
            self.blank()
            self.text += "," if number < len(items) - 1 else self.draw(st.sampled_from(["", ","]))
        self.blank()
        self.text += end


class TomlWriter(Writer):
    def key(self, key: str) -> str:
        bare = key and set(key) <= set(string.ascii_letters + string.digits + "_-")
        return key if bare and self.draw(st.booleans()) else toml_string(key)

    def pair(self, key: str, value: Any, path: tuple[str | int, ...]) -> None:
        at = len(self.text)
        self.text += self.key(key)
        self.fill("=", " = ", "\t= ")
        self.marks[*path, key] = (at, len(self.text))
        self.value(value, (*path, key))

    def value(self, value: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            self.text += "{"
            for number, (key, item) in enumerate(value.items()):
                self.text += ", " if number else " "
                self.pair(key, item, path)
            self.text += "}"
        elif isinstance(value, list):
            self.text += "["
            for index, item in enumerate(value):
                self.fill("", " ", "\n", "# ] \n")
                self.marks[*path, index] = (len(self.text), len(self.text))
                self.value(item, (*path, index))
                self.fill(",", " ,", "\n,")
            self.fill("", "\n")
            self.text += "]"
        else:
            self.text += toml_scalar(value, self.draw)

    def document(self, table: dict[str, Any], sections: dict[str, list[dict[str, Any]]]) -> None:
        for key, value in table.items():
            self.fill("", "\n", "# [x] = 1\n", "  ")
            self.pair(key, value, ())
            self.fill("\n", " # c\r\n", "\r\n\n")
        for name, items in sections.items():
            for index, item in enumerate(items):
                start = len(self.text)
                self.text += "[[ "
                here = (len(self.text), start)
                self.marks.setdefault((name,), here)
                self.marks[name, index] = here
                self.text += f"{self.key(name)} ]]\n"
                for key, value in item.items():
                    self.pair(key, value, (name, index))
                    self.text += "\n"


def toml_string(text: str) -> str:
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text) + '"'


def toml_scalar(value: Any, draw: st.DrawFn) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e")
    if isinstance(value, int):
        return str(value)
    plain = all(c.isprintable() for c in value) and not set(value) & set("'\"\\")
    quote = draw(st.sampled_from(["'", '"""', "'''"])) if plain else ""
    return f"{quote}{value}{quote}" if quote else toml_string(value)


@st.composite
def json_documents(draw: st.DrawFn) -> tuple[str, Any, Where]:
    writer = JsonWriter(draw)
    value = draw(TABLES)
    writer.blank()
    writer.value(value)
    writer.blank()
    return writer.text, value, writer.marks


@st.composite
def toml_documents(draw: st.DrawFn) -> tuple[str, Any, Where]:
    writer = TomlWriter(draw)
    table = draw(TABLES)
    names = KEYS.filter(lambda name: name not in table)
    sections = draw(st.dictionaries(names, st.lists(TABLES, min_size=1, max_size=3), max_size=2))
    writer.document(table, sections)
    return writer.text, {**table, **sections}, writer.marks


@given(json_documents())
def test_json_places(document: tuple[str, Any, Where]) -> None:
    text, value, marks = document
    assert pyjson5.decode(text) == value
    located = locate_json(text)
    assert located.marks == marks
    assert located.duplicates == [] and located.foreign == []


@given(toml_documents())
def test_toml_places(document: tuple[str, Any, Where]) -> None:
    text, value, marks = document
    assert tomllib.loads(text) == value
    assert locate_toml(text) == marks


def test_toml_headers_and_dotted_keys() -> None:
    text = """\
a.b . "c d" = 1
[x.'y.z']
k = '''
[not]
a header'''
[[arr]]
[arr.sub]
v = { w.u = [ { q = 1 } ] }
[[arr]]
[[arr.deep]]
n = 1979-05-27 07:32:00
[[arr.deep]]
m = -inf # [c]
"""
    tomllib.loads(text)
    marks = locate_toml(text)

    def at(*path: str | int) -> tuple[str, str]:
        key, value = marks[path]
        return text[key:].split("\n")[0], text[value:].split("\n")[0]

    assert at("a") == ('a.b . "c d" = 1', "1")
    assert at("a", "b", "c d") == ('"c d" = 1', "1")
    assert at("x", "y.z") == ("'y.z']", "[x.'y.z']")
    assert at("x", "y.z", "k") == ("k = '''", "'''")
    assert at("arr", 0, "sub", "v", "w", "u", 0, "q") == ("q = 1 } ] }", "1 } ] }")
    assert at("arr", 1, "deep", 0, "n") == ("n = 1979-05-27 07:32:00", "1979-05-27 07:32:00")
    assert at("arr", 1, "deep", 1, "m") == ("m = -inf # [c]", "-inf # [c]")


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("{a: 1}", 1),
        ("{'a': 1}", 1),
        ("{\"a\": 'x'}", 6),
        ('{"a": 0x10}', 6),
        ('{"a": .5}', 6),
        ('{"a": NaN}', 6),
    ],
)
def test_json5_beyond_json_is_foreign(text: str, offset: int) -> None:
    assert pyjson5.decode(text)
    assert [where for where, _ in locate_json(text).foreign] == [offset]


def test_duplicate_keys_are_found_and_the_last_place_counts() -> None:
    text = '{"a": 1, "b": {"c": 1, "c": 2}, "\\u0061": 3}'
    located = locate_json(text)
    assert located.duplicates == [(("b", "c"), 15, 23), (("a",), 1, 32)]
    assert located.marks[("a",)] == (32, 42)
    assert math.isclose(pyjson5.decode(text)["a"], 3)
