"""Why a file cannot be parsed or a name not be imported, as known mistakes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from emulator.diagnostics.python_platform import ABSENT_MODULES
from emulator.diagnostics.report import Place

from .exceptions import nearest

_NULLS: Final = "source code string cannot contain null bytes"
_FILES: Final = 1000

Mistake = tuple[str, dict[str, Any]]
"""A code of ``known.KNOWN`` and its facts."""


def syntax_mistake(error: SyntaxError, main: str) -> tuple[Mistake, Place | None]:
    """The mistake and its place, which the exception does not know for a file that is no text."""
    facts = {"kind": type(error).__name__, "message": error.msg}
    if error.filename and error.filename != "<string>":
        where = Place(
            error.filename, error.lineno or 0, error.offset or 0, "", (error.text or "").rstrip("\r\n")
        )
        damaged = _not_utf8(Path(error.filename)) if "codec can't decode" in (error.msg or "") else None
        return damaged or (("syntax-error", facts), where)
    if error.msg == _NULLS:
        for path in _sources(main):
            found = _not_utf8(path) or _null_byte(path, facts)
            if found is not None:
                return found
    return ("syntax-error", facts), None


def _sources(main: str) -> Iterator[Path]:
    yield Path(main)
    for number, path in enumerate(Path(main).parent.rglob("*.py")):
        if number == _FILES:
            return
        yield path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _not_utf8(path: Path) -> tuple[Mistake, Place] | None:
    data = _read(path)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        facts = {"path": path.name, "byte": f"0x{data[error.start]:02x}", "offset": error.start}
        where = _place_at(path, data, error.start)
        # UTF-16 read as UTF-8 shows nothing that anybody could recognise.
        where = Place(where.file, where.line, where.column) if "\0" in where.source else where
        return ("file-not-utf8", facts), where
    return None


def _null_byte(path: Path, facts: dict[str, Any]) -> tuple[Mistake, Place] | None:
    data = _read(path)
    offset = data.find(b"\0")
    return None if offset < 0 else (("syntax-error", facts), _place_at(path, data, offset))


def _place_at(path: Path, data: bytes, offset: int) -> Place:
    start = data.rfind(b"\n", 0, offset) + 1
    line = data[start:].split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
    column = len(data[start:offset].decode("utf-8", "replace")) + 1
    return Place(str(path), data.count(b"\n", 0, offset) + 1, column, "", line)


def import_mistake(
    error: ImportError, main: str, where: Place | None, is_users: Callable[[str], bool]
) -> Mistake | None:
    """Which known mistake an ``ImportError`` is; None for one that a program raised by itself."""
    name, message = error.name or "", str(error)
    if message.startswith("attempted relative import with no known parent"):
        line = where.source.strip() if where else ""
        return "relative-import", {
            "line": re.sub(r"^from \.+(?= )", "", re.sub(r"^from \.+(?=\w)", "from ", line)).strip()
        }
    if message.startswith("cannot import name '"):
        return _name_mistake(error, message.split("'")[1], is_users)
    if not isinstance(error, ModuleNotFoundError) or not name:
        return None
    return _module_mistake(name, Path(main).parent)


def _name_mistake(error: ImportError, wanted: str, is_users: Callable[[str], bool]) -> Mistake:
    module = error.name or ""
    if module == "js":
        import js

        return "js-name-missing", {"name": wanted, "similar": nearest(wanted, _public(dir(js)))}
    if "partially initialized module" in str(error):
        return "circular-import", {"module": module, "name": wanted}
    known = _public(vars(sys.modules.get(module, object)))
    similar = nearest(wanted, known)
    return "import-name-missing", {
        "module": module,
        "name": wanted,
        "similar": similar,
        "known": ", ".join(sorted(known)[:12]) if error.path and is_users(error.path) else "",
    }


def _module_mistake(name: str, directory: Path) -> Mistake:
    top, _, below = name.partition(".")
    if top in ABSENT_MODULES:
        return "stdlib-module-missing", {"module": top}
    if top == "src" and not (directory / "src").exists():
        return "src-prefix", {"module": name}
    if below and (package := _package(directory, name)) is not None:
        parent, last = package
        near = nearest(last, _modules(parent))
        prefix = name.removesuffix(last)
        return "import-error-project", {"module": name, "similar": prefix + near if near else ""}
    similar = nearest(top, _modules(directory))
    if similar and similar != top:
        return "import-error-project", {"module": name, "similar": similar}
    return "package-not-installed", {"module": name}


def _package(directory: Path, name: str) -> tuple[Path, str] | None:
    """The last directory on the way to ``name`` that exists, and the part that is missing in it."""
    *parents, _ = parts = name.split(".")
    for number, _ in enumerate(parents, 1):
        below = directory.joinpath(*parts[:number])
        if not below.is_dir():
            return None
        if not below.joinpath(parts[number]).is_dir():
            return below, ".".join(parts[number:])
    return None


def _modules(directory: Path) -> list[str]:
    return [
        path.stem
        for path in directory.iterdir()
        if not path.name.startswith((".", "_")) and (path.suffix == ".py" or path.is_dir())
    ]


def _public(names: Any) -> list[str]:
    return [name for name in names if not name.startswith("_")]
