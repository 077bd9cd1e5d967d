"""Requests counted by route, in bounded memory."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.journal.events import Notice, RequestFinished
from emulator.journal.routes import OTHER, Quantiles, Route, RouteTable


def request(
    path: str = "/",
    cpu_us: int | None = 1_000,
    *,
    method: str = "GET",
    worker: str = "w",
    memory_bytes: int = 0,
    subrequests: int = 0,
    limit: str = "",
) -> RequestFinished:
    return RequestFinished(worker, method, path, 200, "OK", 1.0, cpu_us, memory_bytes, subrequests, limit)


def counted(*events: RequestFinished, budget_us: float = 10_000) -> dict[tuple[str, str], Route]:
    table = RouteTable({"w": budget_us})
    for event in events:
        table(event)
    return {(row.method, row.path): row.route for row in table.rows()}


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/json", "/json"),
        ("/users/42", "/users/:id"),
        ("/users/42/posts/-7", "/users/:id/posts/:id"),
        ("/v1/items/", "/v1/items/"),
        ("/2026-01-02", "/:id"),
        ("/f47ac10b-58cc-4372-a567-0e02b2c3d479", "/:id"),
        ("/objects/deadbeef01", "/objects/:id"),
        ("/objects/0123456789abcdef0123456789ABCDEF", "/objects/:id"),
        ("/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/jobs/:id"),
        ("/t/V1StGXR8_Z5jdHi6B-myT", "/t/:id"),
        ("/facade", "/facade"),
        ("/s3/bucket2", "/s3/bucket2"),
        ("/%E4%B8%AD%E6%96%87", "/中文"),
        ("/" + "%E4%B8%AD" * 60, "/" + "中" * 60),
        ("/" + "%E4%B8%AD" * 61, "/:id"),
        ("/%34%32", "/:id"),
        ("/%2F", "/%2F"),
        ("/%00", "/%00"),
        ("/%FF", "/%FF"),
        ("/%zz", "/%zz"),
        ("/" + "long" * 20, "/:id"),
        ("/" + "/".join("abcdefghijklmno"), "/a/b/c/d/e/f/g/h/i/j/k/l/…"),
        ("", "/"),
        ("//", "//"),
    ],
)
def test_the_route_of_a_path(path: str, route: str) -> None:
    assert list(counted(request(path))) == [("GET", route)]


def test_what_a_route_needed() -> None:
    routes = counted(
        request(cpu_us=500, memory_bytes=5, subrequests=1),
        request(cpu_us=12_000, memory_bytes=9),
        request(cpu_us=10_000, subrequests=3),
        request(cpu_us=None, limit="cpu"),
        request(cpu_us=100, limit="memory"),
        request(method="POST"),
    )
    route = routes["GET", "/"]
    assert (route.count, route.cpu.count, route.cpu.greatest) == (5, 4, 12_000)
    assert route.over == 2
    assert route.exceeded == {"cpu": 1, "memory": 1}
    assert (route.memory_bytes, route.subrequests) == (9, 3)
    assert routes["POST", "/"].count == 1


def test_without_a_budget_nothing_is_over() -> None:
    assert counted(request(cpu_us=10**9), budget_us=0)["GET", "/"].over == 0


def test_other_events_do_not_count() -> None:
    table = RouteTable({})
    table(Notice("info", "x"))
    assert list(table.rows()) == []


def test_workers_and_budgets_are_told_apart() -> None:
    budgets = {"a": 100.0}
    table = RouteTable(budgets)
    table(request(worker="a"))
    budgets["a"] = 2_000
    table(request(worker="a"))
    table(request(worker="b"))
    assert {row.worker: (row.route.count, row.route.over) for row in table.rows()} == {
        "a": (2, 1),
        "b": (1, 0),
    }


def test_many_names_in_one_place_are_values() -> None:
    titles = [f"/wiki/title{chr(97 + n // 26)}{chr(97 + n % 26)}x" for n in range(300)]
    routes = counted(*(request(title) for title in titles), request("/wiki/7"), request("/wiki"))
    counts = {path: route.count for (_, path), route in routes.items()}
    assert counts == {"/wiki/:name": 300, "/wiki/:id": 1, "/wiki": 1}


def test_what_was_below_the_names_is_kept() -> None:
    names = [f"/users/user{chr(97 + n // 26)}{chr(97 + n % 26)}/posts" for n in range(150)]
    routes = counted(*(request(name, n) for n, name in enumerate(names)), *(request(name) for name in names))
    assert [path for _, path in routes] == ["/users/:name/posts"]
    route = routes["GET", "/users/:name/posts"]
    assert (route.count, route.cpu.count, route.cpu.greatest) == (300, 300, 1_000)


def test_any_number_of_paths_takes_bounded_memory() -> None:
    source = random.Random(1)
    table = RouteTable({})
    number = 5_000
    names = [f"{first}{second}" for first in "abcde" for second in ("ay", "ee", "oo")]
    for _ in range(number):
        path = "/" + "/".join(source.choices(names, k=source.randint(1, 15)))
        table(request(path, method=source.choice(["GET", "POST"])))
    rows = list(table.rows())
    assert sum(row.route.count for row in rows) == number
    assert len(rows) <= 1_002
    assert OTHER in {row.path for row in rows}


@given(st.lists(st.tuples(st.text(max_size=30), st.integers(0, 10**10)), max_size=50))
def test_nothing_is_lost(requests: list[tuple[str, int]]) -> None:
    routes = counted(*(request(path, cpu) for path, cpu in requests))
    assert sum(route.count for route in routes.values()) == len(requests)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_quantiles_are_exact_to_a_percent(values: list[int], share: float) -> None:
    quantiles = Quantiles()
    for value in values:
        quantiles.add(value)
    exact = sorted(values)[max(-(-len(values) * round(share * 100) // 100), 1) - 1]
    assert abs(quantiles.at(share) - exact) <= max(exact * 0.011, 1)
    assert quantiles.at(share) <= quantiles.greatest == max(values)


def test_quantiles_of_nothing_are_zero() -> None:
    assert Quantiles().at(0.5) == 0
