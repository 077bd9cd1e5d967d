"""A realm for tests in which ``mod(name)`` gives the WebAssembly module of a fixture."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from emulator.isolate.realm.host import host_functions
from emulator.isolate.realm.realm import Realm

from ..realm.conftest import FakeIO, Runner

DATA = Path(__file__).parent / "data"
FIXTURES: dict[str, str] = json.loads((DATA / "fixtures.json").read_text(encoding="utf-8"))
DEFINE_MOD = """(platform, bytesOf) => {
  const modules = {};
  globalThis.mod = (name) => modules[name] ??= platform.wasmModuleFrom(bytesOf(name), `${name}.wasm`);
}"""


class World:
    """One booted realm with the fixtures of data/fixtures.json."""

    def __init__(self) -> None:
        io = FakeIO()
        self.realm = Realm(host_functions(lambda: io))
        self.engine = self.realm.engine
        io.engine = self.engine
        self.runner = Runner(self.realm, io)
        define_mod = self.engine.eval(DEFINE_MOD, "mod.js")
        define_mod(self.realm.platform, self.engine.function(self._bytes, "bytesOf"))

    def _bytes(self, name: str) -> Any:
        return self.engine.array_buffer(base64.b64decode(FIXTURES[name]))

    def run(self, source: str, **values: Any) -> Any:
        """``source``, an expression or statements with ``return``, in an async function (see ``Runner``)."""
        self.runner.outcome = []
        return self.runner.run(source, values)

    def function(self, source: str) -> Any:
        """The JavaScript function of this source, to be called from Python."""
        return self.engine.eval(source, "test.js")
