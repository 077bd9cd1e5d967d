"""Exceptions in words: their last line, what they came from, and what may be behind them."""

from __future__ import annotations

import asyncio
import builtins
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final

from emulator.diagnostics.javascript_globals import PLATFORM_GLOBALS

from ..bridge.errors import JsException

MAX_LINE: Final = 2000
"""Characters of an exception's text that a report shows."""

_CHAIN: Final = 3
_GROUP: Final = 5
_FILE: Final = re.compile(r" \((?:unknown location|/[^()]*|[A-Za-z]:\\[^()]*)\)$")


def exception_line(error: BaseException) -> str:
    """The last line of a traceback, e.g. ``ValueError: boom``, cut after ``MAX_LINE`` characters."""
    name, text = _js_parts(error) if isinstance(error, JsException) else (_name(error), _text(error))
    if len(text) > MAX_LINE:
        text = f"{text[:MAX_LINE]}... ({len(text):,} characters)"
    return f"{name}: {text}" if name and text else name or text


def message_of(error: BaseException) -> str:
    """The exception's own text, whatever its ``__str__`` does."""
    if isinstance(error, JsException):
        return _safe(lambda: str(getattr(error, "message", "")))
    return _safe(lambda: str(error))


def _js_parts(error: JsException) -> tuple[str, str]:
    name, text = _safe(lambda: str(getattr(error, "name", "Error"))), message_of(error)
    if name == "PythonError":
        # A Python exception that JavaScript handed back: its text is the whole traceback.
        return "", text.strip().rsplit("\n", 1)[-1]
    return name, text


def _name(error: BaseException) -> str:
    kind = type(error)
    module = kind.__module__
    hidden = module in ("builtins", "__main__") or module.startswith("emulator.")
    return kind.__qualname__ if hidden else f"{module}.{kind.__qualname__}"


def _text(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return _safe(lambda: str(error.msg))
    if isinstance(error, SystemExit) and error.code is None:
        return ""
    text = message_of(error)
    return _FILE.sub("", text) if isinstance(error, ImportError) else text


def _safe(give: Callable[[], str]) -> str:
    try:
        return give()
    except BaseException:
        return "<exception str() failed>"


def background(error: BaseException, place_of: Callable[[BaseException], str]) -> Iterator[str]:
    """Lines on notes, on what the exception was raised from, and on the parts of a group.

    ``place_of`` gives `` (file:line)`` for an exception, or nothing.
    """
    yield from (note for note in getattr(error, "__notes__", ()) if isinstance(note, str))
    if isinstance(error, BaseExceptionGroup):
        for number, part in enumerate(error.exceptions[:_GROUP], 1):
            yield f"{number}. {exception_line(part)}{place_of(part)}"
        if len(error.exceptions) > _GROUP:
            yield f"... and {len(error.exceptions) - _GROUP} more"
    seen = {id(error)}
    for _ in range(_CHAIN):
        before = error.__cause__
        if before is None and not error.__suppress_context__:
            before = error.__context__
        if before is None or id(before) in seen:
            return
        how = "It was raised from" if before is error.__cause__ else "It came up while handling"
        yield f"{how} {exception_line(before)}{place_of(before)}"
        seen.add(id(before))
        error = before


def hint(error: BaseException) -> str:
    """What may be behind an exception, or nothing. Never raises."""
    with suppress(Exception):
        if isinstance(error, NameError):
            return _name_hint(error)
        if isinstance(error, AttributeError):
            return _attribute_hint(error)
        message = message_of(error)
        if isinstance(error, JsException) and _js_parts(error)[0] == "SyntaxError":
            return "The text that was read as JSON is no JSON."
        return next((text for sign, text in _HINTS if re.search(sign, message)), "")
    return ""


_AWAIT: Final = "Perhaps an `await` is missing."
_HINTS: Final = (
    (r"^Unsupported type in Response: (coroutine|\w*Future|\w*Task)$", _AWAIT),
    (r"^Unsupported type in Response: (dict|list)$", "Response.json(data) makes JSON of it."),
    (r"'(coroutine|\w*Future|\w*Task)' object is not (subscriptable|iterable)", _AWAIT),
    (r"not '?(coroutine|\w*Future|\w*Task)'?$", _AWAIT),
    (
        r"'_EnvWrapper' object is not subscriptable|'_EnvWrapper' object has no attribute 'get'",
        "The names in env are attributes: env.NAME.",
    ),
    (
        r"^asyncio\.run\(\) cannot be called from a running event loop",
        "The Worker's event loop runs already: await the coroutine inside the handler.",
    ),
    (
        r"^This ReadableStream did not return bytes",
        "A body's stream carries bytes: controller.enqueue(TextEncoder.new().encode(text)).",
    ),
    (
        r"^This ReadableStream is currently locked to a reader",
        "It was read, or is being read: call clone() or tee() before the first read.",
    ),
    (r"^Invalid URL", "Only a whole URL will do: scheme and host, as in https://example.com/path."),
    (r"^Fetch API cannot load", "fetch() takes http: and https: URLs only."),
)


def _name_hint(error: NameError) -> str:
    name = error.name or ""
    import js
    import workers

    if name in sys.stdlib_module_names:
        return f"Did you forget `import {name}`?"
    for module, known in (("js", dir(js)), ("workers", dir(workers))):
        if name in known:
            return f"Did you forget `from {module} import {name}`?"
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    names = [*frame.tb_frame.f_locals, *frame.tb_frame.f_globals] if frame else []
    return did_you_mean(name, [*names, *dir(builtins)])


def _attribute_hint(error: AttributeError) -> str:
    found = error.obj
    if inspect.isawaitable(found) and (asyncio.isfuture(found) or inspect.iscoroutine(found)):
        return _AWAIT
    if found is sys.modules.get("js") and error.name in PLATFORM_GLOBALS:
        return f"The platform has {error.name}; cfw-emu does not have it yet. This is no mistake of yours."
    return did_you_mean(error.name or "", dir(found))


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """``Did you mean x?`` or nothing."""
    near = nearest(name, [known for known in candidates if not known.startswith("_")])
    return f"Did you mean {near}?" if near else ""


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The candidate most like ``name``: alike but for case and underscores, else by its letters."""
    from difflib import get_close_matches

    known = list(candidates)
    plain = {candidate.replace("_", "").lower(): candidate for candidate in known}
    same = plain.get(name.replace("_", "").lower())
    return same or next(iter(get_close_matches(name, known, 1)), "")
