"""Where an esbuild is found: as Node.js would find the one that wrangler runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_esbuild import fake_esbuild

from emulator.project.bundle import find_esbuild
from emulator.project.bundle.esbuild import _binary_package

PACKAGE = _binary_package()


def binary(node_modules: Path) -> Path:
    return fake_esbuild(node_modules / PACKAGE / "bin" / "esbuild")


def test_none(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    assert find_esbuild(tmp_path, {}) is None


def test_beside_wrangler_and_above_the_project(tmp_path: Path) -> None:
    root = tmp_path / "packages" / "worker"
    (tmp_path / "node_modules" / "wrangler").mkdir(parents=True)
    root.mkdir(parents=True)
    assert find_esbuild(root, {}) is None
    found = binary(tmp_path / "node_modules")
    assert find_esbuild(root, {}) == found


def test_wranglers_own_comes_first(tmp_path: Path) -> None:
    binary(tmp_path / "node_modules")
    nested = tmp_path / "node_modules" / "wrangler" / "node_modules"
    found = binary(nested)
    (nested / "esbuild").mkdir()
    assert find_esbuild(tmp_path, {}) == found


def test_pnpm(tmp_path: Path) -> None:
    store = tmp_path / "node_modules" / ".pnpm"
    for name in ("wrangler", "esbuild"):
        (store / f"{name}@1" / "node_modules" / name).mkdir(parents=True)
    found = binary(store / "bin@1" / "node_modules")
    os.symlink(store / "wrangler@1" / "node_modules" / "wrangler", tmp_path / "node_modules" / "wrangler")
    os.symlink(store / "esbuild@1/node_modules/esbuild", store / "wrangler@1/node_modules/esbuild")
    beside = store / "esbuild@1/node_modules" / PACKAGE
    beside.parent.mkdir()
    os.symlink(store / "bin@1/node_modules" / PACKAGE, beside)
    assert find_esbuild(tmp_path, {}) == found


def test_yarn_unpacks_it(tmp_path: Path) -> None:
    place = f"{PACKAGE.replace('/', '-')}-npm-0.27.3-abc"
    found = binary(tmp_path / ".yarn" / "unplugged" / place / "node_modules")
    (tmp_path / "worker").mkdir()
    assert find_esbuild(tmp_path / "worker", {}) == found


def test_the_variable_names_one(tmp_path: Path) -> None:
    binary(tmp_path / "node_modules")
    own = fake_esbuild(tmp_path / "mine")
    assert find_esbuild(tmp_path, {"ESBUILD_BINARY_PATH": str(own)}) == own
    assert find_esbuild(tmp_path, {"ESBUILD_BINARY_PATH": str(tmp_path / "gone")}) is None


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_what_may_not_be_run_is_none(tmp_path: Path) -> None:
    binary(tmp_path / "node_modules").chmod(0o644)
    assert find_esbuild(tmp_path, {}) is None
