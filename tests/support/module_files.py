"""Load the modules of a JavaScript Worker from real files into a real realm, without an isolate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.diagnostics.report import Report
from emulator.isolate.javascript.modules import Modules
from emulator.isolate.program import LoadError
from emulator.isolate.realm.engine import Value
from emulator.isolate.realm.host import host_functions
from emulator.isolate.realm.realm import Realm
from emulator.wire.frames import ModuleRule, WorkerSpec

OK = "export default { fetch() {} };"


def no_io() -> Any:
    raise AssertionError("modules do no I/O")


class Project:
    """Files below ``root``; ``load`` runs them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.realm: Realm
        self.modules: Modules

    def write(self, files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def load(
        self,
        files: dict[str, str | bytes],
        main: str = "worker.js",
        rules: list[ModuleRule] | None = None,
        flags: list[str] | None = None,
    ) -> Value:
        """The namespace of ``main``. Raises what ``Modules.load`` raises."""
        self.write(files)
        self.realm = Realm(host_functions(no_io))
        spec = WorkerSpec(
            name="w",
            root=str(self.root),
            main=str(self.root / main),
            compatibility_date="2025-09-01",
            compatibility_flags=flags or [],
            vars={},
            kind="javascript",
            rules=rules or [],
        )
        self.modules = Modules(self.realm, spec, self._compile)
        return self.modules.load()

    def _compile(self, data: bytes, path: str) -> Value:
        """Stands for the compiler of WebAssembly: an object that tells what it was given."""
        module = self.realm.engine.context.new_object()
        module.set("size", len(data))
        module.set("path", path)
        return module

    def value(self, files: dict[str, str | bytes], **options: Any) -> Any:
        """What the main module exports as ``value``, as JSON would carry it."""
        return self.json(self.load(files, **options).get("value"))

    def json(self, value: Any) -> Any:
        import json

        text = self.realm.engine.eval("(value) => JSON.stringify(value) ?? 'null'", "test.js")(value)
        return json.loads(str(text))

    def mistake(self, files: dict[str, str | bytes], **options: Any) -> Report:
        """The report of files that must not load."""
        try:
            self.load(files, **options)
        except LoadError as error:
            return error.report
        raise AssertionError("it loads")

    def exports_mistake(self, files: dict[str, str | bytes], for_request: bool = True) -> Report | None:
        """What is wrong with the exports of a main module that loads."""
        namespace = self.load(files)
        return self.modules.default_export_mistake(namespace, for_request)

    def later(self, namespace: Value, name: str = "later") -> Any:
        """Call an exported async function after loading; gives ``[fulfilled, value or error text]``."""
        watch = self.realm.engine.eval(
            "(call) => { const out = []; (async () => call())().then((v) => out.push(true, v),"
            " (e) => out.push(false, String(e))); return out; }",
            "test.js",
        )
        outcome = watch(namespace.get(name))
        self.realm.engine.run_jobs()
        return self.json(outcome)

    def place(self, report: Report) -> str:
        """``worker.js:1:8`` of a report."""
        assert report.where is not None
        file = Path(report.where.file).relative_to(self.root)
        return f"{file}:{report.where.line}:{report.where.column}"
