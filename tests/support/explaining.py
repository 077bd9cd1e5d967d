"""A realm of its own in the test's process, with a JsExplainer on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.diagnostics.report import Report
from emulator.isolate.javascript.catches import instrument
from emulator.isolate.javascript.explain import JsExplainer
from emulator.isolate.realm.host import host_functions
from emulator.isolate.realm.realm import Realm


def _no_outside() -> Any:
    raise RuntimeError("this realm has no outside")


class Explaining:
    """Runs programs of one project and explains what they throw."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.realm = Realm(host_functions(_no_outside))
        self.engine = self.realm.engine
        self.explainer = JsExplainer(self.realm, str(root), str(root / "worker.js"))
        self._call = self.engine.eval(
            "(f) => { const seen = []; f().then((v) => seen.push(false, v), (e) => seen.push(true, e)); return seen }",
            "cfw-emu:test",
        )
        self._files = 0

    def thrown(self, code: str, name: str = "") -> Any:
        """What the body of a strict async function throws; it is in a file of its own, from line 2 on."""
        self._files += 1
        path = self.root / (name or f"snippet{self._files}.js")
        source = f'(async function () {{ "use strict";\n{code}\n}})'
        path.write_text(source, "utf-8")
        seen = self._call(self.engine.eval(instrument(source), str(path)))
        self.engine.run_jobs()
        assert len(seen) == 2, "it never settles"
        assert seen.get(0), f"it throws nothing, and gives {seen.get(1)}"
        return seen.get(1)

    def value(self, code: str) -> Any:
        """What the body of a strict async function returns."""
        self._files += 1
        path = self.root / f"snippet{self._files}.js"
        source = f'(async function () {{ "use strict";\n{code}\n}})'
        path.write_text(source, "utf-8")
        seen = self._call(self.engine.eval(instrument(source), str(path)))
        self.engine.run_jobs()
        assert len(seen) == 2, "it never settles"
        assert not seen.get(0), self.explainer.exception_line(seen.get(1))
        return seen.get(1)

    def line(self, code: str) -> str | None:
        """The exception's line; None when nothing is thrown. A syntax error counts as thrown."""
        try:
            return self.explainer.exception_line(self.thrown(code))
        except AssertionError:
            return None

    def report(self, code: str, name: str = "", **facts: Any) -> Report:
        """The report of what the code throws."""
        return self.explainer.report(self.thrown(code, name), "GET /", **facts)
