"""Function types as short codes, and the JavaScript that converts between them and JS values.

A value type is one letter: ``i`` i32, ``l`` i64, ``f`` f32, ``d`` f64, ``v`` v128, ``x`` externref,
``y`` (ref extern), ``r`` funcref, ``s`` (ref func), ``o`` any other. A signature is ``params:results``.

The wrappers pass values through the store's scratch slots, 16 bytes each, that JavaScript sees as
typed arrays: conversions are those of typed arrays, and no value crosses as a Python object.
https://webassembly.github.io/spec/js-api/#towebassemblyvalue
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from wasmtime import _bindings as c

SLOT_BYTES: Final = 16
"""Size of ``wasmtime_val_raw_t``."""

MAX_VALUES: Final = 1000
"""Most parameters, and most results, of a function: the JS API's implementation limit."""

TRAP_SLOT: Final = MAX_VALUES + 8
"""Where a call leaves its trap."""

_SCALARS: Final = "ilfdv"
_REF_KIND: Final = 5
_HEAP_EXTERN, _HEAP_FUNC = 0, 2

_VIEWS: Final = {"i": ("i32", 4), "l": ("i64", 2), "f": ("f32", 4), "d": ("f64", 2)}
_COERCE: Final = {
    "i": "{0} |= 0;",
    "l": "{0} = toI64({0});",
    "f": "{0} = +{0};",
    "d": "{0} = +{0};",
    "x": "",
    "y": "notNull({0});",
    "r": "checkFunction({0});",
    "s": "notNull({0}); checkFunction({0});",
}


def value_type(pointer: Any) -> str:
    """The code of a ``wasm_valtype_t*``."""
    found: Any = c.wasmtime_valtype_t()
    c.wasmtime_valtype_new(pointer, ctypes.byref(found))
    try:
        if found.kind != _REF_KIND:
            return _SCALARS[found.kind]
        heap, nullable = found.reftype.heaptype.kind, found.reftype.nullable
        if heap == _HEAP_EXTERN:
            return "x" if nullable else "y"
        if heap == _HEAP_FUNC:
            return "r" if nullable else "s"
        return "o"
    finally:
        c.wasmtime_valtype_delete(ctypes.byref(found))


def signature(function_type: Any) -> str:
    """``params:results`` of a ``wasmtime.FuncType``."""
    params = "".join(value_type(item.ptr()) for item in function_type.params)
    return f"{params}:{''.join(value_type(item.ptr()) for item in function_type.results)}"


def _store(codes: str, names: list[str]) -> str:
    lines = []
    for slot, (code, name) in enumerate(zip(codes, names, strict=True)):
        if code in _VIEWS:
            view, width = _VIEWS[code]
            lines.append(f"{view}[{slot * width}] = {name};")
        else:
            lines.append(f"{'pushExtern' if code in 'xy' else 'pushFunction'}(group, {slot}, {name});")
    if any(code not in _VIEWS for code in codes):
        lines.append("flushReferences(group);")
    return " ".join(lines)


def _load(code: str, slot: int) -> str:
    if code in _VIEWS:
        view, width = _VIEWS[code]
        return f"{view}[{slot * width}]"
    return f"{'loadExtern' if code in 'xy' else 'loadFunction'}(group, {slot})"


_HEAD: Final = """(function (env) {
  "use strict";
  const { i32, i64, f32, f64, refresh, failed, fail, toI64, conversionError, notNull, checkFunction,
    pushExtern, pushFunction, flushReferences, loadExtern, loadFunction, list, incompatible } = env;
"""


def _coerce(codes: str, names: list[str]) -> str:
    steps = " ".join(
        _COERCE[code].format(name) for code, name in zip(codes, names, strict=True) if code != "x"
    )
    if not steps:
        return ""
    return f"try {{ {steps} }} catch (error) {{ throw conversionError(error); }}"


def export_wrapper(signature: str) -> str:
    """JavaScript: ``(env) => (call, group, live) => `` the function that JS calls to run a wasm function."""
    params, results = signature.split(":")
    names = [f"a{index}" for index in range(len(params))]
    head = f"{_HEAD}  return (call, group, live) => ({', '.join(names)}) => {{\n"
    if "v" in params + results or "o" in params + results:
        return f"{head}    incompatible();\n  }};\n}})"
    values = [_load(code, slot) for slot, code in enumerate(results)]
    answer = values[0] if len(values) == 1 else f"[{', '.join(values)}]" if values else ""
    return f"""{head}    {_coerce(params, names)}
    {_store(params, names)}
    f64[{TRAP_SLOT * 2}] = 0;
    const error = call();
    if (error !== null || f64[{TRAP_SLOT * 2}] !== 0) failed(group, error);
    if (live.length !== 0) refresh(group);
    {f"return {answer};" if answer else ""}
  }};
}})"""


def import_wrapper(signature: str) -> str:
    """JavaScript: ``(env) => (f) => (group) => `` what runs ``f`` for wasm: false if ``f`` threw."""
    params, results = signature.split(":")
    head = f"{_HEAD}  return (f) => (group) => {{\n"
    head += "    if (group.live.length !== 0) refresh(group);\n    try {\n"
    if "v" in params + results or "o" in params + results:
        body = "      incompatible();"
    else:
        arguments = ", ".join(_load(code, slot) for slot, code in enumerate(params))
        names = ["r"] if len(results) == 1 else [f"r{index}" for index in range(len(results))]
        if not results:
            body = f"      f({arguments});"
        elif len(results) == 1:
            body = f"      let r = f({arguments});"
        else:
            body = f"      let [{', '.join(names)}] = list(f({arguments}), {len(results)});"
        body += f"\n      {_coerce(results, names)}\n      {_store(results, names)}"
    return f"{head}{body}\n    }} catch (error) {{\n      return fail(group, error);\n    }}\n  }};\n}})"
