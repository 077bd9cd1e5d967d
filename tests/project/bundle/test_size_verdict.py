"""Whether a JavaScript Worker fits its plan: by its bundle, or by what is certain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_esbuild import fake_esbuild

from emulator.diagnostics.known import explain
from emulator.limits import plan_named
from emulator.project import Project, open_project
from emulator.project.bundle.verdict import Verdict, size_verdict
from emulator.project.check.measure import measure_bundle

AS_WRITTEN = explain("worker-too-big", total="as written", plan="free")


def project(root: Path, size_mib: float) -> Project:
    (root / "src").mkdir(parents=True)
    (root / "wrangler.toml").write_text(
        'name = "w"\nmain = "src/index.js"\ncompatibility_date = "2025-01-01"\n'
    )
    (root / "src/index.js").write_text("export default {}")
    free = plan_named("free")
    opened = open_project(root / "wrangler.toml", process_env={})
    return replace(opened, plan=replace(free, values={**free.values, "size_mib": size_mib}))


def verdict(tmp_path: Path, own: int, package: int, **script: Any) -> Verdict:
    """Of a Worker with a plan of 1,024 bytes, and modules of these sizes; with an esbuild if it has a script."""
    found = project(tmp_path / "p", 1 / 1024)
    root = str(found.root)
    files = {f"{root}/src/index.js": own, f"{root}/node_modules/x/x.js": package}
    environment = {}
    if script:
        environment["ESBUILD_BINARY_PATH"] = str(fake_esbuild(tmp_path / "esbuild", **script))
    return size_verdict(found, files, AS_WRITTEN, environment)


def test_a_bundle_that_fits(tmp_path: Path) -> None:
    found = verdict(tmp_path, 100, 2000, size=1024, parts={"src/index.js": 900})
    assert found.report is None and found.bundle is not None and found.bundle.bytes == 1024


def test_a_bundle_that_does_not(tmp_path: Path) -> None:
    parts = {"src/index.js": 5, "node_modules/x/x.js": 1000}
    found = verdict(tmp_path, 100, 2000, size=1025, parts=parts)
    assert found.report is not None and found.report.severity == "error"
    assert found.report.what == "The Worker is too big: 1,025 bytes, and the plan free allows 1,024"
    assert "the bundle that wrangler's esbuild makes" in found.report.fix
    assert "the package x of node_modules" in found.report.fix
    assert "0.98 KiB  " in found.report.why


def test_without_esbuild_packages_are_given_the_benefit_of_the_doubt(tmp_path: Path) -> None:
    found = verdict(tmp_path, 1024, 2000)
    assert found.report is not None and (found.report.code, found.report.severity) == (
        "size-not-exact",
        "warning",
    )
    assert (
        found.report.what
        == "The Worker may be too big: 2.95 KiB as it is written, and the plan free allows 1.00 KiB"
    )
    assert "there is none in node_modules" in found.report.why
    assert "npm install --save-dev wrangler" in found.report.fix


def test_what_is_uploaded_in_any_case_is_not(tmp_path: Path) -> None:
    assert verdict(tmp_path, 1025, 0).report is AS_WRITTEN


def test_modules_of_packages_that_are_no_javascript_are_certain(tmp_path: Path) -> None:
    found = project(tmp_path / "p", 1 / 1024)
    files = {f"{found.root}/node_modules/x/x.wasm": 1025}
    assert size_verdict(found, files, AS_WRITTEN, {}).report is AS_WRITTEN


def test_an_esbuild_that_fails_is_told(tmp_path: Path) -> None:
    found = verdict(tmp_path, 100, 2000, error="Could not resolve")
    assert found.problem == "src/index.js:3: Could not resolve"
    assert found.report is not None and "it failed: src/index.js:3: Could not resolve" in found.report.why


@pytest.mark.parametrize(("size", "code"), [(1 << 20, ""), ((1 << 20) + 1, "worker-too-big")])
def test_what_fits_as_it_is_written_may_not_fit_as_a_bundle(tmp_path: Path, size: int, code: str) -> None:
    found = project(tmp_path / "p", 1)
    program = fake_esbuild(tmp_path / "esbuild", size=size, parts={"src/index.js": size - 100})
    judged = size_verdict(found, {}, None, {"ESBUILD_BINARY_PATH": str(program)})
    assert judged.bundle is not None
    assert (judged.report.code if judged.report else "") == code


def test_without_any_doubt_nothing_is_told(tmp_path: Path) -> None:
    assert size_verdict(project(tmp_path / "p", 1), {"/x": 5}, None, {}) == Verdict()


@pytest.mark.parametrize(
    ("size", "text"), [(1024, "Total Upload: 1.00 KiB / gzip: 0."), (0, "Total Upload: 0.00 KiB")]
)
def test_the_size_of_a_bundle_in_wranglers_words(tmp_path: Path, size: int, text: str) -> None:
    made = verdict(tmp_path, 0, 0, size=size).bundle
    assert made is not None
    assert measure_bundle(made).line().startswith(text)
