"""Run functions of a test inside an isolate, where ``js`` and ``pyodide.ffi`` are real.

    @inside
    def test_something():
        from js import Array
        assert list(Array.of(1, 2)) == [1, 2]

The function's source travels, so it must import what it needs itself. It may be async.
``run_js(source)`` gives the value of a script; a failed assertion comes back as one.
"""

from __future__ import annotations

import functools
import inspect
import pickle
import textwrap
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from isolates import Isolate

F = TypeVar("F", bound=Callable[..., Any])

WORKER = """
import __future__, inspect, linecache, pickle, traceback
from js import Response
from pyodide.ffi import to_js
from emulator.isolate.main import prepared

bridge = prepared().bridge


def run_js(source):
    return bridge.convert.to_py(bridge.engine.eval(source, "test.js"))


def told(error):
    # With the innermost variables, since nobody rewrites assertions here.
    text = "".join(traceback.format_exception(error, limit=-6))[-4000:]
    frame = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1]
    for name, value in frame.f_locals.items():
        if frame.f_locals is not frame.f_globals:
            try:
                text += f"{name} = {value!r}"[:400] + "\\n"
            except BaseException as worse:
                text += f"{name}: {worse!r}\\n"
    return text


class raises:
    def __init__(self, *kinds):
        self.kinds = kinds

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert error is not None, f"{self.kinds} was not raised"
        return isinstance(error, self.kinds)


async def on_fetch(request):
    source, name, arguments = pickle.loads((await request.arrayBuffer()).to_bytes())
    scope = {"__name__": "inside", "run_js": run_js, "raises": raises}
    linecache.cache["<inside>"] = (len(source), None, source.splitlines(True), "<inside>")
    try:
        exec(compile(source, "<inside>", "exec", flags=__future__.annotations.compiler_flag), scope)
        result = scope[name](*arguments)
        if inspect.isawaitable(result):
            result = await result
        answer = (True, result)
        data = pickle.dumps(answer)
    except BaseException as error:
        data = pickle.dumps((False, told(error)))
    return Response.new(to_js(data))
"""


def run_js(source: str) -> Any:
    """The value of a script. Inside an isolate only, where this name is something else."""
    raise RuntimeError("run_js works inside an isolate only")


def raises(*kinds: type[BaseException]) -> AbstractContextManager[Any]:
    """As ``pytest.raises``, where there is no pytest. Inside an isolate only."""
    raise RuntimeError("raises works inside an isolate only")


def source_of(function: Callable[..., Any]) -> str:
    """Its source without decorators, moved to the left margin."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if line.startswith(("def ", "async def ")))
    return "".join(lines[first:])


def call_inside(isolate: Isolate, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call ``function`` inside ``isolate``; gives what it returns. Values travel pickled."""
    body = pickle.dumps((source_of(function), function.__name__, arguments))
    reply = isolate.fetch("POST", "/", body=body)
    assert reply.report is None, f"{function.__name__}: {reply.report}"
    ok, value = pickle.loads(reply.body)
    if not ok:
        raise AssertionError(f"inside the isolate:\n{value}")
    return value


def inside(function: F) -> Callable[..., None]:
    """Make a test of a function that runs inside the isolate of the fixture ``bench``.

    Parametrised arguments travel along.
    """
    names = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def test(bench: Callable[[], Isolate], **arguments: Any) -> None:
        call_inside(bench(), function, *(arguments[name] for name in names))

    del test.__wrapped__  # type: ignore[attr-defined]
    test.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in ("bench", *names)]
    )
    test.inner = function  # type: ignore[attr-defined]
    return test


def bench_of(load: Callable[..., Isolate]) -> Callable[[], Isolate]:
    """Gives a living isolate for ``call_inside``, a new one when the last one died."""
    current: list[Isolate] = []

    def living() -> Isolate:
        if not current or not current[-1].alive:
            current.append(load(WORKER))
        return current[-1]

    return living
