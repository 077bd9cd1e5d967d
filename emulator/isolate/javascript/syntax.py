"""Syntax errors in V8's words, at the place that V8 points at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from .source import Source

_TOKEN: Final = re.compile(
    r"[\w$\u0080-\U0010ffff]+|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`|=>|\?\?=?|\?\.|\.\.\.|"
    r"[=!]==?|&&=?|\|\|=?|\+\+|--|\*\*=?|<<=?|>>>?=?|[-+*/%&|^<>]=?|."
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*")

_RESERVED: Final = re.compile(
    "break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|"
    "for|function|if|import|in|instanceof|new|null|return|super|switch|this|throw|true|try|typeof|var|void|"
    "while|with"
)
_STRICT: Final = re.compile("implements|interface|let|package|private|protected|public|static|yield")

_AGAIN: Final = "Identifier '{name}' has already been declared"
_TWICE: Final = "Duplicate parameter name not allowed in this context"

_MESSAGES: Final[Mapping[str, str]] = {
    "missing initializer for const variable": "Missing initializer in const declaration",
    "invalid assignment left-hand side": "Invalid left-hand side in assignment",
    "invalid lvalue in strict mode": "Invalid left-hand side in assignment",
    "invalid increment/decrement operand": "Invalid left-hand side expression in postfix operation",
    "return not in a function": "Illegal return statement",
    "break must be inside loop or switch": "Illegal break statement",
    "continue must be inside loop": "Illegal continue statement: no surrounding iteration statement",
    "expecting catch or finally": "Missing catch or finally after try",
    "unexpected end of regexp": "Invalid regular expression: missing /",
    "function name expected": "Function statements require a function name",
    "line terminator not allowed after throw": "Illegal newline after throw",
    "octal literals are deprecated in strict mode": "Octal literals are not allowed in strict mode.",
    "cannot delete a direct reference in strict mode": "Delete of an unqualified identifier in strict mode.",
    "rest element must be the last one": "Rest element must be last element",
    "assignment rest property must be last": "Rest element must be last element",
    "super() is only valid in a derived class constructor": "'super' keyword unexpected here",
    "'super' is only valid in a method": "'super' keyword unexpected here",
    "invalid keyword: with": "Strict mode code may not include a with statement",
    "duplicate argument names not allowed in this context": _TWICE,
    "duplicate parameter names not allowed in this context": _TWICE,
    "invalid redefinition of parameter name": _AGAIN,
    "invalid redefinition of lexical identifier": _AGAIN,
    "invalid redefinition of global identifier": _AGAIN,
    "invalid redefinition of global identifier in module code": _AGAIN,
    "invalid redefinition of a variable": _AGAIN,
    "duplicate import binding": _AGAIN,
    "duplicate default": "More than one default clause in switch statement",
    "property constructor appears more than once": "A class may only have one constructor",
    "import.meta only valid in module code": "Cannot use 'import.meta' outside a module",
    "unexpected end of comment": "Invalid or unexpected token",
    "unexpected character": "Invalid or unexpected token",
    "invalid number literal": "Invalid or unexpected token",
    "unexpected 'await' keyword": "Unexpected reserved word",
    "await in default expression": "Illegal await-expression in formal parameters of async function",
    "for await is only valid in asynchronous functions": (
        "await is only valid in async functions and the top level bodies of modules"
    ),
}


def syntax_facts(source: Source, message: str, line: int, column: int) -> tuple[str, str, int, int]:
    """V8's message, a hint (or an empty text) and the place, for the engine's message and place."""
    if message == "unexpected end of string":
        opened = source.line(line)[column - 1 : column]
        if opened == "`":
            return "Unterminated template literal", "The ` that ends the text is missing.", line, column
        hint = f"The {opened} that ends the text is missing on this line." if opened in ("'", '"') else ""
        return "Invalid or unexpected token", hint, line, column
    words = _MESSAGES.get(message)
    if words is not None:
        name, line, column = _declared(source, line, column) if "{name}" in words else ("", line, column)
        return words.format(name=name), _HINTS.get(message, ""), line, column
    if message.startswith(
        ("class statement", "expecting ", "unexpected token", "unexpected data", "expected ")
    ) or (message.endswith((" expected", "expected '}'"))):
        return _unexpected(source, message, line, column)
    return message[:1].upper() + message[1:], "", line, column


_HINTS: Final[Mapping[str, str]] = {
    "unexpected 'await' keyword": "`await` needs a function that is `async`: write async before it.",
    "return not in a function": "It stands outside of a function; perhaps a } before it is one too many.",
    "missing initializer for const variable": "A const needs its value at once; `let` can get one later.",
}


def _unexpected(source: Source, message: str, line: int, column: int) -> tuple[str, str, int, int]:
    """``Unexpected token ';'``, ``missing ) after argument list``..., by the token that is there."""
    token = _token(source, line, column)
    hint = f"{message[0].upper()}{message[1:]} here." if message.startswith("expecting '") else ""
    if not token:
        line, column = _end(source)
        hint = "The file ends in the middle of something: a }, ) or ] is missing."
        return "Unexpected end of input", hint, line, column
    if message == "expecting ','" and _in_arguments(source, line, column):
        return "missing ) after argument list", "A ) or a comma is missing before this place.", line, column
    return _token_words(token), hint, line, column


def _token_words(token: str) -> str:
    if _STRICT.fullmatch(token):
        return "Unexpected strict mode reserved word"
    if _RESERVED.fullmatch(token) or not _IDENTIFIER.fullmatch(token):
        if token[0] in "'\"":
            return "Unexpected string"
        if token[0].isdigit():
            return "Unexpected number"
        return "Unexpected template string" if token == "`" else f"Unexpected token '{token}'"
    return f"Unexpected identifier '{token}'"


def _token(source: Source, line: int, column: int) -> str:
    """The token at a place; empty at the end of the file."""
    rest = source.text[source.offset(line, column) :].decode("utf-8", "replace").lstrip()
    match = _TOKEN.match(rest)
    return match[0] if match else ""


def _end(source: Source) -> tuple[int, int]:
    return source.position(len(source.text.rstrip()))


def _declared(source: Source, line: int, column: int) -> tuple[str, int, int]:
    """The name that is declared again: the engine points just behind it, or at it."""
    text = source.line(line)
    at = min(column - 1, len(text))
    here = _IDENTIFIER.match(text, at)
    if here and (at == 0 or not _IDENTIFIER.match(text[at - 1])):
        return here[0], line, column
    found = None
    for match in _IDENTIFIER.finditer(text, 0, at):
        if match[0] not in ("let", "const", "var", "class", "function", "import", "from"):
            found = match
    return (found[0], line, found.start() + 1) if found else ("", line, column)


def _in_arguments(source: Source, line: int, column: int) -> bool:
    """Whether the innermost bracket that is open at a place is that of a call."""
    head = source.text[: source.offset(line, column)].decode("utf-8", "replace")[-5000:]
    depth = 0
    for index in range(len(head) - 1, -1, -1):
        if head[index] in ")]}":
            depth += 1
        elif head[index] in "([{":
            if depth == 0:
                before = head[:index].rstrip()
                return head[index] == "(" and bool(re.search(r"[\w$)\]]$", before))
            depth -= 1
    return False
