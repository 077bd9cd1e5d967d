"""MIME types and data: URLs. https://mimesniff.spec.whatwg.org/ and https://fetch.spec.whatwg.org/#data-urls"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from .text import base64_bytes

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_QUOTED_CHARACTERS: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_PARAMETER: Final = re.compile(r';[\t\n\r ]*([^;=]*)(?:=(?:"((?:[^"\\]|\\.)*)"?[^;]*|([^;]*)))?', re.DOTALL)
_LIST_ITEM: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"?|[^",])+', re.DOTALL)
_BASE64: Final = re.compile(r";[ ]*base64[ ]*$", re.IGNORECASE)
_SPECIAL: Final = re.compile(r'["\\]')
_ESCAPED: Final = r"\\\g<0>"
_WHITESPACE: Final = "\t\n\r "
_NO_TYPE: Final = "text/plain;charset=US-ASCII"


class MimeType:
    """One MIME type: its ``essence`` in lower case, and its parameters in their order."""

    def __init__(self, essence: str, parameters: dict[str, str]) -> None:
        self.essence = essence
        self.parameters = parameters

    def __str__(self) -> str:
        parts = [self.essence]
        for name, value in self.parameters.items():
            text = value if _TOKEN.fullmatch(value) else f'"{_SPECIAL.sub(_ESCAPED, value)}"'
            # The platform puts a space before this one.
            parts.append(f" {name}={text}" if name == "boundary" else f"{name}={text}")
        return ";".join(parts)


def parse(text: str) -> MimeType | None:
    """https://mimesniff.spec.whatwg.org/#parsing-a-mime-type; None for what is none."""
    essence, _, _ = text.strip(_WHITESPACE).partition(";")
    kind, slash, subtype = essence.rstrip(_WHITESPACE).partition("/")
    if not (slash and _TOKEN.fullmatch(kind) and _TOKEN.fullmatch(subtype)):
        return None
    parameters: dict[str, str] = {}
    for found in _PARAMETER.finditer(text.strip(_WHITESPACE), len(essence)):
        name, quoted, plain = found.groups()
        value = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else plain
        if quoted is None:
            value = (value or "").rstrip(_WHITESPACE)
        name = name.lower()
        allowed = quoted is not None or value
        if allowed and _TOKEN.fullmatch(name) and _QUOTED_CHARACTERS.fullmatch(value):
            parameters.setdefault(name, value)
    return MimeType(f"{kind}/{subtype}".lower(), parameters)


def extract(header: str) -> str:
    """https://fetch.spec.whatwg.org/#concept-header-extract-mime-type; "" for none."""
    last: MimeType | None = None
    charset: str | None = None
    for item in _LIST_ITEM.findall(header):
        found = parse(item)
        if found is None or found.essence == "*/*":
            continue
        if last is None or found.essence != last.essence:
            charset = found.parameters.get("charset")
        elif "charset" in found.parameters:
            charset = found.parameters["charset"]
        elif charset is not None:
            found.parameters["charset"] = charset
        last = found
    return str(last) if last else ""


def data_url(url: str) -> list[Any] | None:
    """``[content type, bytes]`` of a normalized data: URL; None when it has no comma."""
    head, comma, rest = url.partition("#")[0].removeprefix("data:").partition(",")
    if not comma:
        return None
    body = unquote_to_bytes(rest)
    head = head.strip(_WHITESPACE)
    encoded = _BASE64.search(head)
    if encoded:
        head = head[: encoded.start()]
        body = base64_bytes(body)
    found = parse(f"text/plain{head}" if head.startswith(";") else head)
    return [str(found) if found else _NO_TYPE, body]


def functions() -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``."""
    return {"mimeType": extract, "dataUrl": data_url}
