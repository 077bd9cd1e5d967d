"""WebAssembly of a realm, opened when JavaScript or the module loader makes the first wasm thing.

wasmtime takes 70 ms to import, which most Workers need not pay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..engine import Value

if TYPE_CHECKING:
    from emulator.isolate.wasm.host import WasmHost

    from ..realm import Realm


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
        """Size of all wasm memories together."""
        return self._host.items.memory_bytes() if self._host else 0

    def open(self) -> Value:
        """The functions of the host half, for webassembly.js. Called once."""
        from emulator.isolate.wasm.host import WasmHost

        self._host = host = WasmHost(self._realm.engine, self.cache)
        functions = self._realm.engine.context.new_object()
        for name, function in _guarded(host).items():
            functions.set(name, self._realm.engine.function(self._realm.guarded(function), name))
        for name, function in _direct(host).items():
            functions.set(name, self._realm.engine.function(function, name))
        functions.set("scratch", host.scratch_buffer())
        return functions


def _guarded(host: WasmHost) -> dict[str, Callable[..., Any]]:
    return {
        "compile": host.compile,
        "describe": host.describe,
        "custom": host.custom,
        "validate": host.validate,
        "instantiate": host.instantiate,
        "functionParts": host.function,
        "exportMaker": host.export_maker,
        "importMaker": host.import_maker,
        "importFunction": host.import_function,
        "newMemory": host.items.new_memory,
        "memoryLimits": host.items.memory_limits,
        "growMemory": host.items.grow_memory,
        "memorySizer": host.items.memory_sizer,
        "memoryBuffer": host.items.memory_buffer,
        "detach": host.items.detach,
        "newTable": host.items.new_table,
        "tableType": host.items.table_type,
        "tableSize": host.items.table_size,
        "tableGet": host.items.table_get,
        "tableSet": host.items.table_set,
        "tableGrow": host.items.table_grow,
        "newGlobal": host.items.new_global,
        "globalType": host.items.global_type,
        "globalGet": host.items.global_get,
        "globalSet": host.items.global_set,
        "newTag": host.exceptions.new_tag,
        "tagType": host.exceptions.tag_type,
        "stageException": host.exceptions.stage,
    }


def _direct(host: WasmHost) -> dict[str, Callable[..., Any]]:
    """What each call may need: these take and give numbers, and do not raise."""
    references = host.references
    return {
        "takeFailure": host.take_failure,
        "pushExtern": references.push_extern,
        "pushFunction": references.push_function,
        "flush": references.flush,
        "loadExtern": references.load_extern,
        "loadFunction": references.load_function,
    }
