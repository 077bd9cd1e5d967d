"""Local variables: which files count, and how they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import Config, load_config
from emulator.config.dev_vars import parse_dotenv
from emulator.config.document import Text
from emulator.diagnostics.report import Report

CONFIG = """\
name = "w"
compatibility_date = "2024-12-01"
[vars]
A = "config"
N = 1
[env.dev]
vars = { A = "config-dev", N = 1 }
"""


def load(root: Path, environment: str | None = None, process_env: dict[str, str] | None = None) -> Config:
    (root / "wrangler.toml").write_text(CONFIG)
    return load_config(root / "wrangler.toml", environment, {"O": "cli"}, process_env or {})


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).write_text(f"A={name}\nO={name}\n{name.replace('.', '_')}=1\n")


def test_local_files_win_over_the_config_and_lose_to_overrides(tmp_path: Path) -> None:
    write(tmp_path, ".dev.vars")
    assert load(tmp_path).vars == {"A": ".dev.vars", "N": 1, "O": "cli", "_dev_vars": "1"}


def test_dev_vars_of_the_environment_replaces_the_general_one(tmp_path: Path) -> None:
    write(tmp_path, ".dev.vars", ".dev.vars.dev")
    assert load(tmp_path, "dev").vars == {"A": ".dev.vars.dev", "N": 1, "O": "cli", "_dev_vars_dev": "1"}
    assert load(tmp_path).vars["A"] == ".dev.vars"


def test_dev_vars_suppresses_dot_env(tmp_path: Path) -> None:
    write(tmp_path, ".dev.vars", ".env", ".env.local")
    assert load(tmp_path).vars["A"] == ".dev.vars"
    assert "_env" not in load(tmp_path).vars


def test_later_dot_env_files_win(tmp_path: Path) -> None:
    names = [".env", ".env.local", ".env.dev", ".env.dev.local"]
    for count, name in enumerate(names, 1):
        write(tmp_path, name)
        values = load(tmp_path, "dev").vars
        assert values["A"] == name
        assert sum(key.startswith("_env") for key in values) == count
    assert load(tmp_path).vars["A"] == ".env.local"


def test_switches_of_the_process(tmp_path: Path) -> None:
    write(tmp_path, ".env")
    off = {"CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV": "false", "HOME_X": "1"}
    assert load(tmp_path, None, off).vars["A"] == "config"
    both = {"CLOUDFLARE_INCLUDE_PROCESS_ENV": "true", "HOME_X": "1", "A": "process"}
    values = load(tmp_path, None, both).vars
    assert (values["HOME_X"], values["A"]) == ("1", "process")
    write(tmp_path, ".dev.vars")
    assert "HOME_X" not in load(tmp_path, None, both).vars


def test_every_file_that_could_matter_is_named(tmp_path: Path) -> None:
    names = [path.name for path in load(tmp_path, "dev").files]
    assert names == [
        "wrangler.toml",
        ".dev.vars.dev",
        ".dev.vars",
        ".env",
        ".env.local",
        ".env.dev",
        ".env.dev.local",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1", {"A": "1"}),
        ("A = spaced out  ", {"A": "spaced out"}),
        ("export A=1", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A: yaml", {"A": "yaml"}),
        ("# A=1\n\n  \nB=2", {"B": "2"}),
        ("A=1 # comment", {"A": "1"}),
        ("A=a#b", {"A": "a"}),
        ('A="x # y" # comment', {"A": "x # y"}),
        ("A='x # y'", {"A": "x # y"}),
        ('A=`it\'s "so"`', {"A": 'it\'s "so"'}),
        ('A="a\\nb\\tc"', {"A": "a\nb\\tc"}),
        ("A='a\\nb'", {"A": "a\\nb"}),
        ('A="line one\nline two"\nB=2', {"A": "line one\nline two", "B": "2"}),
        ('A=\'{"json": [1, "二"]}\'', {"A": '{"json": [1, "二"]}'}),
        ("A=$B ${C}\nB=1", {"A": "$B ${C}", "B": "1"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A.b-c=1", {"A.b-c": "1"}),
        ("URL=https://x.y/?a=b&c=d", {"URL": "https://x.y/?a=b&c=d"}),
        ('A=x "y" z', {"A": 'x "y" z'}),
        ("密碼=1\nB=漢字", {"B": "漢字"}),
        ('A=""', {"A": ""}),
    ],
)
def test_the_dotenv_language(text: str, expected: dict[str, str]) -> None:
    assert parse_dotenv(Text(Path("/p/.env"), text), []) == expected


def test_bad_lines_are_named_and_the_others_count() -> None:
    warnings: list[Report] = []
    text = 'A=1\nno assignment\nC="open\nD=4\n\nE F=5\n'
    assert parse_dotenv(Text(Path("/p/.dev.vars"), text), warnings) == {"A": "1", "C": '"open', "D": "4"}
    told = [(report.what, report.where.line if report.where else 0, report.fix) for report in warnings]
    assert told == [
        ("Line 2 of .dev.vars is not a complete KEY=VALUE", 2, "no=value"),
        ("Line 3 of .dev.vars is not a complete KEY=VALUE", 3, 'Close the quote: C="..."'),
        ("Line 6 of .dev.vars is not a complete KEY=VALUE", 6, "E=value"),
    ]


def test_a_file_in_another_encoding_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / ".dev.vars").write_bytes(b"A=\xff\n")
    config = load(tmp_path)
    assert [report.code for report in config.warnings] == ["file-not-utf8"]
    assert config.vars["A"] == "config"
