"""Functions of a Worker: how they can be called, and where they are."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from emulator.diagnostics.report import Place

from .explain import place

_DECORATORS: Final = 10
"""Lines in which the ``def`` below a decorator is looked for."""


class Arity(NamedTuple):
    """How a handler can be called."""

    room: int
    """Positional arguments that fit; -1 for any number."""
    missing: str
    """A required parameter that gets nothing, or empty."""


def _parameters(function: Any) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def arity_of(function: Any, given: int) -> Arity:
    parameters = _parameters(function)
    if parameters is None:
        return Arity(-1, "")
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = positional[given:] + [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    missing = next((p.name for p in needed if p.default is p.empty), "")
    endless = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return Arity(-1 if endless else len(positional), missing)


def fits(function: Any, arguments: tuple[Any, ...]) -> bool:
    try:
        inspect.signature(function).bind(*arguments)
    except (TypeError, ValueError):
        return False
    return True


def place_of(function: Callable[..., Any] | None) -> Place | None:
    code = getattr(inspect.unwrap(function), "__code__", None) if function is not None else None
    if code is None:
        return None
    line = code.co_firstlineno
    # The first line is that of a decorator, if there is one.
    for number in range(line, line + _DECORATORS):
        if linecache.getline(code.co_filename, number).lstrip().startswith(("def ", "async def ")):
            line = number
            break
    return place(code.co_filename, line, function=code.co_qualname)


def place_of_class(found: type[Any]) -> Place | None:
    try:
        lines, first = inspect.getsourcelines(found)
        offset = next((n for n, line in enumerate(lines) if line.lstrip().startswith("class ")), 0)
        return place(inspect.getsourcefile(found) or "", first + offset)
    except (OSError, TypeError):
        return None


def place_of_any(found: Any) -> Place | None:
    return place_of_class(found) if isinstance(found, type) else place_of(found)
