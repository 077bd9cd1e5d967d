"""Find a Worker's handlers and call them by production's rules.

From compatibility date 2025-08-14 on, events go to methods of ``class Default``; before it,
or with ``disable_python_no_global_handlers``, to module-level ``on_*`` functions.
Source: https://developers.cloudflare.com/workers/languages/python/
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report

from ..bridge.bridge import Bridge
from ..compat_flags import CompatibilityFlags
from .exceptions import exception_line, nearest
from .explain import NOT_RESPONSE, place
from .parameters import Arity, arity_of, fits, place_of, place_of_any, place_of_class

_NO_RESPONSES: Final = frozenset((type(None), str, int, float, bool, bytes, bytearray, dict, list, set))
"""Types that the SDK lets pass or converts, and that the platform then refuses."""

ARGUMENTS: Final = 3
"""``(request, env, ctx)``; methods get the request and two times ``None``."""


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

    @property
    def _handler(self) -> Any:
        """The fetch handler: a method of ``Default``, else the module's function; ``None`` without one."""
        return self._on_fetch if self._default is None else getattr(self._default, self._fetch_method, None)

    def place(self) -> Place | None:
        """Where the fetch handler is defined."""
        return place_of(self._handler)

    @property
    def name(self) -> str:
        """The fetch handler as the user spells it, for messages."""
        return f"Default.{self._fetch_method}" if self._default is not None else "on_fetch"

    def available(self) -> list[str]:
        """The events that have a handler."""
        return ["fetch"] if callable(self._handler) else []

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
        if self._lacks_self():
            return [self._self_report(severity="warning")]
        own = 1 if self._default else 0
        lacking = arity_of(self._handler, ARGUMENTS + own).missing
        return [self._arity_report(lacking, severity="warning")] if lacking else []

    def _arity_report(self, lacking: str, severity: str = "error") -> Report:
        return explain(
            "handler-arity", where=self.place(), handler=self.name, missing=lacking, severity=severity
        )

    def _lacks_self(self) -> bool:
        """Whether ``fetch`` is a plain function in the class whose first parameter is the request."""
        method = inspect.getattr_static(self._default, self._fetch_method, None) if self._default else None
        if not inspect.isfunction(method):
            return False
        names = list(inspect.signature(method).parameters)
        return not names or names[0] in ("request", "req")

    def _self_report(self, severity: str = "error", frames: Sequence[Place] = ()) -> Report:
        return explain(
            "missing-self", where=self.place(), handler=self.name, severity=severity, frames=frames
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
                    "class-ignored-by-date", where=place_of(ignored), handler=name, date=self._date
                )
        if self._default is None and not self.legacy:
            ignored, name = getattr(self._module, "on_fetch", None), "on_fetch"
            if callable(ignored):
                return explain(
                    "handler-ignored-by-date", where=place_of(ignored), handler=name, date=self._date
                )
        if self._default is not None:
            return self._missing_method()
        return self._no_handler_at_all()

    def _missing_method(self) -> Report:
        assert self._default is not None
        methods = [name for name, value in vars(self._default).items() if inspect.isfunction(value)]
        near = nearest(self._fetch_method, methods)
        where = place_of(vars(self._default).get(near)) or place_of_class(self._default)
        hint = f" It has {near}." if near else ""
        return explain("method-missing", where=where, handler=self.name, near=hint)

    def _no_handler_at_all(self) -> Report:
        wanted = "on_fetch" if self.legacy else "Default"
        facts: dict[str, Any] = {"main": Path(self._main).name, "date": self._date}
        where = place(self._main, 1)
        found = vars(self._module).get(wanted)
        if isinstance(found, type):
            where = place_of_class(found) or where
            facts["near"] = " This class Default does not extend WorkerEntrypoint."
            facts["advice"] = "from workers import WorkerEntrypoint\n\nclass Default(WorkerEntrypoint):"
        elif found is not None:
            facts["near"] = f" Here {wanted} is of type {type(found).__name__}."
        else:
            own = {name: value for name, value in vars(self._module).items() if self._is_own(value)}
            near = nearest(wanted, own)
            facts["similar"] = near
            where = place_of_any(own.get(near)) or where
        return explain("no-handler", where=where, legacy=self.legacy, **facts)

    def _is_own(self, value: Any) -> bool:
        return callable(value) and getattr(value, "__module__", "") == self._module.__name__

    # ---- calls --------------------------------------------------------------

    def fetch(self, request: Any, env: Any, make_ctx: Callable[[], Any]) -> Any:
        """Call the fetch handler with JS proxies; gives what it returned, or an awaitable of it."""
        if self._default is not None:
            return self._fetch_class(request, env, make_ctx())
        if not callable(self._on_fetch):
            raise self._no_handler()
        arguments = self._fitting(self._on_fetch, (request, env, None))
        if len(arguments) == 3:
            arguments = (request, env, make_ctx())
        return self._on_fetch(*arguments)

    @staticmethod
    def response_of(result: Any) -> Any:
        """The JS Response in what a module-level handler returned, else the result itself."""
        if hasattr(type(result), "_js_type_flags"):
            return result
        response = getattr(result, "js_response", None)
        return result if response is None else response

    async def _fetch_class(self, request: Any, env: Any, ctx: Any) -> Any:
        from workers import python_from_rpc, python_to_rpc

        assert self._default is not None
        instance = self._instantiate(ctx, env)
        method = getattr(instance, self._fetch_method, None)
        if not callable(method):
            raise self._no_handler()
        try:
            result = method(*self._fitting(method, (python_from_rpc(request), None, None)))
            if inspect.isawaitable(result):
                result = await result
        except (AttributeError, TypeError) as error:
            if self._lacks_self():
                raise HandlerError(exception_line(error), self._self_report()) from error
            raise
        try:
            answer = python_to_rpc(result)
        except TypeError as error:
            raise self._no_response(result, exception_line(error)) from error
        if type(result) in _NO_RESPONSES:
            raise self._no_response(result, f"TypeError: {NOT_RESPONSE}")
        return answer

    def _no_response(self, result: Any, message: str) -> HandlerError:
        report = explain("not-a-response", where=self.place(), handler=self.name, type=type(result).__name__)
        return HandlerError(message, report)

    def _instantiate(self, ctx: Any, env: Any) -> Any:
        assert self._default is not None
        try:
            return self._default(ctx, env)
        except TypeError as error:
            constructor = vars(self._default).get("__init__")
            own = inspect.getclosurevars(constructor).nonlocals.get("original_init") if constructor else None
            if own is None or fits(own, (None, ctx, env)):
                raise
            report = explain("init-arity", where=place_of(own))
            raise HandlerError(exception_line(error), report) from error

    def _fitting(self, handler: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments that ``handler`` takes. HandlerError when it needs more."""
        function = getattr(handler, "__func__", handler)
        arity = self._arities.get(function)
        if arity is None:
            arity = self._arities[function] = arity_of(handler, len(arguments))
        if arity.missing:
            message = f"TypeError: missing a required argument: {arity.missing!r}"
            raise HandlerError(message, self._arity_report(arity.missing))
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
