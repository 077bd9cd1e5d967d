"""The recorded answers of the real runtime (tests/conformance/data)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "conformance/data"


def recorded(name: str) -> Any:
    """A JSON file of the data."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))
