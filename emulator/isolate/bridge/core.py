"""``_pyodide_core``: what ``pyodide-py`` expects of the machine below it.

Installed in ``sys.modules`` before ``pyodide`` is imported; see ``install``.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from ..realm.realm import Realm
from .bridge import Bridge
from .errors import JsException
from .flags import FLAGS
from .handles import PyHandle
from .to_js import to_js


class JsNull:
    """The type of ``jsnull``, JavaScript's null: falsy, equal to itself alone."""

    def __repr__(self) -> str:
        return "jsnull"

    def __bool__(self) -> bool:
        return False

    @property
    def typeof(self) -> str:
        """What ``typeof null`` gives in JavaScript."""
        return "object"


def install(realm: Realm) -> Bridge:
    """Make ``js``, ``pyodide`` and ``pyodide.ffi`` importable over ``realm``.

    ``pyodide.webloop`` replaces the event loop policy, ``asyncio.run`` and ``time.sleep``
    when it is imported; the originals are put back, the isolate has a loop of its own.
    """
    import _pyodide._core_docs as docs
    import _pyodide._importhook as importhook

    jsnull = getattr(docs, "jsnull", None)
    if jsnull is None:
        jsnull = JsNull()
    bridge = Bridge(realm, jsnull)
    sys.modules["_pyodide_core"] = _core_module(bridge)
    sys.meta_path.append(importhook.jsfinder)
    importhook.jsfinder.hook = lambda _: None
    importhook.register_js_module("js", bridge.wrap(bridge.engine.global_))
    importhook.register_js_module("pyodide_js", bridge.wrap(_pyodide_js(bridge)))
    kept: Final = (asyncio.run, time.sleep, asyncio.get_event_loop_policy())
    importlib.import_module("pyodide.webloop")
    asyncio.run, time.sleep = kept[0], kept[1]
    asyncio.set_event_loop_policy(kept[2])
    asyncio._set_running_loop(None)
    return bridge


def _pyodide_js(bridge: Bridge) -> Any:
    """The parts of Pyodide's own JS API that its Python half imports."""
    source = """({
      loadedPackages: {},
      _api: {
        scheduleCallback: (callback, ms = 0) => setTimeout(callback, ms),
        abortSignalAny: (signals) => AbortSignal.any([...signals]),
        config: { enableRunUntilComplete: false },
      },
    })"""
    return bridge.engine.eval(source, "cfw-emu:pyodide_js")


def _core_module(bridge: Bridge) -> ModuleType:
    module = ModuleType("_pyodide_core")
    members: dict[str, Any] = dict(_functions(bridge))
    members["JsException"] = JsException
    members["js_flags"] = FLAGS
    members["jsnull"] = bridge.jsnull
    for name, value in members.items():
        setattr(module, name, value)
    return module


def _functions(bridge: Bridge) -> dict[str, Callable[..., Any]]:
    def to_js_(obj: Any, /, **options: Any) -> Any:
        return to_js(bridge, obj, **options)

    def create_proxy(obj: Any, /, *, capture_this: bool = False, roundtrip: bool = True) -> Any:
        """A PyProxy that lives until ``destroy``. ``capture_this``: it is called with ``this`` first."""
        proxy = bridge.make_pyproxy(obj, roundtrip=roundtrip, captures_this=capture_this)
        return bridge.classes.double(proxy)

    def create_once_callable(obj: Callable[..., Any], /, *, _may_syncify: bool = False) -> Any:
        """A JS function that may be called once, then releases ``obj``."""
        handle = bridge.engine.host_object(PyHandle(obj))
        return bridge.wrap(bridge.invoke("onceCallable", handle))

    def destroy_proxies(pyproxies: Any, /) -> None:
        """Destroy every PyProxy in a JS array."""
        classify = bridge.classify
        values = pyproxies._cfw_value
        for i in range(len(values)):
            handle = classify(values.get(i))
            if isinstance(handle, PyHandle):
                handle.destroy()

    def run_sync(awaitable: Any, /) -> Any:
        return bridge.promises.run_sync(awaitable)

    def can_run_sync() -> bool:
        return bridge.promises.can_run_sync()

    to_js_.__qualname__ = to_js_.__name__ = "to_js"
    create_proxy.__qualname__ = "create_proxy"
    return {
        "to_js": to_js_,
        "create_proxy": create_proxy,
        "create_once_callable": create_once_callable,
        "destroy_proxies": destroy_proxies,
        "run_sync": run_sync,
        "can_run_sync": can_run_sync,
    }
