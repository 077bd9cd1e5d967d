"""Which known mistake an exception of a JavaScript Worker is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from emulator.diagnostics.javascript_globals import BROWSER_GLOBALS, NODE_GLOBALS, PLATFORM_GLOBALS
from emulator.diagnostics.report import Place

from .hints import hint
from .source import Source, Sources, text_of, walk

Mistake = tuple[str, dict[str, Any], Place | None]
"""Code, facts, and the place when it is another one than where the exception was thrown."""

NOT_RESPONSE: Final = "Incorrect type for Promise: the Promise did not resolve to 'Response'."

_READING: Final = re.compile(r"Cannot read properties of (undefined|null) \(reading '(.*)'\)", re.DOTALL)
_DESTRUCTURED: Final = re.compile(
    r"Cannot destructure property '(.*)' of '(.*)' as it is (undefined|null)\.", re.DOTALL
)
_UNDEFINED: Final = re.compile(r"(\S+) is not defined")
_PARAMETERS: Final = ("request", "env", "ctx")
"""What a handler is given."""


class Clues(NamedTuple):
    """What is known about an exception: V8's words, the place, the project."""

    name: str
    message: str
    where: Place | None
    frames: list[Place]
    main: str
    root: str
    sources: Sources
    facts: Mapping[str, Any]
    globals_: Callable[[], list[str]]
    """The names of all globals."""


def recognise(clues: Clues) -> Mistake:
    """The known mistake behind an exception, else ``js-uncaught``."""
    for look in (_by_message, _wasm_link, _wasm_module, _env, _name, _recursion):
        found = look(clues)
        if found is not None:
            return found
    source, where = _source(clues), clues.where
    if clues.message == "Assignment to constant variable." and source is not None and where is not None:
        return "js-uncaught", {"hint": hint(clues.name, clues.message, source)}, _constant(source, where)
    before = where.source[: max(where.column - 1, 0)] if where is not None else ""
    return "js-uncaught", {"hint": hint(clues.name, clues.message, source, before)}, None


def _constant(source: Source, where: Place) -> Place:
    """The assignment to a constant at or before ``where``: the engine points at what comes behind it."""
    end = source.offset(where.line, where.column)
    constants: set[str] = set()
    found = None
    for node in walk(source.tree.root_node):
        if node.type == "lexical_declaration" and text_of(node).startswith("const"):
            constants |= {text_of(each.child_by_field_name("name")) for each in node.named_children}
        target = node.child_by_field_name("argument" if node.type == "update_expression" else "left")
        assigns = node.type in (
            "assignment_expression",
            "augmented_assignment_expression",
            "update_expression",
        )
        earlier = found is not None and node.start_byte <= found.start_byte
        if assigns and not earlier and node.start_byte <= end and text_of(target) in constants:
            found = node
    if found is None:
        return where
    line, column = source.position(found.start_byte)
    return Place(where.file, line, column, where.function, source.line(line))


_BY_MESSAGE: Final[Mapping[str, str]] = {
    NOT_RESPONSE: "js-not-a-response",
    "Body has already been used": "js-body-used",
    "body is already used": "js-body-used",
    "This ReadableStream is currently locked to a reader": "js-body-used",
    "Disallowed operation called within global scope": "global-scope",
    "Too many subrequests by single Worker invocation": "subrequests-exceeded",
}


def _by_message(clues: Clues) -> Mistake | None:
    code = next((code for sign, code in _BY_MESSAGE.items() if sign in clues.message), "")
    if code:
        return code, {"type": clues.facts.get("type", "")}, None
    if clues.name == "RuntimeError" and "wasm" in _files(clues):
        return "js-wasm-trap", {"trap": clues.message}, None
    return None


def _files(clues: Clues) -> str:
    return " ".join(frame.file for frame in clues.frames)


def _wasm_link(clues: Clues) -> Mistake | None:
    """Imports that ``instantiate`` was not given, and exports that the module does not have."""
    source = _source(clues)
    if source is None or clues.where is None or b".wasm" not in source.text:
        return None
    from .wasm_mistakes import export_mistake, imports_mistake

    facts = imports_mistake(clues.message, clues.where.file, source)
    if facts is not None:
        return "js-wasm-imports", facts, None
    found = export_mistake(clues.message, clues.where.file, source)
    return ("js-wasm-export", *found) if found is not None else None


