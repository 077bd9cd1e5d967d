"""The documents agree with the files and with the command that they describe."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from serving import command, environment

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("sample-workers/*/README.md")]
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_relative_links_lead_to_files(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readme_lists_the_options_of_serve() -> None:
    shown = subprocess.run(
        [command(), "serve", "--help"], env=environment(), capture_output=True, text=True, check=True
    ).stdout
    options = set(re.findall(r"^\s+(?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE)) - {"--help"}
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(--[a-z-]+)", readme, re.MULTILINE)) - {"--version"} == options


def test_the_readme_opens_with_two_commands() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", readme.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    assert [block.split()[-1] for block in blocks] == ["sample-workers/python-hello", ".venv/bin/pytest"]
    assert all(block.startswith("python3 -m venv .venv && ") and block.count("\n") == 1 for block in blocks)
