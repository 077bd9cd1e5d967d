"""Programs that the real runtime has answered (data/workerd.json) give the same answers here.

``record_workerd.mjs`` records them. ``data/workerd_differences.json`` is the table of known
differences: reason -> programs; each of them is expected to differ still.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.isolate.realm.host import host_functions
from emulator.isolate.realm.realm import Realm

from .conftest import FakeIO, Runner

DATA = Path(__file__).parent / "data"
RECORDED = json.loads((DATA / "workerd.json").read_text(encoding="utf-8"))
DIFFERENCES: dict[str, list[str]] = json.loads(
    (DATA / "workerd_differences.json").read_text(encoding="utf-8")
)
REASONS = {code: reason for reason, codes in DIFFERENCES.items() for code in codes}
WRAPPER = """
%s
let answer;
try {
  answer = { ok: await (async () => { return (
%s
); })() };
  JSON.stringify(answer);
} catch (e) {
  answer = Object(e) === e ? { err: String(e.name), msg: String(e.message) } : { err: "(not an error)", msg: String(e) };
}
return JSON.stringify(answer);"""
NEVER = {"err": "Error", "msg": "(never settles)"}


def cases() -> list[Any]:
    """A parameter set per program; known differences have a strict xfail mark."""
    sets = []
    for index, program in enumerate(RECORDED["programs"]):
        reason = REASONS.get(program["code"])
        marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
        sets.append(pytest.param(program, marks=marks, id=f"{program['group']}-{index}"))
    return sets


@pytest.fixture(scope="module")
def shared() -> Runner:
    """One realm for all programs, as one isolate answered all of them."""
    io = FakeIO()
    realm = Realm(host_functions(lambda: io))
    io.engine = realm.engine
    realm.platform.get("compatibilityFlags").set("fetch_iterable_type_support", True)
    return Runner(realm, io)


def answer(runner: Runner, code: str) -> Any:
    """What ``code`` gives here, in the form of the recorded answers."""
    runner.outcome = []
    source = WRAPPER % ("\n".join(RECORDED["prelude"]), code)
    try:
        return json.loads(runner.run(source, {}))
    except AssertionError:
        return NEVER


@pytest.mark.parametrize("program", cases())
def test_answers_as_workerd(shared: Runner, program: dict[str, Any]) -> None:
    assert answer(shared, program["code"]) == program["expect"]


def test_differences_are_of_recorded_programs() -> None:
    assert set(REASONS) <= {program["code"] for program in RECORDED["programs"]}
