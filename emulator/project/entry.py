"""Checks of a Worker's entry point: it is named, it exists, and its language is served and switched on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from emulator.config import Config
from emulator.config.words import close_matches
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Place, Report
from emulator.project.build import Build, tinygo_command
from emulator.project.go import BRIDGE, WASM, is_go_project
from emulator.project.languages import kind_of, refusal
from emulator.project.watch import SKIPPED_DIRECTORIES

_DEPTH: Final = 3
_LISTED: Final = 8
_SERVED: Final = (".py", ".js", ".mjs", ".wasm")
_USUAL: Final = (
    *("src/entry.py", "src/main.py", "entry.py", "main.py"),
    *("src/index.js", "src/worker.js", "index.js", "worker.js", "src/index.mjs", "worker.mjs", "worker.wasm"),
)


def main_of(config: Config) -> Path | None:
    """The entry point, absolute. Without ``main``, a Go project is served by its bridge, else by its wasm."""
    if config.main is None and is_go_project(config.root):
        bridge = config.root / BRIDGE
        return bridge if bridge.exists() else config.root / WASM
    return config.main


def entry_mistakes(config: Config, main: Path | None, build: Build | None) -> list[Report]:
    """All that is wrong with ``main`` and its flag; empty when the Worker may be built and loaded."""
    if main is None:
        return [_missing(config)]
    shown = shown_path(main, config.root)
    if main.suffix.lower() not in _SERVED and not main.is_dir():
        return [*_unserved(config, main, shown)]
    # What the build makes need not be there yet.
    made = build is not None and main == build.product and not main.exists()
    mistakes = [] if made else list(_file_mistakes(config, main, shown))
    if kind_of(main) == "python" and "python_workers" not in config.compatibility_flags:
        mistakes.append(_no_flag(config, shown))
    return mistakes


def missing_after_build(config: Config, build: Build) -> Report | None:
    """The build ended well; a mistake when what it should have made is not there."""
    if build.product.exists() or not build.required:
        return None
    shown = shown_path(build.product, config.root)
    where = config.value_place("main")
    return explain("build-made-nothing", main=shown, command=build.command, cwd=build.cwd, where=where)


def shown_path(path: Path, root: Path) -> str:
    """``path`` as a wrangler file in ``root`` would write it."""
    return Path(os.path.relpath(path, root)).as_posix()


def actual_case(path: Path, root: Path) -> Path | None:
    """The existing path that equals ``path`` but for upper and lower case; None without one."""
    found = root
    for part in Path(os.path.relpath(path, root)).parts:
        names = [part] if part == ".." else _names(found)
        same = part if part in names else next((n for n in names if n.casefold() == part.casefold()), None)
        if same is None:
            return None
        found = found / same
    return Path(os.path.normpath(found))


def _unserved(config: Config, main: Path, shown: str) -> Iterator[Report]:
    where = config.value_place("main")
    exists = main.exists()
    if not exists and main.suffix == "":
        files = list(sources(config.root))
        yield explain("main-not-found", main=shown, suggestion=_suggest(config, shown, files), where=where)
    else:
        compiled = str(Path(shown).with_suffix(".js").name)
        line = _main_line(config, "worker.wasm" if main.suffix == ".go" else f"dist/{compiled}")
        yield refusal(shown, line=line, build=_build_lines(config, shown, compiled), where=where)


def _build_lines(config: Config, main: str, compiled: str) -> str:
    """A ``build`` section that compiles ``main`` on every save."""
    command = f"npx esbuild {main} --bundle --format=esm --external:cloudflare:* --outfile=dist/{compiled}"
    if config.document is not None and config.document.language == "JSON":
        return f'"build": {{ "command": {json.dumps(command, ensure_ascii=False)} }}'
    return f"[build]\ncommand = {json.dumps(command, ensure_ascii=False)}"


def _file_mistakes(config: Config, main: Path, shown: str) -> Iterator[Report]:
    where = config.value_place("main")
    actual = actual_case(main, config.root)
    if actual is not None and actual != main:
        name = shown_path(actual, config.root)
        yield explain("main-wrong-case", main=shown, actual=name, line=_main_line(config, name), where=where)
    elif main.is_dir():
        files = [path for path in sources(config.root) if main in path.parents]
        yield explain("main-is-directory", main=shown, suggestion=_suggest(config, shown, files), where=where)
    elif not main.exists():
        yield _not_found(config, main, shown)
    elif reason := _unreadable(main):
        yield explain("file-unreadable", path=shown, reason=reason, where=where)


def _not_found(config: Config, main: Path, shown: str) -> Report:
    where = config.value_place("main")
    files = list(sources(config.root))
    others = [path for path in files if kind_of(path) == kind_of(main) == "javascript"]
    if kind_of(main) == "javascript" and not others and is_go_project(config.root):
        line = _main_line(config, WASM)
        return explain("main-go-no-bridge", main=shown, line=line, where=where)
    return explain("main-not-found", main=shown, suggestion=_suggest(config, shown, files), where=where)


def sources(root: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """The files of a project that may be entry points, a few directories deep, in alphabetical order."""
    for name in sorted(_names(root)):
        path = root / name
        if path.is_dir():
            if depth > 1 and name not in SKIPPED_DIRECTORIES and name not in ("python_modules", "vendor"):
                yield from sources(path, depth - 1)
        elif path.suffix in _SERVED:
            yield path


def _suggest(config: Config, shown: str, files: list[Path]) -> str:
    names = [shown_path(path, config.root) for path in files]
    same = [name for name in names if Path(name).suffix == Path(shown).suffix]
    names = same or names
    if not names:
        kind = Path(shown).suffix or ".py"
        if kind == ".wasm":
            return f"Build it, for example with TinyGo:\n\n{tinygo_command(config.root, config.root / shown)}"
        return f"The project has no {kind} file yet. Create {shown}."
    near = close_matches(shown, names) or [n for n in names if Path(n).name == Path(shown).name][:1]
    best = near[0] if near else names[0] if len(names) == 1 else ""
    if best:
        return f"Did you mean {best}?\n\n{_main_line(config, best)}"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"Create it, or name one of the project's files: {', '.join(names[:_LISTED])}{more}"


def _missing(config: Config) -> Report:
    files = [shown_path(path, config.root) for path in sources(config.root)]
    usual = [name for name in _USUAL if name in files]
    line = _line(config, "main", (usual or files or ["src/entry.py"])[0])
    where = config.key_place("name" if config.has("name") else "main")
    return explain("main-missing", config=config.path.name, line=line, where=where)


def _no_flag(config: Config, main: str) -> Report:
    file = config.path.name
    if config.has("compatibility_flags"):
        where = config.value_place("compatibility_flags")
        to = f"Change compatibility_flags (line {where.line} of {file}) to"
    else:
        neighbour = next((k for k in ("compatibility_date", "main", "name") if config.has(k)), "main")
        where = config.key_place(neighbour)
        to = _beside(where, file)
    flags = ["python_workers", *config.compatibility_flags]
    return explain(
        "no-python-workers-flag",
        main=main,
        where_to=to,
        line=_line(config, "compatibility_flags", flags),
        where=where,
    )


def _beside(where: Place, file: str) -> str:
    if file.endswith(".toml"):
        return f"Add this line after line {where.line} of {file}"
    if where.source[: where.column - 1].strip():
        return f"Add this key to {file}"
    return f"Add this line before line {where.line} of {file}"


def _main_line(config: Config, name: str) -> str:
    return _line(config, "main", name)


def _line(config: Config, key: str, value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return config.document.line(key, text) if config.document else f"{key} = {text}"


def _unreadable(path: Path) -> str:
    if not path.is_file():
        return "it is a pipe or a device"  # to open one may wait for ever
    try:
        path.open("rb").close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _names(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []
