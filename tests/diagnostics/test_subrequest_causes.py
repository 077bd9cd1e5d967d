"""What is said about a failed fetch(), by what failed."""

from __future__ import annotations

import pytest

from emulator.diagnostics.known import explain
from emulator.diagnostics.subrequest_causes import advice_for, is_failed_fetch


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("Network connection lost. (nothing listens on 127.0.0.1:1)", "fetch() reached nobody"),
        ("Network connection lost. (the name a.invalid has no address)", "There is no host of that name"),
        ("Network connection lost. ([SSL: WRONG_VERSION_NUMBER] wrong version number)", "TLS"),
        (
            "Network connection lost. (Server disconnected without sending a response.)",
            "ended the connection",
        ),
        ("Network connection lost: peer closed connection without sending", "ended the connection"),
        ("Network connection lost. (illegal status line: bytearray(b'x'))", "no HTTP"),
        ("Network connection lost. (timed out)", "in time"),
        ("Network connection lost.", "The connection to the other side failed"),
        ("Too many redirects.", "answers each redirect with another one"),
        ("Invalid Location header; unable to follow redirect. ('http://[')", "names no URL"),
        ("A request with a one-time-use body (it was initialized", "cannot be sent twice"),
    ],
)
def test_a_cause(message: str, advice: str) -> None:
    assert is_failed_fetch(message)
    assert advice in advice_for(message)
    assert advice in explain("subrequest-failed", subrequest=f"GET http://a/ failed: {message}").fix


@pytest.mark.parametrize("message", ["timed out", "bad certificate", "Fetch API cannot load: x", ""])
def test_other_errors_are_no_subrequests(message: str) -> None:
    assert not is_failed_fetch(message)
