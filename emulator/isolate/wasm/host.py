"""The host half of the WebAssembly JavaScript API: one wasmtime store and what JavaScript made in it.

JavaScript knows modules, functions, memories, tables and globals by small numbers, so that the two
garbage collectors never hold each other's objects. All live as long as the isolate.
https://webassembly.github.io/spec/js-api/
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import sys
from collections.abc import Callable
from typing import Any, Final

import wasmtime
from wasmtime import _bindings as c
from wasmtime._ffi import dll

from ..realm.engine import Engine, JSError, Undefined, Value
from . import runtime, sections, traps
from .exceptions import Exceptions
from .items import Items
from .references import References
from .signature import SLOT_BYTES, TRAP_SLOT, export_wrapper, import_wrapper, signature

RECURSION_LIMIT: Final = 10_000
"""Python frames that JavaScript and wasm may nest; their own stack limits come first."""

_FINALIZER: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_CALLBACK: Final = ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)
_WHY: Final = traps.FROM_IMPORT.encode()


class Module:
    """A compiled module with what the API tells about it."""

    def __init__(self, data: bytes, compiled: wasmtime.Module) -> None:
        self.data = data
        self.compiled = compiled
        self.sections = sections.read(data)
        self.hash = hashlib.sha256(data).hexdigest()[:8]

        self.imported_functions = sum(item.kind == "function" for item in self.sections.imports)

    def holds(self, function: int, offset: int) -> bool:
        """Whether the code of ``function`` is at ``offset`` of this module."""
        own = function - self.imported_functions
        if not 0 <= own < len(self.sections.bodies):
            return False
        start, end = self.sections.bodies[own]
        return start <= offset < end

    def own_memory_bytes(self, index: int) -> int:
        """Initial size of a memory that the module declares."""
        minimums = self.sections.memories
        return minimums[index] * 65536 if index < len(minimums) else 0

    @functools.cached_property
    def imports(self) -> list[wasmtime.ImportType]:
        """wasmtime's own description of the imports."""
        return self.compiled.imports


