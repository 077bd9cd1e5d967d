"""The engine's two module hooks: what an import means, and what a module consists of.

QuickJS asks twice. ``resolve(importer, specifier)`` gives the name of a module; the engine keeps one
instance per name. ``load(name)`` gives its source. The binding's own hook leaves the first question to
QuickJS, which knows nothing of packages, extensions or symbolic links, so both are set through the
engine's C API here.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from .engine import Engine, Value, _JSValue, _pointer, _raw
from .engine import _api as _engine_api

_EXCEPTION: Final = 6
_MODULE_COMPILE_ONLY: Final = (1 << 0) | (1 << 5)
"""``JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY`` (quickjs.h)."""


class ImportRefused(Exception):
    """Raised by a hook: the import throws a JS ``Error`` with this message."""


class ModuleSource(NamedTuple):
    """One module: its source, and a value that only this source sees, as ``import.meta.given``."""

    text: bytes
    """UTF-8."""
    given: Value | None = None


_Resolve = Callable[[str, str], str]
_Load = Callable[[str], ModuleSource]

_NORMALIZE = ctypes.PYFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p
)
_LOADER = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, _JSValue)


@functools.cache
def _api() -> ctypes.PyDLL:
    library = _engine_api()
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    library.JS_GetRuntime.restype = pointer
    library.JS_GetRuntime.argtypes = [pointer]
    library.JS_SetModuleLoaderFunc2.restype = None
    library.JS_SetModuleLoaderFunc2.argtypes = [pointer, _NORMALIZE, _LOADER, pointer, pointer]
    library.JS_Eval.restype = _JSValue
    library.JS_Eval.argtypes = [pointer, text, ctypes.c_size_t, text, ctypes.c_int]
    library.JS_GetImportMeta.restype = _JSValue
    library.JS_GetImportMeta.argtypes = [pointer, pointer]
    library.JS_Throw.restype = _JSValue
    library.JS_Throw.argtypes = [pointer, _JSValue]
    library.js_strdup.restype = pointer
    library.js_strdup.argtypes = [pointer, text]
    return library


class ModuleLoader:
    """Sets both hooks of ``engine``, for its life.

    The hooks may raise ``ImportRefused``; any other exception of theirs is thrown into the realm as text.
    ``broken(name)`` is told which module did not parse; its SyntaxError goes to whoever imports it.
    """

    def __init__(self, engine: Engine, resolve: _Resolve, load: _Load, broken: Callable[[str], None]) -> None:
        self._context = _pointer(engine.context)
        self._resolve = resolve
        self._load = load
        self._broken = broken
        self._loading = 0
        self.depth = 0
        """How many modules are being loaded, each for the one before."""
        self._make_error: Value = engine.eval("((E) => (message) => new E(message))(Error)", "cfw-emu:errors")
        self._hooks = (_NORMALIZE(self._on_normalize), _LOADER(self._on_load))
        api = _api()
        api.JS_SetModuleLoaderFunc2(api.JS_GetRuntime(self._context), *self._hooks, None, None)
        # The engine calls the hooks as long as it lives.
        engine.module_loader = self  # type: ignore[attr-defined]

    def _on_normalize(self, context: int, importer: bytes, specifier: bytes, _: Any) -> int | None:
        try:
            name = self._resolve(_text(importer), _text(specifier))
            found: int | None = _api().js_strdup(context, name.encode("utf-8", "surrogatepass"))
            return found
        except BaseException as error:
            self._throw(context, error)
            return None

    def _on_load(self, context: int, name: bytes, _: Any, attributes: Any) -> int | None:
        self.depth += 1
        try:
            source = self._load(_text(name))
            return self._compile(context, name, source)
        except BaseException as error:
            self._throw(context, error)
            return None
        finally:
            self.depth -= 1

    def _compile(self, context: int, name: bytes, source: ModuleSource) -> int | None:
        api = _api()
        text = source.text
        self._loading += 1
        before = self._loading
        module = api.JS_Eval(context, text, len(text), name, _MODULE_COMPILE_ONLY)
        if module.tag == _EXCEPTION:
            # A module that imports a broken one fails as well, later: only the first is to blame.
            if self._loading == before:
                self._broken(_text(name))
            self._loading += 1
            return None
        if source.given is not None:
            meta = api.JS_GetImportMeta(context, module.u)
            api.JS_SetPropertyStr(context, meta, b"given", _held(_raw(source.given)))
            _release(meta)
        _release(module)  # the engine's list of modules holds it
        address: int = module.u
        return address

    def _throw(self, context: int, error: BaseException) -> None:
        self._loading += 1
        message = str(error) if isinstance(error, ImportRefused) else f"{type(error).__name__}: {error}"
        thrown = self._make_error(message)
        _api().JS_Throw(context, _held(_raw(thrown)))


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


# The counter of references is the first field of all that a JSValue points at (quickjs.h).


def _held(value: _JSValue) -> _JSValue:
    ctypes.c_int.from_address(value.u).value += 1
    return value


def _release(value: _JSValue) -> None:
    """Drop a reference that is not the last."""
    ctypes.c_int.from_address(value.u).value -= 1
