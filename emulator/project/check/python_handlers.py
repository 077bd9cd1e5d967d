"""Mistakes around JavaScript objects and handlers that the source of a Python Worker shows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

from emulator.config.words import close_matches
from emulator.diagnostics.known import explain
from emulator.diagnostics.report import Report
from emulator.project.check.python_source import Context, PythonFile

_TAKE_HEADERS: Final = frozenset(
    ("js.Response.new", "js.Request.new", "js.fetch", "js.Response.json", "js.Response.redirect")
)
_CLASSES: Final = frozenset(
    (
        *("Response", "Request", "Headers", "URL", "URLSearchParams", "FormData", "Blob", "File", "Promise"),
        *("TextEncoder", "TextDecoder", "Map", "Set", "WeakMap", "Uint8Array", "ArrayBuffer", "DataView"),
        *("ReadableStream", "WritableStream", "TransformStream", "AbortController", "Event", "EventTarget"),
    )
)
"""Classes of JavaScript that refuse to be called."""
_LATER: Final = frozenset(("js.setTimeout", "js.setInterval", "js.queueMicrotask"))
_READERS: Final = frozenset(
    ("text", "json", "arrayBuffer", "bytes", "blob", "formData", "buffer", "form_data")
)
_SIMPLE: Final = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)
"""Statements that run once, and wholly."""
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def handler_mistakes(file: PythonFile, env: frozenset[str], is_main: bool) -> Iterator[Report]:
    """What one file shows. ``env`` are the names that env has; ``is_main``: it is the entry point."""
    yield from _javascript(file)
    yield from _never_awaited(file)
    for owner, function in _fetch_handlers(file.tree) if is_main else ():
        name = f"{owner}.{function.name}" if owner else function.name
        yield from _returns(file, function, name)
        yield from _missing_env(file, function, owner, env)
        yield from _read_twice(file, function, name, bool(owner))


# ---- JavaScript objects --------------------------------------------------------------


def _javascript(file: PythonFile) -> Iterator[Report]:
    defined = {node.name for node, _ in file.nodes if isinstance(node, _FUNCTIONS)}
    for node, context in file.nodes:
        if not isinstance(node, ast.Call):
            continue
        code = _call_mistake(file, node, context, defined)
        if code:
            yield explain(code, where=file.place(node, context.function))


def _call_mistake(file: PythonFile, node: ast.Call, context: Context, defined: set[str]) -> str:
    name = file.origin(node.func)
    package, _, member = name.rpartition(".")
    if package == "js" and member in _CLASSES:
        return "new-missing"
    headers = next((each.value for each in node.keywords if each.arg == "headers"), None)
    if name == "js.Headers.new" and node.args:
        headers = node.args[0]
    elif name not in _TAKE_HEADERS:
        headers = None
    if headers is not None and _is_dict(headers, context):
        return "headers-plain-dict"
    if name in _LATER and node.args and _is_function(node.args[0], defined):
        return "borrowed-proxy"
    listens = isinstance(node.func, ast.Attribute) and node.func.attr == "addEventListener"
    if listens and len(node.args) > 1 and _is_function(node.args[1], defined):
        return "borrowed-proxy"
    return ""


def _is_dict(value: ast.expr, context: Context) -> bool:
    """A dict, or a name that its function binds to a dict and to nothing else."""
    if isinstance(value, ast.Dict | ast.DictComp):
        return True
    if not isinstance(value, ast.Name) or context.scope is None:
        return False
    bound = [
        node
        for node in ast.walk(context.scope)
        if isinstance(node, ast.Name) and node.id == value.id and isinstance(node.ctx, ast.Store)
    ]
    values = [
        node.value
        for node in ast.walk(context.scope)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == value.id for target in node.targets)
    ]
    return len(bound) == len(values) == 1 and isinstance(values[0], ast.Dict)


def _is_function(value: ast.expr, defined: set[str]) -> bool:
    return isinstance(value, ast.Lambda) or (isinstance(value, ast.Name) and value.id in defined)


# ---- handlers ------------------------------------------------------------------------


def _fetch_handlers(tree: ast.Module) -> Iterator[tuple[str, _Function]]:
    """The functions that answer requests, with the class that they belong to."""
    for node in tree.body:
        if isinstance(node, _FUNCTIONS) and node.name == "on_fetch" and not node.decorator_list:
            yield "", node
        elif isinstance(node, ast.ClassDef) and node.name == "Default":
            for member in node.body:
                if isinstance(member, _FUNCTIONS) and member.name in ("fetch", "on_fetch"):
                    yield node.name, member


def _returns(file: PythonFile, function: _Function, name: str) -> Iterator[Report]:
    own = list(_own(function))
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own):
        return
    returned = [node for node in own if isinstance(node, ast.Return)]
    for node in returned:
        kind = _kind(file, node.value)
        if kind:
            yield explain("not-a-response", where=file.place(node, name), handler=name, type=kind)
    ends = any(isinstance(node, ast.Raise | ast.While) for node in own)
    if not returned and not ends:
        yield explain("not-a-response", where=file.place(function, name), handler=name, type="NoneType")


def _own(function: _Function) -> Iterator[ast.AST]:
    """What runs as part of a function, without the functions and classes inside of it."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop(0)
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
            stack = [*ast.iter_child_nodes(node), *stack]


