"""The host half of the WebAssembly JavaScript API: modules, and groups of what JavaScript made of them.

JavaScript knows modules and groups by small numbers, and the functions, memories, tables and globals
of a group by numbers of that group, so that Python never holds a JavaScript object: the two garbage
collectors would not see a cycle through both. https://webassembly.github.io/spec/js-api/
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any, Final

import wasmtime
from wasmtime import _bindings as c

from ..realm.engine import Engine, JSError, Undefined, Value
from . import runtime, traps
from .epochs import epochs
from .group import Group, Lease
from .instances import instantiate
from .limits import MEMORY_BYTES, memory_limit
from .modules import Module, Modules
from .signature import SLOT_BYTES, TRAP_SLOT, export_wrapper, import_wrapper, signature

DEEPEST: Final = 250 if sys.version_info[:2] == (3, 12) else 2500
"""Imports that may run inside one another; then wasm gets a RangeError.

CPython 3.12 counts C calls apart and refuses the 1,500th, where a callback from C has no way to tell it."""

RECURSION_LIMIT: Final = 10_000
"""Python frames that JavaScript and wasm may nest; their own stack limits come first."""

INSTANCE_BYTES: Final = 32 * 1024
"""What an instance takes besides its memories, for ``memory_bytes``."""

_COLLECT_GROUPS: Final = 64
_COLLECT_BYTES: Final = MEMORY_BYTES // 2
"""New groups, and bytes of all, after which the engine looks for dropped groups that are in cycles."""

_MEASURED_EACH_TIME: Final = 16
"""Memories that are few enough for that."""

_IMPORT_BITS: Final = 20
"""Of a callback's data: the import's place in its group. A module has at most 100,000 imports."""

_FINALIZER: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_CALLBACK: Final = ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)
_WHY: Final = traps.FROM_IMPORT.encode()


class WasmHost:
    """All WebAssembly of one realm. ``cache`` is where compiled modules are kept; "" for nowhere."""

    def __init__(self, engine: Engine, cache: str) -> None:
        sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION_LIMIT))
        self.engine = engine
        epochs().on_interrupt = engine.interrupt  # JavaScript goes no further either
        self._cache = cache
        self.depth = 0
        """Imports that run right now: below each are wasm frames, which no greenlet may leave."""
        self._scratch = ctypes.create_string_buffer((TRAP_SLOT + 1) * SLOT_BYTES)
        self._address = ctypes.addressof(self._scratch)
        self._trap = ctypes.c_uint64.from_address(self._address + TRAP_SLOT * SLOT_BYTES)
        self.modules = Modules()
        self.groups: dict[int, Group] = {}
        self._dead: list[int] = []
        self._free: list[int] = []
        self._opened = 0
        self._kept = 0
        self._measured = self._skips = self._skipped = 0
        self._broken: str | None = None
        self._no_finalizer = _FINALIZER(0)
        self._function = _CALLBACK(lambda *_: None)
        self._callback: Any = None

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
        return self.modules.add(Module(data, compiled))

    def describe(self, module: int) -> list[Any]:
        """``[imports, exports, whether it has tags]`` of a module."""
        return self.modules[module].describe()

    def custom(self, module: int, name: str) -> list[bytes]:
        """Contents of a module's custom sections called ``name``."""
        return [content for own, content in self.modules[module].sections.custom if own == name]

    def validate(self, buffer: Value) -> bool:
        """Whether the bytes are a valid module."""
        return traps.is_valid(buffer.to_bytes(), runtime.engine())

    # ---- groups -------------------------------------------------------------

    def start(self, dispatch: Value) -> None:
        """``dispatch(group, index)`` runs an import; it gives false if the import threw."""
        self._function = _CALLBACK(self._entry(dispatch))
        self._callback = ctypes.cast(self._function, c.wasmtime_func_unchecked_callback_t)

    def open_group(self) -> list[Any]:
        """``[number, lease]`` of a new group. It is freed after its lease."""
        if self._opened >= max(_COLLECT_GROUPS, self._kept):
            self._collect()
        self._purge()
        self._opened += 1
        number = self._free.pop() if self._free else len(self.groups) + 1
        self.groups[number] = Group(self.engine, self._address)
        return [number, self.engine.host_object(Lease(number, self._dead))]

    def _purge(self) -> None:
        while self._dead:
            number = self._dead.pop()
            self.groups.pop(number).close()
            self._free.append(number)

    def _collect(self) -> None:
        """Find dropped groups: imports usually refer to the exports, which is a cycle."""
        self.engine.runtime.run_gc()
        self._purge()
        self._opened, self._kept = 0, len(self.groups)

    def instances(self) -> int:
        """How many instances there are."""
        self._purge()
        return sum(group.instances for group in self.groups.values())

    def memory_bytes(self) -> int:
        """What the instances and memories take together. Asked often, it measures many not each time."""
        self._purge()
        if self._skipped < self._skips:
            self._skipped += 1
            return self._measured
        self._measured = self._total()
        if self._measured > _COLLECT_BYTES and self._opened:
            self._collect()
            self._measured = self._total()
        self._skipped = 0
        return self._measured

    def _total(self) -> int:
        groups = self.groups.values()
        self._skips = sum(max(group.items.memories, 1) for group in groups) // _MEASURED_EACH_TIME
        return sum(group.items.memory_bytes() + group.instances * INSTANCE_BYTES for group in groups)

    # ---- instances ----------------------------------------------------------

    def instantiate(self, group: int, module: int, imports: Value) -> list[Any]:
        """``[kind, number, signature, name, ...]`` of the exports, or ``[failure]``."""
        home, found, given = self.groups[group], self.modules[module], imports.to_python()
        with memory_limit().unlimited():
            made = instantiate(home, found, given, self._opcode)
        if isinstance(made, traps.Failure) and made.message.startswith(traps.NO_ROOM):
            self._collect()
            with memory_limit().unlimited():
                made = instantiate(home, found, given, self._opcode)
        return [self._failure(home, made)] if isinstance(made, traps.Failure) else made

    # ---- functions ----------------------------------------------------------

    def signature(self, group: int, number: int) -> list[str]:
        """``[signature, name]`` of a function."""
        home = self.groups[group]
        name = self.modules.function_name(home.references.code_address(number))
        return [signature(home.function_type(number)), name]

    def function(self, group: int, number: int, kind: str) -> Value:
        """The JS function that runs a wasm function of the signature ``kind`` on the scratch slots."""
        params, results = kind.split(":")
        return self.engine.function(self.groups[group].caller(number, max(len(params), len(results))), "")

    def export_maker(self, kind: str) -> Value:
        """The JS function that makes callable functions of one signature."""
        made: Value = self.engine.eval(export_wrapper(kind), "cfw-emu:webassembly.js")
        return made

    def import_maker(self, kind: str) -> Value:
        """The JS function that makes a JS function callable from wasm."""
        made: Value = self.engine.eval(import_wrapper(kind), "cfw-emu:webassembly.js")
        return made

    def import_function(self, group: int, module: int, index: int, place: int) -> int:
        """A wasm function of the type of import ``index``, which runs the group's import at ``place``."""
        return self._new_function(group, self.modules[module].imports[index], place)

    def foreign_function(self, group: int, home: int, number: int, place: int) -> int:
        """A function of the type of one of the group ``home``, which runs the import at ``place``."""
        return self._new_function(group, self.groups[home].function_type(number), place)

    def _new_function(self, group: int, kind: wasmtime.FuncType, place: int) -> int:
        data = group << _IMPORT_BITS | place
        return self.groups[group].host_function(kind, self._callback, data, self._no_finalizer)

    def _entry(self, dispatch: Value) -> Callable[..., int | None]:
        scratch, move, mask = self._address, ctypes.memmove, (1 << _IMPORT_BITS) - 1

        def enter(data: int, _caller: int, values: int, count: int) -> int | None:
            if self.depth == DEEPEST:
                self._broken = "too deep"
                return int(runtime.new_trap(_WHY, len(_WHY)))
            self.depth += 1
            try:
                if count:
                    move(scratch, values, count * SLOT_BYTES)
                if dispatch(data >> _IMPORT_BITS, data & mask) is Undefined:
                    if count:
                        move(values, scratch, count * SLOT_BYTES)
                    return None
            except JSError as error:
                self._broken = str(error)
            except BaseException as error:
                self._broken = f"{type(error).__name__}: {error}"
            finally:
                self.depth -= 1
            if self.engine.interrupted:
                epochs().interrupted = True  # what called this import is stopped, too
            staged = self.groups[data >> _IMPORT_BITS].exceptions.take_staged()
            return staged or runtime.new_trap(_WHY, len(_WHY))

        return enter

    # ---- failures -----------------------------------------------------------

    def take_failure(self, group: int, error: float | None) -> list[Any]:
        """What stopped the last call, ``[class, message, frames]``; ``error`` is what the call gave."""
        trap, self._trap.value = self._trap.value, 0
        failure = traps.take_trap(trap, self._opcode) if error is None else traps.take_error(int(error))
        return self._failure(self.groups[group], failure)

    def _failure(self, group: Group, failure: traps.Failure) -> list[Any]:
        broken, self._broken = self._broken, None
        exception = group.exceptions.take()
        if exception is not None:
            return ["Exception", exception]
        if failure.js_class or broken is None:
            return [failure.js_class, failure.message, [self._frame(frame) for frame in failure.frames]]
        # The wrapper of an import catches all that a Worker throws: this was the engine's own limit.
        return ["RangeError", broken if "memory" in broken else "Maximum call stack size exceeded", []]

    def _opcode(self, frame: traps.Frame) -> int:
        module = self.modules.of_frame(frame.index, frame.module, frame.offset)
        return module.data[frame.offset] if module else -1

    def _frame(self, frame: traps.Frame) -> str:
        """A line of V8's ``stack``."""
        module = self.modules.of_frame(frame.index, frame.module, frame.offset)
        digest = module.hash if module else ""
        url = f"wasm://wasm/{f'{frame.module}-' if frame.module else ''}{digest}"
        place = f"{url}:wasm-function[{frame.index}]:0x{frame.offset:x}"
        if not frame.name:
            return f"    at {place}"
        return f"    at {f'{frame.module}.' if frame.module else ''}{frame.name} ({place})"
