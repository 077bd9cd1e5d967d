"""Wrangler's module rules: which imports and which files they mean."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from emulator.project.bundle.rules import additional_modules, import_pattern, path_pattern, rules_of


@pytest.mark.parametrize(
    ("glob", "text", "matches"),
    [
        ("**/*.txt", "./a.txt", True),
        ("**/*.txt", "../deep/er/a.txt", True),
        ("**/*.txt", "a.txt", False),  # an import of a package
        ("**/*.txt", "./a.txt?x", False),
        ("**/*.wasm?module", "./a.wasm?module", True),
        ("*.md", "docs/a.md", True),
        ("a+b.md", "a+b.md", True),
        ("a+b.md", "aab.md", False),
    ],
)
def test_imports(glob: str, text: str, matches: bool) -> None:
    assert bool(re.search(import_pattern(glob), text)) is matches


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("**/*.txt", "a.txt", True),
        ("**/*.txt", "a/b/c.txt", True),
        ("*.txt", "a.txt", True),
        ("*.txt", "a/b.txt", False),
        ("a/*.txt", "a/b.txt", True),
        ("a/**", "a/b/c", True),
        ("a/**/c.txt", "a/c.txt", True),
        ("a/**/c.txt", "b/c.txt", False),
        ("a.b", "axb", False),
    ],
)
def test_files(glob: str, path: str, matches: bool) -> None:
    assert bool(path_pattern(glob).fullmatch(path)) is matches


def test_a_rule_ends_its_type_unless_it_falls_through() -> None:
    ended = rules_of([{"type": "Text", "globs": ["**/*.md"]}])
    assert [rule.globs for rule in ended.ignored] == [["**/*.txt", "**/*.html", "**/*.sql"]]
    through = rules_of([{"type": "Text", "globs": ["**/*.md"], "fallthrough": True}])
    assert [rule.type for rule in through.used] == ["Text", "Text", "Data", "CompiledWasm"]
    assert not through.ignored


def test_additional_modules_in_wranglers_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a.js", ".wrangler/tmp/x.txt", "index.js", "a/b/y.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    os.symlink(tmp_path, tmp_path / "a" / "again")
    rules = rules_of([{"type": "ESModule", "globs": ["**/*.js"]}])
    found = additional_modules(tmp_path, tmp_path / "index.js", tmp_path / "wrangler.toml", rules)
    assert list(found) == ["a/b/y.html", "a/z.txt", "a.js", "b.txt"]
    assert found["a.js"] == str(tmp_path / "a.js")
