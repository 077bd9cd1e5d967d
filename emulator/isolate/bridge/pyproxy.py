"""PyProxy, Python half: what JavaScript may do with a Python object.

Every function here runs for JavaScript: exceptions are thrown there. Handles arrive as
``PyHandle``; all other arguments are engine values.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import (
    AsyncIterable,
    Awaitable,
    Callable,
    Generator,
    ItemsView,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import TYPE_CHECKING, Any, Final

from ..realm.engine import Undefined, Value
from .flags import ARRAY_CLASSES
from .handles import MISSING, CapturingHandle, DeadHandleError, IterationHandle, PyHandle

if TYPE_CHECKING:
    from .bridge import Bridge

_NO_BUFFER = (type, type(None))


_FUNCTIONS: Final = (
    "typeName",
    "text",
    "copy",
    "toJs",
    "call",
    "callOnce",
    "callWith",
    "captureThis",
    "schedule",
    "length",
    "getItem",
    "setItem",
    "deleteItem",
    "contains",
    "iterate",
    "next",
    "returned",
    "throwInto",
    "close",
    "asyncIterate",
    "asyncNext",
    "asyncClose",
    "buffer",
    "bytes",
    "pairs",
    "getAttribute",
    "hasAttribute",
    "setAttribute",
    "deleteAttribute",
    "keys",
    "enumerable",
)
"""Methods of ``PyProxyHost`` that bridge.js calls by name."""


class PyProxyHost:
    """The host functions behind PyProxy."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._abilities: dict[type, tuple[str, bool, bool]] = {}

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Name in bridge.js -> guarded function."""
        table = {name: self._guarded(getattr(self, name)) for name in _FUNCTIONS}
        table["destroy"] = self._destroy
        return table

    def abilities(self, target: Any) -> tuple[str, bool, bool]:
        """``(names of abilities joined by commas, callable, indexed)``, by the type."""
        kind = type(target)
        found = self._abilities.get(kind)
        if found is None:
            found = self._abilities[kind] = _abilities(kind, target)
        return found

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        host_call = self._bridge.host_call

        def guarded(*args: Any) -> Any:
            return host_call(function, *args)

        return guarded

    def _live(self, handle: PyHandle) -> Any:
        if handle.dead:
            self._bridge.last_lent = handle.lent
            raise DeadHandleError(handle.epitaph)
        return handle.target

    def _py(self, value: Any) -> Any:
        return self._bridge.convert.to_py(value)

    def _js(self, value: Any) -> Any:
        return self._bridge.convert.to_js(value)

    @staticmethod
    def _destroy(handle: PyHandle) -> Any:
        handle.destroy()
        return Undefined

    # ---- basics -------------------------------------------------------------

    def typeName(self, handle: PyHandle) -> str:
        return type(self._live(handle)).__name__

    def text(self, handle: PyHandle) -> str:
        return str(self._live(handle))

    def copy(self, handle: PyHandle) -> Any:
        return self._bridge.make_pyproxy(self._live(handle), roundtrip=handle.roundtrip)

    def captureThis(self, handle: PyHandle) -> Any:
        return self._bridge.make_pyproxy(self._live(handle), roundtrip=handle.roundtrip, captures_this=True)

    def toJs(self, handle: PyHandle, options: Any) -> Any:
        from .to_js import to_js

        given = self._py(options).to_py() if isinstance(options, Value) else {}
        names = {"depth": "depth", "create_pyproxies": "create_pyproxies", "dict_converter": "dict_converter"}
        return self._js(
            to_js(self._bridge, self._live(handle), **{n: given[k] for k, n in names.items() if k in given})
        )

    # ---- calls --------------------------------------------------------------

    def _args(self, args: Any) -> list[Any]:
        return [self._py(args.get(i)) for i in range(len(args))]

    def _result(self, result: Any) -> Any:
        # JavaScript may ignore the promise of an async callback: it runs all the same.
        if inspect.iscoroutine(result):
            result = self._bridge.promises.start(result)
        return self._js(result)

    def call(self, handle: PyHandle, this: Any, args: Any) -> Any:
        if type(handle) is CapturingHandle:
            return self._result(self._live(handle)(self._py(this), *self._args(args)))
        return self._result(self._live(handle)(*self._args(args)))

    def callOnce(self, handle: PyHandle, this: Any, args: Any) -> Any:
        target = self._live(handle)
        handle.destroy()
        return self._result(target(*self._args(args)))

    def callWith(
        self, handle: PyHandle, args: Any, names: Any, values: Any, relaxed: bool, promising: bool
    ) -> Any:
        import pyodide.code

        target = self._live(handle)
        kwargs = dict(zip(self._args(names), self._args(values), strict=True))
        call = functools.partial(pyodide.code.relaxed_call, target) if relaxed else target
        call = functools.partial(call, *self._args(args), **kwargs)
        return self._result(_called_later(call) if promising else call())

    def schedule(self, handle: PyHandle, resolve: Value, reject: Value) -> Any:
        self._bridge.promises.schedule(self._live(handle), resolve, reject)
        return Undefined

    # ---- containers ---------------------------------------------------------

    def length(self, handle: PyHandle) -> int:
        return len(self._live(handle))

    def getItem(self, handle: PyHandle, key: Any) -> Any:
        try:
            return self._js(self._live(handle)[self._py(key)])
        except LookupError:
            return Undefined

    def setItem(self, handle: PyHandle, key: Any, value: Any) -> Any:
        self._live(handle)[self._py(key)] = self._py(value)
        return Undefined

    def deleteItem(self, handle: PyHandle, key: Any) -> Any:
        del self._live(handle)[self._py(key)]
        return Undefined

    def contains(self, handle: PyHandle, key: Any) -> bool:
        return self._py(key) in self._live(handle)

    # ---- iteration ----------------------------------------------------------

    def iterate(self, handle: PyHandle) -> Any:
        return self._bridge.engine.host_object(IterationHandle(iter(self._live(handle))))

    def next(self, handle: PyHandle, argument: Any) -> Any:
        target = self._live(handle)
        try:
            if type(handle) is IterationHandle:
                return self._bridge.convert.to_js(next(target), handle.given)
            if argument is Undefined or not hasattr(target, "send"):
                return self._js(next(target))
            return self._js(target.send(self._py(argument)))
        except StopIteration as stop:
            handle.returned = stop.value
            return self._bridge.missing

    def returned(self, handle: PyHandle) -> Any:
        return self._js(handle.returned)

    def throwInto(self, handle: PyHandle, error: Any) -> Any:
        try:
            return self._js(self._live(handle).throw(self._bridge.errors.from_js(error)))
        except StopIteration as stop:
            handle.returned = stop.value
            return self._bridge.missing

    def close(self, handle: PyHandle) -> Any:
        self._live(handle).close()
        return Undefined

    def asyncIterate(self, handle: PyHandle) -> Any:
        return self._bridge.engine.host_object(PyHandle(aiter(self._live(handle))))

    def asyncNext(self, handle: PyHandle) -> Any:
        target = self._live(handle)

        async def step() -> Any:
            engine = self._bridge.engine
            result = engine.context.new_object()
            try:
                value = self._js(await anext(target))
                result.set("done", False)
            except StopAsyncIteration:
                value = Undefined
                result.set("done", True)
            self._bridge.invoke("set", result, "value", value)
            return self._bridge.wrap(result)

        return self._result(step())

    def asyncClose(self, handle: PyHandle) -> Any:
        close = getattr(self._live(handle), "aclose", None)
        return Undefined if close is None else self._result(close())

    # ---- buffers ------------------------------------------------------------

    def buffer(self, handle: PyHandle, kind: Any) -> Any:
        engine = self._bridge.engine
        with memoryview(self._live(handle)) as view:
            name = ARRAY_CLASSES.get(view.format[-1:], "Uint8Array")
            if isinstance(kind, str):
                name = {"u8": "Uint8Array", "u8clamped": "Uint8ClampedArray"}.get(kind, name)
            data = engine.array_buffer(view.tobytes())
            return [name, data, list(view.shape or ()), view.readonly, view.itemsize, view.format]

    def bytes(self, handle: PyHandle) -> Any:
        try:
            with memoryview(self._live(handle)) as view:
                return self._bridge.engine.array_buffer(view.tobytes())
        except TypeError:
            return None

    def pairs(self, handle: PyHandle) -> Any:
        """``[name, value, name, value...]`` of a collection of pairs of strings, else ``None``."""
        target = self._live(handle)
        if not isinstance(target, list | tuple | ItemsView):
            return None
        flat: list[str] = []
        for pair in target:
            if (
                type(pair) not in (tuple, list)
                or len(pair) != 2
                or type(pair[0]) is not str
                or type(pair[1]) is not str
            ):
                return None
            flat += pair
        return flat

    # ---- attributes ---------------------------------------------------------

    def getAttribute(self, handle: PyHandle, key: str, index: bool) -> Any:
        target = self._live(handle)
        if index:
            return self._js(target[int(key)]) if int(key) < len(target) else self._bridge.missing
        found = getattr(target, key.removeprefix("$"), MISSING)
        if found is MISSING and isinstance(target, dict):
            found = target.get(key, MISSING)
        return self._bridge.missing if found is MISSING else self._js(found)

    def hasAttribute(self, handle: PyHandle, key: str, index: bool) -> bool:
        target = self._live(handle)
        if index:
            return int(key) < len(target)
        return hasattr(target, key.removeprefix("$")) or (isinstance(target, dict) and key in target)

    def setAttribute(self, handle: PyHandle, key: str, value: Any, index: bool) -> bool:
        target = self._live(handle)
        if index:
            if int(key) >= len(target):
                return False
            target[int(key)] = self._py(value)
        elif isinstance(target, dict):
            target[key] = self._py(value)
        else:
            setattr(target, key.removeprefix("$"), self._py(value))
        return True

    def deleteAttribute(self, handle: PyHandle, key: str, index: bool) -> bool:
        target = self._live(handle)
        if index:
            del target[int(key)]
        elif isinstance(target, dict):
            del target[key]
        else:
            delattr(target, key.removeprefix("$"))
        return True

    def keys(self, handle: PyHandle) -> list[str]:
        target = self._live(handle)
        return [key for key in target if isinstance(key, str)] if isinstance(target, dict) else []

    def enumerable(self, handle: PyHandle, key: str) -> bool:
        target = self._live(handle)
        return isinstance(target, dict) and key in target


async def _called_later(call: Callable[[], Any]) -> Any:
    """Call in a task of its own, where ``run_sync`` may suspend."""
    result = call()
    return await result if inspect.isawaitable(result) else result


def _abilities(kind: type, target: Any) -> tuple[str, bool, bool]:
    names: list[str] = []
    is_callable = callable(target)
    if is_callable:
        names.append("callable")
    if issubclass(kind, Awaitable) or inspect.isawaitable(target):
        names.append("awaitable")
    if hasattr(kind, "__len__"):
        names.append("length")
    if hasattr(kind, "__getitem__"):
        names.append("item")
        if hasattr(kind, "__setitem__"):
            names.append("mutableItem")
    elif hasattr(kind, "__contains__"):
        names.append("contains")
    if issubclass(kind, Iterator):
        names.append("iterator")
        if issubclass(kind, Generator):
            names.append("generator")
    elif issubclass(kind, Iterable):
        names.append("iterable")
    if issubclass(kind, AsyncIterable):
        names.append("asyncIterable")
    if _has_buffer(target):
        names.append("buffer")
    indexed = issubclass(kind, Sequence) and not issubclass(kind, str | memoryview)
    if indexed:
        names.append("sequence")
    elif issubclass(kind, Mapping):
        names.append("dict")
    return ",".join(names), is_callable, indexed


def _has_buffer(target: Any) -> bool:
    if isinstance(target, _NO_BUFFER):
        return False
    try:
        memoryview(target).release()
    except TypeError:
        return False
    return True
