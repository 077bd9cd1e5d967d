"""Damaged wrangler files: whatever stands in them, the answer is a Config or explained mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.config import ConfigError, load_config
from emulator.diagnostics.render import render_html, render_text

TOML = """\
name = "w" # 名
main = 'src/entry.py'
compatibility_date = "2024-12-01"
compatibility_flags = ["python_workers",]
vars.A = { b = [1, -2.5, 2024-01-01T00:00:00Z], "c.d" = \"\"\"x
"y\"\"\" }
[[kv_namespaces]]
binding = "KV"
[env."pro d".limits]
cpu_ms = 10
[env.prod]
vars = { Z = '''q''' }
"""

JSON = """\
{ // 名
  "name": "w", /* x */
  "main": "src/entry.py",
  "compatibility_date": "2024-12-01",
  "compatibility_flags": ["python_workers",],
  "vars": {"A": {"b": [1, -2.5e3, null, true], "\\u0063": "\\"y\\n"}},
  "kv_namespaces": [{"binding": "KV"}],
  "env": {"prod": {"vars": {"Z": ""}}},
}
"""

PIECES = st.sampled_from(
    [*"\"'[]{}=:,.#\\/\n\r\t 0-_ax漢\x00\ufeff", '"""', "'''", "[[", "//", "/*", "1e9", "env"]
)


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 1, 2, 5, 40])))
        text = text[:start] + draw(PIECES | st.just("")) + text[end:]
    return text


def check(directory: Path, name: str, data: bytes, environment: str | None) -> None:
    path = directory / name
    path.write_bytes(data)
    try:
        reports = list(load_config(path, environment, {}, {}).warnings)
    except ConfigError as error:
        reports = error.reports
        assert reports[0].severity == "error"
    for report in reports:
        assert report.where is not None
        assert "<" in render_html(report, str(directory))
        assert render_text(report, str(directory)).endswith(f"#{report.code}\n")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@given(damaged(TOML), st.sampled_from([None, "prod", "nope"]))
def test_damaged_toml(directory: Path, text: str, environment: str | None) -> None:
    check(directory, "wrangler.toml", text.encode(), environment)


@given(damaged(JSON), st.sampled_from([None, "prod", "nope"]))
def test_damaged_json(directory: Path, text: str, environment: str | None) -> None:
    check(directory, "wrangler.jsonc", text.encode(), environment)


@given(st.binary(max_size=60), st.sampled_from(["wrangler.toml", "wrangler.json"]))
def test_anything_at_all(directory: Path, data: bytes, name: str) -> None:
    check(directory, name, data, None)


@pytest.mark.parametrize("name", ["wrangler.toml", "wrangler.json"])
def test_deep_nesting_is_explained(tmp_path: Path, name: str) -> None:
    start, end = ("vars = ", "\n") if name.endswith("toml") else ('{"vars": ', "}")
    text = start + "[" * 5000 + "]" * 5000 + end
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / name, None, {}, {})
    assert [report.code for report in caught.value.reports] == ["config-syntax"]
