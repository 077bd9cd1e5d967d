"""What of a Python project is uploaded, and how much of it counts under which plan."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulator.limits import plan_named
from emulator.project import Project, open_project
from emulator.project.runtime_packages import package_of, required
from emulator.project.upload import Upload, upload_of

SAMPLES = Path(__file__).parents[2] / "sample-workers"
WRANGLER = """\
name = "w"
main = "{main}"
compatibility_date = "2024-12-01"
compatibility_flags = ["python_workers"]
"""


def project(
    root: Path, sizes: dict[str, int], limits: str = "free", main: str = "src/entry.py", extra: str = ""
) -> Project:
    for name, size in {main: 100, **sizes}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"#" * size)
    (root / "wrangler.toml").write_text(WRANGLER.format(main=main) + extra)
    return open_project(root / "wrangler.toml", process_env={}, limits=limits)


def upload(opened: Project) -> Upload:
    return upload_of(opened.config, opened.main, opened.package_directories(), opened.plan)


def names(opened: Project) -> set[str]:
    return {os.path.relpath(path, opened.root) for path in upload(opened).files}


def test_modules_by_the_default_rules(tmp_path: Path) -> None:
    sizes = {
        "src/a/b.py": 1,
        "src/t.txt": 1,
        "src/h.html": 1,
        "src/q.sql": 1,
        "src/d.bin": 1,
        "src/w.wasm": 1,
    }
    left_out = {"src/x.json": 1, "src/x.pyc": 1, "src/README.md": 1, "tests/t.py": 1, "requirements.txt": 0}
    opened = project(tmp_path, {**sizes, **left_out})
    assert names(opened) == {"src/entry.py", *sizes}
    assert upload(opened).size == 106


def test_directories_that_never_make_a_worker(tmp_path: Path) -> None:
    sizes = {f"{name}/x.py": 10 for name in (".venv", "node_modules", "__pycache__", ".git", "a/__pycache__")}
    assert names(project(tmp_path, sizes, main="entry.py")) == {"entry.py"}


def test_rules_of_the_project(tmp_path: Path) -> None:
    rules = '[[rules]]\ntype = "Data"\nglobs = ["**/*.dat", "data/*.csv"]\n'
    sizes = {"src/a.dat": 1, "src/data/x.csv": 1, "src/b.bin": 1, "src/c.txt": 1}
    assert names(project(tmp_path, sizes, extra=rules)) == {
        "src/entry.py",
        "src/a.dat",
        "src/data/x.csv",
        "src/c.txt",
    }


def test_packages_that_the_runtime_has_are_not_counted_under_free(tmp_path: Path) -> None:
    sizes = {
        "python_modules/fastapi/a.py": 2_000_000,
        "python_modules/fastapi-0.115.0.dist-info/METADATA": 50,
        "python_modules/pydantic_core/_core.so": 4_000_000,
        "python_modules/typing_extensions.py": 100_000,
        "python_modules/mine/a.py": 10,
        "python_modules/mine/a.pyc": 10,
        "python_modules/mine/__pycache__/a.py": 10,
    }
    opened = project(tmp_path, sizes)
    assert upload(opened).size == 110
    assert upload(opened).provided == {
        "fastapi": 2_000_050,
        "pydantic-core": 4_000_000,
        "typing-extensions": 100_000,
    }
    assert opened.size_mistake() is None
    newer = open_project(opened.config.path, process_env={}, limits="free-2026")
    assert upload(newer).size == 6_100_160 and not upload(newer).provided


def test_the_guides_fastapi_worker_fits(tmp_path: Path) -> None:
    opened = project(tmp_path, {})
    (tmp_path / "requirements.txt").write_text("fastapi\n# a comment\nnumpy==2.0\nmine\n")
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["httpx>=0.2 ; x", "Pydantic"]\n')
    assert upload(opened).provided == {"fastapi": 0, "numpy": 0, "httpx": 0, "pydantic": 0}
    assert opened.size_mistake() is None


@pytest.mark.parametrize("text", ["", "[", "[project]\ndependencies = 5\n", "project = 1", "\xff"])
def test_a_pyproject_that_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="latin-1")
    assert required(tmp_path) == []


@pytest.mark.parametrize(
    ("entry", "package"),
    [
        ("fastapi", "fastapi"),
        ("typing_extensions.py", "typing-extensions"),
        ("pydantic_core-2.1.dist-info", "pydantic-core"),
        ("_cffi_backend.cpython-313-wasm32-emscripten.so", "-cffi-backend"),
        ("yaml", "pyyaml"),
        ("numpy.libs", "numpy"),
    ],
)
def test_whose_files_these_are(entry: str, package: str) -> None:
    assert package_of(entry) == package


@pytest.mark.parametrize(("size", "fits"), [(1_048_476, True), (1_048_477, False)])
def test_the_limit_is_to_the_byte(tmp_path: Path, size: int, fits: bool) -> None:
    mistake = project(tmp_path, {"src/big.txt": size}).size_mistake()
    assert (mistake is None) is fits
    if mistake is not None:
        assert mistake.what == "The Worker is too big: 1,048,577 bytes, and the plan free allows 1,048,576"


def test_the_report_lists_the_biggest_files(tmp_path: Path) -> None:
    sizes = {f"src/m{i}.py": 1000 + i for i in range(12)}
    report = project(tmp_path, {**sizes, "src/資料.txt": 2_000_000}).size_mistake()
    assert report is not None
    assert report.code == "worker-too-big"
    assert report.what == "The Worker is too big: 1.92 MiB, and the plan free allows 1.00 MiB"
    assert "after gzip" in report.why
    lines = report.why.splitlines()
    assert [line.split(None, 2)[2] for line in lines[2:4]] == ["src/資料.txt", "src/m11.py"]
    assert lines[-1].endswith("in 6 more files")
    assert "below src" in report.fix
    assert "--limits free-2026 (64 MiB" in report.fix and "--limits paid" in report.fix
    assert report.where is not None and report.where.file == str(tmp_path / "src/資料.txt")


def test_vendored_packages_are_named(tmp_path: Path) -> None:
    report = project(tmp_path, {"python_modules/mine/a.py": 2_000_000}).size_mistake()
    assert report is not None
    assert "1.91 MiB of it are packages in python_modules" in report.fix
    assert "below src" not in report.fix


@pytest.mark.parametrize("limits", ["off", "paid", "free-2026"])
def test_other_plans_have_room(tmp_path: Path, limits: str) -> None:
    assert project(tmp_path, {"src/big.txt": 2_000_000}, limits).size_mistake() is None


def test_links_to_directories_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "loop").symlink_to(tmp_path)
    (tmp_path / "src" / "gone.py").symlink_to(tmp_path / "nothing")
    assert names(project(tmp_path, {})) == {"src/entry.py"}


def test_a_very_deep_directory(tmp_path: Path) -> None:
    opened = project(tmp_path, {})
    before = os.getcwd()
    os.chdir(tmp_path / "src")
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
    try:
        assert upload(opened).size == 100
    finally:
        # pytest cannot remove it: its own walk is recursive.
        for _ in range(1500):
            os.chdir("..")
            os.rmdir("d")
        os.chdir(before)


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.iterdir() if path.is_dir()))
def test_every_sample_fits_the_free_plan(sample: str) -> None:
    opened = open_project(SAMPLES / sample / "wrangler.toml", process_env={})
    assert opened.plan == plan_named("free")
    assert opened.size_mistake() is None
    everything = sum(path.stat().st_size for path in (SAMPLES / sample).rglob("*") if path.is_file())
    assert everything < opened.plan.size_bytes


def test_the_spec_carries_the_size_for_what_an_isolate_counts(tmp_path: Path) -> None:
    (tmp_path / "worker.js").write_text("")
    config = tmp_path / "wrangler.toml"
    config.write_text('name = "w"\nmain = "worker.js"\ncompatibility_date = "2024-12-01"\n')
    spec = open_project(config, process_env={}, limits="free").spec()
    assert (spec.limits.size_bytes, spec.limits.plan) == (1_048_576, "free")
    assert open_project(config, process_env={}, limits="off").spec().limits.size_bytes == 0
    assert project(tmp_path / "py", {}).spec().limits.size_bytes == 0


def test_saving_the_settings_or_the_plan_reloads(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("size_mib = 2\n")
    opened = project(tmp_path, {}, str(own))
    assert opened.matters(own) and opened.matters(tmp_path / "cfw-emu.toml")
