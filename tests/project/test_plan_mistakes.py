"""Variables, cron triggers and Workers above what the plan allows: refused, with the place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from emulator.diagnostics.report import Report
from emulator.project import ProjectError, open_project, open_projects

WRANGLER = """\
name = "{name}"
main = "entry.py"
compatibility_date = "2026-01-01"
compatibility_flags = ["python_workers"]
"""
KB = 1024


def project(root: Path, extra: str = "", name: str = "w", **files: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "wrangler.toml").write_text(WRANGLER.format(name=name) + extra, encoding="utf-8")
    (root / "entry.py").write_text("async def on_fetch(request, env): ...\n")
    for file, text in files.items():
        (root / file.replace("_", ".")).write_text(text, encoding="utf-8")
    return root / "wrangler.toml"


def mistakes(
    path: Path, limits: str | None = None, environment: str | None = None, **options: Mapping[str, str]
) -> list[Report]:
    try:
        open_project(path, environment, options.get("overrides"), options.get("process_env", {}), limits)
    except ProjectError as error:
        return [report for report in error.reports if report.severity == "error"]
    return []


def lines(count: int, form: str, first: int = 0) -> str:
    return "".join(form.format(number) + "\n" for number in range(first, first + count))


def test_variables_are_counted_with_the_secrets(tmp_path: Path) -> None:
    path = project(tmp_path, "[vars]\n" + lines(32, 'A{} = "x"'), _dev_vars=lines(32, "B{}=x"))
    assert mistakes(path) == []
    (tmp_path / ".dev.vars").write_text("# ours\n" + lines(33, "B{}=x"))
    (report,) = mistakes(path)
    assert report.code == "variables-too-many" and "65" in report.what and "64" in report.what
    assert report.where is not None
    assert (Path(report.where.file).name, report.where.line, report.where.source) == (".dev.vars", 34, "")
    assert mistakes(path, limits="paid") == []


def test_one_too_many_in_the_wrangler_file(tmp_path: Path) -> None:
    (report,) = mistakes(project(tmp_path, "[vars]\n" + lines(65, 'A{} = "x"')))
    assert report.where is not None and report.where.source == 'A64 = "x"'


def test_those_of_this_process_are_not_uploaded(tmp_path: Path) -> None:
    path = project(tmp_path, '[vars]\nA = "x"\n')
    borrowed = {f"P{number}": "y" * 9 * KB for number in range(100)}
    process_env = {**borrowed, "CLOUDFLARE_INCLUDE_PROCESS_ENV": "true"}
    assert mistakes(path, process_env=process_env) == []


def test_the_size_of_a_variable(tmp_path: Path) -> None:
    path = project(tmp_path, f'[vars]\nA = "{"x" * 5 * KB}"\n')
    assert mistakes(path) == []
    path = project(tmp_path, f'[vars]\nok = "x"\n"名" = "{"字" * 1707}"\n')
    (report,) = mistakes(path)
    assert report.code == "variable-too-big" and '"名"' in report.what
    assert report.where is not None and report.where.line == 7
    assert mistakes(path, limits="off") == []


def test_a_json_variable_counts_as_json(tmp_path: Path) -> None:
    inner = "[vars]\nA = {{ list = [{}] }}\n"
    # {"list":["...","..."]}: 11 characters, and 3 for each text but the last, which has 2.
    size = 5 * KB - 11 - 3 - 2
    assert mistakes(project(tmp_path, inner.format(f'"a", "{"x" * (size - 1)}"'))) == []
    (report,) = mistakes(project(tmp_path, inner.format(f'"a", "{"x" * size}"')))
    assert report.code == "variable-too-big"


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    (report,) = mistakes(project(tmp_path, _dev_vars=f"A=1\nB={'hush' * 2000}\n"))
    assert report.where is not None and (report.where.line, report.where.source) == (2, "")
    assert "hush" not in repr(report)


def test_a_variable_of_the_command_line_has_no_place(tmp_path: Path) -> None:
    (report,) = mistakes(project(tmp_path, '[vars]\nA = "x"\n'), overrides={"A": "x" * 6000})
    assert report.code == "variable-too-big" and report.where is None


CRONS = "[triggers]\ncrons = [{}]\n"


def crons(count: int) -> str:
    return CRONS.format(", ".join(f'"{number} * * * *"' for number in range(count)))


def test_crons(tmp_path: Path) -> None:
    assert mistakes(project(tmp_path, crons(5))) == []
    (report,) = mistakes(path := project(tmp_path, crons(6)))
    assert report.code == "crons-too-many" and "6" in report.what
    assert report.where is not None and report.where.line == 6
    assert report.where.source[report.where.column - 1 :].startswith('"5 * * * *"')
    assert mistakes(path, limits="paid") == []


def test_crons_of_the_environment(tmp_path: Path) -> None:
    path = project(tmp_path, crons(6) + "[env.small.triggers]\ncrons = []\n[env.other]\n")
    assert mistakes(path, environment="small") == []
    assert [report.code for report in mistakes(path, environment="other")] == ["crons-too-many"]


def test_a_file_of_limits_changes_them(tmp_path: Path) -> None:
    path = project(tmp_path, crons(2) + '[vars]\nA = "x"\nB = "yy"\n')
    (tmp_path / "small.toml").write_text("crons = 1\nvariables = 1\nvariable_kb = 0.001\n")
    codes = [report.code for report in mistakes(path, limits=str(tmp_path / "small.toml"))]
    assert codes == ["variables-too-many", "variable-too-big", "crons-too-many"]


def test_the_account_has_its_crons_for_all_workers(tmp_path: Path) -> None:
    project(tmp_path / "a", crons(3), "a")
    project(tmp_path / "b", crons(2), "b")
    assert len(open_projects([tmp_path])) == 2
    project(tmp_path / "c", "", "c")
    project(tmp_path / "d", crons(2), "d")
    with pytest.raises(ProjectError) as caught:
        open_projects([tmp_path])
    (report,) = (each for each in caught.value.reports if each.severity == "error")
    assert report.code == "crons-too-many" and "7" in report.what and report.where is not None
    assert Path(report.where.file).parent.name == "d"
    assert report.where.source[report.where.column - 1 :].startswith('"0 * * * *"')


def test_the_hundred_and_first_worker(tmp_path: Path) -> None:
    for number in range(101):
        project(tmp_path / f"w{number:03}", "", f"w{number:03}")
    with pytest.raises(ProjectError) as caught:
        open_projects([tmp_path])
    (report,) = (each for each in caught.value.reports if each.severity == "error")
    assert report.code == "workers-too-many" and "101" in report.what and report.where is not None
    assert Path(report.where.file).parent.name == "w100"
    assert len(open_projects([tmp_path], limits="paid")) == 101
