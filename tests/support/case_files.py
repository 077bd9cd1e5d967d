"""Mistakes as files: what a user wrote, what was asked, and what must be told (tests/mistakes/README.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

MARK = "===== "

MAINS = ("src/entry.py", "worker.js", "worker.wasm")
"""What `main` is in the wrangler file that a case does without: the first of these that the case has."""

OLD_DATE = "2024-12-01"
NEW_DATE = "2026-01-01"


@dataclass
class Section:
    """``===== word rest`` and the text below it."""

    word: str
    rest: str
    text: str


@dataclass
class Case:
    """One file of ``cases/``; its stem names the Worker."""

    path: Path
    sections: list[Section] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.stem

    def files(self, complete: bool = True) -> dict[str, dict[str, bytes]]:
        """``{Worker: {path: content}}``, unless told otherwise with a wrangler file where the case has none."""
        workers: dict[str, dict[str, bytes]] = {self.name: {}}
        name, date = self.name, OLD_DATE
        for section in self.sections:
            if section.word == "worker":
                name = section.rest
                workers[name] = {}
            elif section.word == "date":
                date = section.rest
            elif section.word == "file":
                path, content = content_of(section)
                workers[name][path] = content
        for name, files in workers.items():
            if complete and not any(path.startswith("wrangler.") for path in files):
                main = next((path for path in MAINS if path in files), MAINS[0])
                files["wrangler.toml"] = wrangler(name, main, date).encode()
        return workers

    def steps(self) -> list[Section]:
        """What happens, in order: ``request``, ``save``, ``command``."""
        return [s for s in self.sections if s.word in ("request", "save", "command")]

    def written(self) -> str:
        """The file's text."""
        return "".join(f"{MARK}{s.word} {s.rest}".rstrip() + "\n" + s.text for s in self.sections)


def read_case(path: Path) -> Case:
    """Parse a file. Text before the first mark is not allowed."""
    before, *pieces = re.split(rf"^{MARK}", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert not before, f"{path}: text before the first {MARK}"
    case = Case(path)
    for piece in pieces:
        head, _, text = piece.partition("\n")
        word, _, rest = head.partition(" ")
        case.sections.append(Section(word, rest, text))
    return case


def content_of(section: Section) -> tuple[str, bytes]:
    """``PATH [ENCODING]`` and the text in it.

    The encoding ``escaped`` reads ``\\0`` and the like; ``wat`` makes the binary form of WebAssembly.
    """
    path, _, encoding = section.rest.partition(" ")
    if encoding == "wat":
        import wasmtime

        return path, bytes(wasmtime.wat2wasm(section.text))
    if encoding == "escaped":
        return path, section.text.encode("latin-1").decode("unicode_escape").encode("latin-1")
    return path, section.text.encode(encoding or "utf-8")


def wrangler(name: str, main: str, date: str) -> str:
    """The usual wrangler file."""
    flags = 'compatibility_flags = ["python_workers"]\n' if main.endswith(".py") else ""
    return f'name = "{name}"\nmain = "{main}"\ncompatibility_date = "{date}"\n{flags}'


def write(root: Path, files: dict[str, bytes]) -> None:
    """Write a project's files; a name that ends in ``/`` makes a directory, and what is in bin/ can be run."""
    for name, content in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if name.startswith("bin/"):
            path.chmod(0o755)
