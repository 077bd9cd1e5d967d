from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from emulated import project

from emulator.front.deployment import Deployment
from emulator.front.reload import Reloader, needs_polling
from emulator.front.watched import Watched
from emulator.project import Project, open_project

MOUNTS = """\
22 1 0:1 / / rw - overlay overlay rw
23 22 0:2 / /work rw - ext4 /dev/sda rw
24 22 0:3 / /work/mounted rw,relatime shared:1 - fuse.grpcfuse grpcfuse rw
25 22 0:4 / /mnt rw - 9p C: rw
"""


@pytest.mark.parametrize(
    ("path", "polled"),
    [
        ("/work/a", False),
        ("/work/mounted/a", True),
        ("/mnt/c", True),
        ("/home", False),
        ("/work/mountedness", False),
    ],
)
def test_needs_polling_by_the_file_system(tmp_path: Path, path: str, polled: bool) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert needs_polling(Path(path), mounts) is polled
    assert not needs_polling(Path(path), tmp_path / "none")


class Slot:
    """Notes what a reloader does."""

    name = "my-worker"

    def __init__(self) -> None:
        self.deployed: list[Any] = []
        self.failed: list[Any] = []

    def deploy(self, spec: Any) -> None:
        self.deployed.append(spec)

    def fail(self, reports: Any) -> None:
        self.failed.append(reports)

    async def settled(self) -> None:
        """Nothing takes time here."""


class Still(Reloader):
    """No file changes while this watches."""

    async def changes(self, watched: Watched) -> AsyncIterator[list[Path]]:
        await asyncio.sleep(3600)
        yield []


def reopen(old: Project) -> Project:
    return open_project(old.config.path)


def run_for(reloader: Reloader, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(reloader.run(), seconds))


@pytest.mark.parametrize("age", [-60.0, 60.0])
def test_what_was_saved_before_the_watch_began_is_deployed(tmp_path: Path, age: float) -> None:
    root = project(tmp_path)
    opened = open_project(root / "wrangler.toml")
    now = time.time()
    os.utime(root / "entry.py", (now - age, now - age))
    os.utime(root / "wrangler.toml", (now - 120, now - 120))
    slot = Slot()
    deployment = Deployment(opened, slot, reopen, lambda _: None)  # type: ignore[arg-type]
    run_for(Still([deployment], now, lambda _: None), 0.5)
    assert len(slot.deployed) == (1 if age < 0 else 0)


def test_a_configuration_that_is_gone_for_a_moment_is_no_mistake(tmp_path: Path) -> None:
    root = project(tmp_path)
    opened = open_project(root / "wrangler.toml")
    text = (root / "wrangler.toml").read_text()
    slot = Slot()

    async def scenario() -> None:
        deployment = Deployment(opened, slot, reopen, lambda _: None)  # type: ignore[arg-type]
        (root / "wrangler.toml").unlink()
        reloading = asyncio.create_task(deployment.reload())
        await asyncio.sleep(0.01)
        (root / "wrangler.toml").write_text(text)
        await reloading

    asyncio.run(scenario())
    assert (len(slot.deployed), slot.failed) == (1, [])


def test_a_failure_of_the_emulators_own_ends_no_watch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path)
    opened = open_project(root / "wrangler.toml")
    slot, calls = Slot(), []

    def fails(old: Project) -> Project:
        calls.append(old)
        if len(calls) == 1:
            raise RuntimeError("unforeseen")
        return opened

    class Saves(Reloader):
        async def changes(self, watched: Watched) -> AsyncIterator[list[Path]]:
            yield [root / "entry.py"]
            yield [root / "entry.py"]
            await asyncio.sleep(3600)

    deployment = Deployment(opened, slot, fails, lambda _: None)  # type: ignore[arg-type]
    run_for(Saves([deployment], time.time() + 60, lambda _: None), 0.5)
    assert [report.code for reports in slot.failed for report in reports] == ["emulator-error"]
    assert len(slot.deployed) == 1
    assert "RuntimeError: unforeseen" in capsys.readouterr().err


def test_a_watch_that_fails_begins_again(tmp_path: Path) -> None:
    root = project(tmp_path)
    slot = Slot()
    watches: list[Watched] = []

    class Fails(Reloader):
        async def changes(self, watched: Watched) -> AsyncIterator[list[Path]]:
            watches.append(watched)
            if len(watches) == 1:
                raise ExceptionGroup("watchfiles", [RuntimeError("Unable to decode path")])
            yield [root / "entry.py"]
            await asyncio.sleep(3600)

    deployment = Deployment(open_project(root / "wrangler.toml"), slot, reopen, lambda _: None)  # type: ignore[arg-type]
    run_for(Fails([deployment], time.time() + 60, lambda _: None), 1.5)
    assert (len(watches), len(slot.deployed)) == (2, 1)
