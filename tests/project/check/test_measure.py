"""The size of an upload in wrangler's words, and the limits that show before a request."""

from __future__ import annotations

import gzip
from pathlib import Path

from emulator.limits import plan_named
from emulator.project import open_project
from emulator.project.check.measure import measure
from emulator.project.check.used import used_limits


def test_wrangler_packs_modules_then_packages_then_main(tmp_path: Path) -> None:
    texts = {"entry.py": "e" * 3000, "b/x.py": "x", "a.py": "a", "b.txt": "b", "python_modules/m.py": "m"}
    sizes = {}
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        sizes[str(path)] = len(text)
    packages = {str(tmp_path / "python_modules/m.py"): 1}
    modules = {path: size for path, size in sizes.items() if path not in packages}
    measured = measure(str(tmp_path / "entry.py"), modules, packages)
    order = ["a.py", "b/x.py", "b.txt", "python_modules/m.py", "entry.py"]
    assert list(measured.files) == [str(tmp_path / name) for name in order]
    assert measured.bytes == 3004
    # gzip.compress writes the same but for the time in the header.
    assert measured.gzip_bytes == len(gzip.compress("".join(texts[name] for name in order).encode(), 6))
    assert measured.line().startswith("Total Upload: 2.93 KiB / gzip: 0.0")
    assert measured.biggest(str(tmp_path), 1) == [("2.93 KiB", "entry.py")]


def test_a_file_that_went_away_leaves_the_packed_size_open(tmp_path: Path) -> None:
    measured = measure(str(tmp_path / "gone"), {str(tmp_path / "gone"): 2048})
    assert (measured.bytes, measured.gzip_bytes) == (2048, None)
    assert measured.line() == "Total Upload: 2.00 KiB"


def test_limits_with_their_use(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(
        'name = "w"\nmain = "entry.py"\ncompatibility_date = "2024-12-01"\n'
        'compatibility_flags = ["python_workers"]\n[vars]\nA = "你好"\nB = { n = 1 }\n'
        '[triggers]\ncrons = ["0 * * * *", "1 * * * *"]\n',
        encoding="utf-8",
    )
    (tmp_path / "entry.py").write_text("")
    config = open_project(tmp_path / "wrangler.toml").config
    used = used_limits(plan_named("free"), config, 524_288, 12_400, 3 * 2**20)
    assert [(each.name, each.text(), each.note, each.fits) for each in used] == [
        ("size_mib", "512.00 KiB of 1 MiB", "", True),
        ("startup_cpu_ms", "12 of 1,000 ms", "", True),
        ("startup_memory_mb", "3 of 128 MB", "", True),
        ("variables", "2 of 64", "", True),
        ("variable_kb", "0.01 of 5 KB", "B", True),
        ("crons", "2 of 5", "", True),
    ]
    free_of_all = used_limits(plan_named("off"), config, None, None, None)
    assert [(each.name, each.text()) for each in free_of_all] == [
        ("variables", "2"),
        ("variable_kb", "0.01"),
        ("crons", "2"),
    ]
