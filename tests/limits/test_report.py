"""The report of ``serve --report``: its lines, its data, its verdicts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from emulator.journal.events import JournalEvent, Notice, RequestFinished
from emulator.limits import Plan, plan_named
from emulator.limits.report import budget_us, problems
from emulator.limits.route_report import RouteReport

FREE = plan_named("free")
MIB = 1_048_576


def request(
    method: str,
    path: str,
    cpu_us: int | None,
    memory_bytes: int = 0,
    subrequests: int = 0,
    limit: str = "",
    worker: str = "w",
) -> RequestFinished:
    return RequestFinished(worker, method, path, 200, "OK", 1.0, cpu_us, memory_bytes, subrequests, limit)


def report(*requests: RequestFinished, plans: dict[str, Plan] | None = None) -> RouteReport:
    made = RouteReport(plans or {"w": FREE})
    journal = made.beside(lambda event: None)
    for event in requests:
        journal(event)
    return made


def test_the_report() -> None:
    made = report(
        *(request("GET", "/", 800, 14 * MIB) for _ in range(98)),
        *(request("GET", f"/users/{n}", 2_000 + 1_000 * n, 20 * MIB, 3) for n in range(10)),
        request("POST", "/中文", 8_500),
        request("PUT", "/", None, limit="body"),
    )
    assert (
        "\n".join(made.lines())
        == """\
Limits report of w, plan free: 10 ms CPU, 128 MB memory, 50 subrequests

  route           requests  CPU p50      p99      max  memory  subrequests
  GET /users/:id        10   6.0 ms  11.0 ms  11.0 ms   20 MB            3  ✘ 1 of 10 requests over 10 ms CPU
  PUT /                  1        -        -        -       -            0  ✘ request body too big (1)
  GET /                 98  0.80 ms  0.80 ms  0.80 ms   14 MB            0  fits
  POST /中文             1   8.5 ms   8.5 ms   8.5 ms       -            0  fits narrowly

Does not fit the plan free: 2 of 4 routes (✘).

CPU as measured on this machine; docs/limits.md tells how the platform compares."""
    )


def test_a_fitting_worker() -> None:
    lines = list(report(request("GET", "/", 10)).lines())
    assert "Fits the plan free." in lines


def test_no_requests() -> None:
    assert list(report().lines()) == ["Limits report: there were no requests."]


def test_colours() -> None:
    text = "\n".join(report(request("GET", "/", 10)).lines(color=True))
    assert "\x1b[32mfits\x1b[0m" in text


def test_without_limits_the_free_plan_judges() -> None:
    off = plan_named("off")
    made = report(request("GET", "/", 11_000), plans={"w": off})
    assert "Does not fit the plan free: its only route (✘)." in list(made.lines())
    assert budget_us(off) == 10_000
    assert budget_us(plan_named("paid")) == 30_000_000


def test_a_file_that_takes_limits_away_judges_by_itself() -> None:
    values = {**FREE.values, "cpu_ms": None, "memory_mb": None, "subrequests": None}
    own = replace(FREE, name="own.toml", values=values, changed={"cpu_ms": "own.toml"})
    made = report(request("GET", "/", 10**9, 10**10, 10**6), plans={"w": own})
    assert "Fits the plan own.toml." in list(made.lines())


def test_workers_have_their_own_tables() -> None:
    plans = {"a": FREE, "b": plan_named("paid")}
    made = report(
        request("GET", "/", 11_000, worker="b"), request("GET", "/", 11_000, worker="a"), plans=plans
    )
    lines = [line for line in made.lines() if "fit" in line.lower() or line.startswith("Limits")]
    assert [line.split(":")[0].rstrip(".") for line in lines if not line.startswith("  ")] == [
        "Limits report of a, plan free",
        "Does not fit the plan free",
        "Limits report of b, plan paid",
        "Fits the plan paid",
    ]


def test_a_changed_plan_holds_from_then_on() -> None:
    made = report(request("GET", "/", 11_000))
    made.change("w", plan_named("paid"))
    made.beside(lambda event: None)(request("GET", "/new", 11_000))
    routes = {route["path"]: route["over_cpu"] for route in made.data()["routes"]}
    assert routes == {"/": 1, "/new": 0}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (request("GET", "/", 10_000, 128 * MIB, 50), []),
        (request("GET", "/", 10_001), ["1 of 1 requests over 10 ms CPU"]),
        (request("GET", "/", None, limit="cpu"), ["1 of 1 requests over 10 ms CPU"]),
        (request("GET", "/", 1, 129 * MIB), ["more than 128 MB of memory"]),
        (request("GET", "/", 1, limit="memory"), ["more than 128 MB of memory"]),
        (request("GET", "/", 1, 0, 51), ["more than 50 subrequests"]),
        (request("GET", "/", None, limit="requests"), ["the day's requests were used up (1)"]),
        (request("GET", "/", None, limit="worker-loop"), ["Workers called each other too deeply (1)"]),
    ],
)
def test_problems(event: RequestFinished, expected: list[str]) -> None:
    made = report(event)
    (row,) = made._routes.rows()
    assert problems(row.route, FREE) == expected


def test_the_data() -> None:
    made = report(request("GET", "/a", 1_234, 3 * MIB, 2), request("GET", "/a", None, limit="cpu"))
    data = json.loads(json.dumps(made.data()))
    assert data["fits"] is False
    (route,) = data["routes"]
    assert route.pop("cpu_ms").keys() == {"p50", "p99", "max"}
    assert route == {
        "worker": "w",
        "plan": "free",
        "method": "GET",
        "path": "/a",
        "requests": 2,
        "cpu_budget_ms": 10,
        "over_cpu": 1,
        "memory_mb": 3.0,
        "subrequests": 2,
        "exceeded": {"cpu": 1},
        "problems": ["1 of 2 requests over 10 ms CPU"],
    }
    assert report().data() == {"fits": True, "routes": []}
    [unmeasured] = report(request("GET", "/", None, limit="requests")).data()["routes"]
    assert (unmeasured["cpu_ms"], unmeasured["memory_mb"]) == ({}, None)


def test_the_journal_beside_gets_every_event() -> None:
    seen: list[JournalEvent] = []
    journal = report().beside(seen.append)
    events = [Notice("info", "x"), request("GET", "/", 1)]
    for event in events:
        journal(event)
    assert seen == events


def test_many_routes_are_cut_short() -> None:
    made = report(
        *(
            request(method, f"/r{chr(97 + n // 26)}{chr(97 + n % 26)}", 1)
            for method in ("GET", "PUT")
            for n in range(40)
        )
    )
    assert "  ... and 30 more routes" in list(made.lines())


def test_of_routes_alike_those_that_need_most_come_first() -> None:
    made = report(request("GET", "/a", 100), request("GET", "/b", 9_000), request("GET", "/c", 200))
    assert [line.split()[1] for line in made.lines() if line.startswith("  GET")] == ["/b", "/c", "/a"]


def test_a_long_path_is_cut_by_its_width() -> None:
    made = report(
        request("GET", "/" + "%E4%B8%AD" * 40, 1), request("GET", "/" + "x" * 40 + "/" + "y" * 40, 1)
    )
    rows = [line for line in made.lines() if line.startswith("  GET")]
    assert {row.split("…")[0] for row in rows} == {
        "  GET /" + "中" * 23,
        "  GET /" + "x" * 40 + "/" + "y" * 5,
    }
