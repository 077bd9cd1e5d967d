"""``as_py_json``: JS objects and arrays as mappings and sequences, at all depths, without a copy.

Source: https://pyodide.org/en/0.28.2/usage/api/python-api/ffi.html#pyodide.ffi.JsProxy.as_py_json
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..realm.engine import Value
from .containers import ArrayMixin, ObjectMapMixin
from .handles import MISSING

if TYPE_CHECKING:
    from .bridge import Bridge


class PyJsonMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def as_py_json(self) -> Any:
        """Objects as mappings and arrays as sequences, at all depths, without a copy."""
        return self._cfw_bridge.classes.py_json(self._cfw_value)


class JsonObjectMixin(ObjectMapMixin):
    """An object as a mapping, and what is in it likewise (``as_py_json``)."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        return _as_json(self._cfw_bridge, self._cfw_bridge.get(self._cfw_value, key))


class JsonArrayMixin(ArrayMixin):
    """An array as a sequence, and what is in it likewise (``as_py_json``)."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            bridge = self._cfw_bridge
            return bridge.classes.py_json(bridge.invoke("slice", self._cfw_value, *index.indices(len(self))))
        position = self._cfw_position(index)
        if not 0 <= position < len(self):
            raise IndexError(index)
        return _as_json(self._cfw_bridge, self._cfw_bridge.get(self._cfw_value, position))

    def __iter__(self) -> Iterator[Any]:
        return (self[position] for position in range(len(self)))

    def __reversed__(self) -> Iterator[Any]:
        return (self[position] for position in reversed(range(len(self))))


def _as_json(bridge: Bridge, found: Any) -> Any:
    if found is MISSING:  # a hole
        return None
    return bridge.classes.py_json(found) if type(found) is Value else bridge.convert.to_py(found)
