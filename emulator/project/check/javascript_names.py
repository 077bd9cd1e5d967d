"""Names in JavaScript modules that only Node.js or web pages have, and code that is made from text."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emulator.diagnostics.javascript_globals import BROWSER_GLOBALS, NODE_GLOBALS
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.project.check.javascript_handlers import handler_mistakes, place_of, text_of
from emulator.project.check.wasm_exports import export_mistakes

if TYPE_CHECKING:
    from tree_sitter import Node

_BYTES: Final = 2_000_000
"""A longer file is a bundle, and takes seconds to walk through."""
_BUNDLED: Final = b"\n// node_modules/"
"""What esbuild writes above each module of a package."""
_REFERENCES: Final = frozenset(("identifier", "shorthand_property_identifier"))
_DECLARED_BY: Final = frozenset(
    (
        *("formal_parameters", "variable_declarator", "function_declaration", "class_declaration"),
        *("generator_function_declaration", "import_specifier", "import_clause", "namespace_import"),
        *("catch_clause", "function_expression", "class", "arrow_function"),
    )
)
_PATTERNS: Final = frozenset(
    (
        *("object_pattern", "array_pattern", "pair_pattern", "assignment_pattern", "rest_pattern"),
        "object_assignment_pattern",
    )
)


def name_mistakes(
    path: Path,
    node_compat: bool,
    env: frozenset[str],
    wasm: tuple[str, Sequence[str]] | None = None,
    known_exports: Collection[str] = (),
) -> Iterator[Report]:
    """What one module of the project uses that Workers do not have, each name once.

    ``node_compat``: the platform gives it Node's globals; ``env``: the names that env has; ``wasm``: the only
    WebAssembly module of the Worker, and its exports; ``known_exports`` are missing, which has been told.
    """
    text = _read(path)
    if text is None:
        return
    import tree_sitter
    import tree_sitter_javascript

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_javascript.language()))
    root = parser.parse(text).root_node
    if root.has_error:
        return  # loading tells where
    nodes = list(_walk(root))
    declared = {text_of(node) for node in nodes if _declares(node)}
    asked = {text_of(node) for node in nodes if _is_asked_for(node)}
    foreign = {**BROWSER_GLOBALS, **({} if node_compat else NODE_GLOBALS)}
    known = {name: instead for name, instead in foreign.items() if name not in declared | asked}
    # A bundle holds much that never runs.
    severity = "warning" if _BUNDLED in text else ""
    for node in _first_of_each(nodes, known):
        yield _foreign(node, path, text, known, severity)
    for node in nodes:
        if _makes_code(node, declared):
            yield explain("js-no-eval", where=place_of(node, path, text), severity=severity)
    yield from handler_mistakes(nodes, path, text)
    if wasm is not None and not severity:
        found = export_mistakes(nodes, path, text, wasm)
        yield from (report for name, report in found if name not in known_exports)
    if "env" in declared:
        yield from _missing_env(nodes, path, text, env)


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            text = file.read(_BYTES + 1)
    except OSError:
        return None
    return text if len(text) <= _BYTES else None


def _walk(root: Node) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack += node.children[::-1]


def _declares(node: Node) -> bool:
    """Whether an identifier gives a name to something."""
    if node.type == "shorthand_property_identifier_pattern":
        return True
    child, parent = node, node.parent
    if node.type != "identifier" or parent is None:
        return False
    while parent is not None and parent.type in _PATTERNS:
        left = parent.child_by_field_name("left")
        if left is not None and left != child:
            return False
        child, parent = parent, parent.parent
    if parent is None or parent.type not in _DECLARED_BY:
        return False
    if parent.type in ("formal_parameters", "import_specifier", "import_clause", "namespace_import"):
        return True
    fields = ("name", "parameter")
    return any(parent.child_by_field_name(field) == child for field in fields)


def _is_asked_for(node: Node) -> bool:
    """``typeof process``: the program knows that it may not be there."""
    parent = node.parent
    return (
        node.type == "identifier"
        and parent is not None
        and parent.type == "unary_expression"
        and text_of(parent).startswith("typeof")
    )


def _first_of_each(nodes: list[Node], names: dict[str, str]) -> Iterator[Node]:
    seen: set[str] = set()
    for node in nodes:
        name = text_of(node) if node.type in _REFERENCES else ""
        if name in names and name not in seen and not _is_replaced(node):
            seen.add(name)
            yield node


def _is_replaced(node: Node) -> bool:
    """``process.env.NODE_ENV``: wrangler puts a text in its place."""
    outer = node.parent.parent if node.parent else None
    return outer is not None and text_of(outer) == "process.env.NODE_ENV"


def _foreign(node: Node, path: Path, text: bytes, instead: dict[str, str], severity: str) -> Report:
    name = text_of(node)
    code = "js-browser-global" if name in BROWSER_GLOBALS else "js-node-global"
    facts: dict[str, Any] = {"name": name, "instead": instead[name]}
    exception = f"ReferenceError: {name} is not defined"
    where = place_of(node, path, text)
    return explain(code, where=where, exception=exception, severity=severity, **facts)


def _makes_code(node: Node, declared: set[str]) -> bool:
    """``eval(text)`` and ``new Function(text)``."""
    field = {"call_expression": "function", "new_expression": "constructor"}.get(node.type)
    called = node.child_by_field_name(field) if field else None
    if called is None or called.type != "identifier" or text_of(called) in declared:
        return False
    return text_of(called) == "Function" or (node.type == "call_expression" and text_of(called) == "eval")


def _missing_env(nodes: list[Node], path: Path, text: bytes, env: frozenset[str]) -> Iterator[Report]:
    """``env.NAME`` for names that nothing configures; names in lower case may be methods of the program's."""
    from emulator.config.words import close_matches

    told: set[str] = set()
    names = sorted(env)
    for node in nodes:
        if node.type != "member_expression":
            continue
        base, member = node.child_by_field_name("object"), node.child_by_field_name("property")
        if base is None or member is None or base.type != "identifier" or text_of(base) != "env":
            continue
        name = text_of(member)
        if name not in env | told and name.isupper() and not _is_written(node):
            told.add(name)
            near = close_matches(name, names)
            facts: dict[str, Any] = {"known": ", ".join(names), "similar": near[0] if near else ""}
            where = place_of(node, path, text)
            yield explain("env-missing", where=where, severity="warning", name=name, **facts)


def _is_written(node: Node) -> bool:
    parent = node.parent
    if parent is None or parent.type != "assignment_expression":
        return False
    return parent.child_by_field_name("left") == node
