"""Which outgoing requests stay near: what production's network could not reach."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.front.destinations import PRIVATE, THIS_MACHINE, near, near_address, near_peer, shown_url


@pytest.mark.parametrize(
    ("host", "where"),
    [
        ("localhost", THIS_MACHINE),
        ("LOCALHOST", THIS_MACHINE),
        ("other.localhost", THIS_MACHINE),
        ("127.0.0.1", THIS_MACHINE),
        ("127.8.9.1", THIS_MACHINE),
        ("0.0.0.0", THIS_MACHINE),
        ("::1", THIS_MACHINE),
        ("[::1]", THIS_MACHINE),
        ("::ffff:127.0.0.1", THIS_MACHINE),
        ("10.1.2.3", PRIVATE),
        ("172.16.0.1", PRIVATE),
        ("192.168.1.1", PRIVATE),
        ("169.254.169.254", PRIVATE),
        ("100.64.0.1", PRIVATE),
        ("fd00::1", PRIVATE),
        ("fe80::1%eth0", PRIVATE),
        ("db", PRIVATE),
        ("nas.local", PRIVATE),
        ("nas.local.", PRIVATE),
        ("db.internal", PRIVATE),
        ("172.32.0.1", ""),
        ("8.8.8.8", ""),
        ("2606:4700::1111", ""),
        ("example.com", ""),
        ("local.example.com", ""),
        ("例え.jp", ""),
        ("", ""),
    ],
)
def test_hosts(host: str, where: str) -> None:
    assert near(host) == where


@pytest.mark.parametrize("text", ["", "example.com", "256.1.1.1", "1.2.3", ":::", "x" * 10_000])
def test_what_is_no_address(text: str) -> None:
    assert near_address(text) == ""


def test_secrets_of_a_url_are_not_shown() -> None:
    assert shown_url("http://me:secret@db:5432/路徑?token=1#x") == "http://db:5432/路徑"


class Connection:
    def __init__(self, address: Any) -> None:
        self._address = address

    def get_extra_info(self, name: str) -> Any:
        return self._address if name == "server_addr" else None


@pytest.mark.parametrize(
    ("address", "where"),
    [
        (("127.0.0.1", 80), THIS_MACHINE),
        (("10.0.0.1", 80), PRIVATE),
        (("8.8.8.8", 80), ""),
        ("/socket", ""),
        (None, ""),
    ],
)
def test_where_a_public_name_led_to(monkeypatch: pytest.MonkeyPatch, address: Any, where: str) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert near_peer(Connection(address)) == where
    assert near_peer(None) == ""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    assert near_peer(Connection(address)) == ""
