"""What a good wrangler file means: values, inheritance, defaults, variables."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.config import Config, ConfigError, find_config, load_config, parse_var

TODAY = date(2026, 3, 4)

BASE = """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024-12-01"
compatibility_flags = ["python_workers"]
"""


def load(directory: Path, text: str, environment: str | None = None, name: str = "wrangler.toml") -> Config:
    path = directory / name
    path.write_bytes(text.encode())
    return load_config(path, environment, {}, {}, today=TODAY)


def codes(config: Config) -> list[str]:
    return [report.code for report in config.warnings]


def test_the_guides_file(tmp_path: Path) -> None:
    config = load(tmp_path, BASE)
    assert config.name == "w"
    assert config.root == tmp_path
    assert config.main == tmp_path / "src" / "entry.py"
    assert config.compatibility_date == "2024-12-01"
    assert config.compatibility_flags == ("python_workers",)
    assert config.vars == {}
    assert config.environment is None
    assert config.warnings == ()


def test_the_same_in_json_with_comments(tmp_path: Path) -> None:
    text = """{
  // a comment
  "$schema": "node_modules/wrangler/config-schema.json",
  "name": "w", /* another */
  "main": "src/entry.py",
  "compatibility_date": "2024-12-01",
  "compatibility_flags": ["python_workers",],
}"""
    config = load(tmp_path, text, name="wrangler.jsonc")
    assert (config.name, config.main) == ("w", tmp_path / "src" / "entry.py")
    assert config.warnings == ()


def test_precedence_of_the_three_names(tmp_path: Path) -> None:
    assert find_config(tmp_path) is None
    for name in ("wrangler.toml", "wrangler.jsonc", "wrangler.json"):
        (tmp_path / name).write_text("")
        assert find_config(tmp_path) == tmp_path / name


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    config = load(
        tmp_path, "\ufeff" + BASE.replace("\n", "\r\n") + '[vars]\r\nG = "你好"\r\nM = """a\r\nb"""\r\n'
    )
    assert config.vars == {"G": "你好", "M": "a\nb"}
    assert (
        load(tmp_path, '\ufeff{"name": "j", "compatibility_date": "2024-01-01"}', name="w.json").name == "j"
    )


ENVIRONMENTS = (
    BASE
    + """\
