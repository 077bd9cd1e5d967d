"""Makes instances in a group, and says why one cannot be made."""

from __future__ import annotations

import ctypes
from typing import Any

from wasmtime import _bindings as c

from . import traps
from .group import Group
from .modules import Module
from .signature import signature

_DOES_NOT_LINK = "incompatible import type"


def instantiate(group: Group, module: Module, given: list[Any], opcode: Any) -> list[Any] | traps.Failure:
    """``[kind, number, signature or a table's address type, name, whether a leaf, ...]`` of the exports.

    ``given`` is ``[kind, number, ...]``, ``opcode`` is for ``traps.take_trap``.
    """
    count = len(given) // 2
    externs = (c.wasmtime_extern_t * count)()
    for index in range(count):
        group.items.fill(externs[index], given[2 * index], int(given[2 * index + 1]))
    instance = c.wasmtime_instance_t()
    trap = ctypes.POINTER(c.wasm_trap_t)()
    error = c.wasmtime_instance_new(
        group.context, module.compiled.ptr(), externs, count, ctypes.byref(instance), ctypes.byref(trap)
    )
    if error or trap:
        address = ctypes.cast(error or trap, ctypes.c_void_p).value or 0
        failure = traps.take_error(address) if error else traps.take_trap(address, opcode)
        if error and failure.message.startswith(_DOES_NOT_LINK):
            failure.js_class = "LinkError"
        if not failure.frames and failure.message == traps.OUT_OF_BOUNDS:
            failure.message = _segment_out_of_bounds(group, module, given) or failure.message
        return failure
    group.instances += 1
    return _exports(group, module, instance)


def _exports(group: Group, module: Module, instance: Any) -> list[Any]:
    exports: list[Any] = []
    for export, name in zip(module.sections.exports, module.export_names, strict=True):
        item = c.wasmtime_extern_t()
        found = c.wasmtime_instance_export_get(
            group.context, ctypes.byref(instance), _characters(name), len(name), ctypes.byref(item)
        )
        if not found:
            raise LookupError(export.name)
        number = group.items.take(export.kind, item)
        kind = ""
        if export.kind == "function":
            if export.index not in module.signatures:
                module.signatures[export.index] = signature(group.function_type(number))
            kind = module.signatures[export.index]
        elif export.kind == "table":
            kind = "i64" if module.sections.wide_tables[export.index] else "i32"
        leaf = export.kind == "function" and module.is_leaf(export.index)
        exports += (export.kind, number, kind, str(export.index), leaf)
    return exports


def _characters(text: bytes) -> Any:
    return ctypes.create_string_buffer(text)


def _segment_out_of_bounds(group: Group, module: Module, given: list[Any]) -> str | None:
    """V8's words for an active data segment that does not fit, with the first that does not."""
    numbers: dict[str, list[int]] = {"memory": [], "global": []}
    for index in range(0, len(given), 2):
        numbers.get(given[index], []).append(int(given[index + 1]))
    for segment in module.sections.segments:
        if segment.memory < len(numbers["memory"]):
            size = group.items.memory_size(numbers["memory"][segment.memory])
        else:
            size = module.own_memory_bytes(segment.memory - len(numbers["memory"]))
        offset = segment.offset
        if segment.from_global:
            if offset >= len(numbers["global"]):
                return None
            offset = group.items.global_u32(numbers["global"][offset])
        if offset + segment.length > size:
            place = f"offset {offset}, length {segment.length}, memory size {size}"
            return f"data segment {segment.number} is out of bounds ({place})"
    return None
