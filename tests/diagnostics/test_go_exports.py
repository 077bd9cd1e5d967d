"""Why TinyGo does not export a function, found in its source."""

from __future__ import annotations

import time

import pytest

from emulator.diagnostics.go_exports import find_export_mistakes

HEAD = "//go:build tinygo.wasm\n\npackage main\n\n"
"""Four lines."""

CASES = {
    "good": ("//export handle\nfunc handle() {}\n", []),
    "good with a longer comment": ("//export handle\n// handle answers.\nfunc handle() {}\n", []),
    "good below another comment": ("// handle answers.\n//export handle\nfunc handle() {}\n", []),
    "good beside a block comment": ("//export handle\n/* one\ntwo */\nfunc handle() {}\n", []),
    "good under another Go name": ("//export handle\nfunc serve() {}\n", []),
    "good with wasmexport": ("//go:wasmexport handle\nfunc handle() {}\n", []),
    "good with go:export": ("//go:export handle\nfunc handle() {}\n", []),
    "good with Windows line ends": ("//export handle\r\nfunc handle() {}\r\n", []),
    "space": ("// export handle\nfunc handle() {}\n", [(5, "handle", "space")]),
    "tab": ("//\texport handle\nfunc handle() {}\n", [(5, "handle", "space")]),
    "tab behind the word": ("//export\thandle\nfunc handle() {}\n", [(5, "handle", "space")]),
    "capital": ("//Export handle\nfunc handle() {}\n", [(5, "handle", "space")]),
    "blank line": ("//export handle\n\nfunc handle() {}\n", [(5, "handle", "gap")]),
    "a variable between": ("//export handle\nvar a = 1\nfunc handle() {}\n", [(5, "handle", "gap")]),
    "at the end of the file": ("func handle() {}\n//export handle", [(6, "handle", "gap")]),
    "other case": ("//export Handle\nfunc Handle() {}\n", [(5, "handle", "case")]),
    "more text": ("//export handle // answers\nfunc handle() {}\n", [(5, "handle", "extra")]),
    "no comment": ("func handle() {}\n", [(5, "handle", "unmarked")]),
    "no function": ("func other() {}\n", []),
    "in a block comment": ("/*\n//export handle\n*/\nfunc handle() {}\n", [(8, "handle", "unmarked")]),
    "in a raw string": ("var a = `\n// export handle\nfunc handle() {}\n`\n", []),
    "in a string": ('var a = "// export handle"\nvar b = "\\"// export handle"\n', []),
    "a rune of a quote": ("var a = '\"'\n// export handle\nfunc handle() {}\n", [(6, "handle", "space")]),
    "prose": ("// export handle to the host\nfunc handle() {}\n", [(6, "handle", "unmarked")]),
    "a method": ("func (t T) handle() {}\n", []),
    "one wrong, one right": ("// export handle\n//export handle\nfunc handle() {}\n", []),
    "Chinese": ("// 處理\n// export 處理\nfunc 處理() {}\n", []),
}


@pytest.mark.parametrize("name", CASES)
def test_mistakes_are_found(name: str) -> None:
    body, expected = CASES[name]
    assert find_export_mistakes(HEAD + body, ["handle"]) == expected


def test_several_names_come_by_line() -> None:
    source = (
        "func alloc() {}\n// export handle\nfunc handle() {}\n//export responsePtr\n\nfunc responsePtr() {}\n"
    )
    assert find_export_mistakes(source, ["responsePtr", "handle", "alloc", "responseLen"]) == [
        (1, "alloc", "unmarked"),
        (2, "handle", "space"),
        (4, "responsePtr", "gap"),
    ]


@pytest.mark.parametrize(
    "text", ["", "`" * 99_999, '"' * 99_999, "/*" * 99_999, "'\\" * 99_999, "//export a\n" * 99_999]
)
def test_damaged_files_take_no_time(text: str) -> None:
    start = time.process_time()
    assert find_export_mistakes(text, ["handle"]) == []
    assert time.process_time() - start < 2
