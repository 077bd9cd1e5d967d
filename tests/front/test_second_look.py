"""A JavaScript Worker that is too big as it is written, while it is served."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_esbuild import fake_esbuild
from msgspec import structs

from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.front.second_look import SecondLook
from emulator.journal.events import Explained, JournalEvent
from emulator.limits import plan_named
from emulator.project import Project, open_project
from emulator.wire.frames import LoadFailed, WorkerSpec

TOO_BIG = explain("worker-too-big", plan="free")


def project(root: Path) -> Project:
    (root / "wrangler.toml").write_text('name = "w"\nmain = "index.js"\ncompatibility_date = "2025-01-01"\n')
    (root / "index.js").write_text("export default {}")
    free = plan_named("free")
    opened = open_project(root / "wrangler.toml", process_env={})
    return replace(opened, plan=replace(free, values={**free.values, "size_mib": 1 / 1024}))


class Slot:
    """Takes note of what it is told."""

    reconsider: Any = None

    def __init__(self) -> None:
        self.told: list[Any] = []

    def deploy(self, spec: WorkerSpec) -> None:
        self.told.append(spec.limits.size_bytes)

    async def settled(self) -> None:
        pass

    def fail(self, reports: list[Report]) -> None:
        self.told.append([report.code for report in reports])


def looks(
    found: Project, failed: LoadFailed, times: int = 1
) -> tuple[WorkerSpec | object, list[JournalEvent]]:
    journal: list[JournalEvent] = []
    look = SecondLook(lambda: found, Slot(), journal.append)  # type: ignore[arg-type]
    for _ in range(times):
        verdict = asyncio.run(look.reconsider(found.spec(), failed))
    return verdict, journal


@pytest.mark.parametrize("size", [1024, 1025])
def test_the_bundle_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    program = fake_esbuild(tmp_path / "esbuild", size=size, output="dist/index.js", parts={"index.js": 9})
    monkeypatch.setenv("ESBUILD_BINARY_PATH", str(program))
    found = project(tmp_path)
    verdict, journal = looks(found, LoadFailed(TOO_BIG, {}))
    assert journal == []
    if size == 1024:
        spec = found.spec()
        assert verdict == structs.replace(spec, limits=structs.replace(spec.limits, size_bytes=0))
    else:
        assert getattr(verdict, "code", "") == "worker-too-big" and verdict is not TOO_BIG


def test_a_doubt_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESBUILD_BINARY_PATH", raising=False)
    found = project(tmp_path)
    files = {f"{tmp_path}/index.js": 10, f"{tmp_path}/node_modules/x.js": 2000}
    verdict, journal = looks(found, LoadFailed(TOO_BIG, files), 2)
    assert isinstance(verdict, WorkerSpec) and verdict.limits.size_bytes == 0
    assert [event.report.code for event in journal if isinstance(event, Explained)] == ["size-not-exact"]


def test_other_failures_stay_what_they_are(tmp_path: Path) -> None:
    found = project(tmp_path)
    other = explain("js-uncaught")
    assert looks(found, LoadFailed(other))[0] is other
    python = structs.replace(found.spec(), kind="python")
    look = SecondLook(lambda: found, Slot(), print)  # type: ignore[arg-type]
    assert asyncio.run(look.reconsider(python, LoadFailed(TOO_BIG))) is TOO_BIG


def test_saves_are_served_and_measured_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(saves_are_served_and_measured_then(tmp_path, monkeypatch))


async def saves_are_served_and_measured_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, slot = project(tmp_path), Slot()
    monkeypatch.setenv("ESBUILD_BINARY_PATH", str(tmp_path / "esbuild"))
    look = SecondLook(lambda: found, slot, print)  # type: ignore[arg-type]

    async def save(size: int) -> list[Any]:
        fake_esbuild(tmp_path / "esbuild", size=size, parts={"index.js": size})
        slot.told.clear()
        look.deploy()
        if look._measuring is not None:
            await look._measuring
        return list(slot.told)

    # It is not known yet that it fits as a bundle only.
    assert await save(100) == [1024]
    await look.reconsider(found.spec(), LoadFailed(TOO_BIG, {}))
    assert await save(1024) == [0]
    assert await save(1025) == [0, ["worker-too-big"]]
    # One that was refused is looked at before it is loaded again.
    look._measuring = None
    assert await save(1024) == [1024]


def test_an_older_measure_says_nothing_about_a_newer_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(an_older_measure(tmp_path, monkeypatch))


async def an_older_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, slot = project(tmp_path), Slot()
    monkeypatch.setenv(
        "ESBUILD_BINARY_PATH", str(fake_esbuild(tmp_path / "esbuild", size=9, parts={"index.js": 9}))
    )
    look = SecondLook(lambda: found, slot, print)  # type: ignore[arg-type]
    await look.reconsider(found.spec(), LoadFailed(TOO_BIG, {}))
    fake_esbuild(tmp_path / "esbuild", size=5000, parts={"index.js": 9})
    look.deploy()
    older = look._measuring
    look.deploy()
    assert older is not None and look._measuring is not None
    await asyncio.wait([older])
    assert slot.told[:2] == [0, 0]
    await look._measuring
    assert slot.told == [0, 0, ["worker-too-big"]]
