"""Requests whose isolate died: which are sent again, how often, and what clients are told of the others."""

from __future__ import annotations

import pytest

from emulator.fleet.exchange import IsolateDied
from emulator.front.replays import Replays

NEIGHBOUR = IsolateDied("killed by SIGSEGV", begun=True, guilty=False)
OWN = IsolateDied("exit status 3", begun=True, guilty=True)
WAITED = IsolateDied("exit status 3", begun=False, guilty=False)


@pytest.mark.parametrize(
    ("method", "whole", "died", "again"),
    [
        ("GET", True, NEIGHBOUR, True),
        ("HEAD", True, OWN, True),
        ("POST", True, NEIGHBOUR, False),
        ("POST", True, OWN, False),
        ("POST", True, WAITED, True),
        ("POST", False, WAITED, False),
        ("GET", False, NEIGHBOUR, False),
    ],
)
def test_which_are_sent_again(method: str, whole: bool, died: IsolateDied, again: bool) -> None:
    assert Replays(method, whole).allow(died) is again


def test_its_own_fault_is_forgiven_once() -> None:
    replays = Replays("GET", True)
    assert [replays.allow(died) for died in (NEIGHBOUR, OWN, NEIGHBOUR, OWN)] == [True, True, True, False]


def test_neighbours_cannot_make_it_go_on_for_ever() -> None:
    replays = Replays("GET", True)
    assert sum(replays.allow(NEIGHBOUR) for _ in range(100)) == 20


def test_what_the_client_is_told() -> None:
    post = Replays("POST", True)
    post.allow(OWN)
    report = post.report(OWN, "POST /orders")
    assert (report.code, report.event) == ("isolate-died", "POST /orders")
    assert "exit status 3" in report.why
    assert "this POST may have had effects" in report.why
    get = Replays("GET", True)
    get.allow(OWN)
    get.allow(OWN)
    assert get.report(OWN, "GET /").code == "isolate-died-again"


def test_a_request_that_was_not_sent_again_is_not_said_to_be() -> None:
    upload = Replays("GET", False)
    upload.allow(OWN)
    assert upload.report(OWN, "GET /").code == "isolate-died"
