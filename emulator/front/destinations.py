"""Where an outgoing request leads: to this machine, to a private network, or out to the Internet."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

THIS_MACHINE = "this machine"
PRIVATE = "a private network"

_PRIVATE_SUFFIXES = (".local", ".internal", ".lan", ".home.arpa", ".intranet", ".private")
"""Names that no public server answers to (RFC 6762, RFC 8375, and what networks at home are called)."""


def is_local(host: str) -> bool:
    """Whether a host name means this machine."""
    host = host.strip("[]").lower()
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.") or host.endswith(".localhost")


def near(host: str) -> str:
    """``THIS_MACHINE`` or ``PRIVATE`` for a host that production could not reach, else an empty text.

    A name says it when it is one that only private networks use; what others resolve to is not asked.
    """
    host = host.strip("[]").lower().rstrip(".")
    if is_local(host):
        return THIS_MACHINE
    if not host:
        return ""
    if host.endswith(_PRIVATE_SUFFIXES) or ("." not in host and ":" not in host):
        return PRIVATE
    return near_address(host)


def near_address(address: str) -> str:
    """The same for an IP address; an empty text for anything else."""
    # Not needed before the first fetch.
    from ipaddress import IPv6Address, ip_address

    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.is_loopback or found.is_unspecified:
        return THIS_MACHINE
    return "" if found.is_global or found.is_multicast else PRIVATE


def near_peer(stream: Any) -> str:
    """The same for the other end of a connection, as httpcore's network stream tells it.

    Behind a proxy that is the proxy's address, which says nothing: an empty text.
    """
    if stream is None or getproxies():
        return ""
    address = stream.get_extra_info("server_addr")
    return near_address(str(address[0])) if isinstance(address, tuple) and address else ""


def shown_url(url: str) -> str:
    """A URL for the terminal: without user, query and fragment, which may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