kv_namespaces = [{ binding = "KV", id = "1" }]
[vars]
A = "top"
B = 1
[limits]
cpu_ms = 5
[env.staging]
compatibility_date = "2025-01-01"
[env.staging.vars]
A = "staging"
[env.prod]
name = "production"
main = "prod.py"
vars = { A = "p", B = [1, 2.5, true] }
kv_namespaces = []
"""
)


def test_an_environment_inherits_keys_but_not_vars(tmp_path: Path) -> None:
    config = load(tmp_path, ENVIRONMENTS, "staging")
    assert config.name == "w-staging"
    assert config.main == tmp_path / "src" / "entry.py"
    assert config.compatibility_date == "2025-01-01"
    assert config.compatibility_flags == ("python_workers",)
    assert config.vars == {"A": "staging"}
    assert config.limits == {"cpu_ms": 5}
    told = [report.what for report in config.warnings]
    assert told == [
        '"kv_namespaces" exists at the top level, but not on "env.staging"',
        '"vars.B" exists at the top level, but not on "env.staging"',
    ]


def test_an_environment_with_everything_of_its_own(tmp_path: Path) -> None:
    config = load(tmp_path, ENVIRONMENTS, "prod")
    assert (config.name, config.main) == ("production", tmp_path / "prod.py")
    assert config.vars == {"A": "p", "B": [1, 2.5, True]}
    assert codes(config) == []
    assert config.value_place("main").line == 17
    assert config.value_place("compatibility_flags").line == 4


def test_the_environment_comes_from_the_process_when_not_given(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(ENVIRONMENTS)
    at = tmp_path / "wrangler.toml"
    assert load_config(at, None, {}, {"CLOUDFLARE_ENV": "prod"}).name == "production"
    assert load_config(at, "staging", {}, {"CLOUDFLARE_ENV": "prod"}).name == "w-staging"
    assert load_config(at, "", {}, {"CLOUDFLARE_ENV": "prod"}).name == "w"


def test_without_any_environments_wrangler_goes_on_with_the_top_level(tmp_path: Path) -> None:
    config = load(tmp_path, BASE + "[vars]\nA = 1\n", "prod")
    assert (config.name, config.vars) == ("w-prod", {"A": 1})
    assert codes(config) == ["config-unknown-environment"]


def test_defaults_for_a_missing_name_and_date(tmp_path: Path) -> None:
    root = tmp_path / "My Project 1"
    root.mkdir()
    config = load(root, 'main = "a.py"\n')
    assert (config.name, config.compatibility_date) == ("my-project-1", "2026-03-04")
    assert codes(config) == ["config-missing-name", "config-missing-date"]


def test_a_missing_main_is_left_to_the_project(tmp_path: Path) -> None:
    assert load(tmp_path, 'name = "w"\ncompatibility_date = "2024-12-01"\n').main is None


def test_today_is_not_in_the_future(tmp_path: Path) -> None:
    assert load(tmp_path, BASE.replace("2024-12-01", "2026-03-04")).compatibility_date == "2026-03-04"


def test_keys_of_later_releases_are_named_in_one_warning(tmp_path: Path) -> None:
    config = load(
        tmp_path, BASE + '[triggers]\ncrons = ["* * * * *"]\n[[d1_databases]]\nbinding = "DB"\n[assets]\n'
    )
    assert [report.what for report in config.warnings] == ["not emulated yet: triggers, d1_databases"]


def test_raw_tables_for_later_releases(tmp_path: Path) -> None:
    text = (
        BASE + '[build]\ncommand = "make"\n[[rules]]\ntype = "Text"\nglobs = ["*.md"]\n[dev]\nport = 9000\n'
    )
    config = load(tmp_path, text)
    assert config.build == {"command": "make"}
    assert config.rules == ({"type": "Text", "globs": ["*.md"]},)
    assert config.dev == {"port": 9000}


def test_null_is_as_good_as_absent(tmp_path: Path) -> None:
    config = load(
        tmp_path, '{"name": "w", "compatibility_date": "2024-01-01", "build": null}', name="wrangler.json"
    )
    assert config.build == {}


def test_numbers_as_javascript_holds_them(tmp_path: Path) -> None:
    big = f'{{"a": 9007199254740993, "b": 1{"0" * 400}, "d": -0.5}}'
    text = f'{{"name": "w", "compatibility_date": "2024-01-01", "vars": {big}}}'
    config = load(tmp_path, text, name="wrangler.json")
    assert config.vars == {"a": 9007199254740992, "b": None, "d": -0.5}


def test_toml_dates_in_vars_are_text(tmp_path: Path) -> None:
    config = load(tmp_path, BASE + "[vars]\nD = 2024-01-02\nT = 2024-01-02T03:04:05Z\nF = inf\n")
    assert config.vars == {"D": "2024-01-02", "T": "2024-01-02T03:04:05+00:00", "F": None}


def test_a_relative_path_and_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(tmp_path, BASE + '[vars]\nA = "file"\nB = "file"\n')
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("wrangler.toml"), overrides={"A": "cli"}, process_env={})
    assert config.path == tmp_path / "wrangler.toml"
    assert config.vars == {"A": "cli", "B": "file"}


def test_parse_var() -> None:
    assert parse_var("A:b:c") == ("A", "b:c")
    assert parse_var("A:") == ("A", "")
    for bad in ("A", ":x", "A=1"):
        with pytest.raises(ConfigError):
            parse_var(bad)


def test_required_secrets_limit_what_local_files_may_set(tmp_path: Path) -> None:
    (tmp_path / ".dev.vars").write_text("KEY=1\nA=2\nOTHER=3\n")
    config = load(tmp_path, BASE + '[vars]\nA = "x"\n[secrets]\nrequired = ["KEY", "TOKEN"]\n')
    assert config.vars == {"A": "x", "KEY": "1"}
    assert codes(config) == ["secrets-missing"]
    assert config.warnings[0].what == "Required secrets are not set: TOKEN"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


def without_null(value: Any) -> bool:
    if isinstance(value, dict):
        return all(without_null(item) for item in value.values())
    if isinstance(value, list):
        return all(without_null(item) for item in value)
    return value is not None


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in value) + '"'
    return json.dumps(value)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), JSON, max_size=5))
def test_variables_survive_the_wrangler_file(
    tmp_path_factory: pytest.TempPathFactory, variables: dict[str, Any]
) -> None:
    directory = tmp_path_factory.mktemp("vars")
    document = {"name": "w", "compatibility_date": "2024-01-01", "vars": variables}
    assert load(directory, json.dumps(document), name="wrangler.json").vars == variables
    assert load(directory, json.dumps(document, ensure_ascii=False), name="wrangler.jsonc").vars == variables
    if without_null(variables):
        assert load(directory, f"{BASE}vars = {toml(variables)}\n").vars == variables
