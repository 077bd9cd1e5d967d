"""Host functions of encoding.js and base64.js."""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from ..engine import Value
from .encodings import MULTIBYTE, byte_table, encoding_name
from .legacy import REPLACE, STRICT, TRANSLATIONS

STREAM: Final = 1
FATAL: Final = 2
KEEP_BOM: Final = 4
"""Flags of a decoding, the same as in encoding.js."""

_BOM: Final = "\ufeff"
_WHITESPACE: Final = re.compile(r"[\t\n\f\r ]+")
_ALPHABET: Final = re.compile(r"[A-Za-z0-9+/]*")
_NO_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")
_SURROGATE_HALF: Final = re.compile(rb"\xed[\xa0-\xbf]")
"""What Python's decoder of UTF-8 waits to see the end of, though no end makes it good."""


def well_formed(text: str) -> str:
    """``text`` with every lone surrogate replaced by U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def utf8(text: str | Value) -> bytes:
    """UTF-8 of a JavaScript string, which may have lone surrogates or come as the engine's own value."""
    if text.__class__ is not str:
        text = str(text)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return well_formed(text).encode()


def utf8_decode(data: Value, flags: int) -> str | None:
    """Decode all of ``data``; None when it is malformed and ``flags`` has FATAL."""
    try:
        text = data.to_bytes().decode("utf-8", "strict" if flags & FATAL else "replace")
    except UnicodeDecodeError:
        return None
    return text[1:] if text.startswith(_BOM) and not flags & KEEP_BOM else text


def decode(
    name: str, flags: int, data: Value, pending: Value, state: float | None, begun: bool
) -> list[Any] | None:
    """One step of a decoding: ``[text, bytes that wait, codec's state, whether text has begun]``.

    ``state`` is None at the start. None when the input is malformed and ``flags`` has FATAL.
    """
    codec = MULTIBYTE.get(name)
    if codec is None:
        text = data.to_bytes().decode("latin-1").translate(byte_table(name))
        return None if flags & FATAL and "\ufffd" in text else [text, b"", 0, True]
    decoder = codecs.getincrementaldecoder(codec)(STRICT if flags & FATAL else REPLACE)
    if state is not None:
        decoder.setstate((pending.to_bytes(), int(state)))
    try:
        text = decoder.decode(data.to_bytes(), final=not flags & STREAM)
    except UnicodeDecodeError:
        return None
    if name in TRANSLATIONS:
        text = text.translate(TRANSLATIONS[name])
        if name == "shift_jis" and flags & FATAL and "\ufffd" in text:
            return None
    if text and not begun:
        begun = True
        if text[0] == _BOM and name.startswith("utf-") and not flags & KEEP_BOM:
            text = text[1:]
    waiting, reached = decoder.getstate()
    if codec == "utf-8" and _SURROGATE_HALF.fullmatch(waiting):
        return None if flags & FATAL else [text + "\ufffd\ufffd", b"", 0, True]
    return [text, bytes(waiting), reached, begun]


def base64_encode(text: str) -> str | None:
    """``btoa``: None when a character is above U+00FF."""
    try:
        return base64.b64encode(text.encode("latin-1")).decode("ascii")
    except UnicodeEncodeError:
        return None


def base64_decode(text: str) -> str | None:
    """``atob``: forgiving base64 to a string of bytes; None when it is not base64."""
    text = _WHITESPACE.sub("", text)
    if len(text) % 4 == 0:
        text = text[:-2] if text.endswith("==") else text.removesuffix("=")
    if len(text) % 4 == 1 or not _ALPHABET.fullmatch(text):
        return None
    return base64.b64decode(text + "=" * (-len(text) % 4)).decode("latin-1")


def base64_bytes(data: bytes) -> bytes:
    """What of ``data`` is base64, as the platform takes it in data: URLs: all other bytes are skipped."""
    kept = _NO_BASE64.sub(b"", data)
    kept = kept[:-1] if len(kept) % 4 == 1 else kept
    return base64.b64decode(kept + b"=" * (-len(kept) % 4))


def percent_decode(text: str) -> str:
    """Percent-decode to UTF-8; what is malformed becomes U+FFFD."""
    return unquote_to_bytes(well_formed(text)).decode("utf-8", "replace")


def direct_functions() -> dict[str, Callable[..., Any]]:
    """Host functions that raise nothing and take strings as the engine gives them: ``Realm`` adds them."""
    return {"utf8Encode": utf8, "utf8Decode": utf8_decode}


def functions() -> dict[str, Callable[..., Any]]:
    """Entries for ``host_functions``."""
    return {
        "encodingName": encoding_name,
        "decode": decode,
        "percentDecode": percent_decode,
        "base64Encode": base64_encode,
        "base64Decode": base64_decode,
    }
