"""Isolates for tests: one fork server per session, one process per Worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from inside import bench_of
from isolates import ForkedIsolates, Isolate, LoadError, write

from emulator.diagnostics.report import Report


@pytest.fixture(scope="session")
def isolates() -> Iterator[ForkedIsolates]:
    """The fork server; it ends with the session, and all isolates with it."""
    with ForkedIsolates() as server:
        yield server


@pytest.fixture
def load(isolates: ForkedIsolates, tmp_path: Path) -> Iterator[Callable[..., Isolate]]:
    """Load a Worker from the source of its entry module (and ``files``); it ends with the test."""
    made: list[Isolate] = []

    def load(source: str, files: dict[str, str] | None = None, **spec: Any) -> Isolate:
        directory = write(tmp_path / f"worker-{len(made)}", {"src/entry.py": source, **(files or {})})
        made.append(isolates.load(directory, **spec))
        return made[-1]

    yield load
    for isolate in made:
        isolate.kill()


@pytest.fixture
def load_failure(load: Callable[..., Isolate]) -> Callable[..., Report]:
    """Load a Worker that must not load; gives the report."""

    def load_failure(source: str, files: dict[str, str] | None = None, **spec: Any) -> Report:
        with pytest.raises(LoadError) as failure:
            load(source, files, **spec)
        return failure.value.report

    return load_failure


@pytest.fixture(scope="module")
def bench(
    isolates: ForkedIsolates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Isolate]]:
    """Gives an isolate in which functions of tests run (see ``inside``)."""
    made: list[Isolate] = []

    def load(source: str) -> Isolate:
        directory = write(tmp_path_factory.mktemp("bench"), {"src/entry.py": source})
        made.append(isolates.load(directory))
        return made[-1]

    yield bench_of(load)
    for isolate in made:
        isolate.kill()
