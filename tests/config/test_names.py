"""Names on ``env`` that are given twice, and values that wrangler refuses where nothing would use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.config import ConfigError, load_config
from emulator.config.names import unemulated_bindings

BASE = {"name": "w", "main": "index.js", "compatibility_date": "2025-01-01"}


def errors(tmp_path: Path, table: dict[str, Any], environment: str | None = None) -> list[str]:
    (tmp_path / "wrangler.json").write_text(json.dumps({**BASE, **table}), encoding="utf-8")
    try:
        load_config(tmp_path / "wrangler.json", environment, {}, {})
    except ConfigError as error:
        return [report.what for report in error.reports if report.severity == "error"]
    return []


KV = {"kv_namespaces": [{"binding": "名", "id": "x"}]}


@pytest.mark.parametrize(
    "table",
    [
        {**KV, "vars": {"名": "x"}},
        {**KV, "ai": {"binding": "名"}},
        {**KV, "durable_objects": {"bindings": [{"name": "名", "class_name": "C"}]}},
        {**KV, "queues": {"producers": [{"binding": "名", "queue": "q"}]}},
        {"kv_namespaces": [KV["kv_namespaces"][0], {"binding": "名", "id": "y"}]},
        {"secrets": {"required": ["名", "名"]}},
        {"vars": {"名": 1}, "secrets": {"required": ["名"]}},
        {**KV, "assets": {"directory": "x", "binding": "名"}},
    ],
)
def test_given_twice(tmp_path: Path, table: dict[str, Any]) -> None:
    assert errors(tmp_path, table) == ['The name "名" is given twice']
    assert errors(tmp_path, {"env": {"s": table}}, "s") == ['The name "名" is given twice']
    assert errors(tmp_path, {"env": {"s": table}}) == []


@pytest.mark.parametrize(
    "table",
    [
        {**KV, "env": {"s": KV}},
        {
            "queues": {"consumers": [{"queue": "q"}], "producers": [{"binding": "A", "queue": "q"}]},
            "vars": {"q": 1},
        },
        {"workflows": [{"binding": "W", "name": "n", "class_name": "C"}], "vars": {"n": 1}},
        {"vars": {"A": "1"}, "services": [{"binding": "B", "service": "A"}]},
        {"vars": {"A": 1}, "durable_objects": 5, "ai": {"binding": 7}, "d1_databases": [{"binding": ["A"]}]},
    ],
)
def test_not_given_twice(tmp_path: Path, table: dict[str, Any]) -> None:
    assert not [what for what in errors(tmp_path, table) if "given twice" in what]


@pytest.mark.parametrize(
    "key", ["main", "vars", "minify", "compatibility_flags", "routes", "alias", "define", "ai"]
)
def test_null_is_no_value(tmp_path: Path, key: str) -> None:
    (what,) = errors(tmp_path, {key: None})
    assert what.startswith(f'Expected "{key}" to be ') and what.endswith("but got null")


@pytest.mark.parametrize(
    "key", ["rules", "build", "triggers", "limits", "env", "dev", "migrations", "placement"]
)
def test_null_where_wrangler_takes_it_for_nothing(tmp_path: Path, key: str) -> None:
    assert errors(tmp_path, {key: None}) == []


def test_tables_of_text(tmp_path: Path) -> None:
    for key in ("alias", "define"):
        assert errors(tmp_path, {key: {"A": "1"}}) == []
        assert errors(tmp_path, {key: {"A": 1}}) == [
            f'Expected "{key}" to be a table of text, but got {{"A": 1}}'
        ]


def test_protocols(tmp_path: Path) -> None:
    assert errors(tmp_path, {"dev": {"local_protocol": "https", "upstream_protocol": "http"}}) == []
    expected = 'Expected "dev.local_protocol" to be "http" or "https", but got "ftp"'
    assert errors(tmp_path, {"dev": {"local_protocol": "ftp"}}) == [expected]


def test_an_empty_name_is_none(tmp_path: Path) -> None:
    assert errors(tmp_path, {"name": ""}) == []
    assert load_config(tmp_path / "wrangler.json", None, {}, {}).name


def test_bindings_that_are_not_emulated_are_known_by_name() -> None:
    table = {
        "vars": {"A": "1"},
        "secrets": {"required": ["S"]},
        "kv_namespaces": [{"binding": "KV", "id": "1"}, {"id": "2"}],
        "durable_objects": {"bindings": [{"name": "ROOM", "class_name": "Room"}]},
        "queues": {"producers": [{"binding": "QUEUE", "queue": "q"}]},
        "ai": {"binding": "AI"},
        "made_up": [{"binding": "NOTHING"}],
    }
    keys = {"KV": "kv_namespaces", "ROOM": "durable_objects", "QUEUE": "queues", "AI": "ai"}
    assert unemulated_bindings(table) == keys
