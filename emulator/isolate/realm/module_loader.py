"""The engine's two module hooks: what an import means, and what a module consists of.

QuickJS asks twice. ``resolve(importer, specifier)`` gives the name of a module; the engine keeps one
instance per name. ``load(name)`` gives its source. The binding's own hook leaves the first question to
QuickJS, which knows nothing of packages, extensions or symbolic links, so both are set through the
engine's C API here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from . import c_api
from .engine import Engine, Value

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


class ModuleLoader:
    """Sets both hooks of ``engine``, for its life.

    The hooks may raise ``ImportRefused``; any other exception of theirs is thrown into the realm as text.
    ``broken(name)`` is told which module did not parse; its SyntaxError goes to whoever imports it.
    """

    def __init__(self, engine: Engine, resolve: _Resolve, load: _Load, broken: Callable[[str], None]) -> None:
        self._api = engine.api
        self._resolve = resolve
        self._load = load
        self._broken = broken
        self._loading = 0
        self.depth = 0
        """How many modules are being loaded, each for the one before."""
        self._make_error: Value = engine.eval("((E) => (message) => new E(message))(Error)", "cfw-emu:errors")
        self._hooks = (c_api.MODULE_NORMALIZE(self._on_normalize), c_api.MODULE_LOADER(self._on_load))
        runtime = c_api.pointer(engine.runtime)
        self._api.JS_SetModuleLoaderFunc2(runtime, *self._hooks, None, None)
        engine.module_loader = self

    def _on_normalize(self, context: int, importer: bytes, specifier: bytes, _: Any) -> int | None:
        try:
            name = self._resolve(_text(importer), _text(specifier))
            found: int | None = self._api.js_strdup(context, name.encode("utf-8", "surrogatepass"))
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
        api = self._api
        text = source.text
        self._loading += 1
        before = self._loading
        module = api.JS_Eval(context, text, len(text), name, _MODULE_COMPILE_ONLY)
        if module.tag == c_api.TAG_EXCEPTION:
            # A module that imports a broken one fails as well, later: only the first is to blame.
            if self._loading == before:
                self._broken(_text(name))
            self._loading += 1
            return None
        if source.given is not None:
            meta = api.JS_GetImportMeta(context, module.u)
            api.JS_SetPropertyStr(context, meta, b"given", c_api.held(c_api.raw(source.given)))
            c_api.release(meta)
        c_api.release(module)  # the engine's list of modules holds it
        address: int = module.u
        return address

    def _throw(self, context: int, error: BaseException) -> None:
        self._loading += 1
        message = str(error) if isinstance(error, ImportRefused) else f"{type(error).__name__}: {error}"
        thrown = self._make_error(message)
        self._api.JS_Throw(context, c_api.held(c_api.raw(thrown)))


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
