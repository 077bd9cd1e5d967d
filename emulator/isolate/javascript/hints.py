"""Why an exception was thrown that has no code of its own, in one sentence."""

from __future__ import annotations

import re
from typing import Any, Final

from emulator.diagnostics.report import Place
from emulator.diagnostics.subrequest_causes import advice_for, is_failed_fetch

from .source import Source, text_of, walk

_READING: Final = re.compile(
    r"Cannot (?:read|set) properties of (undefined|null) \((?:reading|setting) '(.*)'\)", re.S
)
_NOT_A_FUNCTION: Final = re.compile(r"(?P<callee>.*) is not a function", re.DOTALL)
_IDENTIFIER: Final = re.compile(r"([\w$]+)")
_CHAIN: Final = re.compile(r"(?<![\w$.])([\w$]+)(?:\.[\w$]+)*$")
_COMPILES: Final = (
    "Workers compile no WebAssembly at run time. Import the file, and instantiate what you get: "
)
_IMPORT: Final = (
    'import wasmModule from "./worker.wasm"; const instance = await WebAssembly.instantiate(wasmModule, {});'
)

_BY_MESSAGE: Final = (
    (
        r"Code generation from strings disallowed",
        "eval() and new Function() do not exist in Workers: all code must be in the files that are deployed.",
    ),
    (r"Wasm code generation disallowed", _COMPILES + _IMPORT),
    (r"WebAssembly\.\w+Streaming is not a function", _COMPILES + _IMPORT),
    (
        r"WebAssembly\.instantiate\(\): Import",
        "The second argument of instantiate() must have, for each import of "
        "the module, an object of that name with a function in it.",
    ),
    (
        r"Invalid typed array length|is outside the bounds of the buffer|offset is out of bounds",
        "The buffer ends "
        "before that: start and length must lie inside of it, for WebAssembly inside of memory.buffer.",
    ),
    (
        r"Invalid URL|Unable to parse URL",
        "A Worker has no page that completes a URL. Write the whole of it, "
        '"https://example.com/path", or new URL("/path", request.url).',
    ),
    (r"null body status", "Answers with this status have no body: write new Response(null, { status })."),
    (
        r"Invalid header (?:name|value)",
        "A header is one line: no line breaks in it, and no spaces in its name.",
    ),
    (
        r"\bsendBeacon is not a function",
        "The platform has it; cfw-emu does not have it yet. ctx.waitUntil(fetch(url, ...)) does the same.",
    ),
    (r"Assignment to constant variable", "It is declared with const; declare it with let to change it."),
    (r"Cannot access '.*' before initialization", "It is declared further down; move the declaration up."),
    (r"serialize a BigInt", "JSON has no BigInt: write String(value) or Number(value)."),
    (r"Cannot mix BigInt", "Convert one of the two: BigInt(number) or Number(bigint)."),
    (r"to a BigInt$", "A parameter of type i64 takes a BigInt: write 1n, or BigInt(number)."),
    (
        r"did not return bytes",
        "The body of a Response is bytes. Encode the text: "
        "controller.enqueue(new TextEncoder().encode(text)), or pipe it through a TextEncoderStream.",
    ),
    (r"invoked with(?:out)? 'new'|Please use the 'new' operator", "A class is called with new."),
)

_ASYNC: Final = frozenset(
    ("text", "json", "arrayBuffer", "bytes", "formData", "blob", "fetch", "instantiate", "compile", "digest",
     "get", "put", "list", "first", "all", "run", "match")
)  # fmt: skip
"""Functions of the platform that give a promise."""


_FULL_WIDTH: Final = dict(
    zip("，；：（）｛｝［］！？＝＋。“”‘’【】《》、", ",;:(){}[]!?=+.\"\"''[]<>,", strict=True)
)
_PYTHON: Final = re.compile(r"\s*(from [\w.]+ import |(async )?def \w+\(.*:|(if|for|while|class) .*:$)")


def foreign_hint(where: Place) -> str:
    """What a line is that is no JavaScript: Python, or punctuation of a Chinese keyboard."""
    character = where.source[where.column - 1 : where.column]
    if character in _FULL_WIDTH:
        return f"{character} is punctuation of Chinese text; in code write {_FULL_WIDTH[character]}"
    if _PYTHON.match(where.source):
        return "This line is Python. A Python file ends in .py, and `main` in the wrangler file names it."
    return ""


def hint(name: str, message: str, source: Source | None, before: str = "") -> str:
    """A sentence about an error of class ``name``; empty when there is nothing to say.

    Without a ``name``, ``message`` is the whole of what was thrown. ``before`` is the line up to the place.
    """
    if not name:
        if message.startswith("Response {"):
            return "A Response must be returned. Write `return new Response(...)`, not `throw`."
        return "The value that was thrown is no Error, so there is no stack. Throw `new Error(text)`."
    waiting = _unawaited(message, source, before)
    if waiting:
        return waiting
    if name == "SyntaxError" and "JSON" in message:
        return "The text that was parsed is not JSON. Look at it first: console.log(await response.text())."
    for pattern, sentence in _BY_MESSAGE:
        if re.search(pattern, message):
            return sentence
    if is_failed_fetch(message):
        return advice_for(message)
    if message.endswith(" is not a function"):
        return "There is no function of that name: check its spelling, and what is before the dot."
    found = _READING.fullmatch(message)
    if found is None:
        return ""
    if "setting" in message:
        return f"What is before .{found[2]} is {found[1]}: give it an object first."
    return f"What is before .{found[2]} is {found[1]}; `?.` reads on only when there is something."


def _unawaited(message: str, source: Source | None, before: str) -> str:
    """``text.trim is not a function`` after ``const text = request.text();``."""
    found = _NOT_A_FUNCTION.fullmatch(message)
    holder = _IDENTIFIER.match(found["callee"]) if found else None
    if _READING.fullmatch(message):
        holder = _CHAIN.search(before)
    if source is None or holder is None:
        return ""
    for node in walk(source.tree.root_node):
        if node.type == "variable_declarator" and text_of(node.child_by_field_name("name")) == holder[1]:
            value: Any = node.child_by_field_name("value")
            if value is not None and value.type == "call_expression" and _called(value) in _ASYNC:
                return f"`{holder[1]}` is a promise: write `await {_short(text_of(value))}`."
    return ""


def _short(text: str) -> str:
    return text if len(text) <= 100 and "\n" not in text else f"{text.partition('(')[0]}(...)"


def _called(call: Any) -> str:
    return text_of(call.child_by_field_name("function")).rpartition(".")[2]
