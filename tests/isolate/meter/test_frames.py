"""Where an exception may appear: in the Worker's code, however it was made, and nowhere in ours."""

from __future__ import annotations

import asyncio
import urllib.parse
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.isolate.meter import frames, meter

WORKER = ("/w/src/entry.py", {"__name__": "entry", "__file__": "/w/src/entry.py"})
OURS = (meter.__file__, {"__name__": meter.__name__, "__file__": meter.__file__})
ASYNCIO = (asyncio.tasks.__file__, {})
STANDARD = (urllib.parse.__file__, {})
NAMED_TUPLE = ("<string>", {"__builtins__": {}, "__name__": "namedtuple_SplitResult"})
OUR_DATA_CLASS = ("<string>", OURS[1])
WORKERS_DATA_CLASS = ("<string>", WORKER[1])
EXECUTED = ("<string>", {})


def _stack(*innermost_first: tuple[str, dict[str, Any]]) -> Any:
    frame = None
    for file, space in reversed(innermost_first):
        frame = SimpleNamespace(f_code=SimpleNamespace(co_filename=file), f_globals=space, f_back=frame)
    return frame


@pytest.mark.parametrize(
    ("stack", "cut"),
    [
        ((WORKER, OURS), 0),
        ((STANDARD, WORKER, OURS), 0),
        ((OURS, WORKER, OURS), 1),
        ((STANDARD, OURS), None),
        ((NAMED_TUPLE, STANDARD, OURS), None),
        ((NAMED_TUPLE, STANDARD, WORKER, OURS), 0),
        ((NAMED_TUPLE, OURS, WORKER), 2),
        ((OUR_DATA_CLASS, OURS), None),
        ((WORKERS_DATA_CLASS, ASYNCIO), 0),
        ((EXECUTED, ASYNCIO, OURS), 0),
        ((EXECUTED, WORKER), 0),
        ((ASYNCIO, OURS), None),
    ],
)
def test_the_frame_that_may_be_cut(stack: tuple[Any, ...], cut: int | None) -> None:
    frame = _stack(*stack)
    expected = frame
    for _ in range(cut or 0):
        expected = expected.f_back

    assert frames.nearest(frame) is (None if cut is None else expected)
