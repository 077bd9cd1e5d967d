"""``JsProxy.to_py``: a deep copy of JS containers as Python containers.

Source: https://pyodide.org/en/0.28.2/usage/api/python-api/ffi.html#pyodide.ffi.JsProxy.to_py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .flags import TREE

if TYPE_CHECKING:
    from .bridge import Bridge

LIST, DICT, SET, BUFFER, OTHER, SEEN = (
    TREE[name] for name in ("LIST", "DICT", "SET", "BUFFER", "OTHER", "SEEN")
)


def to_py(bridge: Bridge, proxy: Any, depth: int, default_converter: Callable[..., Any] | None) -> Any:
    """Convert ``proxy`` to at most ``depth`` levels (-1: all).

    Objects, arrays, maps, sets and buffers become dict, list, dict, set and memoryview. All
    else stays a ``JsProxy``, unless ``default_converter(value, convert, cache)`` converts it.
    """
    tree, others = _tree(bridge, proxy, depth)
    return _Builder(bridge, others, default_converter).build(tree, proxy)


def _tree(bridge: Bridge, proxy: Any, depth: int) -> tuple[Any, Any]:
    pair = bridge.invoke("toTree", proxy._cfw_value, depth)
    tree = pair.get(0)
    return (tree.to_python() if hasattr(tree, "to_python") else tree), pair.get(1)


class _Builder:
    def __init__(
        self,
        bridge: Bridge,
        others: Any,
        default_converter: Callable[..., Any] | None,
        cache: dict[int, Any] | None = None,
    ) -> None:
        self._bridge = bridge
        self._others = others
        self._default = default_converter
        self._seen: list[Any] = []
        self._cache: dict[int, Any] = {} if cache is None else cache

    def build(self, node: Any, root: Any = None) -> Any:
        if type(node) is not list:
            return self._bridge.convert.to_py(node)
        kind, content = node
        if kind == LIST:
            items: list[Any] = []
            self._seen.append(items)
            items.extend(self.build(item) for item in content)
            return items
        if kind == DICT:
            return self._dict(content)
        if kind == SET:
            return self._set(content)
        if kind == SEEN:
            return self._seen[content]
        other = root if root is not None else self._bridge.convert.to_py(self._others.get(content))
        return other.to_memoryview() if kind == BUFFER else self._other(other)

    def _dict(self, content: list[Any]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        self._seen.append(found)
        for key, value in zip(content[::2], content[1::2], strict=True):
            found[self._bridge.convert.to_py(key)] = self.build(value)
        return found

    def _set(self, content: list[Any]) -> set[Any]:
        found: set[Any] = set()
        self._seen.append(found)
        found.update(self.build(item) for item in content)
        return found

    def _other(self, value: Any) -> Any:
        if self._default is None or not hasattr(type(value), "_js_type_flags"):
            return value
        if value.js_id in self._cache:
            return self._cache[value.js_id]
        return self._default(value, self._convert, self._remember)

    def _convert(self, value: Any) -> Any:
        if not hasattr(type(value), "_js_type_flags"):
            return value
        tree, others = _tree(self._bridge, value, -1)
        return _Builder(self._bridge, others, self._default, self._cache).build(tree)

    def _remember(self, value: Any, converted: Any) -> None:
        self._cache[value.js_id] = converted
