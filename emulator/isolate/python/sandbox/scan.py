"""``os.scandir`` with the Worker's paths in its entries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any


class Entry:
    """An ``os.DirEntry`` whose path starts with the directory that was asked for."""

    __slots__ = ("_entry", "name", "path")

    def __init__(self, entry: os.DirEntry[Any], directory: Any) -> None:
        self._entry = entry
        self.name = entry.name
        self.path = os.path.join(directory, entry.name)

    def __fspath__(self) -> Any:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)


class Scan:
    """The iterator that ``os.scandir`` gives; also a context manager."""

    def __init__(self, entries: Any, directory: Any) -> None:
        self._entries = entries
        self._directory = directory

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        return Entry(next(self._entries), self._directory)

    def __enter__(self) -> Scan:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free what the listing holds."""
        self._entries.close()
