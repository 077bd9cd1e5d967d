"""Running out of memory, recognised by the exceptions and the values that are thrown for it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from typing import Any, Final

from .realm.engine import JSError, Value

PYTHON: Final = "Python"
JAVASCRIPT: Final = "JavaScript"
WEBASSEMBLY: Final = "WebAssembly"

UNCLEAR: Final = "one of the heaps"
"""All that there was is in use; nobody said whose heap had to grow."""

UNKNOWN: Final = object()
"""In place of an error that nobody has."""

_DEPTH: Final = 32
"""How many exceptions of a chain are looked at."""

_ENGINE: Final = re.compile(
    r"^\s*(?:(?:Error: )?JSError: )?(?:(?:InternalError|RangeError): )?out of memory\b"
)
"""What QuickJS says: InternalError, RangeError for buffers and regular expressions, and in host functions."""

_SYSTEM: Final = f"{os.strerror(errno.ENOMEM)} (os error {errno.ENOMEM})"
"""What wasmtime says when the system gives no memory for an instance."""

_HOST: Final = re.compile(r"\bMemoryError\b|returned NULL without setting an (?:exception|error)")
"""What is left of a MemoryError in a host function, and of text that did not fit into Python's memory."""


_UNCLEAR: Final = "quickjs-py: argument conversion failed"
"""What the binding says when it gets no memory for an argument, among other reasons."""

_WORDLESS: Final = "RangeError: "
"""What a MemoryError becomes in a host function that the binding calls; programs may throw it, too."""


def ran_out(error: Any) -> str:
    """Which heap an exception, or a value that JavaScript threw, says is full: a constant above, or ""."""
    if isinstance(error, BaseException):
        for found in _chain(error):
            what = _of_exception(found)
            if what:
                return what
        return ""
    return _of_value(error) if isinstance(error, Value) else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it came from, and the parts of groups."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _DEPTH:
        found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        if isinstance(found, BaseExceptionGroup):
            waiting.extend(found.exceptions)
        waiting.extend(before for before in (found.__cause__, found.__context__) if before is not None)


def _of_exception(error: BaseException) -> str:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return PYTHON
    if isinstance(error, JSError):
        return _of_text(str(error))
    value = getattr(error, "_cfw_value", None)  # a JsException of the bridge
    if isinstance(value, Value):
        return _of_value(value)
    if isinstance(error, SystemError):
        return PYTHON if _HOST.search(str(error)) else ""
    return WEBASSEMBLY if type(error).__name__ == "WasmtimeError" and _SYSTEM in str(error) else ""


def _of_value(thrown: Value) -> str:
    return _of_text(_text_of(thrown))


def _text_of(thrown: Value) -> str:
    try:
        return f"{thrown.get('name')}: {thrown.get('message')}" if thrown.is_error else ""
    except (JSError, MemoryError):  # it is a getter that throws, or there is still no memory
        return ""


def says_full(text: str) -> bool:
    """Whether an error of JavaScript with that text, its name before it or not, is for want of memory."""
    return _ENGINE.match(text) is not None


def _of_text(text: str) -> str:
    if says_full(text):
        return JAVASCRIPT
    if _SYSTEM in text:
        return WEBASSEMBLY
    return PYTHON if _HOST.search(text) else ""


def doubt(thrown: object) -> float:
    """For what may be left when there was no memory for an error: 0 if it is none, else the share of the

    limit that must have been in use for it. QuickJS throws ``null`` when its heap is full to the brim.
    """
    if thrown is None or (isinstance(thrown, JSError) and str(thrown) == "null"):
        return 7 / 8
    value = getattr(thrown, "_cfw_value", None)  # a JsException of the bridge
    if isinstance(value, Value) and _text_of(value) == "Error: null":
        return 7 / 8
    found = thrown if isinstance(thrown, Value) else value
    if isinstance(found, Value):
        text = _text_of(found)
        return 1 / 2 if _UNCLEAR in text or text == _WORDLESS else 0.0
    return 1 / 2 if isinstance(thrown, JSError) and _UNCLEAR in str(thrown) else 0.0
