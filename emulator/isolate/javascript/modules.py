"""The modules of a JavaScript Worker: found as wrangler finds them, loaded into the realm."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any, Final

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.wire.frames import WorkerSpec

from ..program import LoadError
from ..realm.engine import Value
from ..realm.module_loader import ImportRefused, ModuleLoader, ModuleSource
from ..realm.realm import Realm
from ..upload import exceeds, size_report
from .contents import ContentMistake, Contents
from .resolve import Found, Resolver, Unresolved
from .rules import Rules
from .scan import await_place, import_place, method_place
from .wrong_exports import (
    Exports,
    MissingExport,
    declared_exports,
    exports_mistake,
    missing_export,
    passed_on,
)

CompileWasm = Callable[[bytes, str], Value]
"""``(data, path)`` -> a ``WebAssembly.Module`` of the realm."""

_IMPORT: Final = """(name, then) => {
  const outcome = [];
  then(import(name), (value) => outcome.push(true, value), (error) => outcome.push(false, error));
  return outcome;
}"""
"""``then`` is the platform's own: that of Workers words errors as V8 does, and here the engine's are read."""

_START: Final = "cfw-emu:start"
_SIZE: Final = "cfw-emu:size"
"""``start`` imports ``size`` before the main module: it runs when every module has been read, and before any
other does."""
_SIZE_SOURCE: Final = b"if (import.meta.given()) throw new Error('too big');"

_DEEPEST: Final = 250
"""Modules that may import one another in a chain; the engine loads each inside the one before."""

_WITHOUT_ERROR: Final = frozenset(("module-not-wasm", "module-wasm-invalid"))
"""Mistakes that the build step finds on the platform, in no words that a Worker would see."""

_PASSED_ON: Final = 20
"""How far an export is followed through modules that pass it on."""

_COMMONJS_NAME: Final = re.compile(r"^'?(require|module|exports|__dirname|__filename)'? is not defined$")
_FRAME: Final = re.compile(r"^\s+at (?:.*\()?(/.+?):(\d+)(?::(\d+))?\)?$", re.MULTILINE)


class ModuleMistake(LoadError):
    """An import or an export is wrong; ``report`` says how."""


class ModuleSyntaxError(Exception):
    """``path`` does not parse; ``thrown`` is the SyntaxError of the realm."""

    def __init__(self, path: str, thrown: Value) -> None:
        super().__init__(path)
        self.path = path
        self.thrown = thrown


class TopLevelError(Exception):
    """The code of a module threw ``thrown`` while it was loaded."""

    def __init__(self, thrown: Any) -> None:
        super().__init__("a module threw")
        self.thrown = thrown


class Modules:
    """Loads ``spec.main`` and all that it imports, at load and later by ``import()``.

    ``warnings`` holds what is worth telling though it works.
    """

    def __init__(self, realm: Realm, spec: WorkerSpec, compile_wasm: CompileWasm) -> None:
        self._realm = realm
        self._spec = spec
        self._resolver = Resolver(spec.root, Rules(spec.rules), frozenset(spec.compatibility_flags))
        self._compile = compile_wasm
        self._contents = Contents(realm, self._compile_wasm, self._resolver.shown)
        self._main = self._resolver.canonical(spec.main)
        self._found: dict[str, Found] = {}
        self._importers: dict[str, list[tuple[str, str]]] = {}
        self._refused: dict[str, Report] = {}
        self._broken: list[str] = []
        self._failure: BaseException | None = None
        self._loaded = False
        self._too_big = False
        self.warnings: list[Report] = []

    def load(self) -> Value:
        """The namespace of the main module, evaluated.

        Raises ``ModuleMistake``, ``ModuleSyntaxError``, ``TopLevelError``, or what ``compile_wasm`` raises.
        """
        engine = self._realm.engine
        entry = _START if self._spec.limits.size_bytes else self._main
        self._loader = ModuleLoader(engine, self._resolve, self._load, self._broken.append)
        then = self._realm.platform.get("async").get("then")
        outcome = engine.eval(_IMPORT, "cfw-emu:modules")(entry, then)
        engine.run_jobs()
        if self._too_big:
            raise ModuleMistake(size_report(self._spec, self._contents.sizes))
        if len(outcome) == 0:
            raise ModuleMistake(explain("top-level-await-unsettled", where=self._awaiting()))
        succeeded, value = outcome.get(0), outcome.get(1)
        if not succeeded:
            raise self._explained(value)
        self._loaded = True
        assert isinstance(value, Value)
        return value.get("main") if entry == _START else value

    def default_export_mistake(self, namespace: Value, for_request: bool = False) -> Report | None:
        """What is wrong with the exports of the main module.

        A Worker with other handlers only (``scheduled``...) is right until it gets its first request.
        """
        described = self._realm.platform.get("describeExports")(namespace)
        names, kind, handlers = (described.get(i) for i in range(3))
        exports = Exports(_strings(names), str(kind), _strings(handlers))
        return exports_mistake(exports, self._main, self._contents.text_of(self._main), for_request)

    def handler_place(self, name: str) -> Place | None:
        """Where the main module defines the handler ``name``, as far as that can be seen."""
        return method_place(self._main, self._contents.text_of(self._main), name)

    def mistake_of(self, message: str) -> Report | None:
        """The explanation of a failed ``import()`` whose error has this message."""
        return self._refused.get(message)

    # ---- the size of the upload -------------------------------------------------

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file that was read, by its path."""
        return self._contents.sizes

    def _measure(self, *_: Any) -> bool:
        """Whether the modules that were read are more than the plan allows; nothing has run yet."""
        self._too_big = exceeds(self._spec, self._contents.sizes)
        return self._too_big

    def _compile_wasm(self, data: bytes, path: str) -> Value:
        """A module that is too big to be served is not compiled: that may take seconds."""
        if not self._loaded and exceeds(self._spec, self._contents.sizes):
            return self._realm.engine.context.new_object()
        return self._compile(data, path)

    # ---- the engine's questions -----------------------------------------------

    def _resolve(self, importer: str, specifier: str) -> str:
        if importer.startswith("cfw-emu:"):
            found = Found(specifier, "JavaScript")
        else:
            found = self._import(importer, specifier)
        self._found[found.name] = found
        importers = self._importers.setdefault(found.name, [])
        if (importer, specifier) not in importers:
            importers.append((importer, specifier))
        return found.name

    def _import(self, importer: str, specifier: str) -> Found:
        try:
            found = self._resolver.resolve(specifier, importer)
        except Unresolved as error:
            raise self._refuse(error.code, importer, specifier, error.facts) from None
        if self._loaded and found.name not in self._found and self._is_outside(found, importer, specifier):
            raise self._refuse("module-outside", importer, specifier, {"specifier": specifier})
        if found.misspelled:
            self._misspelled(found, importer, specifier)
        return found

    def _is_outside(self, found: Found, importer: str, specifier: str) -> bool:
        """Whether a late import leaves the project by a path that no bundler could have followed."""
        inside = found.kind == "Builtin" or found.path.startswith(os.path.join(self._spec.root, ""))
        return not inside and self._place(importer, specifier) is None

    def _misspelled(self, found: Found, importer: str, specifier: str) -> None:
        report = explain(
            "module-wrong-case",
            where=self._place(importer, specifier),
            specifier=specifier,
            right=os.path.basename(found.misspelled),
            path=self._resolver.shown(found.misspelled),
        )
        if report not in self.warnings:
            self.warnings.append(report)

    def _load(self, name: str) -> ModuleSource:
        if name == _START:
            size, main = json.dumps(_SIZE), json.dumps(self._main)
            return ModuleSource(f"import {size}; import * as main from {main}; export {{ main }};".encode())
        if name == _SIZE:
            return ModuleSource(_SIZE_SOURCE, self._realm.engine.function(self._measure, "measure"))
        found = self._found[name]
        importer, specifier = self._importers[name][-1]
        if self._loader.depth > _DEEPEST:
            raise self._refuse("module-chain", importer, specifier, {"depth": _DEEPEST})
        try:
            return self._contents.source(found)
        except ContentMistake as error:
            facts = {"specifier": specifier, "path": self._resolver.shown(found.path), **error.facts}
            raise self._refuse(error.code, importer, specifier, facts, error.where) from None
        except BaseException as error:
            self._failure = self._failure or error
            raise

    def _refuse(
        self, code: str, importer: str, specifier: str, facts: dict[str, Any], where: Place | None = None
    ) -> ImportRefused:
        """The error that the import throws, in the platform's words; its explanation is kept."""
        message = f'No such module "{specifier}".\n  imported from "{self._resolver.shown(importer)}"'
        if importer.startswith("cfw-emu:"):
            message = f'No such module "{self._resolver.shown(specifier)}".'
        place = where or self._place(importer, specifier) or _whole(importer)
        exception = "" if where or code in _WITHOUT_ERROR else f"Error: {message.partition(chr(10))[0]}"
        self._refused[message] = explain(code, where=place, exception=exception, **facts)
        return ImportRefused(message)

    def _place(self, importer: str, specifier: str) -> Place | None:
        source = self._contents.text_of(importer)
        return import_place(importer, source, specifier) if source else None

    def _awaiting(self) -> Place:
        """The module with the only top-level await, or else the main module."""
        places = [place for path, text in self._contents.texts.items() if (place := await_place(path, text))]
        return places[0] if len(places) == 1 else Place(self._main)

    # ---- what went wrong --------------------------------------------------------

    def _explained(self, thrown: Any) -> Exception:
        if self._failure is not None:
            if isinstance(self._failure, Exception):
                return self._failure
            raise self._failure
        if not isinstance(thrown, Value) or not thrown.is_error:
            return TopLevelError(thrown)
        message, stack = str(thrown.get("message")), str(thrown.get("stack") or "")
        if (report := self._refused.get(message)) is not None:
            return ModuleMistake(report)
        name = str(thrown.get("name"))
        if name == "SyntaxError":
            for path in self._broken:
                if stack.lstrip().startswith(f"at {path}:"):
                    return ModuleSyntaxError(path, thrown)
            if (missing := MissingExport.parse(message)) is not None:
                return ModuleMistake(self._missing_export(missing))
        if name == "ReferenceError" and (match := _COMMONJS_NAME.match(message)):
            return ModuleMistake(self._commonjs_name(match[1], stack))
        return TopLevelError(thrown)

    def _missing_export(self, missing: MissingExport) -> Report:
        found = self._found.get(missing.module, Found(missing.module, "JavaScript"))
        # The engine blames the module that passes an export on, where it lacks in the one behind.
        for _ in range(_PASSED_ON):
            passed = passed_on(self._contents.text_of(found.path), missing.name)
            if passed is None:
                break
            missing = MissingExport(passed.name, missing.module)
            found = self._resolver.resolve(passed.specifier, found.path)
        offered = self._contents.exports.get(found.name)
        if offered is None:
            offered = declared_exports(self._contents.text_of(found.path))
        importers = self._importers.get(found.name, [])
        return missing_export(
            missing, self._resolver.shown(found.path), offered, importers, self._contents.texts
        )

    def _commonjs_name(self, name: str, stack: str) -> Report:
        frame = _FRAME.search(stack)
        where = None
        if frame:
            path, line, column = frame[1], int(frame[2]), int(frame[3] or 0)
            lines = (self._contents.text_of(path) or "").split("\n")
            source = lines[line - 1].rstrip("\r") if 0 < line <= len(lines) else ""
            where = Place(path, line, column, "", source)
        return explain(
            "commonjs-name", where=where, name=name, exception=f"ReferenceError: {name} is not defined"
        )


def _whole(importer: str) -> Place | None:
    return None if importer.startswith("cfw-emu:") else Place(importer)


def _strings(array: Value) -> list[str]:
    return [str(array.get(i)) for i in range(len(array))]
