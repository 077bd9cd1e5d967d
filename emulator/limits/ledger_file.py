"""The file of the ledger: what was counted in each period, in SQLite.

Several processes may add to one file at once: amounts are added by the database, never overwritten. A process
that is killed loses what it has not handed over yet, and cannot damage the file: SQLite's write-ahead log
holds whole transactions. https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

if TYPE_CHECKING:
    import sqlite3

Key = tuple[str, str]
"""A period (``2026-09-05`` or ``2026-09``) and the name of a limit."""

NAME: Final = "quota.sqlite"

_VERSION: Final = 1
_BUSY_SECONDS: Final = 1.0
_SIDE_FILES: Final = ("-wal", "-shm")
# https://www.sqlite.org/rescode.html: ERROR (a table of another shape), CORRUPT, NOTADB.
_DAMAGED: Final = frozenset((1, 11, 26))
# PERM, READONLY, IOERR, FULL, CANTOPEN.
_UNWRITABLE: Final = frozenset((3, 8, 10, 13, 14))
# BUSY, LOCKED; FULL; PERM, READONLY, CANTOPEN.
_KINDS: Final = {5: "locked", 6: "locked", 13: "full", 3: "denied", 8: "denied", 14: "denied"}

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS counts (
  period TEXT NOT NULL, name TEXT NOT NULL, amount NUMERIC NOT NULL, PRIMARY KEY (period, name)
) WITHOUT ROWID
"""
_ADD: Final = """
INSERT INTO counts VALUES (?, ?, ?)
ON CONFLICT (period, name) DO UPDATE SET amount = amount + excluded.amount
"""

_Result = TypeVar("_Result")


class LedgerError(Exception):
    """The file cannot be used; ``report`` explains it."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.what)
        self.report = report


class _NewerFile(ValueError):
    """The file was made by a later release."""


class LedgerFile:
    """The counts below a state directory. Blocks; each method may raise ``LedgerError``.

    A file that is missing counts as empty and is made by the first ``add``; one that is taken away while
    it is open is made again. A damaged one is set aside, and ``set_aside`` is called with its report.
    """

    def __init__(self, directory: Path, set_aside: Callable[[Report], None] | None = None) -> None:
        self.path = directory / NAME
        self._set_aside = set_aside
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def add(self, amounts: Mapping[Key, float]) -> None:
        """Add to the counts, all of them or none."""
        if amounts:
            self._attempt(lambda: self._add(amounts))

    def read(self, periods: Collection[str]) -> dict[Key, float]:
        """All counts of ``periods``."""
        if not os.path.lexists(self.path):
            self.close()
            return {}
        return self._attempt(lambda: self._read(periods))

    def reset(self, periods: Collection[str]) -> None:
        """Forget the counts of ``periods``."""
        if os.path.lexists(self.path):
            self._attempt(lambda: self._reset(periods))

    def close(self) -> None:
        """Give the file back; a later call opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()

    def _attempt(self, work: Callable[[], _Result]) -> _Result:
        import sqlite3

        try:
            try:
                return work()
            except sqlite3.DatabaseError as error:
                self.close()
                if _code(error) not in _DAMAGED:
                    raise
                self._move_aside(error)
                return work()
        except (OSError, ValueError, sqlite3.Error) as error:
            self.close()
            raise LedgerError(self._unusable(error)) from error

    def _add(self, amounts: Mapping[Key, float]) -> None:
        connection = self._opened()
        with _transaction(connection):
            connection.executemany(_ADD, [(*key, amount) for key, amount in amounts.items()])

    def _reset(self, periods: Collection[str]) -> None:
        connection = self._opened()
        with _transaction(connection):
            connection.executemany("DELETE FROM counts WHERE period = ?", [(period,) for period in periods])

    def _read(self, periods: Collection[str]) -> dict[Key, float]:
        import sqlite3

        try:
            return _counts(self._opened(), periods)
        except sqlite3.OperationalError as error:
            if _code(error) not in _UNWRITABLE:
                raise
        return self._read_only(periods)

    def _read_only(self, periods: Collection[str]) -> dict[Key, float]:
        """From a file, or a directory, that may not be written to: SQLite must not look for a log there."""
        import sqlite3

        uri = f"file:{quote(os.fsencode(os.path.abspath(self.path)))}?immutable=1"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            # Without the table: the disk was full when the file was made.
            made = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'counts'").fetchone()
            return _counts(connection, periods) if made else {}

    def _opened(self) -> sqlite3.Connection:
        connection = self._connection
        if connection is not None and self._inode == _inode(self.path):
            return connection
        self.close()
        import sqlite3

        make_state_directory(self.path.parent)
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._inode = connection, _inode(self.path)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise _NewerFile(f"version {version} of the file")
        _use_log(connection)
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise _damage(found)
        # The log is whole after a crash of the system, too; only its last moments may be missing.
        connection.execute("PRAGMA synchronous = NORMAL")
        with _transaction(connection):
            connection.execute(_SCHEMA)
            connection.execute("SELECT period, name, amount FROM counts LIMIT 1")
            if not version:
                connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _move_aside(self, error: Exception) -> None:
        aside = self.path.with_name(self.path.name + ".damaged")
        os.replace(self.path, aside)
        for ending in _SIDE_FILES:
            with contextlib.suppress(FileNotFoundError):
                os.remove(f"{self.path}{ending}")
        if self._set_aside is not None:
            where = Place(str(self.path))
            self._set_aside(explain("quota-damaged", aside=str(aside), problem=str(error), where=where))

    def _unusable(self, error: Exception) -> Report:
        problem = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        kind = "newer" if isinstance(error, _NewerFile) else _KINDS.get(_code(error), "")
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            kind = "full"
        where = Place(str(self.path))
        return explain("quota-unusable", file=str(self.path), problem=problem, kind=kind, where=where)


def make_state_directory(directory: Path) -> None:
    """Make the directory of local data, hidden from git. Raises ``OSError``."""
    if directory.is_dir():
        return
    if os.path.lexists(directory):
        raise NotADirectoryError(errno.ENOTDIR, f"{directory} is not a directory")
    directory.mkdir(parents=True, exist_ok=True)
    if directory.name.startswith("."):
        (directory / ".gitignore").write_text("*\n", encoding="utf-8")


def _counts(connection: sqlite3.Connection, periods: Collection[str]) -> dict[Key, float]:
    wanted = ",".join("?" * len(periods))
    rows = connection.execute(
        f"SELECT period, name, amount FROM counts WHERE period IN ({wanted})", tuple(periods)
    )
    return {(period, name): amount for period, name, amount in rows if isinstance(amount, int | float)}


def _use_log(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. SQLite itself does not wait for another process that does the same."""
    import sqlite3

    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if _KINDS.get(_code(error)) != "locked" or time.monotonic() > end:
                raise
        time.sleep(_BUSY_SECONDS / 100)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    # IMMEDIATE: a reader that turns into a writer cannot wait for another writer.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _damage(found: str) -> sqlite3.DatabaseError:
    import sqlite3

    error = sqlite3.DatabaseError(found.replace("\n", " "))
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 for other errors."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _inode(path: Path) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
