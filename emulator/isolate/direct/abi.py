"""The direct ABI: which functions a Worker without JavaScript exports, and of which types.

docs/go-abi.md describes it for users.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple


class Signature(NamedTuple):
    """Types of parameters and results, as WebAssembly names them."""

    params: tuple[str, ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        """As in the text format: ``(func (param i32 i32) (result i32))``."""
        params = f" (param {' '.join(self.params)})" if self.params else ""
        results = f" (result {' '.join(self.results)})" if self.results else ""
        return f"(func{params}{results})"


class Export(NamedTuple):
    """One export of a module: its kind, and the signature of a function."""

    kind: str
    """``func``, ``memory``, ``table``, ``global`` or ``tag``."""
    signature: Signature | None = None
    wide: bool = False
    """A memory with 64-bit addresses."""

    def __str__(self) -> str:
        if self.signature is not None:
            return str(self.signature)
        return "(memory i64)" if self.wide else f"({self.kind})"


_TAKES: Final = Signature(("i32", "i32"), ())
_GIVES: Final = Signature((), ("i32",))
_RUNS: Final = Signature((), ())
_NUMBERS: Final = frozenset(("i32", "i64", "f32", "f64"))
_HANDLE_WITH_REQUEST: Final = ("i32", "i32", "i32", "i32")

REQUIRED: Final[Mapping[str, Signature]] = {"responsePtr": _GIVES, "responseLen": _GIVES}

INPUTS: Final = ("setBody", "setUrl", "setHeaders")
"""The exports that take a part of the request, in the order in which they are called."""

OPTIONAL: Final[Mapping[str, Signature]] = {
    "alloc": Signature(("i32",), ("i32",)),
    "getStatus": _GIVES,
    **dict.fromkeys(INPUTS, _TAKES),
    "responseHeadersPtr": _GIVES,
    "responseHeadersLen": _GIVES,
    "release": _RUNS,
    "_initialize": _RUNS,
}

_HANDLE_FORMS: Final = f"{Signature((), ())} or {Signature(_HANDLE_WITH_REQUEST, ())}"


@dataclass(frozen=True)
class Abi:
    """What one module exports of the ABI."""

    names: frozenset[str]
    """The functions of the ABI that it has."""
    takes_request: bool
    """``handle`` has the four parameters."""
    handle_results: tuple[str, ...]
    """Types of the results of ``handle``, which are ignored, as in JavaScript."""
    starter: str
    """``_initialize``, ``_start`` or empty: what is called once, before the first request."""

    def __contains__(self, name: str) -> bool:
        return name in self.names


class Missing(Exception):
    """Exports that the ABI needs are not there."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


class Mistyped(Exception):
    """An export of the ABI has another type."""

    def __init__(self, name: str, found: Export, wanted: str) -> None:
        super().__init__(f"{name}: {found}")
        self.name = name
        self.found = found
        self.wanted = wanted


def abi_of(exports: Mapping[str, Export]) -> Abi:
    """What ``exports`` (name -> export) have of the ABI. Raises ``Missing`` or ``Mistyped``."""
    names = frozenset(name for name in ("handle", *REQUIRED, *OPTIONAL) if name in exports)
    takes_request = _check_types(exports, names)
    missing = [name for name in ("memory", "handle", *REQUIRED) if name not in exports]
    if "alloc" not in names and (takes_request or not names.isdisjoint(INPUTS)):
        missing.append("alloc")
    pair = {"responseHeadersPtr", "responseHeadersLen"}
    if len(pair & names) == 1:
        missing += pair - names
    if missing:
        raise Missing(missing)
    handle = exports["handle"].signature
    return Abi(names, takes_request, handle.results if handle else (), _starter(exports))


def _check_types(exports: Mapping[str, Export], names: frozenset[str]) -> bool:
    """Whether ``handle`` takes the request; raises ``Mistyped``."""
    memory = exports.get("memory")
    if memory is not None and (memory.kind != "memory" or memory.wide):
        raise Mistyped("memory", memory, "(memory), with 32-bit addresses")
    for name in sorted(names - {"handle"}):
        wanted = REQUIRED.get(name) or OPTIONAL[name]
        if exports[name].signature != wanted:
            raise Mistyped(name, exports[name], str(wanted))
    if "handle" not in names:
        return False
    signature = exports["handle"].signature
    if (
        signature is None
        or signature.params not in ((), _HANDLE_WITH_REQUEST)
        or not _NUMBERS.issuperset(signature.results)
    ):
        raise Mistyped("handle", exports["handle"], _HANDLE_FORMS)
    return bool(signature.params)


def _starter(exports: Mapping[str, Export]) -> str:
    for name in ("_initialize", "_start"):
        if name in exports and exports[name].signature == _RUNS:
            return name
    return ""
