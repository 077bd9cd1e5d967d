"""Which files are the user's own."""

from __future__ import annotations

import pytest

from emulator.diagnostics.own_files import is_own


@pytest.mark.parametrize(
    ("file", "own"),
    [
        ("/w/src/entry.py", True),
        ("/w/a.py", True),
        ("/w/python_modules_of_mine/a.py", True),
        ("/w/python_modules/fastapi/a.py", False),
        ("/w/src/python_modules/fastapi/a.py", False),
        ("/w/node_modules/hono/a.js", False),
        ("/w/.venv/lib/python3.13/site-packages/workers/__init__.py", False),
        ("/worse/a.py", False),
        ("<frozen importlib._bootstrap>", False),
        ("", False),
    ],
)
def test_a_file(file: str, own: bool) -> None:
    assert is_own(file, "/w/") == own


def test_where_the_project_lies_does_not_matter() -> None:
    root = "/home/me/node_modules/site-packages/w/"
    assert is_own(root + "a.py", root)
    assert not is_own(root + "python_modules/a.py", root)
