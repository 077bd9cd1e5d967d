"""QuickJS's own C API, for what its Python binding leaves out.

The binding's library exports the API; its objects hold, right behind the head of every Python object, a
pointer to the JSContext (Context) or JSRuntime (Runtime), and the JSValue itself (Value).
"""

from __future__ import annotations

import ctypes
import functools
from typing import Final


class JSValue(ctypes.Structure):
    """``JSValue`` of 64-bit builds (quickjs.h): a union of 8 bytes and a tag."""

    _fields_ = (("u", ctypes.c_uint64), ("tag", ctypes.c_int64))


TAG_EXCEPTION: Final = 6

_pointer, _text = ctypes.c_void_p, ctypes.c_char_p

REJECTION_TRACKER: Final = ctypes.PYFUNCTYPE(None, _pointer, JSValue, JSValue, ctypes.c_int, _pointer)
"""``JSHostPromiseRejectionTracker(ctx, promise, reason, is_handled, opaque)``"""

MODULE_NORMALIZE: Final = ctypes.PYFUNCTYPE(_pointer, _pointer, _text, _text, _pointer)
"""``JSModuleNormalizeFunc(ctx, importer, specifier, opaque)`` -> a name of ``js_strdup``"""

MODULE_LOADER: Final = ctypes.PYFUNCTYPE(_pointer, _pointer, _text, _pointer, JSValue)
"""``JSModuleLoaderFunc2(ctx, name, opaque, attributes)`` -> ``JSModuleDef*``"""

_SIGNATURES: Final = (
    ("JS_DetachArrayBuffer", None, (_pointer, JSValue)),
    ("JS_Eval", JSValue, (_pointer, _text, ctypes.c_size_t, _text, ctypes.c_int)),
    ("JS_GetImportMeta", JSValue, (_pointer, _pointer)),
    ("JS_NewArrayBuffer", JSValue, (_pointer, _pointer, ctypes.c_size_t, _pointer, _pointer, ctypes.c_int)),
    ("JS_SetHostPromiseRejectionTracker", None, (_pointer, REJECTION_TRACKER, _pointer)),
    ("JS_SetModuleLoaderFunc2", None, (_pointer, MODULE_NORMALIZE, MODULE_LOADER, _pointer, _pointer)),
    ("JS_SetPropertyStr", ctypes.c_int, (_pointer, JSValue, _text, JSValue)),
    ("JS_Throw", JSValue, (_pointer, JSValue)),
    ("js_malloc_usable_size", ctypes.c_size_t, (_pointer, _pointer)),
    ("js_strdup", _pointer, (_pointer, _text)),
)


@functools.cache
def library(path: str) -> ctypes.PyDLL:
    """The C API in the binding's library at ``path``."""
    found = ctypes.PyDLL(path)  # PyDLL: it may call back into Python
    for name, result, arguments in _SIGNATURES:
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    return found


def pointer(holder: object) -> int | None:
    """The ``JSContext*`` or ``JSRuntime*`` of the binding's Context or Runtime."""
    return ctypes.c_void_p.from_address(id(holder) + object.__basicsize__).value


def raw(value: object) -> JSValue:
    """The JSValue of the binding's Value; the reference stays the Value's."""
    return JSValue.from_address(id(value) + object.__basicsize__)


# The counter of references is the first field of all that a JSValue points at (quickjs.h).


def held(value: JSValue) -> JSValue:
    """``JS_DupValue``, an inline function of quickjs.h: values with a negative tag count references."""
    if value.tag < 0:
        ctypes.c_int.from_address(value.u).value += 1
    return value


def release(value: JSValue) -> None:
    """Drop a reference that is not the last."""
    ctypes.c_int.from_address(value.u).value -= 1
