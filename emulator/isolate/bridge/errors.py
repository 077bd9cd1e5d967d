"""Errors that cross the bridge. An error that crosses twice arrives as the same object."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final

from ..realm.engine import JSError, Undefined, Value
from .handles import DeadHandleError, PyHandle

if TYPE_CHECKING:
    from .bridge import Bridge


_ENGINE_ERRORS: Final = ("RangeError", "TypeError")


class JsException(Exception):
    """A JavaScript error in Python: both an ``Exception`` and a ``JsProxy``."""

    _js_type_flags: int

    # Whoever wants the message of an exception finds the error itself, which says it.
    args = property(lambda self: (self,))

    def __copy__(self) -> JsException:
        return self

    def __deepcopy__(self, memo: object) -> JsException:
        return self

    @property
    def js_error(self) -> JsException:
        """The error itself; older code looks for it here."""
        return self


class ErrorTable:
    """JS errors as Python exceptions, Python exceptions as JS errors."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def pending(self, error: JSError) -> BaseException:
        """The exception for the call that the engine just reported as failed."""
        thrown = self._bridge.helper("takeError")()
        if thrown is Undefined:
            # Thrown outside of our wrappers: stack overflow or out of memory in the engine.
            name, _, message = str(error).partition(": ")
            if name not in _ENGINE_ERRORS:
                name, message = "Error", str(error)
            return self.from_js(self._bridge.engine.global_.get(name).call_constructor(message))
        return self.from_js(thrown)

    def from_js(self, thrown: Any) -> BaseException:
        """The Python exception for what JavaScript threw, which need not be an Error."""
        if type(thrown) is Value:
            handle = self._bridge.helper("exceptionOf")(thrown)
            if isinstance(handle, PyHandle) and isinstance(handle.target, BaseException):
                return handle.target
        return self.rejected(thrown)

    def rejected(self, thrown: Any) -> BaseException:
        """The same for a rejected promise: Python's own exceptions come as ``PythonError`` there."""
        if type(thrown) is Value:
            found = self._bridge.wrap(thrown)
            if isinstance(found, BaseException):
                return found
        text = self._bridge.helper("text")(thrown)
        wrapped = self._bridge.engine.global_.get("Error").call_constructor(text)
        exception = self._bridge.wrap(wrapped)
        assert isinstance(exception, BaseException)
        return exception

    def to_js(self, error: BaseException) -> Value:
        """The JS error for a Python exception: the original one if it came from JavaScript."""
        value = getattr(error, "_cfw_value", None)
        if isinstance(value, Value):
            return value
        if isinstance(error, DeadHandleError):
            plain: Value = self._bridge.engine.global_.get("Error").call_constructor(str(error))
            return plain
        text = "".join(traceback.format_exception(error))
        made: Value = self._bridge.helper("pythonError")(
            type(error).__qualname__, text, self._bridge.engine.host_object(PyHandle(error))
        )
        return made

    def raise_in_js(self, error: BaseException) -> Value:
        """What a host function answers so that bridge.js throws ``error``."""
        raised: Value = self._bridge.helper("raise")(self.to_js(error))
        return raised
