"""Boot a realm: the engine, the host functions and the platform files, in this order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any, Final

from .bytecode import compiled
from .engine import Engine, Value

PLATFORM_FILES: Final = (
    "boot.js",
    "webassembly_intrinsics.js",
    "stacks.js",
    "call_sites.js",
    "intrinsics.js",
    "top_level.js",
    "locale.js",
    "locale_dates.js",
    "webidl.js",
    "domexception.js",
    "json.js",
    "errors.js",
    "events.js",
    "event_classes.js",
    "abort.js",
    "encoding.js",
    "base64.js",
    "url.js",
    "inspect.js",
    "console.js",
    "timers.js",
    "clone.js",
    "messages.js",
    "crypto.js",
    "subtle_arguments.js",
    "subtle_jwk.js",
    "subtle.js",
    "disposal.js",
    "misc.js",
    "streams.js",
    "readable.js",
    "readable_stream.js",
    "readable_bytes.js",
    "byob.js",
    "writable.js",
    "pipe.js",
    "transform.js",
    "compression.js",
    "digest_stream.js",
    "headers.js",
    "blob.js",
    "formdata.js",
    "body.js",
    "response.js",
    "request.js",
    "entry.js",
    "rpc.js",
    "workers.js",
    "dispatch.js",
    "fetch.js",
    "older.js",
    "webassembly.js",
    "webassembly_groups.js",
    "webassembly_conversions.js",
    "webassembly_items.js",
    "webassembly_values.js",
    "webassembly_tags.js",
    "webassembly_instance.js",
)
"""Order matters: a file may use what earlier files put on ``platform``."""


class HostError(Exception):
    """Raised by a host function to throw a JS error of class ``js_class`` in the realm."""

    def __init__(self, js_class: str, message: str) -> None:
        super().__init__(message)
        self.js_class = js_class


class Realm:
    """One booted JavaScript world.

    ``platform`` is the JS object that platform files share; Python reads its entry points
    (``makeRequest``, ``takeLines``...) from there.
    """

    def __init__(self, host: Mapping[str, Callable[..., Any]], bytecode: str = "") -> None:
        """Boot. ``bytecode`` is a directory of the user that keeps the compiled platform files."""
        from .host.text import direct_functions  # this module is imported by those of .host
        from .host.wasm import WebAssemblyHalf

        self.engine = Engine()
        self.platform: Value = self.engine.context.new_object()
        raw, direct = self.engine.context.new_object(), self.engine.context.new_object()
        for name, function in host.items():
            raw.set(name, self.engine.function(self.guarded(function), name))
        for name, function in direct_functions().items():
            direct.set(name, self.engine.function(function, name))
        self.wasm = WebAssemblyHalf(self)
        raw.set("openWebAssembly", self.engine.function(self.guarded(self.wasm.open), "openWebAssembly"))
        sources = {f"cfw-emu:{name}": _source(name) for name in PLATFORM_FILES}
        evaluate = self.engine.context.eval_function
        first, *others = (evaluate(script) for script in compiled(self.engine, sources, bytecode))
        first(self.platform, raw, direct)
        for setup in others:
            setup(self.platform)
        self.engine.run_jobs()

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` for JavaScript: what it raises becomes a ``HostFailure``, which boot.js throws."""

        def call(*args: Any) -> Any:
            try:
                for arg in args:
                    if arg.__class__ is Value and arg.is_string:
                        return function(*map(_text, args))
                return function(*args)
            except HostError as error:
                return self.platform.get("hostFailure")(error.js_class, str(error))
            except Exception as error:
                message = f"{type(error).__name__}: {error}"
                return self.platform.get("hostFailure")("Error", message)

        return call


def _text(value: Any) -> Any:
    """``str`` for a long concatenated string, which the engine keeps in pieces and hands over as a Value."""
    return str(value) if value.__class__ is Value and value.is_string else value


def _source(name: str) -> str:
    files = resources.files(__package__) / "platform"
    return (files / name).read_text(encoding="utf-8")
