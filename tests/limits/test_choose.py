"""Which plan is in force, and the mistakes on the way to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import ConfigError, load_config
from emulator.config.settings import Settings, load_settings
from emulator.diagnostics.report import Report
from emulator.limits import Plan, plan_for

WRANGLER = 'name = "w"\nmain = "worker.js"\ncompatibility_date = "2024-12-01"\n'


def plan(root: Path, choice: str | None = None, wrangler: str = "", environment: str | None = None) -> Plan:
    (root / "wrangler.toml").write_text(WRANGLER + wrangler)
    config = load_config(root / "wrangler.toml", environment, process_env={})
    return plan_for(choice, load_settings(root), config)


def mistakes(root: Path, choice: str | None = None, wrangler: str = "") -> list[Report]:
    with pytest.raises(ConfigError) as caught:
        plan(root, choice, wrangler)
    return caught.value.reports


def test_free_is_the_default(tmp_path: Path) -> None:
    assert plan(tmp_path).name == "free"


def test_the_command_line_wins_over_the_settings(tmp_path: Path) -> None:
    (tmp_path / "cfw-emu.toml").write_text('limits = "paid"\n')
    assert plan(tmp_path).name == "paid"
    assert plan(tmp_path, "off").name == "off"


def test_a_file_overrides_single_numbers(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('plan = "paid"\nsize_mib = 2.5\ncpu_ms = "off"\n')
    made = plan(tmp_path, str(file))
    assert (made.name, made.base) == ("own.toml", "paid")
    assert (made.values["size_mib"], made.values["cpu_ms"], made.values["subrequests"]) == (2.5, None, 10_000)
    assert made.size_bytes == 2_621_440
    assert made.changed == {"size_mib": "own.toml", "cpu_ms": "own.toml"}
    assert made.files == (file,)


def test_a_path_in_the_settings_is_relative_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    (tmp_path / "own.toml").write_text("size_mib = 3\n")
    (tmp_path / "cfw-emu.toml").write_text('limits = "./own.toml"\n')
    assert plan(tmp_path).values["size_mib"] == 3


def test_a_path_on_the_command_line_is_relative_to_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "own.toml").write_text("size_mib = 4\n")
    monkeypatch.chdir(tmp_path / "here")
    assert plan(tmp_path, "own.toml").values["size_mib"] == 4


def test_the_wrangler_file_lowers_the_plan(tmp_path: Path) -> None:
    made = plan(tmp_path, wrangler="[limits]\ncpu_ms = 5\nsubrequests = 60\n")
    assert (made.values["cpu_ms"], made.values["subrequests"]) == (5, 50)
    assert made.changed == {"cpu_ms": "wrangler.toml"}


def test_the_paid_plan_can_be_raised_as_on_the_platform(tmp_path: Path) -> None:
    made = plan(tmp_path, "paid", "[limits]\ncpu_ms = 300_000\n")
    assert made.values["cpu_ms"] == 300_000
    assert plan(tmp_path, "paid", "[limits]\ncpu_ms = 300_001\n").values["cpu_ms"] == 30_000


def test_off_stays_off(tmp_path: Path) -> None:
    assert plan(tmp_path, "off", "[limits]\ncpu_ms = 5\n").values["cpu_ms"] is None


def test_the_limits_of_an_environment(tmp_path: Path) -> None:
    text = "[limits]\ncpu_ms = 5\n[env.x.limits]\ncpu_ms = 3\n"
    assert plan(tmp_path, None, text, "x").values["cpu_ms"] == 3


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e17"])
def test_numbers_of_the_wrangler_file_that_make_no_sense(tmp_path: Path, value: str) -> None:
    [report] = mistakes(tmp_path, wrangler=f"[limits]\ncpu_ms = {value}\n")
    assert report.code == "limits-bad-value"
    assert '"limits.cpu_ms"' in report.what and "(ms)" in report.what
    assert report.where is not None and report.where.line == 5
    assert report.fix == "cpu_ms = 10"


def test_an_unknown_plan_names_the_nearest(tmp_path: Path) -> None:
    [report] = mistakes(tmp_path, "Free_2026")
    assert (report.code, report.what) == ("limits-unknown-plan", 'There is no plan "Free_2026"')
    assert "Did you mean free-2026?" in report.fix and "cfw-emu serve --limits free-2026" in report.fix


def test_an_unknown_plan_of_the_settings_has_its_place(tmp_path: Path) -> None:
    (tmp_path / "cfw-emu.toml").write_text('\nlimits = "gratis"\n')
    [report] = mistakes(tmp_path)
    assert 'limits = "free"' in report.fix and "cfw-emu serve" not in report.fix
    assert report.where is not None
    assert (report.where.file, report.where.line, report.where.column) == (
        str(tmp_path / "cfw-emu.toml"),
        2,
        10,
    )


@pytest.mark.parametrize("choice", ["", ".", "a\0b", "x" * 5000, "方案"])
def test_what_is_no_plan_and_no_file(tmp_path: Path, choice: str) -> None:
    [report] = mistakes(tmp_path, choice)
    assert report.code == "limits-unknown-plan"


def test_a_file_of_limits_ends_in_toml(tmp_path: Path) -> None:
    (tmp_path / "limits.yaml").write_text("cpu_ms: 5")
    [report] = mistakes(tmp_path, str(tmp_path / "limits.yaml"))
    assert (report.code, report.what) == (
        "limits-bad-file",
        "limits.yaml is not a file of limits: its name does not end in .toml",
    )


def test_all_mistakes_of_a_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('plan = "fre"\ncpu = 5\nsize_mb = 2\nmemory_mb = "much"\nworkers = true\nxyzzy = 1\n')
    reports = mistakes(tmp_path, str(file))
    found = [(report.code, report.where.line if report.where else 0) for report in reports]
    assert found == [
        ("limits-unknown-base", 1),
        ("limits-unknown-key", 2),
        ("limits-unknown-key", 3),
        ("limits-bad-value", 4),
        ("limits-bad-value", 5),
        ("limits-unknown-key", 6),
    ]
    assert "Did you mean free?" in reports[0].fix
    assert [report.fix for report in reports[1:3]] == ["Did you mean cpu_ms?", "Did you mean size_mib?"]
    assert reports[3].fix == "memory_mb = 128"
    assert reports[5].fix == "Remove it."


@pytest.mark.parametrize("text", ["cpu_ms = ", "[[", "cpu_ms = 5\ncpu_ms = 6", "\x00"])
def test_a_file_that_is_no_toml(tmp_path: Path, text: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    [report] = mistakes(tmp_path, str(file))
    assert report.code == "config-syntax" and report.where is not None


def test_settings_are_optional(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings(tmp_path / "cfw-emu.toml")


def test_unknown_settings_are_told(tmp_path: Path) -> None:
    (tmp_path / "cfw-emu.toml").write_text('limit = "off"\nmain = "a"\nzzz = 1\n')
    settings = load_settings(tmp_path)
    assert settings.limits is None
    assert [report.code for report in settings.warnings] == ["settings-unknown-key"] * 3
    assert [report.where.line for report in settings.warnings if report.where] == [1, 2, 3]
    assert [report.fix for report in settings.warnings] == [
        'Did you mean "limits"?',
        '"main" belongs in the wrangler file.',
        "Remove it. The keys are: limits",
    ]


def test_limits_in_the_settings_must_be_text(tmp_path: Path) -> None:
    (tmp_path / "cfw-emu.toml").write_text("[limits]\ncpu_ms = 5\n")
    [report] = mistakes(tmp_path)
    assert report.code == "config-wrong-type" and "limits.toml" in report.fix


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "cfw-emu.toml").mkdir()
    [report] = mistakes(tmp_path)
    assert report.code == "file-unreadable"
