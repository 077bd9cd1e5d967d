"""Iteration over JS values: iterables, iterators, generators and their async kin."""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from ..realm.engine import Undefined, Value
from .handles import MISSING

if TYPE_CHECKING:
    from .bridge import Bridge


class IterableMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def __iter__(self) -> Any:
        return self._cfw_bridge.convert.to_py(self._cfw_bridge.invoke("iterate", self._cfw_value))


class IteratorMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self._cfw_step(Undefined)

    def _cfw_step(self, argument: Any) -> Any:
        bridge = self._cfw_bridge
        found = bridge.invoke("next", self._cfw_value, argument)
        if found is MISSING:
            returned = bridge.convert.to_py(bridge.invoke("lastReturn"))
            raise StopIteration(returned) if returned is not None else StopIteration
        return bridge.convert.to_py(found)


class GeneratorMixin(IteratorMixin):
    __slots__ = ()

    def send(self, value: Any) -> Any:
        """Resume with ``value`` and give what is yielded next."""
        return self._cfw_step(self._cfw_bridge.convert.to_js(value))

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        """Raise ``error`` inside the generator."""
        if isinstance(error, BaseException):
            exception = error
        elif isinstance(value, BaseException):
            exception = value
        else:
            exception = error() if value is None else error(value)
        return self._cfw_finish("throw", self._cfw_bridge.errors.to_js(exception))

    def close(self) -> None:
        """End the generator."""
        with contextlib.suppress(StopIteration):
            self._cfw_finish("return", Undefined)

    def _cfw_finish(self, method: str, argument: Any) -> Any:
        bridge = self._cfw_bridge
        result = bridge.invoke("method", self._cfw_value, method, argument)
        value = bridge.convert.to_py(bridge.get(result, "value"))
        if bridge.get(result, "done") is True:
            raise StopIteration(value)
        return value


class AsyncIterableMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def __aiter__(self) -> Any:
        return self._cfw_bridge.convert.to_py(self._cfw_bridge.invoke("asyncIterate", self._cfw_value))


class AsyncIteratorMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def __aiter__(self) -> Any:
        return self

    def __anext__(self) -> Coroutine[Any, Any, Any]:
        return self._cfw_resume("next")

    async def _cfw_resume(self, method: str, *args: Any) -> Any:
        bridge = self._cfw_bridge
        promise = bridge.invoke("method", self._cfw_value, method, *args)
        result = await bridge.promises.future(promise)
        if result.done:
            raise StopAsyncIteration
        return result.value


class AsyncGeneratorMixin(AsyncIteratorMixin):
    __slots__ = ()

    def asend(self, value: Any) -> Coroutine[Any, Any, Any]:
        """Resume with ``value`` and give what is yielded next."""
        return self._cfw_resume("next", self._cfw_bridge.convert.to_js(value))

    def athrow(self, error: BaseException) -> Coroutine[Any, Any, Any]:
        """Raise ``error`` inside the generator."""
        return self._cfw_resume("throw", self._cfw_bridge.errors.to_js(error))

    async def aclose(self) -> None:
        """End the generator."""
        with contextlib.suppress(StopAsyncIteration):
            await self._cfw_resume("return", Undefined)
