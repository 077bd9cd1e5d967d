"""Loading Workers only to see whether they load."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.fleet.launch import launch
from emulator.fleet.trial import NoForkServer, try_loading
from emulator.project import open_project
from emulator.wire.frames import WorkerSpec


def spec(root: Path, source: str) -> WorkerSpec:
    root.mkdir()
    (root / "wrangler.toml").write_text(
        f'name = "{root.name}"\nmain = "worker.js"\ncompatibility_date = "2026-01-01"\n', encoding="utf-8"
    )
    (root / "worker.js").write_text(source, encoding="utf-8")
    return open_project(root / "wrangler.toml", limits="off").spec()


def test_each_worker_is_loaded_whatever_the_others_do(tmp_path: Path) -> None:
    good = "export default { fetch() {} };"
    specs = [
        spec(tmp_path / "loop", "for (;;);"),
        spec(tmp_path / "good", "console.warn('hi'); setTimeout(() => {}, 1e9);" + good),
        spec(tmp_path / "late", "Promise.reject(new Error('later'));" + good),
    ]
    loop, good_one, late = try_loading(specs, launch(), seconds=1.5)
    assert loop.loaded is None and [report.code for report in loop.reports] == ["load-timeout"]
    assert good_one.loaded is None or ("warn", "hi") in good_one.logs
    assert late.loaded is not None and late.loaded.handlers == ["fetch"]
    assert late.loaded.files == {specs[2].main: len((tmp_path / "late" / "worker.js").read_bytes())}
    assert [report.code for report in late.reports] == ["js-uncaught"]


def test_a_fork_server_that_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(NoForkServer):
        try_loading([spec(tmp_path / "any", "")], launch("no.such.module"), seconds=30)
