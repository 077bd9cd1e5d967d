"""The bridge: one realm joined to this Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

from ..realm.engine import JSError, Value
from ..realm.realm import Realm
from .convert import Converter
from .errors import ErrorTable
from .flags import FLAGS, TREE
from .handles import MISSING, CapturingHandle, Lent, PyHandle
from .jsproxy import ProxyClasses
from .promises import Promises
from .pyproxy import PyProxyHost


class Bridge:
    """Calls and conversions between Python and one realm.

    All errors that JavaScript throws arrive as ``JsException``, or as the very Python
    exception that once went into JavaScript.
    """

    def __init__(self, realm: Realm, jsnull: Any) -> None:
        self.realm = realm
        self.engine = realm.engine
        self.jsnull = jsnull
        self.missing: Value = self.engine.host_object(MISSING)
        self.convert = Converter(self, jsnull)
        self.classes = ProxyClasses(self)
        self.errors = ErrorTable(self)
        self.promises = Promises(self)
        self.pyproxies = PyProxyHost(self)
        self.dict_kind = "LiteralMap"
        """What ``to_js`` makes of a dict."""
        self.depth = 0
        """How many JS frames stand below the Python code that runs now."""
        self.last_lent: Lent | None = None
        """Who lent the object that JavaScript used last after its end."""
        self._js = self._load()
        self._helpers: dict[str, Value] = {}
        self._call = self._js.get("call")
        self._make = self._js.get("make")
        self._get = self._js.get("get")
        self._get_attribute = self._js.get("getAttribute")
        self.classify: Value = self._js.get("classify")
        """Gives the ``PyHandle`` of a PyProxy, else the flags of a JS value; -1 for a string."""
        self._call_unboxed = self._js.get("callUnboxed")
        self._make_unboxed = self._js.get("makeUnboxed")
        self._big_int = self._js.get("bigInt")
        self._is_promise = self._js.get("isPromise")
        self._pyproxy = self._js.get("pyProxy")

    def _load(self) -> Value:
        setup = self.engine.eval(
            (resources.files(__package__) / "bridge.js").read_text(encoding="utf-8"), "cfw-emu:bridge.js"
        )
        host = self.engine.context.new_object()
        for name, function in self.pyproxies.functions().items():
            host.set(name, self.engine.function(function, name))
        host.set("missing", self.missing)
        loaded: Value = setup(self.realm.platform, host, FLAGS, TREE)
        return loaded

    def follow_runtime(self, python: tuple[int, int]) -> None:
        """Convert as the platform's runtime on that CPython does.

        3.12 (Pyodide 0.26): null is ``None``, dicts become Map. 3.13 (0.28): ``jsnull`` and
        ``LiteralMap``. 3.14 (314): dicts become plain objects.
        """
        self.convert.null = None if python < (3, 13) else self.jsnull
        self.dict_kind = "Map" if python < (3, 13) else "LiteralMap" if python < (3, 14) else "Object"

    # ---- values -------------------------------------------------------------

    def helper(self, name: str) -> Value:
        """A function of bridge.js."""
        found = self._helpers.get(name)
        if found is None:
            found = self._helpers[name] = self._js.get(name)
        return found

    def wrap(self, value: Value) -> Any:
        """A non-primitive JS value as a Python object."""
        found = self.classify(value)
        if type(found) is int:
            return self.classes.make(found, value) if found >= 0 else str(value)
        if found.dead:
            raise TypeError(found.epitaph)
        return self.classes.double(value) if found.roundtrip else found.target

    def big_int(self, value: int) -> Value:
        """A box with a BigInt; bridge.js opens it where it arrives."""
        boxed: Value = self._big_int(str(value))
        return boxed

    def make_pyproxy(
        self,
        target: Any,
        borrowed: list[PyHandle] | None = None,
        *,
        roundtrip: bool = False,
        captures_this: bool = False,
    ) -> Value:
        """A PyProxy for ``target``; borrowed ones die with the call that they are made for.

        With ``roundtrip`` it stays a ``JsProxy`` when it comes back to Python.
        """
        handle = (CapturingHandle if captures_this else PyHandle)(target, roundtrip)
        if borrowed is not None:
            borrowed.append(handle)
        names, callable_, indexed = self.pyproxies.abilities(target)
        proxy: Value = self._pyproxy(self.engine.host_object(handle), names, callable_, indexed)
        return proxy

    # ---- crossings ----------------------------------------------------------

    def invoke(self, name: str, *args: Any) -> Any:
        """Call a helper of bridge.js with engine values; gives the engine's value."""
        return self.guard(self.helper(name), *args)

    def guard(self, function: Value, *args: Any) -> Any:
        """Call ``function`` with engine values; JS errors become Python exceptions."""
        try:
            return function(*args)
        except JSError as error:
            raise self.errors.pending(error) from None

    def get(self, value: Value, key: str | int) -> Any:
        """A property as the engine's value, or ``MISSING``."""
        try:
            return self._get(value, key)
        except JSError as error:
            raise self.errors.pending(error) from None

    def get_attribute(self, value: Value, key: str) -> Any:
        """The same, but a ``FunctionInfo`` for a function that is known already."""
        try:
            return self._get_attribute(value, key)
        except JSError as error:
            raise self.errors.pending(error) from None

    def call(
        self,
        function: Value,
        this: Any,
        args: Sequence[Any],
        kwargs: dict[str, Any] | None = None,
        *,
        new: bool = False,
    ) -> Any:
        """Call or construct ``function`` with Python arguments; gives a Python value.

        Keyword arguments become one trailing plain object. PyProxies made for the call
        live until it returns, or until the promise that it returns settles.
        """
        borrowed: list[PyHandle] = []
        to_js = self.convert.to_js
        try:
            values = [to_js(arg, borrowed) for arg in args]
            if kwargs:
                values.append({key: to_js(value, borrowed) for key, value in kwargs.items()})
            boxed, self.convert.boxed = self.convert.boxed, False
            make, call = (self._make_unboxed, self._call_unboxed) if boxed else (self._make, self._call)
            result = make(function, *values) if new else call(function, this, *values)
            if type(result) is not Value:
                return self.convert.to_py(result)
            if not new and self._is_promise(result):
                borrowed, kept = [], borrowed
                return self.promises.future(result, kept)
            return self.wrap(result)
        except JSError as error:
            raise self.errors.pending(error) from None
        finally:
            for handle in borrowed:
                handle.end_borrowing()

    def host_call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run ``function`` for JavaScript: its exception is thrown there, not here."""
        self.depth += 1
        try:
            return function(*args)
        except JSError as error:
            return self.errors.raise_in_js(self.errors.pending(error))
        except BaseException as error:
            return self.errors.raise_in_js(error)
        finally:
            self.depth -= 1
