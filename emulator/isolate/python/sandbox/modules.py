"""Modules: those that Workers lack, and those that must be taught where a Worker's files are."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from emulator.diagnostics.python_platform import ABSENT_MODULES

from .notices import Notices
from .view import View


def hide() -> None:
    """Make them look as if they were not installed."""
    for name in ABSENT_MODULES:
        # importlib.util.find_spec answers None for it, as for a module that is not there.
        sys.modules[name] = None  # type: ignore[assignment]


def checked(view: View, notices: Notices) -> Callable[[tuple[Any, ...]], None]:
    """The check of the audit event ``import``."""
    lessons = {"_sqlite3": lambda: _teach_sqlite(view), "anyio": _teach_anyio, "httpx": _teach_httpx}

    def check(args: tuple[Any, ...]) -> None:
        # The first import of a package, whichever of its modules it asks for.
        name = args[0].partition(".")[0]
        if name in ABSENT_MODULES:
            notices.once("module", name)
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        lesson = lessons.pop(name, None)
        if lesson is not None:
            lesson()

    return check


def _teach_sqlite(view: View) -> None:
    # The library opens files by itself; it must be given the host's path.
    module: Any = importlib.import_module("_sqlite3")
    original = module.connect

    def connect(database: Any, *args: Any, **options: Any) -> Any:
        name = os.fspath(database)
        if options.get("uri") and os.fsdecode(name).startswith("file:"):
            path, mark, query = os.fsdecode(name).removeprefix("file:").partition("?")
            if path not in ("", ":memory:") and "mode=memory" not in query:
                host = view.host(unquote(path), writing="mode=ro" not in query)
                name = f"file:{quote(host)}{mark}{query}"
        elif name not in (":memory:", b":memory:", "", b""):
            name = view.of(name, writing=True)
        before, view.pending = view.pending, name
        try:
            return original(name, *args, **options)
        finally:
            view.pending = before

    module.connect = connect


def _teach_anyio() -> None:
    # As the platform's SDK does: web frameworks run plain functions through this, on threads.
    module: Any = importlib.import_module("anyio.to_thread")

    async def run_sync(func: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call ``func(*args)`` at once: there are no threads."""
        return func(*args)

    module.run_sync = run_sync


def _teach_httpx() -> None:
    importlib.import_module(f"{__package__}.httpx_fetch").install()
