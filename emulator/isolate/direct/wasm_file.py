"""Read the module that ``main`` names and say what it is when it is none."""

from __future__ import annotations

from pathlib import Path

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place

from ..program import LoadError
from ..wasm_file import BEGINNING, looks


def read_module(path: str, shown: str) -> bytes:
    """The bytes of the core module at ``path``. Raises ``LoadError``; messages call the file ``shown``."""
    where = Place(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        problem = error.strerror or str(error)
        raise LoadError(
            explain("direct-wasm-unreadable", where=where, file=shown, problem=problem)
        ) from error
    if not data:
        raise LoadError(explain("direct-wasm-empty", where=where, file=shown))
    if not data.startswith(BEGINNING):
        begins, kind = data[:8].hex(" "), looks(data)
        raise LoadError(explain("direct-not-wasm", where=where, file=shown, begins=begins, looks=kind))
    return data
