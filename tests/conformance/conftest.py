"""The isolate that is asked what the real runtime was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from isolates import ForkedIsolates, Isolate, write
from recorded import DATA

VARS = {"FOO": "bar", "MY_VAR": "hello"}


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Isolate]]:
    """Gives an isolate with probe.py loaded; another one when the last one died."""
    source = (DATA / "probe.py").read_text(encoding="utf-8")
    directory = write(tmp_path_factory.mktemp("probe"), {"src/entry.py": source})
    current: list[Isolate] = []
    with ForkedIsolates() as isolates:

        def living() -> Isolate:
            if not current or not current[-1].alive:
                current.append(isolates.load(directory, variables=VARS))
            return current[-1]

        yield living
