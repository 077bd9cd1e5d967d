"""Finding and opening projects: the spec, the packages, and which saved files matter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulator.project import Project, ProjectError, find_projects, open_project, open_projects

CONFIG = """\
name = "{name}"
main = "src/entry.py"
compatibility_date = "{date}"
compatibility_flags = ["python_workers"]
"""


def make(root: Path, name: str = "w", date: str = "2024-12-01", extra: str = "") -> Path:
    (root / "src").mkdir(parents=True)
    (root / "src" / "entry.py").write_text("")
    (root / "wrangler.toml").write_text(CONFIG.format(name=name, date=date) + extra)
    return root / "wrangler.toml"


def opened(root: Path, date: str = "2024-12-01", extra: str = "") -> Project:
    return open_project(make(root, "w", date, extra), process_env={})


def test_the_spec_has_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, extra='[vars]\nA = "甲"\nB = [1, { c = true }]\n')
    monkeypatch.chdir(tmp_path)
    spec = open_project(Path("wrangler.toml"), overrides={"O": "1"}, process_env={}).spec()
    assert spec.name == "w"
    assert spec.root == str(tmp_path)
    assert spec.main == str(tmp_path / "src" / "entry.py")
    assert spec.config_path == str(tmp_path / "wrangler.toml")
    assert spec.compatibility_date == "2024-12-01"
    assert spec.compatibility_flags == ["python_workers"]
    assert spec.vars == {"A": "甲", "B": [1, {"c": True}], "O": "1"}
    assert spec.packages == []


@pytest.mark.parametrize(
    ("date", "flags", "expected"),
    [
        ("2025-08-10", "", ["python_modules", "src/python_modules", "vendor", "src/vendor"]),
        ("2025-08-11", "", ["python_modules", "src/python_modules"]),
        ("2024-12-01", ', "python_workers_force_new_vendor_path"', ["python_modules", "src/python_modules"]),
    ],
)
def test_package_directories_follow_the_date(
    tmp_path: Path, date: str, flags: str, expected: list[str]
) -> None:
    config = make(tmp_path, date=date)
    config.write_text(config.read_text().replace('"]', f'"{flags}]'))
    for name in ("python_modules", "src/python_modules", "vendor", "src/vendor"):
        (tmp_path / name).mkdir()
    spec = open_project(config, process_env={}).spec()
    assert [Path(path).relative_to(tmp_path).as_posix() for path in spec.packages] == expected


def test_find_takes_directories_files_and_directories_of_projects(tmp_path: Path) -> None:
    a, b = make(tmp_path / "a"), make(tmp_path / "b")
    (tmp_path / "docs").mkdir()
    (tmp_path / "node_modules" / "x").mkdir(parents=True)
    (tmp_path / "node_modules" / "wrangler.toml").write_text("")
    assert find_projects([tmp_path]) == [a, b]
    assert find_projects([tmp_path / "b", a]) == [b, a]
    assert find_projects([tmp_path / "b", tmp_path, b]) == [b, a]


def test_a_directory_reached_through_a_link_counts_once(tmp_path: Path) -> None:
    config = make(tmp_path / "a")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert find_projects([tmp_path / "a", tmp_path / "link"]) == [config]


def test_a_wrangler_file_of_any_name(tmp_path: Path) -> None:
    config = make(tmp_path)
    other = tmp_path / "wrangler.test.toml"
    other.write_text(config.read_text().replace('"w"', '"other"'))
    assert [project.name for project in open_projects([tmp_path, other], process_env={})] == ["w", "other"]


def test_an_unreadable_entry_point(tmp_path: Path) -> None:
    config = make(tmp_path)
    (tmp_path / "src" / "entry.py").chmod(0)
    if os.access(tmp_path / "src" / "entry.py", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ProjectError) as caught:
        open_project(config, process_env={})
    assert [report.code for report in caught.value.reports] == ["file-unreadable"]


def test_an_entry_point_outside_of_the_project_is_watched_too(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "entry.py").write_text("")
    config = make(tmp_path / "w")
    config.write_text(config.read_text().replace("src/entry.py", "../shared/entry.py"))
    project = open_project(config, process_env={})
    assert project.watch_roots == (tmp_path / "w", tmp_path / "shared")
    assert project.matters(tmp_path / "shared" / "helper.py")
    assert not project.matters(tmp_path / "elsewhere" / "helper.py")


@pytest.mark.parametrize(
    "name",
    [
        "src/entry.py",
        "src/deep/er/模組.py",
        "wrangler.toml",
        "wrangler.jsonc",
        ".dev.vars",
        ".dev.vars.staging",
        ".env",
        ".env.local",
        "cf.json",
        "requirements.txt",
        "src/page.html",
        "schema.sql",
        "data.bin",
        "lib.wasm",
        "worker.mjs",
        "build/x.js",
        "my.git/a.py",
    ],
)
def test_files_that_matter(tmp_path: Path, name: str) -> None:
    assert opened(tmp_path).matters(tmp_path / name)


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        ".git/index.json",
        "node_modules/x/y.js",
        "src/__pycache__/entry.cpython-311.pyc",
        ".venv/lib/site.py",
        ".cfw-emu/kv/data.json",
        ".wrangler/state/x.json",
        "src/4913",
        "src/.entry.py.swp",
        "src/.entry.py.swx",
        "src/entry.py~",
        "src/.#entry.py",
        "src/#entry.py#",
        "src/entry.py___jb_tmp___",
        "src/entry.py.tmp",
        "src",
        "../other/entry.py",
        "photo.png",
    ],
)
def test_files_that_do_not(tmp_path: Path, name: str) -> None:
    assert not opened(tmp_path / "p").matters(tmp_path / "p" / name)


def test_a_file_seen_through_a_link_matters(tmp_path: Path) -> None:
    make(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    project = open_project(tmp_path / "link" / "wrangler.toml", process_env={})
    assert project.matters(tmp_path / "real" / "src" / "entry.py")
    assert project.matters(tmp_path / "link" / "src" / "entry.py")


def test_warnings_of_a_good_project(tmp_path: Path) -> None:
    project = opened(tmp_path, extra='[[kv_namespaces]]\nbinding = "KV"\n')
    assert [report.what for report in project.warnings] == ["not emulated yet: kv_namespaces"]
