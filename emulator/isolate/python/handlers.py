"""Find a Worker's handlers and call them by production's rules.

From compatibility date 2025-08-14 on, events go to methods of ``class Default``; before it,
or with ``disable_python_no_global_handlers``, to module-level ``on_*`` functions.
Source: https://developers.cloudflare.com/workers/languages/python/
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

from ..bridge.bridge import Bridge
from .compat_flags import CompatibilityFlags
from .explain import place

GLOBAL_HANDLERS: Final = ("on_fetch", "on_alarm", "on_scheduled", "on_trace", "on_queue", "on_pubsub", "test")


ARGUMENTS: Final = 3
"""``(request, env, ctx)``; methods get the request and two times ``None``."""


class Arity(NamedTuple):
    """How a handler can be called."""

    room: int
    """Positional arguments that fit; -1 for any number."""
    missing: str
    """A required parameter that gets nothing, or empty."""


class HandlerError(Exception):
    """The platform cannot call the handler; carries the report and the platform's own words."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


class Handlers:
    """The handlers of one loaded Worker."""

    def __init__(self, bridge: Bridge, module: ModuleType, flags: CompatibilityFlags, main: str) -> None:
        self._bridge = bridge
        self._module = module
        self._main = main
        self.legacy = not flags.on("python_no_global_handlers")
        self._date = flags.date
        self._production_python = flags.python_version
        self._default = self._find_default()
        self._fetch_method = "on_fetch" if self.legacy else "fetch"
        self._on_fetch = getattr(module, "on_fetch", None) if self.legacy else None
        self._arities: dict[Any, Arity] = {}

    def _find_default(self) -> type[Any] | None:
        from workers import WorkerEntrypoint

        names = getattr(self._module, "__all__", None) or [
            n for n in dir(self._module) if not n.startswith("_")
        ]
        for name in names:
            found = getattr(self._module, name, None)
            if (
                isinstance(found, type)
                and found is not WorkerEntrypoint
                and issubclass(found, WorkerEntrypoint)
                and found.__name__ == "Default"
            ):
                return found
        return None

    def place(self) -> Place | None:
        """Where the fetch handler is defined."""
        return _place_of(
            getattr(self._default, self._fetch_method, None) if self._default else self._on_fetch
        )

    @property
    def name(self) -> str:
        """The fetch handler as the user spells it, for messages."""
        return f"Default.{self._fetch_method}" if self._default is not None else "on_fetch"

    def available(self) -> list[str]:
        """The events that have a handler."""
        if self._default is not None:
            return ["fetch"] if callable(getattr(self._default, self._fetch_method, None)) else []
        return ["fetch"] if callable(self._on_fetch) else []

    def warnings(self) -> list[Report]:
        """Mistakes that show at load time: ignored handlers, none at all, too many parameters."""
        return [*self._handler_warnings(), *self._version_warnings()]

    def _version_warnings(self) -> list[Report]:
        if sys.version_info[:2] == self._production_python:
            return []
        return [
            explain(
                "python-version",
                severity="warning",
                actual=".".join(map(str, sys.version_info[:2])),
                expected=".".join(map(str, self._production_python)),
                date=self._date,
            )
        ]

    def _handler_warnings(self) -> list[Report]:
        missing = self._missing_handler()
        if missing is not None:
            return [missing]
        handler = getattr(self._default, self._fetch_method, None) if self._default else self._on_fetch
        own = 1 if self._default else 0
        if not _arity(handler, ARGUMENTS + own).missing:
            return []
        return [self._arity_report(_required(handler) - own, severity="warning")]

    def _arity_report(self, needed: int, severity: str = "error") -> Report:
        return explain(
            "handler-arity",
            where=self.place(),
            handler=self.name,
            actual=needed,
            expected=ARGUMENTS,
            severity=severity,
        )

    def _missing_handler(self) -> Report | None:
        if self.available():
            return None
        ignored: Any = None
        name = ""
        if self._default is not None and self.legacy:
            ignored, name = getattr(self._default, "fetch", None), "Default.fetch"
            if callable(ignored):
                return explain(
                    "class-ignored-by-date", where=_place_of(ignored), handler=name, date=self._date
                )
        if self._default is None and not self.legacy:
            ignored, name = getattr(self._module, "on_fetch", None), "on_fetch"
            if callable(ignored):
                return explain(
                    "handler-ignored-by-date", where=_place_of(ignored), handler=name, date=self._date
                )
        return explain(
            "no-handler",
            where=place(self._main, 1),
            main=Path(self._main).name,
            date=self._date,
            similar=self._near_miss(),
        )

    def _near_miss(self) -> str:
        from difflib import get_close_matches

        wanted = "on_fetch" if self.legacy else "Default"
        names = [name for name, value in vars(self._module).items() if callable(value)]
        return next(iter(get_close_matches(wanted, names, 1, 0.5)), "")

    # ---- calls --------------------------------------------------------------

    async def fetch(self, request: Any, env: Any, make_ctx: Callable[[], Any]) -> Any:
        """Call the fetch handler with JS proxies; gives what it returned, a JS Response at best."""
        if self._default is not None:
            return await self._fetch_class(request, env, make_ctx())
        if not callable(self._on_fetch):
            raise self._no_handler()
        arguments = self._fitting(self._on_fetch, (request, env, None))
        if len(arguments) == 3:
            arguments = (request, env, make_ctx())
        result = self._on_fetch(*arguments)
        if inspect.isawaitable(result):
            result = await result
        response = getattr(result, "js_response", None)
        return result if response is None else response

    async def _fetch_class(self, request: Any, env: Any, ctx: Any) -> Any:
        from workers import python_from_rpc, python_to_rpc

        assert self._default is not None
        instance = self._default(ctx, env)
        method = getattr(instance, self._fetch_method, None)
        if not callable(method):
            raise self._no_handler()
        result = method(*self._fitting(method, (python_from_rpc(request), None, None)))
        if inspect.isawaitable(result):
            result = await result
        return python_to_rpc(result)

    def _fitting(self, handler: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments that ``handler`` takes. HandlerError when it needs more."""
        function = getattr(handler, "__func__", handler)
        arity = self._arities.get(function)
        if arity is None:
            arity = self._arities[function] = _arity(handler, len(arguments))
        if arity.missing:
            message = f"TypeError: missing a required argument: {arity.missing!r}"
            raise HandlerError(message, self._arity_report(_required(handler)))
        return arguments if arity.room < 0 else arguments[: arity.room]

    def _no_handler(self) -> HandlerError:
        report = self._missing_handler()
        assert report is not None
        if self._default is not None:
            return HandlerError(f"Method {self._fetch_method} does not exist", report)
        if self.legacy:
            name = Path(self._main).name
            return HandlerError(
                f'Python entrypoint "{name}" does not export a handler named "on_fetch"', report
            )
        return HandlerError("Handler does not export a fetch() function.", report)


def _parameters(function: Any) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def _arity(function: Any, given: int) -> Arity:
    parameters = _parameters(function)
    if parameters is None:
        return Arity(-1, "")
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = positional[given:] + [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    missing = next((p.name for p in needed if p.default is p.empty), "")
    endless = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return Arity(-1 if endless else len(positional), missing)


def _required(function: Any) -> int:
    """How many arguments a call must give."""
    return sum(
        p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        for p in _parameters(function) or ()
    )


def _place_of(function: Callable[..., Any] | None) -> Place | None:
    code = getattr(inspect.unwrap(function), "__code__", None) if function is not None else None
    return None if code is None else place(code.co_filename, code.co_firstlineno, function=code.co_qualname)
