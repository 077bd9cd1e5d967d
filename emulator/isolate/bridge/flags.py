"""What a JS value can do, as bits; the names are those that ``pyodide.ffi`` asks for."""

from __future__ import annotations

from typing import Final

FLAGS: Final[dict[str, int]] = {
    name: 1 << bit
    for bit, name in enumerate(
        [
            "IS_CALLABLE",
            "IS_AWAITABLE",
            "IS_ITERABLE",
            "IS_ITERATOR",
            "IS_ASYNC_ITERABLE",
            "IS_ASYNC_ITERATOR",
            "IS_GENERATOR",
            "IS_ASYNC_GENERATOR",
            "HAS_LENGTH",
            "HAS_GET",
            "HAS_SET",
            "HAS_HAS",
            "HAS_INCLUDES",
            "IS_BUFFER",
            "IS_ARRAY",
            "IS_NODE_LIST",
            "IS_TYPEDARRAY",
            "IS_DOUBLE_PROXY",
            "IS_OBJECT_MAP",
            "IS_ERROR",
            "IS_PY_JSON_DICT",
            "IS_PY_JSON_SEQUENCE",
        ]
    )
}

TREE: Final[dict[str, int]] = {"LIST": 1, "DICT": 2, "SET": 3, "BUFFER": 4, "OTHER": 5, "SEEN": 6}
"""Kinds of nodes in what ``toTree`` of bridge.js gives."""

BUFFER_FORMATS: Final[dict[str, str]] = {
    "Int8Array": "b",
    "Uint8Array": "B",
    "Uint8ClampedArray": "B",
    "Int16Array": "h",
    "Uint16Array": "H",
    "Int32Array": "i",
    "Uint32Array": "I",
    "Float32Array": "f",
    "Float64Array": "d",
    "BigInt64Array": "q",
    "BigUint64Array": "Q",
}
"""Typed array class -> ``memoryview`` format. Float16Array has none in ``memoryview.cast``."""

ARRAY_CLASSES: Final[dict[str, str]] = {
    "b": "Int8Array",
    "B": "Uint8Array",
    "c": "Uint8Array",
    "?": "Uint8Array",
    "h": "Int16Array",
    "H": "Uint16Array",
    "i": "Int32Array",
    "I": "Uint32Array",
    "l": "BigInt64Array",
    "L": "BigUint64Array",
    "q": "BigInt64Array",
    "Q": "BigUint64Array",
    "f": "Float32Array",
    "d": "Float64Array",
    "e": "Float16Array",
}
"""Format of a Python buffer -> typed array class."""
