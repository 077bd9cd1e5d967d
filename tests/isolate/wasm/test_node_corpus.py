"""Programs on the WebAssembly API that V8 has answered (data/node.json) give the same answers here.

``record_node.mjs`` records them: ``expect`` is Node's answer, ``workerd`` production's where it is a
different one (a newer V8, another embedder); production's counts. ``data/node_differences.json`` is
the table of known differences: reason -> programs; each of them is expected to differ still.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest

from emulator.isolate.realm.engine import JSError

from .world import DATA, World

RECORDED = json.loads((DATA / "node.json").read_text(encoding="utf-8"))
DIFFERENCES: dict[str, list[str]] = json.loads((DATA / "node_differences.json").read_text(encoding="utf-8"))
REASONS = {code: reason for reason, codes in DIFFERENCES.items() for code in codes}
FIXTURE = re.compile(r"""\b(?:ins|mod)\(['"](\w+)""")
ANSWER = """
%s
try {
  return show(await (async () => { %s
})());
} catch (e) {
  return Object(e) === e ? "throws " + e.name + ": " + e.message : "throws " + String(e);
}"""


def cases() -> list[Any]:
    """A parameter set per program; known differences have a strict xfail mark."""
    sets = []
    for index, program in enumerate(RECORDED["programs"]):
        reason = REASONS.get(program["code"])
        marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
        sets.append(pytest.param(program, marks=marks, id=f"{program['group']}-{index}"))
    return sets


def answer(world: World, code: str) -> str:
    """What ``code`` gives here, in the form of the recorded answers."""
    for name in FIXTURE.findall(code):  # a Worker's modules are there before it runs
        world.run(f"return mod({json.dumps(name)}) !== undefined;")
    prelude = "\n".join(RECORDED["prelude"])
    body = f"return (\n{code}\n);" if is_expression(world, code) else code
    try:
        return str(world.run(ANSWER % (prelude, body)))
    except AssertionError:
        return "throws Error: (never settles)"


def is_expression(world: World, code: str) -> bool:
    try:
        world.function(f"(async () => (\n{code}\n))")
    except JSError:
        return False
    return True


@pytest.fixture(scope="module")
def worlds() -> defaultdict[str, World]:
    """One world for each group of programs."""
    return defaultdict(World)


@pytest.mark.parametrize("program", cases())
def test_answers_as_v8(worlds: defaultdict[str, World], program: dict[str, str]) -> None:
    assert answer(worlds[program["group"]], program["code"]) == program.get("workerd", program["expect"])


def test_differences_are_of_recorded_programs() -> None:
    assert set(REASONS) <= {program["code"] for program in RECORDED["programs"]}