class WasmHost:
    """All WebAssembly of one realm. ``cache`` is where compiled modules are kept; "" for nowhere."""

    def __init__(self, engine: Engine, cache: str) -> None:
        sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION_LIMIT))
        self.engine = engine
        self._cache = cache
        self.store = runtime.new_store()
        self.depth = 0
        """Imports that run right now: below each are wasm frames, which no greenlet may leave."""
        self._scratch = ctypes.create_string_buffer((TRAP_SLOT + 1) * SLOT_BYTES)
        self._address = ctypes.addressof(self._scratch)
        self._context = self.store._context()
        self.references = References(self._context, self._address)
        self.items = Items(engine, self.store, self.references, self._address)
        self.exceptions = Exceptions(self.store, self.references, self.items)
        self.modules: list[Module] = []
        self._names: dict[int, str] = {}
        self._callbacks: list[Any] = []
        self._broken: str | None = None
        self._call = ctypes.PYFUNCTYPE(ctypes.c_void_p)(runtime._address(dll.wasmtime_func_call_unchecked))
        self._new_trap = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)(
            runtime._address(dll.wasmtime_trap_new)
        )

    def scratch_buffer(self) -> Value:
        """The value slots as JavaScript sees them."""
        return self.engine.shared_buffer(self._address, len(self._scratch))

    # ---- modules ------------------------------------------------------------

    def compile(self, buffer: Value) -> int | str:
        """The number of a module made from its bytes, or what is wrong with them."""
        data = buffer.to_bytes()
        try:
            compiled = runtime.compile_module(data, self._cache)
        except wasmtime.WasmtimeError as error:
            return str(error)
        self.modules.append(Module(data, compiled))
        return len(self.modules) - 1

    def describe(self, module: int) -> list[Any]:
        """``[imports, exports]`` of a module."""
        found = self.modules[module].sections
        imports = [[i.module, i.name, i.kind, i.type, i.minimum, i.maximum, i.mutable] for i in found.imports]
        for index, item in enumerate(imports):
            if item[2] in ("function", "tag"):
                kind = self.modules[module].imports[index].type
                item[3] = signature(kind.functype if isinstance(kind, wasmtime.TagType) else kind)
        return [imports, [[e.name, e.kind] for e in found.exports], found.has_tags]

    def custom(self, module: int, name: str) -> list[bytes]:
        """Contents of a module's custom sections called ``name``."""
        return [content for own, content in self.modules[module].sections.custom if own == name]

    def validate(self, buffer: Value) -> bool:
        """Whether the bytes are a valid module."""
        return traps.is_valid(buffer.to_bytes(), runtime.engine())

    # ---- instances ----------------------------------------------------------

    def instantiate(self, module: int, imports: Value) -> list[Any]:
        """``[kind, number, ...]`` of the exports, or ``[failure]``; ``imports`` has the same form."""
        found = self.modules[module]
        given = imports.to_python()
        count = len(given) // 2
        externs = (c.wasmtime_extern_t * count)()
        for index in range(count):
            self.items.fill(externs[index], given[2 * index], int(given[2 * index + 1]))
        instance = c.wasmtime_instance_t()
        trap = ctypes.POINTER(c.wasm_trap_t)()
        error = c.wasmtime_instance_new(
            self._context, found.compiled.ptr(), externs, count, ctypes.byref(instance), ctypes.byref(trap)
        )
        if error or trap:
            address = ctypes.cast(error or trap, ctypes.c_void_p).value or 0
            failure = traps.take_error(address) if error else traps.take_trap(address, self._opcode)
            if not failure.frames and failure.message == traps.OUT_OF_BOUNDS:
                failure.message = self._segment_out_of_bounds(found, given) or failure.message
            return [self._failure(failure)]
        return self._exports(found, instance)

    def _segment_out_of_bounds(self, module: Module, given: list[Any]) -> str | None:
        """V8's words for an active data segment that does not fit, with the first that does not."""
        numbers: dict[str, list[int]] = {"memory": [], "global": []}
        for index in range(0, len(given), 2):
            numbers.get(given[index], []).append(int(given[index + 1]))
        for segment in module.sections.segments:
            if segment.memory < len(numbers["memory"]):
                size = self.items.memory_size(numbers["memory"][segment.memory])
            else:
                size = module.own_memory_bytes(segment.memory - len(numbers["memory"]))
            offset = segment.offset
            if segment.from_global:
                if offset >= len(numbers["global"]):
                    return None
                self.items.global_get(numbers["global"][offset], "i")
                offset = ctypes.c_uint32.from_address(self._address).value
            if offset + segment.length > size:
                place = f"offset {offset}, length {segment.length}, memory size {size}"
                return f"data segment {segment.number} is out of bounds ({place})"
        return None

    def _exports(self, module: Module, instance: Any) -> list[Any]:
        exports: list[Any] = []
        for export in module.sections.exports:
            name = export.name.encode()
            item = c.wasmtime_extern_t()
            if not c.wasmtime_instance_export_get(
                self._context,
                ctypes.byref(instance),
                ctypes.create_string_buffer(name),
                len(name),
                ctypes.byref(item),
            ):
                raise LookupError(export.name)
            number = self.items.take(export.kind, item)
            if export.kind == "function":
                self._names.setdefault(number, str(export.index))
            exports += (export.kind, number)
        return exports

    # ---- functions ----------------------------------------------------------

    def function(self, number: int) -> list[Any]:
        """``[signature, name, call]`` of a function: ``call()`` runs it on the scratch slots."""
        kept = self.references.functions[number]
        kind = signature(self._type_of(kept))
        params, results = kind.split(":")
        call = functools.partial(
            self._call,
            ctypes.c_void_p(runtime._address(ctypes.pointer(self._context.contents))),
            ctypes.byref(kept),
            ctypes.c_void_p(self._address),
            ctypes.c_size_t(max(len(params), len(results))),
            ctypes.c_void_p(self._address + TRAP_SLOT * SLOT_BYTES),
        )
        return [kind, self._names.get(number, ""), self.engine.function(call, "")]

    def _type_of(self, function: Any) -> wasmtime.FuncType:
        return wasmtime.FuncType._from_ptr(c.wasmtime_func_type(self._context, ctypes.byref(function)), None)

    def export_maker(self, kind: str) -> Value:
        """The JS function that makes callable functions of one signature."""
        made: Value = self.engine.eval(export_wrapper(kind), "cfw-emu:webassembly.js")
        return made

    def import_maker(self, kind: str) -> Value:
        """The JS function that makes a JS function callable from wasm."""
        made: Value = self.engine.eval(import_wrapper(kind), "cfw-emu:webassembly.js")
        return made

    def import_function(self, module: int, index: int, kind: str, run: Value) -> int:
        """The id of a wasm function of the type of import ``index``, which calls ``run``."""
        params, results = kind.split(":")
        callback = _CALLBACK(self._entry(run, len(params) * SLOT_BYTES, len(results) * SLOT_BYTES))
        self._callbacks.append(callback)
        made = c.wasmtime_func_t()
        function_type = self.modules[module].imports[index].type
        assert isinstance(function_type, wasmtime.FuncType)
        c.wasmtime_func_new_unchecked(
            self._context,
            function_type.ptr(),
            ctypes.cast(callback, c.wasmtime_func_unchecked_callback_t),
            None,
            _FINALIZER(0),
            ctypes.byref(made),
        )
        return self.references.function_id(made)

    def _entry(self, run: Value, taken: int, given: int) -> Callable[..., int | None]:
        scratch, move, new_trap = self._address, ctypes.memmove, self._new_trap

        def enter(_data: int, _caller: int, values: int, _count: int) -> int | None:
            self.depth += 1
            try:
                if taken:
                    move(scratch, values, taken)
                if run() is Undefined:
                    if given:
                        move(values, scratch, given)
                    return None
            except JSError as error:
                self._broken = str(error)
            except BaseException as error:
                self._broken = f"{type(error).__name__}: {error}"
            finally:
                self.depth -= 1
            trap: int = self.exceptions.take_staged() or new_trap(_WHY, len(_WHY))
            return trap

        return enter

    # ---- failures -----------------------------------------------------------

    def take_failure(self, error: float | None) -> list[Any]:
        """What stopped the last call, ``[class, message, frames]``; ``error`` is what the call gave."""
        slot = ctypes.c_uint64.from_address(self._address + TRAP_SLOT * SLOT_BYTES)
        trap, slot.value = slot.value, 0
        failure = traps.take_trap(trap, self._opcode) if error is None else traps.take_error(int(error))
        return self._failure(failure)

    def _failure(self, failure: traps.Failure) -> list[Any]:
        broken, self._broken = self._broken, None
        exception = self.exceptions.take()
        if exception is not None:
            return ["Exception", exception]
        if failure.js_class or broken is None:
            return [failure.js_class, failure.message, [self._frame(frame) for frame in failure.frames]]
        # The wrapper of an import catches all that a Worker throws: this was the engine's own limit.
        return ["RangeError", broken if "memory" in broken else "Maximum call stack size exceeded", []]

    def _module_of(self, frame: traps.Frame) -> Module | None:
        for module in reversed(self.modules):
            if module.sections.name == frame.module and module.holds(frame.index, frame.offset):
                return module
        return None

    def _opcode(self, frame: traps.Frame) -> int:
        module = self._module_of(frame)
        return module.data[frame.offset] if module else -1

    def _frame(self, frame: traps.Frame) -> str:
        """A line of V8's ``stack``."""
        module = self._module_of(frame)
        digest = module.hash if module else ""
        url = f"wasm://wasm/{f'{frame.module}-' if frame.module else ''}{digest}"
        place = f"{url}:wasm-function[{frame.index}]:0x{frame.offset:x}"
        if not frame.name:
            return f"    at {place}"
        return f"    at {f'{frame.module}.' if frame.module else ''}{frame.name} ({place})"
