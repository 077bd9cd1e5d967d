"""JavaScript Workers for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from isolates import ForkedIsolates, Isolate, LoadWorker, write


@pytest.fixture
def serve(isolates: ForkedIsolates, tmp_path: Path) -> Iterator[LoadWorker]:
    """Load a JavaScript Worker from the source of ``worker.js`` and other files."""
    made: list[Isolate] = []

    def load(source: str, files: dict[str, str | bytes] | None = None, **spec: Any) -> Isolate:
        directory = write(tmp_path / f"worker-{len(made)}", {"worker.js": source, **(files or {})})
        made.append(isolates.load(directory, "worker.js", kind="javascript", flags=(), **spec))
        return made[-1]

    yield load
    for isolate in made:
        isolate.kill()
