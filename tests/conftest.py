"""Settings that all tests share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings
from serving import Server

# No deadline: how long one example takes says more about the machine than about the code.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session", autouse=True)
def user_cache_of_the_tests() -> Iterator[None]:
    """Nothing is read from, or left in, the cache directory of who runs the tests."""
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", directory)
        yield


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start the installed ``cfw-emu serve`` with these arguments; it ends with the test."""
    with ExitStack() as servers:

        def start(*arguments: str) -> Server:
            return servers.enter_context(Server(*arguments))

        yield start
