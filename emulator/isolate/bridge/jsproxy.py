"""The Python face of JavaScript values: one class per combination of abilities."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Generator, Mapping, MutableMapping, MutableSequence
from typing import TYPE_CHECKING, Any, Final

from _pyodide._core_docs import _JsProxyMetaClass

from ..realm.engine import Undefined, Value
from . import buffers, containers, iteration, py_json
from .errors import JsException
from .flags import FLAGS
from .handles import MISSING, PyHandle
from .to_py import to_py

if TYPE_CHECKING:
    from .bridge import Bridge


_NO_JSON: Final = sum(
    FLAGS[name] for name in ("IS_CALLABLE", "IS_BUFFER", "IS_ERROR", "IS_AWAITABLE", "IS_DOUBLE_PROXY")
)


class JsProxyMeta(_JsProxyMetaClass):
    """Makes ``type(x).__name__`` short while messages say ``pyodide.ffi.JsProxy``."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        return "JsException" if issubclass(cls, Exception) else "JsProxy"


def js_name(name: str) -> str:
    """The JS name for a Python attribute: one underscore goes from ``from_`` and the like."""
    if name.endswith("_") and keyword.iskeyword(name.rstrip("_")):
        return name[:-1]
    return name


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


class JsProxyBase(metaclass=JsProxyMeta):
    """What every JS value can do. Slots hold the engine's value and, for methods, the receiver."""

    __slots__ = ()
    __module__ = "pyodide.ffi"
    _js_type_flags: int = 0
    _cfw_bridge: Bridge
    _cfw_value: Value
    _cfw_this: Any

    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        bridge = self._cfw_bridge
        found = bridge.get_attribute(self._cfw_value, js_name(name) if name[-1:] == "_" else name)
        kind = type(found)
        if kind is FunctionInfo:
            if name == "constructor":
                return found.constructor
            return bridge.classes.make(found.flags, found.value, self._cfw_value)
        if found is MISSING:
            raise AttributeError(name, name=name, obj=self)
        if kind is Value and found.is_function:
            return bridge.classes.method(found, self._cfw_value, name)
        return bridge.convert.to_py(found)

    def __setattr__(self, name: str, value: Any) -> None:
        if _is_dunder(name):
            object.__setattr__(self, name, value)
            return
        bridge = self._cfw_bridge
        bridge.invoke("set", self._cfw_value, js_name(name), bridge.convert.to_js(value))

    def __delattr__(self, name: str) -> None:
        if _is_dunder(name):
            object.__delattr__(self, name)
            return
        self._cfw_bridge.invoke("remove", self._cfw_value, js_name(name))

    def __dir__(self) -> list[str]:
        names = self._cfw_bridge.invoke("propertyNames", self._cfw_value).to_python()
        hidden = {"keys"} if self._js_type_flags & FLAGS["IS_ARRAY"] else set()
        return sorted((set(object.__dir__(self)) | set(names)) - hidden)

    def __eq__(self, other: object) -> bool:
        value = getattr(type(other), "_js_type_flags", None)
        return value is not None and bool(self._cfw_value == other._cfw_value)  # type: ignore[attr-defined]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __bool__(self) -> bool:
        return bool(self._cfw_bridge.invoke("truthy", self._cfw_value))

    def __str__(self) -> str:
        # Whatever shows an error must not end in another one.
        name = "text" if self._js_type_flags & FLAGS["IS_ERROR"] else "shown"
        return str(self._cfw_bridge.invoke(name, self._cfw_value))

    __repr__ = __str__

    def _cfw_compare(self, other: object, operator: str) -> Any:
        if not hasattr(type(other), "_js_type_flags"):
            return NotImplemented
        bridge = self._cfw_bridge
        value = other._cfw_value  # type: ignore[attr-defined]
        return bool(bridge.invoke("compare", self._cfw_value, value, operator))

    def __lt__(self, other: object) -> Any:
        return self._cfw_compare(other, "<")

    def __le__(self, other: object) -> Any:
        return self._cfw_compare(other, "<=")

    def __gt__(self, other: object) -> Any:
        return self._cfw_compare(other, ">")

    def __ge__(self, other: object) -> Any:
        return self._cfw_compare(other, ">=")

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("cannot pickle 'pyodide.ffi.JsProxy' object")

    @property
    def typeof(self) -> str:
        """What ``typeof`` gives in JavaScript."""
        return str(self._cfw_bridge.invoke("isTypeOf", self._cfw_value))

    @property
    def js_id(self) -> int:
        """A number that two proxies share exactly when they are the same JS object."""
        return int(self._cfw_bridge.invoke("idOf", self._cfw_value))

    def _cfw_helper(self, name: str, *args: Any) -> Any:
        bridge = self._cfw_bridge
        return bridge.convert.to_py(bridge.invoke(name, self._cfw_value, *args))

    def object_keys(self) -> Any:
        """``Object.keys(x)`` as a JS array."""
        return self._cfw_helper("keys")

    def object_values(self) -> Any:
        """``Object.values(x)`` as a JS array."""
        return self._cfw_helper("values")

    def object_entries(self) -> Any:
        """``Object.entries(x)`` as a JS array of pairs."""
        return self._cfw_helper("entries")

    def as_object_map(self, *, hereditary: bool = False) -> Any:
        """A mutable mapping over the own properties; ``hereditary`` applies to values too."""
        return self._cfw_bridge.classes.object_map(self._cfw_value, hereditary)

    def to_py(self, *, depth: int = -1, default_converter: Callable[..., Any] | None = None) -> Any:
        """A deep copy as Python containers; see ``to_py`` module."""
        return to_py(self._cfw_bridge, self, depth, default_converter)


class CallableMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value
    _cfw_this: Any

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._cfw_bridge.call(self._cfw_value, self._cfw_this, args, kwargs)

    def new(self, *args: Any, **kwargs: Any) -> Any:
        """``new f(...)``; keyword arguments become one trailing options object."""
        return self._cfw_bridge.call(self._cfw_value, None, args, kwargs, new=True)


class DoubleProxyMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def destroy(self) -> None:
        """End the life of the PyProxy. Idempotent."""
        self._cfw_handle().destroy()

    def unwrap(self) -> Any:
        """The Python object inside."""
        handle = self._cfw_handle()
        if handle.dead:
            raise self._cfw_bridge.errors.from_js(handle.epitaph)
        return handle.target

    def _cfw_handle(self) -> PyHandle:
        handle = self._cfw_bridge.classify(self._cfw_value)
        assert isinstance(handle, PyHandle)
        return handle


class AwaitableMixin:
    __slots__ = ()
    _cfw_bridge: Bridge
    _cfw_value: Value

    def __await__(self) -> Generator[Any, None, Any]:
        return self._cfw_bridge.promises.future(self._cfw_value).__await__()


class FunctionInfo:
    """What Python knows of a JS function that lives as long as the realm."""

    __slots__ = ("_classes", "_constructor", "flags", "value")

    def __init__(self, flags: int, value: Value, classes: ProxyClasses) -> None:
        self.flags = flags
        self.value = value
        self._classes = classes
        self._constructor: Any = None

    @property
    def constructor(self) -> Any:
        """One proxy for all: the SDK reads ``x.constructor.name`` many times per request."""
        if self._constructor is None:
            proxy = self._classes.make(self.flags, self.value)
            object.__setattr__(proxy, "name", proxy.name)
            self._constructor = proxy
        return self._constructor


