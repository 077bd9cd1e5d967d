"""The conversion tables of the bridge: Python -> JavaScript and back, implicit crossings only.

============================  =======================================================
Python                        JavaScript
============================  =======================================================
``None``                      undefined
``jsnull``                    null
``bool``, ``float``, ``str``  boolean, number, string (subclasses too)
``int``                       number; BigInt beyond +-(2**53 - 1)
``JsProxy``                   the very object
anything else                 PyProxy (lists, dicts and bytes as well)
============================  =======================================================

============================  =======================================================
JavaScript                    Python
============================  =======================================================
undefined, null               ``None``, ``jsnull``
boolean, string               ``bool``, ``str``
number                        ``int`` when it is a safe integer, else ``float``
BigInt                        ``int``
PyProxy                       the very object
anything else                 ``JsProxy``
============================  =======================================================

Source: https://pyodide.org/en/0.28.2/usage/type-conversions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..realm.engine import Undefined, Value
from .handles import MISSING, PyHandle

if TYPE_CHECKING:
    from .bridge import Bridge

MAX_SAFE: Final = 2**53 - 1
_PLAIN: Final = frozenset({str, bool})


class Converter:
    """Both tables. ``borrowed``, where given, collects the handles of PyProxies that it makes."""

    def __init__(self, bridge: Bridge, jsnull: Any) -> None:
        self._bridge = bridge
        self.jsnull = jsnull
        self.boxed = False
        """Whether a BigInt was boxed since the last call."""
        self.null: Any = jsnull
        """What JavaScript's null becomes: ``None`` on the platform's older runtime."""

    def to_js(self, value: Any, borrowed: list[PyHandle] | None = None) -> Any:
        """What to hand to the engine for ``value``."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if value is None:
            return Undefined
        if kind is int:
            if -MAX_SAFE <= value <= MAX_SAFE:
                return value
            self.boxed = True
            return self._bridge.big_int(value)
        if kind is float:
            return value
        if hasattr(kind, "_js_type_flags"):
            return value._cfw_value
        if value is self.jsnull:
            return None
        return self._rare(value, borrowed)

    def _rare(self, value: Any, borrowed: list[PyHandle] | None) -> Any:
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return self.to_js(int(value))
        if isinstance(value, float):
            return float(value)
        if value is MISSING:
            return self._bridge.missing
        return self._bridge.make_pyproxy(value, borrowed)

    def to_py(self, value: Any) -> Any:
        """What Python gets for a value that the engine gave."""
        kind = type(value)
        if kind is Value:
            return self._bridge.wrap(value)
        if kind in _PLAIN or kind is int:
            return value
        if kind is float:
            if value.is_integer() and -MAX_SAFE <= value <= MAX_SAFE:
                return int(value)
            return value
        if value is None:
            return self.null
        if value is Undefined:
            return None
        return value
