"""What clients get when a limit is exceeded: the platform's text, its page, or the report as JSON."""

from __future__ import annotations

import json

import pytest

from emulator.diagnostics.known import KNOWN, explain
from emulator.diagnostics.known_exceeded import EXCEEDED_MISTAKES
from emulator.diagnostics.report import Report
from emulator.front import error_answer
from emulator.front.limit_answer import LIMIT_ANSWERS, LimitAnswer, limit_answer

CURL = [(b"accept", b"*/*"), (b"user-agent", b"curl/8.5.0"), (b"host", b"my-worker.localhost:8787")]
BROWSER = [(b"accept", b"text/html,*/*;q=0.8"), (b"user-agent", b"Mozilla/5.0"), *CURL[2:]]
PROGRAM = [(b"accept", b"application/json"), *CURL[2:]]

CPU = explain("cpu-exceeded", budget="10 ms", used="14.2 ms", plan="free", event="GET /json")


def answered(code: str) -> error_answer.ErrorAnswer:
    return error_answer.explain([explain(code)], CURL, "")


def test_every_code_is_one_of_a_known_mistake() -> None:
    assert set(LIMIT_ANSWERS) <= set(KNOWN)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("cpu-exceeded", (503, 1102, "cpu")),
        ("memory-exceeded", (503, 1102, "memory")),
        ("requests-exceeded", (429, 1027, "requests")),
        ("worker-loop", (500, 1019, "worker-loop")),
        ("url-too-long", (414, 0, "url")),
        ("request-headers-too-big", (431, 0, "headers")),
        ("request-body-too-big", (413, 0, "body")),
        ("response-headers-too-big", (500, 1101, "response-headers")),
        ("startup-cpu-exceeded", (500, 0, "startup")),
        ("startup-memory-exceeded", (500, 0, "startup")),
    ],
)
def test_status_number_and_name(code: str, expected: tuple[int, int, str]) -> None:
    assert limit_answer([Report(code, "")]) == LimitAnswer(*expected)
    answer = answered(code)
    assert (answer.status, answer.limit) == (expected[0], expected[2])
    assert (b"cf-emu-limit", expected[2].encode()) in answer.headers


@pytest.mark.parametrize("code", ["hung", "isolate-died", "log-truncated", "subrequests-exceeded"])
def test_other_reports_are_answered_as_before(code: str) -> None:
    answer = error_answer.explain([explain(code)], CURL, "", 503)
    assert (answer.status, answer.limit) == (503, "")
    assert (b"retry-after", b"0") in answer.headers
    assert b"cf-emu-limit" not in dict(answer.headers)
    assert limit_answer([]) is None


@pytest.mark.parametrize("code", [code for code in LIMIT_ANSWERS if LIMIT_ANSWERS[code].number])
def test_curl_gets_the_number_alone(code: str) -> None:
    answer = answered(code)
    assert answer.body == b"error code: %d" % LIMIT_ANSWERS[code].number
    assert dict(answer.headers)[b"content-type"] == b"text/plain; charset=UTF-8"


@pytest.mark.parametrize("code", [code for code in LIMIT_ANSWERS if not LIMIT_ANSWERS[code].number])
def test_a_limit_without_a_number_is_explained_as_text(code: str) -> None:
    assert answered(code).body.decode().startswith(f"✘ {explain(code).what}\n")


def test_a_browser_gets_the_page_with_the_ray_of_the_request_and_its_host() -> None:
    answer = error_answer.explain([CPU], BROWSER, "", ray="8f2a00c0ffee1234-TPE")
    headers = dict(answer.headers)
    assert headers[b"content-type"] == b"text/html; charset=UTF-8"
    assert headers[b"cf-ray"] == b"8f2a00c0ffee1234-TPE"
    page = answer.body.decode()
    assert "Ray ID: 8f2a00c0ffee1234 &bull; 20" in page
    assert "<title>Worker exceeded resource limits | my-worker.localhost | Cloudflare</title>" in page
    assert "Worker exceeded CPU time limit: 14.2 ms, and the plan free allows 10 ms" in page


def test_without_a_ray_one_is_made_up() -> None:
    ray = dict(error_answer.explain([CPU], BROWSER, "").headers)[b"cf-ray"]
    assert len(ray) == 16
    assert int(ray, 16) >= 0


def test_a_program_gets_the_report() -> None:
    answer = error_answer.explain([CPU, Report("x", "more")], PROGRAM, "")
    assert answer.status == 503
    value = json.loads(answer.body)
    assert (value["limit"], value["error_code"]) == ("cpu", 1102)
    assert value["error"]["code"] == "cpu-exceeded"
    assert value["error"]["event"] == "GET /json"
    assert [more["what"] for more in value["more"]] == ["more"]


def test_retrying_what_exceeded_a_limit_is_not_suggested() -> None:
    assert b"retry-after" not in dict(error_answer.explain([CPU], CURL, "", 503).headers)


@pytest.mark.parametrize("host", [b"", b"<b>", b"\xff\xfe:1", "中文.localhost".encode()])
def test_any_host_makes_a_page(host: bytes) -> None:
    answer = error_answer.explain([CPU], [*BROWSER[:2], (b"host", host)], "", ray="<i>")
    assert b"<b>" not in answer.body
    assert b"<i>" not in answer.body
    assert answer.body.decode().startswith("<!doctype html>")


def test_all_that_is_exceeded_is_answered_or_meant_for_other_eyes() -> None:
    elsewhere = {
        # Thrown in the Worker, told in the terminal, or told before anything is served.
        *("subrequests-exceeded", "log-truncated"),
        *("variables-too-many", "variable-too-big", "crons-too-many", "workers-too-many"),
    }
    assert set(EXCEEDED_MISTAKES) - set(LIMIT_ANSWERS) == elsewhere
