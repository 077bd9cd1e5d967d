"""JS arrays, maps, sets and the like as Python containers."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable, KeysView, MutableMapping, MutableSequence
from typing import TYPE_CHECKING, Any

from ..realm.engine import Undefined, Value
from .flags import FLAGS
from .handles import MISSING

if TYPE_CHECKING:
    from .bridge import Bridge


class LengthMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def __len__(self) -> int:
        found = self._cfw_bridge.invoke("lengthOf", self._cfw_value)
        if found is MISSING:
            raise TypeError("object does not have a valid length")
        return int(found)


class HasMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def __contains__(self, key: object) -> bool:
        return bool(
            self._cfw_bridge.invoke("method", self._cfw_value, "has", self._cfw_bridge.convert.to_js(key))
        )


class IncludesMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def __contains__(self, key: object) -> bool:
        bridge = self._cfw_bridge
        return bool(bridge.invoke("method", self._cfw_value, "includes", bridge.convert.to_js(key)))


class ItemMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value
    _js_type_flags: int

    def __getitem__(self, key: Any) -> Any:
        bridge = self._cfw_bridge
        value = bridge.convert.to_js(key)
        found = bridge.invoke("method", self._cfw_value, "get", value)
        if (
            found is Undefined
            and self._js_type_flags & FLAGS["HAS_HAS"]
            and not bridge.invoke("method", self._cfw_value, "has", value)
        ):
            raise KeyError(key)
        return bridge.convert.to_py(found)


class NotIterableMixin:
    """Where there are items but no iterator, Python would try 0, 1, 2 and so on for ever."""

    __slots__ = ()
    __iter__ = None


class ItemAssignmentMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def __setitem__(self, key: Any, value: Any) -> None:
        bridge = self._cfw_bridge
        bridge.invoke(
            "method", self._cfw_value, "set", bridge.convert.to_js(key), bridge.convert.to_js(value)
        )

    def __delitem__(self, key: Any) -> None:
        bridge = self._cfw_bridge
        # Headers.delete answers undefined: the platform takes that for "was not there".
        if bridge.invoke("method", self._cfw_value, "delete", bridge.convert.to_js(key)) is not True:
            raise KeyError(key)


class MapMixin(ItemMixin, HasMixin, LengthMixin):
    """Map-like values are mappings: they iterate over keys, and Python's methods win."""

    __slots__ = ()

    def __iter__(self) -> Any:
        return self._cfw_bridge.convert.to_py(self._cfw_bridge.invoke("iterateKeys", self._cfw_value))

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of ``key``, else ``default``."""
        try:
            return self[key]
        except KeyError:
            return default

    keys = MutableMapping.keys
    items = MutableMapping.items
    values = MutableMapping.values
    __reversed__ = None


class MutableMapMixin(ItemAssignmentMixin, MapMixin):
    __slots__ = ()

    pop = MutableMapping.pop
    popitem = MutableMapping.popitem
    setdefault = MutableMapping.setdefault
    update = MutableMapping.update
    clear = MutableMapping.clear
    _MutableMapping__marker = MutableMapping._MutableMapping__marker  # type: ignore[attr-defined]


class ObjectMapMixin:
    """The own properties of an object as a mapping (``as_object_map``)."""

    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value
    _cfw_this: Any
    """Whether values that are plain objects become object maps too."""

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        bridge = self._cfw_bridge
        found = bridge.get(self._cfw_value, key)
        if self._cfw_this and type(found) is Value and not found.is_function and not found.is_array:
            return bridge.classes.object_map(found, True)
        return bridge.convert.to_py(found)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError("Can only assign keys of type string to JavaScript object map")
        self._cfw_bridge.invoke("set", self._cfw_value, key, self._cfw_bridge.convert.to_js(value))

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._cfw_bridge.invoke("remove", self._cfw_value, key)

    def __contains__(self, key: object) -> bool:
        return key in self._cfw_names()

    def __len__(self) -> int:
        return len(self._cfw_names())

    def __iter__(self) -> Any:
        return iter(self._cfw_names())

    def _cfw_names(self) -> list[str]:
        return self._cfw_bridge.invoke("keys", self._cfw_value).to_python()  # type: ignore[no-any-return]

    def keys(self) -> KeysView[str]:
        """The names of the properties."""
        return KeysView(self)

    get = MapMixin.get
    items = MutableMapping.items
    values = MutableMapping.values
    pop = MutableMapping.pop
    popitem = MutableMapping.popitem
    setdefault = MutableMapping.setdefault
    update = MutableMapping.update
    clear = MutableMapping.clear
    _MutableMapping__marker = MutableMapping._MutableMapping__marker  # type: ignore[attr-defined]


class ArrayMixin(IncludesMixin, LengthMixin):
    """A JS array as a mutable sequence; Python's methods win over JavaScript's."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name == "keys":
            # So that dict(array) takes it for pairs, not for a mapping.
            raise AttributeError(name, name=name, obj=self)
        return super().__getattr__(name)  # type: ignore[misc]

    def _cfw_position(self, index: Any) -> int:
        if not hasattr(type(index), "__index__"):
            raise TypeError(f"list indices must be integers or slices, not {type(index).__name__}")
        position = index.__index__()
        return int(position + len(self) if position < 0 else position)

    def __getitem__(self, index: Any) -> Any:
        bridge = self._cfw_bridge
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return bridge.convert.to_py(bridge.invoke("slice", self._cfw_value, start, stop, step))
        position = self._cfw_position(index)
        if not 0 <= position < len(self):
            raise IndexError(index)
        found = bridge.get(self._cfw_value, position)
        if found is MISSING:  # a hole
            raise IndexError(index)
        return bridge.convert.to_py(found)

    def __setitem__(self, index: Any, value: Any) -> None:
        bridge = self._cfw_bridge
        if isinstance(index, slice):
            self._cfw_assign_slice(index, [bridge.convert.to_js(item) for item in value])
            return
        position = self._cfw_position(index)
        if position < 0:
            raise IndexError(index)
        bridge.invoke("set", self._cfw_value, position, bridge.convert.to_js(value))

    def _cfw_assign_slice(self, index: slice, items: list[Any]) -> None:
        bridge = self._cfw_bridge
        start, stop, step = index.indices(len(self))
        if step == 1:
            bridge.invoke("splice", self._cfw_value, start, max(0, stop - start), items)
            return
        positions = range(start, stop, step)
        if len(positions) != len(items):
            raise ValueError(
                f"attempt to assign sequence of size {len(items)} to extended slice of size {len(positions)}"
            )
        for position, item in zip(positions, items, strict=True):
            bridge.invoke("set", self._cfw_value, position, item)

    def __delitem__(self, index: Any) -> None:
        bridge = self._cfw_bridge
        if isinstance(index, slice):
            for position in sorted(range(*index.indices(len(self))), reverse=True):
                bridge.invoke("splice", self._cfw_value, position, 1, [])
            return
        position = self._cfw_position(index)
        if not 0 <= position < len(self):
            raise IndexError(index)
        bridge.invoke("splice", self._cfw_value, position, 1, [])

    def __reversed__(self) -> Any:
        return self._cfw_bridge.convert.to_py(self._cfw_bridge.invoke("reversed", self._cfw_value))

    def __add__(self, other: Iterable[Any]) -> Any:
        bridge = self._cfw_bridge
        items = [bridge.convert.to_js(item) for item in other]
        return bridge.convert.to_py(bridge.invoke("concat", self._cfw_value, items))

    def __mul__(self, times: Any) -> Any:
        if not hasattr(type(times), "__index__"):
            return NotImplemented
        bridge = self._cfw_bridge
        return bridge.convert.to_py(bridge.invoke("repeat", self._cfw_value, operator.index(times)))

    __rmul__ = __mul__

    def pop(self, index: Any = -1) -> Any:
        """Remove the item at ``index``, and give it."""
        if not -len(self) <= operator.index(index) < len(self):
            raise IndexError("pop index out of range" if len(self) else "pop from empty list")
        found = self[index]
        del self[index]
        return found

    def append(self, value: Any) -> None:
        """Add ``value`` at the end."""
        self.insert(len(self), value)

    def insert(self, index: int, value: Any) -> None:
        """Put ``value`` before position ``index``."""
        position = operator.index(index)
        position = max(0, min(len(self), position + len(self) if position < 0 else position))
        self._cfw_bridge.invoke(
            "splice", self._cfw_value, position, 0, [self._cfw_bridge.convert.to_js(value)]
        )

    def extend(self, values: Iterable[Any]) -> None:
        """Add all of ``values`` at the end."""
        items = [self._cfw_bridge.convert.to_js(value) for value in values]
        self._cfw_bridge.invoke("splice", self._cfw_value, len(self), 0, items)

    def index(self, value: Any, start: int = 0, stop: int = sys.maxsize) -> int:
        """The first position of ``value`` (by ``===``); ValueError without one."""
        start, stop, _ = slice(start, stop).indices(len(self))
        bridge = self._cfw_bridge
        found = int(bridge.invoke("indexOf", self._cfw_value, bridge.convert.to_js(value), start, stop))
        if found < 0:
            raise ValueError(f"{value!r} is not in list")
        return found

    remove = MutableSequence.remove
    reverse = MutableSequence.reverse
    count = MutableSequence.count
    __iadd__ = MutableSequence.__iadd__
