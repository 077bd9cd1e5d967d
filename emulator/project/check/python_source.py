"""The Python files of a Worker that its entry point reaches, parsed, without running any of them."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from emulator.diagnostics.report import Place

_FILES: Final = 2_000
"""Files that are looked at; a Worker has a few."""
_BYTES: Final = 2_000_000
"""A longer file is data that is spelled as code."""
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


class Context(NamedTuple):
    """Where a node stands."""

    function: str = ""
    """The qualified name of the function around it."""
    optional: bool = False
    """Inside a ``try`` that catches what a failing import raises."""
    scope: ast.AST | None = None
    """The innermost function around it."""


class Import(NamedTuple):
    """One module that a file asks for by an absolute name."""

    name: str
    """Dotted."""
    node: ast.AST
    context: Context

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]


@dataclass
class PythonFile:
    """One parsed file."""

    path: Path
    tree: ast.Module
    text: str
    imports: list[Import] = field(default_factory=list)
    """Those that the project itself does not answer."""

    @cached_property
    def nodes(self) -> list[tuple[ast.AST, Context]]:
        """Every node that may run on the platform, outermost first, in the order of the source."""
        return list(_walk(self.tree))

    @cached_property
    def origins(self) -> dict[str, str]:
        """What names stand for: ``{"sleep": "time.sleep"}``. Names that are also bound in another way are
        left out."""
        found: dict[str, set[str]] = {}
        for node, _ in self.nodes:
            for name, origin in _bound(node):
                found.setdefault(name, set()).add(origin)
        return {
            name: origins.pop() for name, origins in found.items() if len(origins) == 1 and "" not in origins
        }

    def origin(self, node: ast.AST) -> str:
        """The dotted name of what an expression stands for (``time.sleep`` for ``sleep``), else ""."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        base = self.origins.get(node.id, "") if isinstance(node, ast.Name) else ""
        return ".".join([base, *reversed(parts)]) if base else ""

    def is_builtin(self, node: ast.AST, name: str) -> bool:
        """Whether ``node`` is the builtin ``name``, which nothing in the file rebinds."""
        return isinstance(node, ast.Name) and node.id == name and name not in self._all_bound

    @cached_property
    def _all_bound(self) -> set[str]:
        return {name for node, _ in self.nodes for name, _ in _bound(node)}

    def place(self, node: ast.AST, function: str = "") -> Place:
        """Where ``node`` begins."""
        line = getattr(node, "lineno", 1)
        source = self._lines[line - 1] if line <= len(self._lines) else ""
        # ast counts bytes of UTF-8.
        before = source.encode()[: getattr(node, "col_offset", 0)].decode("utf-8", "ignore")
        return Place(str(self.path), line, len(before) + 1, function, source)

    @cached_property
    def mentioned(self) -> set[str]:
        """Every name that code which may run reads, bare or behind a dot."""
        names = {node.id for node, _ in self.nodes if isinstance(node, ast.Name)}
        return names.union(node.attr for node, _ in self.nodes if isinstance(node, ast.Attribute))

    @cached_property
    def _lines(self) -> list[str]:
        return _LINE_END.split(self.text)


def reached(main: Path) -> list[PythonFile]:
    """The entry point and the project's modules that it imports, directly or not. Files that cannot be read
    or parsed are left out: loading tells about them."""
    found: dict[Path, PythonFile | None] = {}
    waiting = [main]
    while waiting and len(found) < _FILES:
        path = waiting.pop(0)
        if path in found:
            continue
        found[path] = file = parse(path)
        if file is not None:
            waiting += _follow(file, main.parent)
    return [file for file in found.values() if file is not None]


def parse(path: Path) -> PythonFile | None:
    """The file, or None when it is no Python."""
    try:
        if path.stat().st_size > _BYTES:
            return None
        text = path.read_bytes().decode("utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return PythonFile(path, ast.parse(text), text)
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _follow(file: PythonFile, base: Path) -> Iterator[Path]:
    """The project's files that this one imports; what else it imports is kept in it."""
    for node, context in file.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _resolved(file, base, alias.name, Import(alias.name, node, context))
        elif isinstance(node, ast.ImportFrom):
            start = base
            if node.level:
                start = file.path.parent
                for _ in range(node.level - 1):
                    start = start.parent
            given = None if node.level else Import(node.module or "", node, context)
            names = [f"{node.module}.{a.name}" if node.module else a.name for a in node.names]
            paths = [path for name in names for path in _files(start, name)]
            if paths or given is None or _files(base, given.name):
                yield from paths
                yield from _files(start, node.module) if node.module else ()
            elif not _is_project(base, given.top):
                file.imports.append(given)


def _resolved(file: PythonFile, base: Path, name: str, given: Import) -> Iterator[Path]:
    paths = _files(base, name)
    yield from paths
    if not paths and not _is_project(base, given.top):
        file.imports.append(given)


def _files(base: Path, dotted: str) -> list[Path]:
    """The files that run when ``dotted`` is imported from ``base``."""
    found: list[Path] = []
    here = base
    for part in dotted.split("."):
        module, package = here / f"{part}.py", here / part / "__init__.py"
        if _is_file(package):
            found.append(package)
        elif _is_file(module):
            found.append(module)
        here = here / part
    return found


def _is_project(base: Path, top: str) -> bool:
    """Whether the project has a module or a directory of this name."""
    try:
        return (base / f"{top}.py").is_file() or any((base / top).glob("**/*.py"))
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for the system
        return False


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, Context]]:
    # Not by recursion: long sums nest deeper than Python recurses.
    stack: list[tuple[ast.AST, Context]] = [(tree, Context())]
    while stack:
        node, context = stack.pop()
        yield node, context
        stack += [*_children(node, context)][::-1]


def _children(node: ast.AST, context: Context) -> Iterator[tuple[ast.AST, Context]]:
    if isinstance(node, ast.If) and _never(node.test):
        yield from ((child, context) for child in node.orelse)
        return
    if isinstance(node, ast.Try):
        tried = context._replace(optional=context.optional or _catches_imports(node))
        yield from ((child, tried) for child in node.body)
        rest = [*node.handlers, *node.orelse, *node.finalbody]
        yield from ((child, context) for child in rest)
        return
    inner = context
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        name = f"{context.function}.{node.name}" if context.function else node.name
        inner = context._replace(function=name)
        if not isinstance(node, ast.ClassDef):
            inner = inner._replace(scope=node)
    elif isinstance(node, ast.Lambda):
        inner = context._replace(scope=node)
    yield from ((child, inner) for child in ast.iter_child_nodes(node))


def _never(test: ast.expr) -> bool:
    """``TYPE_CHECKING`` and ``__name__ == "__main__"``: never true on the platform."""
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    if name == "TYPE_CHECKING":
        return True
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _catches_imports(node: ast.Try) -> bool:
    wanted = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    for handler in node.handlers:
        if handler.type is None:
            return True
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if any(isinstance(each, ast.Name) and each.id in wanted for each in types):
            return True
    return False


def _bound(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that a node binds, and the dotted name that an import gives them."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            origin = f"{node.module}.{alias.name}" if node.module and not node.level else ""
            yield alias.asname or alias.name, origin
    elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        yield node.name, ""
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id, ""
    elif isinstance(node, ast.arg):
        yield node.arg, ""
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name, ""
