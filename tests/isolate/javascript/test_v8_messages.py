"""The engine's messages in V8's words: compared with what production's engine said."""

import json
from pathlib import Path

import pytest
from explaining import Explaining

DATA = Path(__file__).parent / "data"
ANSWERS = json.loads((DATA / "messages.json").read_text("utf-8"))
DIFFERENCES = json.loads((DATA / "messages_differences.json").read_text("utf-8"))
SNIPPETS = (DATA / "snippets.txt").read_text("utf-8").rstrip("\n").split("\n")


@pytest.fixture(scope="module")
def explaining(tmp_path_factory: pytest.TempPathFactory) -> Explaining:
    return Explaining(tmp_path_factory.mktemp("explaining"))


def listed() -> dict[str, str]:
    """Snippet -> the reason why its message differs."""
    return {code: reason for reason, codes in DIFFERENCES.items() for code in codes}


@pytest.mark.parametrize("code", [code for code in SNIPPETS if code not in listed()])
def test_as_in_v8(explaining: Explaining, code: str) -> None:
    assert explaining.line(code) == ANSWERS.get(code)


@pytest.mark.parametrize("code", list(listed()))
def test_a_listed_difference_is_one(explaining: Explaining, code: str) -> None:
    assert explaining.line(code) != ANSWERS.get(code)
