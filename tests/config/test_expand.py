"""References inside the values of ``.env`` files, and where required secrets come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import Config, load_config
from emulator.config.expand import expand

BASE = 'name = "w"\ncompatibility_date = "2024-12-01"\n'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$A", "甲"),
        ("x${A}y", "x甲y"),
        ("$A$A", "甲甲"),
        ("pa$word", "pa"),
        (r"pa\$word", "pa$word"),
        ("${NONE:-default}", "default"),
        ("${NONE-a:-b}", "a:-b"),
        ("${A:-default}", "甲"),
        ("${A:+there}", "there"),
        ("${NONE+there}", ""),
        ("${NONE:-$A}", "甲"),
        ("${EMPTY:-default}", "default"),
        ("$", "$"),
        ("$1 ${} 100%", "$1 ${} 100%"),
        ("$X", ""),
        ("$LATER", ""),
    ],
)
def test_references(value: str, expected: str) -> None:
    assert expand({"A": "甲", "EMPTY": "", "X": value, "LATER": "1"}, {})["X"] == expected


def test_what_the_process_sets_wins() -> None:
    assert expand({"A": "1", "B": "$A", "C": "$P"}, {"A": "2", "P": "3"}) == {"A": "2", "B": "2", "C": "3"}
    assert expand({"A": "1"}, {"A": ""}) == {"A": "1"}


@pytest.mark.parametrize("values", [{"A": "$A"}, {"A": "x$A"}, {"A": "$B", "B": "$A"}])
def test_a_circle_ends(values: dict[str, str]) -> None:
    assert set(expand(values, {})) == set(values)
    assert len(expand(values, {"A": "$B$B", "B": "$A$A", "C": "$A"})["A"]) < 2**22


def load(root: Path, text: str, process_env: dict[str, str]) -> Config:
    (root / "wrangler.toml").write_text(BASE + text)
    return load_config(root / "wrangler.toml", None, {}, process_env)


def test_only_dot_env_is_expanded(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HOST=h\n")
    (tmp_path / ".env.local").write_text("URL=https://${HOST}/$P\n")
    assert load(tmp_path, "", {"P": "p"}).vars == {"HOST": "h", "URL": "https://h/"}
    (tmp_path / ".dev.vars").write_text("URL=https://${HOST}/\n")
    assert load(tmp_path, "", {}).vars == {"URL": "https://${HOST}/"}


def test_required_secrets_may_come_from_the_process(tmp_path: Path) -> None:
    text = '[vars]\nA = "file"\n[secrets]\nrequired = ["KEY"]\n'
    config = load(tmp_path, text, {"KEY": "secret", "A": "process", "HOME": "/"})
    assert config.vars == {"A": "file", "KEY": "secret"}
    assert [report.code for report in config.warnings] == []
    # It would be uploaded, and so it counts.
    assert config.process_vars == frozenset()
    (tmp_path / ".dev.vars").write_text("OTHER=1\n")
    config = load(tmp_path, text, {"KEY": "secret"})
    assert config.vars == {"A": "file"}
    assert [report.code for report in config.warnings] == ["secrets-missing"]
