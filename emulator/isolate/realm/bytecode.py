"""Platform files compiled once for all starts: QuickJS bytecode in a directory of the user.

Compiling them takes 30 ms, reading bytecode 4. The engine trusts bytecode, so a file is used only if it is
this user's, was made by this very engine from these very sources, and has the checksum that it begins with.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from emulator.user_cache import keep

from .engine import Engine, JSError, Value

_SUM_BYTES: Final = 32
_KEPT: Final = 4
"""Files that stay in the directory: one for each installation that shares it."""


def compiled(engine: Engine, sources: Mapping[str, str], directory: str) -> list[Value]:
    """The scripts ``sources``, by their file names, ready for ``engine.context.eval_function``.

    ``directory`` keeps their bytecode; without one ("") and where it cannot be used they are compiled.
    """
    if not directory:
        return _compile(engine, sources)
    path = Path(directory, f"{_key(engine, sources)}.bytecode")
    found = _read(engine, path, len(sources))
    if found is None:
        found = _compile(engine, sources)
        with contextlib.suppress(OSError):  # a full disk, or a home that cannot be written: compile each time
            keep(path, _content([script.write_object() for script in found]), _KEPT)
    return found


def _compile(engine: Engine, sources: Mapping[str, str]) -> list[Value]:
    return [engine.context.compile(source, name) for name, source in sources.items()]


def _key(engine: Engine, sources: Mapping[str, str]) -> str:
    """Of all that the bytecode depends on; an engine that was built anew has another time."""
    library = os.stat(engine.api._name)
    build = (library.st_size, library.st_mtime_ns, sys.version, sys.byteorder, os.uname().machine)
    key = hashlib.sha256(repr(build).encode())
    for name, source in sources.items():
        for text in (name, source):
            data = text.encode()
            key.update(b"%d:" % len(data))
            key.update(data)
    return key.hexdigest()


def _content(scripts: list[bytes]) -> bytes:
    content = msgspec.msgpack.encode(scripts)
    return hashlib.sha256(content).digest() + content


def _read(engine: Engine, path: Path, count: int) -> list[Value] | None:
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            data = file.read()
        if hashlib.sha256(data[_SUM_BYTES:]).digest() != data[:_SUM_BYTES]:
            return None
        scripts = msgspec.msgpack.decode(data[_SUM_BYTES:], type=list[bytes])
        return [engine.context.read_object(script) for script in scripts] if len(scripts) == count else None
    except (OSError, msgspec.MsgspecError, JSError):
        return None


def _open_at_once(path: str, flags: int) -> int:
    """A named pipe in the place of the file would be waited for."""
    return os.open(path, flags | os.O_NONBLOCK)