def _wasm_module(clues: Clues) -> Mistake | None:
    """Workers import a Module, for which ``instantiate`` gives the Instance itself."""
    if not (_READING.fullmatch(clues.message) or _DESTRUCTURED.fullmatch(clues.message)):
        return None
    source, where = _source(clues), clues.where
    if source is None or where is None or b"WebAssembly" not in source.text:
        return None
    from .wasm_instance import instance_mistake

    found = instance_mistake(source, where)
    return ("js-wasm-instance", *found) if found is not None else None


# ---- bindings --------------------------------------------------------------------------


def _env(clues: Clues) -> Mistake | None:
    """``env.KV.get(...)`` without such a binding."""
    found = _READING.fullmatch(clues.message)
    source = _source(clues)
    if found is None or source is None or clues.where is None:
        return None
    from .sites import Site

    access = Site(source, clues.where.line, clues.where.column).access
    owner = access.child_by_field_name("object") if access is not None else None
    if owner is None or owner.type != "member_expression":
        return None
    base, name = text_of(owner.child_by_field_name("object")), text_of(owner.child_by_field_name("property"))
    if base not in ("env", "this.env") or found[1] != "undefined":
        return None
    absent = clues.facts.get("absent", {})
    if name in absent:
        return "js-env-not-emulated", {"name": name, "key": absent[name]}, None
    names = [str(known) for known in clues.facts.get("env", ())]
    similar = next(iter(difflib.get_close_matches(name, names, 1, 0.7)), "")
    return "js-env-missing", {"name": name, "similar": similar, "known": ", ".join(names)}, None


# ---- names -----------------------------------------------------------------------------


def _name(clues: Clues) -> Mistake | None:
    found = _UNDEFINED.fullmatch(clues.message) if clues.name == "ReferenceError" else None
    if found is None:
        return None
    name = found[1]
    if _uses_go(clues):
        return "js-go-standard", {"name": name}, None
    if name in NODE_GLOBALS:
        return "js-node-global", {"name": name, "instead": NODE_GLOBALS[name]}, None
    if name in BROWSER_GLOBALS:
        return "js-browser-global", {"name": name, "instead": BROWSER_GLOBALS[name]}, None
    if name in PLATFORM_GLOBALS:
        return "js-not-defined", {"name": name, "platform": True}, None
    if name in clues.facts.get("env", ()):
        return "js-not-defined", {"name": name, "binding": True}, None
    similar = "" if name in _PARAMETERS else _similar(name, clues)
    return "js-not-defined", {"name": name, "similar": similar, "parameter": name in _PARAMETERS}, None


def _similar(name: str, clues: Clues) -> str:
    source = _source(clues)
    own: set[str] = set()
    if source is not None:
        own = {text_of(node) for node in walk(source.tree.root_node) if node.type == "identifier"} - {name}
    names = [*sorted(own), *clues.globals_()]
    same = next((known for known in names if known.lower() == name.lower()), "")
    return same or next(iter(difflib.get_close_matches(name, names, 1, 0.8)), "")


# ---- recursion, and Go's own wasm ------------------------------------------------------


def _recursion(clues: Clues) -> Mistake | None:
    if clues.message != "Maximum call stack size exceeded":
        return None
    if _uses_go(clues):
        return "js-go-standard", {}, None
    named = [frame.function for frame in clues.frames if frame.function]
    often = max(set(named), key=named.count) if named else ""
    return "js-recursion", {"function": often}, None


def _uses_go(clues: Clues) -> bool:
    """Whether the project brings Go's ``wasm_exec.js``, or a module that imports ``gojs``."""
    folder = Path(clues.root)
    seen = 0
    for directory in (folder, Path(clues.main).parent, folder / "src"):
        try:
            files = sorted(directory.iterdir())
        except OSError:
            continue
        for file in files:
            seen += 1
            if seen > 500:
                return False
            if file.name == "wasm_exec.js" or (file.suffix == ".wasm" and _imports_gojs(file)):
                return True
    return False


def _imports_gojs(file: Path) -> bool:
    """The import section comes early: its names are within the first bytes."""
    try:
        with file.open("rb") as opened:
            head = opened.read(64 * 1024)
    except OSError:
        return False
    return head.startswith(b"\0asm") and (b"\x04gojs" in head or b"syscall/js." in head)


def _source(clues: Clues) -> Source | None:
    return clues.sources.get(clues.where.file) if clues.where is not None else None
