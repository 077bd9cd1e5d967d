"""``to_js``: a deep copy of Python containers as JS containers.

Source: https://pyodide.org/en/0.28.2/usage/api/python-api/ffi.html#pyodide.ffi.to_js
"""

from __future__ import annotations

import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from _pyodide._core_docs import ConversionError

from .flags import ARRAY_CLASSES, FLAGS
from .handles import PyHandle

if TYPE_CHECKING:
    from .bridge import Bridge

_SCALARS = (str, int, float, bool, type(None))


def to_js(
    bridge: Bridge,
    obj: Any,
    *,
    depth: int = -1,
    pyproxies: Any = None,
    create_pyproxies: bool = True,
    dict_converter: Callable[[Any], Any] | None = None,
    default_converter: Callable[..., Any] | None = None,
    eager_converter: Callable[..., Any] | None = None,
) -> Any:
    """Lists and tuples become Array, sets Set, buffers typed arrays, dicts ``LiteralMap``.

    ``dict_converter`` gets an iterable of pairs instead. What has no conversion goes to
    ``default_converter(obj, convert, cache)``, or becomes a PyProxy (kept in ``pyproxies``),
    or raises ConversionError when ``create_pyproxies`` is false.
    """
    if _is_js(bridge, obj):
        return obj
    if pyproxies is not None and not getattr(type(pyproxies), "_js_type_flags", 0) & FLAGS["IS_ARRAY"]:
        raise TypeError("Expected a JsArray for the pyproxies argument")
    deep = _Deep(bridge, pyproxies, create_pyproxies, dict_converter, default_converter, eager_converter)
    value = deep.convert(obj, depth)
    return _unwrapped(bridge, value)


def _is_js(bridge: Bridge, value: Any) -> bool:
    """Whether ``value`` is a JS value already, or a scalar that crosses as it is."""
    return isinstance(value, _SCALARS) or hasattr(type(value), "_js_type_flags") or value is bridge.jsnull


def _unwrapped(bridge: Bridge, value: Any) -> Any:
    """A proxy even for a PyProxy: ``to_js`` promises a JS value."""
    found = bridge.classify(value) if hasattr(value, "is_object") else None
    if isinstance(found, PyHandle):
        return bridge.classes.double(value)
    return bridge.convert.to_py(value)


class _Deep:
    def __init__(
        self,
        bridge: Bridge,
        pyproxies: Any,
        create_pyproxies: bool,
        dict_converter: Callable[[Any], Any] | None,
        default_converter: Callable[..., Any] | None,
        eager_converter: Callable[..., Any] | None,
    ) -> None:
        self._bridge = bridge
        self._pyproxies = pyproxies
        self._create = create_pyproxies
        self._dict = dict_converter
        self._default = default_converter
        self._eager = eager_converter
        self._cache: dict[int, Any] = {}
        self._alive: list[Any] = []

    def convert(self, obj: Any, depth: int) -> Any:
        """The engine's value for ``obj``, with ``depth`` levels to go."""
        if _is_js(self._bridge, obj):
            return self._bridge.convert.to_js(obj)
        known = self._cache.get(id(obj))
        if known is not None:
            return known
        if depth == 0:
            return self._leaf(obj, False)
        if self._eager is not None:
            return self._by(self._eager, obj, lambda value: self._container(value, depth))
        return self._container(obj, depth)

    def _container(self, obj: Any, depth: int) -> Any:
        if isinstance(obj, list | tuple):
            return self._list(obj, depth)
        if isinstance(obj, dict):
            return self._mapping(obj, depth)
        if isinstance(obj, set):
            items = [self.convert(item, depth - 1) for item in obj]
            return self._remember(obj, self._bridge.invoke("newSet", items))
        if isinstance(obj, bytes | bytearray | memoryview | array.array) or "buffer" in (
            self._bridge.pyproxies.abilities(obj)[0].split(",")
        ):
            return self._buffer(obj)
        return self._leaf(obj, True)

    def _remember(self, obj: Any, value: Any) -> Any:
        self._cache[id(obj)] = value
        self._alive.append(obj)  # so that the id stays its own
        return value

    def _list(self, obj: list[Any] | tuple[Any, ...], depth: int) -> Any:
        made = self._remember(obj, self._bridge.engine.context.new_array())
        items = [self.convert(item, depth - 1) for item in obj]
        self._bridge.invoke("fill", made, items)
        return made

    def _mapping(self, obj: dict[Any, Any], depth: int) -> Any:
        if self._dict is None:
            made = self._remember(obj, self._bridge.invoke("newDict", self._bridge.dict_kind))
            self._bridge.invoke("fillDict", made, *self._pairs(obj, depth))
            return made
        pairs = self._bridge.invoke("pairsOf", *self._pairs(obj, depth))
        converted = _converted(self._dict, self._bridge.wrap(pairs))
        return self._remember(obj, self._bridge.convert.to_js(converted))

    def _pairs(self, obj: dict[Any, Any], depth: int) -> tuple[list[Any], list[Any]]:
        for key in obj:
            if not _is_js(self._bridge, key):
                raise ConversionError(f"Cannot use {key!r} as a key for a Javascript Map")
        keys = [self._bridge.convert.to_js(key) for key in obj]
        return keys, [self.convert(value, depth - 1) for value in obj.values()]

    def _buffer(self, obj: Any) -> Any:
        with memoryview(obj) as view:
            name = ARRAY_CLASSES.get(view.format[-1:], "Uint8Array")
            data = self._bridge.engine.array_buffer(view.tobytes())
        return self._remember(obj, self._bridge.invoke("viewOf", data, name))

    def _leaf(self, obj: Any, use_default: bool) -> Any:
        if use_default and self._default is not None:
            return self._by(self._default, obj, lambda value: self.convert(value, -1))
        return self._proxy(obj)

    def _proxy(self, obj: Any) -> Any:
        if not self._create:
            raise ConversionError(f"No conversion known for {obj!r}.")
        value = self._bridge.make_pyproxy(obj)
        if self._pyproxies is not None:
            self._bridge.invoke("method", self._pyproxies._cfw_value, "push", value)
        return value

    def _by(self, converter: Callable[..., Any], obj: Any, convert: Callable[[Any], Any]) -> Any:
        def inner(value: Any) -> Any:
            return _unwrapped(self._bridge, convert(value))

        def remember(source: Any, value: Any) -> None:
            self._remember(source, self._bridge.convert.to_js(value))

        result = _converted(converter, obj, inner, remember)
        if _is_js(self._bridge, result):
            return self._bridge.convert.to_js(result)
        return self._proxy(result)


def _converted(converter: Callable[..., Any], *args: Any) -> Any:
    try:
        return converter(*args)
    except Exception as error:
        raise ConversionError("Conversion from python to javascript failed") from error
