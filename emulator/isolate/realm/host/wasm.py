"""WebAssembly of a realm, opened when JavaScript or the module loader makes the first wasm thing.

wasmtime takes 70 ms to import, which most Workers need not pay.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from ..engine import Value

if TYPE_CHECKING:
    from emulator.isolate.wasm.host import WasmHost

    from ..realm import Realm


_PLATFORM: Final = sys.platform
_MACHINE: Final = os.uname().machine


@contextlib.contextmanager
def _real_platform() -> Iterator[None]:
    """wasmtime finds its library by these, which Python Workers see as the platform's."""
    modules: Any = platform
    seen, machine = sys.platform, modules.machine
    sys.platform, modules.machine = _PLATFORM, lambda: _MACHINE
    try:
        yield
    finally:
        sys.platform, modules.machine = seen, machine


class WebAssemblyHalf:
    """The Python half of ``platform.wasm``. ``cache``, a directory for compiled code, is set before use."""

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self._host: WasmHost | None = None
        self.cache = ""

    @property
    def depth(self) -> int:
        """Imports that run right now. While it is not 0 wasm is on the stack: no greenlet may be left."""
        return self._host.depth if self._host else 0

    def memory_bytes(self) -> int:
        """What all wasm memories and instances that JavaScript still has take together."""
        return self._host.memory_bytes() if self._host else 0

    def instances(self) -> int:
        """How many wasm instances JavaScript still has."""
        return self._host.instances() if self._host else 0

    def open(self) -> Value:
        """The functions of the host half, for webassembly.js. Called once."""
        with _real_platform():
            from emulator.isolate.wasm.host import WasmHost

        self._host = host = WasmHost(self._realm.engine, self.cache)
        functions = self._realm.engine.context.new_object()
        for name, function in _guarded(host).items():
            functions.set(name, self._realm.engine.function(self._realm.guarded(function), name))
        for name, function in _direct(host).items():
            functions.set(name, self._realm.engine.function(function, name))
        functions.set("scratch", host.scratch_buffer())
        return functions


_ITEMS: Final = {
    "newMemory": "new_memory",
    "memoryLimits": "memory_limits",
    "growMemory": "grow_memory",
    "memorySizer": "memory_sizer",
    "memoryBuffer": "memory_buffer",
    "newTable": "new_table",
    "tableType": "table_type",
    "tableSize": "table_size",
    "tableGet": "table_get",
    "tableSet": "table_set",
    "tableGrow": "table_grow",
    "newGlobal": "new_global",
    "globalType": "global_type",
    "globalGet": "global_get",
    "globalSet": "global_set",
}
_EXCEPTIONS: Final = {"newTag": "new_tag", "tagType": "tag_type", "stageException": "stage"}
_REFERENCES: Final = {
    "pushExtern": "push_extern",
    "pushFunction": "push_function",
    "flush": "flush",
    "loadExtern": "load_extern",
    "loadFunction": "load_function",
}
"""What the parts of a group do, by the names that JavaScript calls them; its number comes first."""


def _guarded(host: WasmHost) -> dict[str, Callable[..., Any]]:
    return {
        "start": host.start,
        "compile": host.compile,
        "describe": host.describe,
        "custom": host.custom,
        "validate": host.validate,
        "openGroup": host.open_group,
        "instantiate": host.instantiate,
        "signature": host.signature,
        "exportMaker": host.export_maker,
        "importMaker": host.import_maker,
        "importFunction": host.import_function,
        "foreignFunction": host.foreign_function,
        **{name: _of_group(host, "items", method) for name, method in _ITEMS.items()},
        **{name: _of_group(host, "exceptions", method) for name, method in _EXCEPTIONS.items()},
    }


def _direct(host: WasmHost) -> dict[str, Callable[..., Any]]:
    """What each call may need: these take and give numbers, and do not raise."""
    return {
        "takeFailure": host.take_failure,
        "callable": host.function,
        "detach": host.engine.detach,
        **{name: _of_group(host, "references", method) for name, method in _REFERENCES.items()},
    }


def _of_group(host: WasmHost, part: str, method: str) -> Callable[..., Any]:
    groups = host.groups

    def call(group: int, *args: Any) -> Any:
        return getattr(getattr(groups[group], part), method)(*args)

    return call
