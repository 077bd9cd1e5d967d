"""The table of limits: its plans, its numbers, what it claims to enforce."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.diagnostics.render import width
from emulator.limits import LIMITS, PLANS, Plan, plan_named
from emulator.limits.plans import shown
from emulator.limits.show import COLUMNS, plain, rows, summary

DOCS = Path(__file__).parents[2] / "docs" / "limits.md"


def test_the_free_plan_is_the_table_of_the_guide() -> None:
    values = plan_named("free").values
    wanted = {"cpu_ms": 10, "memory_mb": 128, "size_mib": 1, "requests_per_day": 100_000, "workers": 100}
    assert {name: values[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("plan", "size", "packages"),
    [
        ("free", 1_048_576, False),
        ("free-2026", 64 * 2**20, True),
        ("paid", 64 * 2**20, True),
        ("off", 0, True),
    ],
)
def test_the_size_of_each_plan(plan: str, size: int, packages: bool) -> None:
    assert (plan_named(plan).size_bytes, plan_named(plan).counts_provided_packages) == (size, packages)


def test_off_has_no_limits() -> None:
    assert set(plan_named("off").values.values()) == {None}


def test_an_unknown_plan() -> None:
    with pytest.raises(KeyError):
        plan_named("FREE")


def test_each_limit_is_complete() -> None:
    assert len({limit.name for limit in LIMITS}) == len(LIMITS)
    for limit in LIMITS:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", limit.name)
        assert limit.what
        assert limit.source.startswith("https://developers.cloudflare.com/")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", limit.checked)
        assert limit.free is not None and limit.free > 0


def test_what_is_acted_on_is_marked_as_enforced() -> None:
    assert {limit.name for limit in LIMITS if limit.enforced} >= {
        *("size_mib", "requests_per_day", "subrequests", "connections", "worker_loop", "log_kb"),
        *("url_kb", "request_headers_kb", "request_body_mb", "response_headers_kb"),
        *("variables", "variable_kb", "crons", "workers"),
    }


def test_the_summary_does_not_promise_more_than_is_done() -> None:
    done, _, waiting = summary(plan_named("free")).partition("not enforced yet: ")
    named = {"cpu_ms": "10 ms CPU", "memory_mb": "128 MB memory", "size_mib": "1 MiB size"}
    named["subrequests"] = "50 subrequests a request"
    for limit in LIMITS:
        if limit.name in named:
            assert (named[limit.name] in done) == limit.enforced
            assert (named[limit.name] in waiting) != limit.enforced
    assert summary(plan_named("off")) == "off: no limits"
    values = {**plan_named("off").values, "size_mib": 2.5}
    assert summary(Plan("mine.toml", "off", values)) == "mine.toml: 2.5 MiB size"


@pytest.mark.parametrize("plan", PLANS)
def test_the_table_has_a_row_for_each_limit(plan: str) -> None:
    table = list(rows(plan_named(plan)))
    assert [row[0] for row in table] == [limit.name for limit in LIMITS]
    assert {len(row) for row in table} == {len(COLUMNS)}
    lines = list(plain(plan_named(plan)))
    assert lines[0].split() == ["limit", "value", "enforced", "error", "checked", "source"]
    assert all(line == line.rstrip() for line in lines)


def test_values_as_people_write_them() -> None:
    by_name = {limit.name: limit for limit in LIMITS}
    assert shown(by_name["cpu_ms"], 10) == "10 ms"
    assert shown(by_name["requests_per_day"], 100_000) == "100,000 a day"
    assert shown(by_name["requests_per_day"], None) == "no limit"
    assert shown(by_name["size_mib"], 0.5) == "0.5 MiB"
    assert shown(by_name["connections"], 6) == "6"


def test_the_document_names_every_plan_and_every_limit() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [plan for plan in PLANS if f"`{plan}`" not in text] == []
    assert [limit.name for limit in LIMITS if f"`{limit.name}`" not in text] == []


def test_the_table_of_the_document_has_these_numbers() -> None:
    found = dict(
        re.findall(r"^\| `(\w+)` \| [^|]* \| ([^|]*) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert found == {limit.name: shown(limit, limit.free) for limit in LIMITS}


def test_the_columns_hold_with_wide_characters() -> None:
    lines = list(plain(Plan("限制.toml", "free", plan_named("free").values, {"cpu_ms": "限制.toml"})))
    columns = {width(line.partition("https://")[0]) for line in lines[1:]}
    assert len(columns) == 1 and any("(from 限制.toml)" in line for line in lines)