def _kind(file: PythonFile, value: ast.expr | None) -> str:
    """The name of a value's type, when it is known not to be a Response."""
    if value is None:
        return "NoneType"
    if isinstance(value, ast.Constant):
        return type(value.value).__name__
    if isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Call) and file.origin(value.func) == "json.dumps"
    ):
        return "str"
    kinds = {ast.Dict: "dict", ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}
    return kinds.get(type(value), "")


def _read_twice(file: PythonFile, function: _Function, name: str, in_class: bool) -> Iterator[Report]:
    """The body of the request, read by two statements of which both run."""
    parameters = [each.arg for each in function.args.args][in_class:][:1]
    touched = {
        node.attr if isinstance(node, ast.Attribute) else "="
        for node in ast.walk(function)
        if (isinstance(node, ast.Attribute) and _is_named(node.value, parameters))
        or (_is_named(node, parameters) and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }
    if touched & {"clone", "="}:
        return
    reads = [
        node
        for statement in function.body
        if isinstance(statement, _SIMPLE)
        for node in ast.walk(statement)
        if isinstance(node, ast.Await) and _reads(node.value, parameters)
    ]
    if len(reads) > 1:
        yield explain("body-used", where=file.place(reads[1], name))


def _reads(call: ast.expr, names: list[str]) -> bool:
    """``request.text()``"""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    return call.func.attr in _READERS and _is_named(call.func.value, names)


def _is_named(node: ast.AST, names: list[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _missing_env(file: PythonFile, function: _Function, owner: str, env: frozenset[str]) -> Iterator[Report]:
    """``env.NAME`` for names that nothing configures."""
    parameters = [each.arg for each in function.args.args]
    told: set[str] = set()
    for node in ast.walk(function):
        if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        on_env = (
            _is_self_env(node.value, parameters)
            if owner
            else len(parameters) > 1 and isinstance(node.value, ast.Name) and node.value.id == parameters[1]
        )
        # Methods of env are in lower case; variables and bindings are not.
        if on_env and node.attr not in env | told and node.attr.isupper():
            told.add(node.attr)
            yield _no_such_variable(file, node, env)


def _no_such_variable(file: PythonFile, node: ast.Attribute, env: frozenset[str]) -> Report:
    names = sorted(env)
    near = close_matches(node.attr, names)
    facts: dict[str, Any] = {"name": node.attr, "known": ", ".join(names), "similar": near[0] if near else ""}
    return explain("env-missing", where=file.place(node), severity="warning", **facts)


def _is_self_env(node: ast.expr, parameters: list[str]) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "env"
        and isinstance(node.value, ast.Name)
        and node.value.id == (parameters or [""])[0]
    )


def _never_awaited(file: PythonFile) -> Iterator[Report]:
    """Statements that only call an async function of the same file."""
    names = {node.name for node in file.tree.body if isinstance(node, ast.AsyncFunctionDef)}
    others = [
        name
        for node, _ in file.nodes
        for name in ([node.id] if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) else [])
    ]
    for node, context in file.nodes:
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            name = call.func.id
            if name in names and name not in others:
                yield explain("never-awaited", where=file.place(node, context.function), name=name)
