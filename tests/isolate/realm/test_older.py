"""What Workers of older compatibility dates see. The dates are those at which the real runtime changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.isolate.compat_flags import CompatibilityFlags
from emulator.isolate.realm.realm import Realm

from .conftest import FakeIO, JSFailure

Run = Callable[..., Any]

NO_CACHE_FIELD = "Error: The 'cache' field on 'RequestInitializerDict' is not implemented."
CACHE = "new Request('http://a', { cache: '%s' }).cache"
TAG = "Object.prototype.toString.call(%s)"


@pytest.mark.parametrize(
    ("code", "date", "before", "after"),
    [
        (CACHE % "no-store", "2024-11-11", NO_CACHE_FIELD, "no-store"),
        ("'cache' in Request.prototype", "2024-11-11", False, True),
        (CACHE % "no-cache", "2025-08-07", "TypeError: Unsupported cache mode: no-cache", "no-cache"),
        (
            "new Request('http://a', { method: 'patch' }).method",
            "2024-10-14",
            "TypeError: Invalid HTTP method string: patch",
            "PATCH",
        ),
        ("new Request('http://a', { method: 'Post' }).method", "2024-10-14", "POST", "POST"),
        ("new Request('http://a', { method: 'PATCH' }).method", "2024-10-14", "PATCH", "PATCH"),
        ("(await new Response('\\ufeffa').text()).length", "2026-01-13", 2, 1),
        ("(await new Response(new Uint8Array([239, 187, 191, 97])).text()).length", "2026-01-13", 2, 1),
        (TAG % "new Headers()", "2024-09-26", "[object Object]", "[object Headers]"),
        (TAG % "new FormData()", "2024-09-26", "[object Object]", "[object FormData]"),
        (TAG % "new Map()", "2024-09-26", "[object Map]", "[object Map]"),
        (TAG % "new URLSearchParams().keys()", "2024-09-26", "[object Iterator]", "[object KeyIterator]"),
        ("new Request('http://A/ ').url", "2024-06-03", "http://A/ ", "http://a/"),
        ("new Request('x').url", "2024-06-03", "x", "TypeError: Invalid URL: x"),
        (
            "await fetch('x')",
            "2024-06-03",
            "TypeError: Fetch API cannot load: x",
            "TypeError: Invalid URL: x",
        ),
    ],
)
def test_changes_with_the_date(
    realm: Realm, run: Run, code: str, date: str, before: object, after: object
) -> None:
    year, month, day = map(int, date.split("-"))
    eve = f"{year}-{month:02}-{day - 1:02}"
    assert told(run, code) == after, "with nothing older"
    CompatibilityFlags(date, ()).tell(realm.platform)
    assert told(run, code) == after
    CompatibilityFlags(eve, ()).tell(realm.platform)
    assert told(run, code) == before


def told(run: Run, code: str) -> object:
    """What ``code`` gives, or the error that it throws."""
    try:
        return run(code)
    except JSFailure as error:
        return str(error)


def test_an_older_requests_url_is_parsed_when_it_is_sent(realm: Realm, run: Run, io: FakeIO) -> None:
    CompatibilityFlags("2024-01-01", ()).tell(realm.platform)
    run("void fetch(new Request('HTTP://A.example/x y#z')) || 1")
    assert [call.url for call in io.fetches.values()] == ["http://a.example/x%20y"]


@pytest.mark.parametrize(
    ("date", "flag", "name", "on"),
    [
        ("2023-01-01", "cache_option_enabled", "cache_option_enabled", True),
        ("2026-05-01", "cache_option_disabled", "cache_option_enabled", False),
        ("2026-05-01", "fetch_legacy_url", "fetch_standard_url", False),
        ("2026-05-01", "do_not_strip_bom_in_read_all_text", "strip_bom_in_read_all_text", False),
        ("2026-04-20", "", "enhanced_error_serialization", False),
        ("2026-04-21", "", "enhanced_error_serialization", True),
        ("2026-05-01", "legacy_error_serialization", "enhanced_error_serialization", False),
        ("2026-05-01", "do_not_set_tostring_tag", "set_tostring_tag", False),
        ("2026-05-01", "no_upper_case_all_http_methods", "upper_case_all_http_methods", False),
        ("2026-05-01", "cache_no_cache_disabled", "cache_no_cache_enabled", False),
    ],
)
def test_flags_decide_before_the_date(
    realm: Realm, run: Run, date: str, flag: str, name: str, on: bool
) -> None:
    flags = CompatibilityFlags(date, [flag])
    assert flags.on(name) is on
    flags.tell(realm.platform)
    assert bool(realm.platform.get("older").get(name) is True) is not on
    assert run(f"Cloudflare.compatibilityFlags.{name} === true") is on
