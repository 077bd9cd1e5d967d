"""What newer ``pyodide`` packages have and the one paired with this CPython may lack.

The platform runs Pyodide 0.28; ``pyodide-py`` 0.25 (CPython 3.11) and 0.27 (3.12) are older.
The Python SDK and Workers use names that came in between; they are added here, each only
where it is missing. Source: https://pyodide.org/en/0.28.2/usage/api/python-api.html
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from typing import Any, Final

from ..bridge.bridge import Bridge

_VERSIONS: Final = {(3, 12): "0.26.0a2", (3, 13): "0.28.2", (3, 14): "314.0.4"}


def complete(bridge: Bridge) -> None:
    """Add what is missing to ``pyodide.ffi``, ``pyodide.code`` and ``json``. Idempotent."""
    import _pyodide_core
    import pyodide.code
    import pyodide.ffi

    ffi: Any = pyodide.ffi
    for name in ("run_sync", "can_run_sync", "jsnull"):
        setattr(ffi, name, getattr(_pyodide_core, name))
    if not hasattr(ffi, "JsNull"):
        ffi.JsNull = type(bridge.jsnull)
    if not hasattr(ffi, "InternalError"):
        from _pyodide._core_docs import InternalError

        ffi.InternalError = InternalError
    for name, base in (
        ("JsWeakRef", "JsProxy"),
        ("JsOnceCallable", "JsCallable"),
        ("JsCallableDoubleProxy", "JsDoubleProxy"),
    ):
        if not hasattr(ffi, name):
            setattr(ffi, name, getattr(ffi, base))
    if not hasattr(pyodide.code, "relaxed_call"):
        pyodide.code.relaxed_call = relaxed_call
    if not hasattr(pyodide.code, "relaxed_wrap"):
        pyodide.code.relaxed_wrap = relaxed_wrap
    _teach_json(bridge.jsnull)


def follow_runtime(python: tuple[int, int]) -> None:
    """Show the version, and only the names, of the platform's Pyodide for that CPython."""
    import pyodide
    import pyodide.ffi

    pyodide.__version__ = _VERSIONS[python]
    if python < (3, 13):
        for name in ("run_sync", "can_run_sync", "jsnull", "JsNull"):
            if hasattr(pyodide.ffi, name):
                delattr(pyodide.ffi, name)


def complete_http() -> None:
    """Give an older ``pyodide.http`` the classes and ``pyfetch`` of 0.28."""
    import pyodide.http

    if "fetcher" not in inspect.signature(pyodide.http.pyfetch).parameters:
        from . import pyodide_http

        for name in pyodide_http.__all__:
            setattr(pyodide.http, name, getattr(pyodide_http, name))


def _teach_json(jsnull: Any) -> None:
    original = json.JSONEncoder.default

    def default(self: json.JSONEncoder, o: Any) -> Any:
        return None if o is jsnull else original(self, o)

    json.JSONEncoder.default = default  # type: ignore[method-assign]


@functools.lru_cache(maxsize=256)
def _signature(func: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(func)
    except (TypeError, ValueError):
        return None


def relaxed_call(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call ``func``, leaving out positional arguments and keywords that it does not take.

    TypeError ``missing a required argument: 'x'`` when it needs more than is given.
    """
    try:
        signature = _signature(func)
    except TypeError:  # unhashable callable
        signature = _signature.__wrapped__(func)
    if signature is None:
        return func(*args, **kwargs)
    parameters = signature.parameters.values()
    if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        room = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
        args = args[:room]
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        taken = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        kwargs = {name: value for name, value in kwargs.items() if name in taken}
    bound = signature.bind(*args, **kwargs)
    return func(*bound.args, **bound.kwargs)


def relaxed_wrap(func: Callable[..., Any]) -> Callable[..., Any]:
    """A function that calls ``func`` as ``relaxed_call`` does. TypeError for what has no signature."""
    if _signature(func) is None:
        raise TypeError("Cannot wrap function")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return relaxed_call(func, *args, **kwargs)

    return wrapper