class ProxyClasses:
    """Makes proxies; the classes are built on first use and kept."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._classes: dict[int, type[Any]] = {}

    def make(self, flags: int, value: Value, this: Any = Undefined) -> Any:
        """A proxy for ``value``, with ``this`` as receiver when it is a method."""
        cls = self._classes.get(flags) or self._build(flags)
        proxy = cls.__new__(cls)  # type: ignore[call-overload]
        put = object.__setattr__
        put(proxy, "_cfw_value", value)
        put(proxy, "_cfw_this", this)
        return proxy

    def method(self, value: Value, this: Value, name: str) -> Any:
        """A function read from ``this`` by ``name``: calls of it are bound."""
        found = self._bridge.classify(value)
        if type(found) is not int:
            return self._bridge.wrap(value)
        info = self._bridge.engine.host_object(FunctionInfo(found, value, self))
        self._bridge.invoke("remember", this, js_name(name), value, info)
        return self.make(found, value, this)

    def double(self, value: Value) -> Any:
        """The proxy that ``create_proxy`` gives for a PyProxy."""
        return self.make(self._bridge.invoke("flagsOfPyProxy", value), value)

    def object_map(self, value: Value, hereditary: bool) -> Any:
        """A proxy for ``value`` as a mapping of its own properties."""
        flags = FLAGS["IS_OBJECT_MAP"] | FLAGS["IS_ITERABLE"] | FLAGS["HAS_LENGTH"]
        proxy = self.make(flags, value)
        object.__setattr__(proxy, "_cfw_this", hereditary)
        return proxy

    def py_json(self, value: Value) -> Any:
        """A proxy for an object as a mapping, for an array as a sequence; others as they are."""
        flags = self._bridge.classify(value)
        if type(flags) is not int or flags & _NO_JSON:
            return self._bridge.wrap(value)
        if flags & FLAGS["IS_ARRAY"]:
            return self.make(flags | FLAGS["IS_PY_JSON_SEQUENCE"], value)
        mapping = FLAGS["IS_PY_JSON_DICT"] | FLAGS["IS_OBJECT_MAP"]
        return self.make(mapping | FLAGS["IS_ITERABLE"] | FLAGS["HAS_LENGTH"], value)

    def _build(self, flags: int) -> type[Any]:
        is_error = bool(flags & FLAGS["IS_ERROR"])
        bases = (*_mixins(flags), JsProxyBase) + ((JsException,) if is_error else ())
        namespace = {
            "__slots__": ("_cfw_this", "_cfw_value")
            if is_error
            else ("__dict__", "__weakref__", "_cfw_this", "_cfw_value"),
            "__module__": "pyodide.ffi",
            "__qualname__": "JsException" if is_error else "JsProxy",
            "_js_type_flags": flags,
            "_cfw_bridge": self._bridge,
            "__hash__": None,
        }
        name = "pyodide.ffi.JsException" if is_error else "pyodide.ffi.JsProxy"
        cls = JsProxyMeta(name, bases, namespace)
        if issubclass(cls, containers.MutableMapMixin | containers.ObjectMapMixin):
            _MutableMapping.register(cls)
        elif issubclass(cls, containers.MapMixin):
            _Mapping.register(cls)
        elif issubclass(cls, containers.ArrayMixin):
            _MutableSequence.register(cls)
        self._classes[flags] = cls
        return cls


# `JsProxy` says by itself that it is a sequence or a mapping, so registering it there does
# nothing; only a registration that does something makes `match` see it.
class _MutableSequence(MutableSequence[Any]):
    """For ``register``."""


class _MutableMapping(MutableMapping[Any, Any]):
    """For ``register``."""


class _Mapping(Mapping[Any, Any]):
    """For ``register``."""


def _mixins(flags: int) -> list[type]:
    found: list[type] = []

    def has(*names: str) -> bool:
        return all(flags & FLAGS[name] for name in names)

    if has("IS_DOUBLE_PROXY"):
        found.append(DoubleProxyMixin)
    if has("IS_CALLABLE"):
        found.append(CallableMixin)
    if not flags & _NO_JSON:
        found.append(py_json.PyJsonMixin)
    if has("IS_PY_JSON_DICT"):
        return [*found, py_json.JsonObjectMixin]
    if has("IS_OBJECT_MAP"):
        return [*found, containers.ObjectMapMixin]
    if has("IS_TYPEDARRAY"):
        found.append(buffers.TypedArrayMixin)
    elif has("IS_BUFFER"):
        found.append(buffers.BufferMixin)
    elif has("IS_PY_JSON_SEQUENCE"):
        return [*found, py_json.JsonArrayMixin]
    elif has("IS_ARRAY"):
        found.append(containers.ArrayMixin)
    elif has("HAS_GET", "HAS_LENGTH", "IS_ITERABLE"):
        found.append(containers.MutableMapMixin if has("HAS_SET") else containers.MapMixin)
    else:
        found += _collection_mixins(has)
    found += _iteration_mixins(has)
    if has("IS_AWAITABLE"):
        found.append(AwaitableMixin)
    return found


def _collection_mixins(has: Callable[..., bool]) -> list[type]:
    found: list[type] = []
    if has("HAS_SET"):
        found.append(containers.ItemAssignmentMixin)
    if has("HAS_GET"):
        found.append(containers.ItemMixin)
        if not (has("IS_ITERABLE") or has("IS_ITERATOR")):
            found.append(containers.NotIterableMixin)
    if has("HAS_LENGTH"):
        found.append(containers.LengthMixin)
    if has("HAS_HAS"):
        found.append(containers.HasMixin)
    elif has("HAS_INCLUDES"):
        found.append(containers.IncludesMixin)
    return found


def _iteration_mixins(has: Callable[..., bool]) -> list[type]:
    found: list[type] = []
    if has("IS_GENERATOR"):
        found.append(iteration.GeneratorMixin)
    elif has("IS_ITERATOR"):
        found.append(iteration.IteratorMixin)
    elif has("IS_ITERABLE"):
        found.append(iteration.IterableMixin)
    if has("IS_ASYNC_GENERATOR"):
        found.append(iteration.AsyncGeneratorMixin)
    elif has("IS_ASYNC_ITERATOR"):
        found.append(iteration.AsyncIteratorMixin)
    elif has("IS_ASYNC_ITERABLE"):
        found.append(iteration.AsyncIterableMixin)
    return found
