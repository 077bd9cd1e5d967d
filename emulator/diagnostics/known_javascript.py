"""Known mistakes of JavaScript Workers (texts of ``known.KNOWN``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.javascript_globals import NODE_COMPAT_GLOBALS
from emulator.diagnostics.known_direct import EXPORT_MISTAKES, TINYGO_BUILD, target_texts
from emulator.diagnostics.mistake import Known


def _env_name(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``name``, ``similar`` and ``known``, the names that env has."""
    known, similar = values.get("known"), values.get("similar")
    return {
        "has": f"env has: {known}." if known else "No binding or variable of that name is configured.",
        "near": f"Did you mean {similar}? Or add" if similar else "Add",
    }


def _returned(values: Mapping[str, Any]) -> dict[str, str]:
    """Fact ``type``: the ``typeof`` or the class of what the handler returned."""
    kind = str(values.get("type") or "")
    hints = {
        "undefined": ' Perhaps a "return" is missing on one of its paths.',
        "function": " Perhaps the call brackets are missing.",
    }
    forms = {
        "number": "return new Response(String(number));",
        "boolean": "return Response.json(value);",
    }
    text = "return Response.json(data);" if kind[:1].isupper() else "return new Response(text);"
    shown = kind if kind in ("undefined", "null") else f"a value of type {kind}" if kind else "something else"
    return {
        "returned": f"The handler returned {shown}, and a fetch handler must return a Response.",
        "perhaps": hints.get(kind, ""),
        "example": forms.get(kind, text),
    }


def _undefined(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``name``, ``similar`` (the nearest name), ``parameter`` (handlers are given it), ``binding`` (env
    has it) and ``platform`` (only the platform has it)."""
    name = values.get("name")
    if values.get("platform"):
        return {
            "nothing": f"The platform has {name}; cfw-emu does not have it yet. This is no mistake of yours.",
            "advice": f'Where the program can do without, ask first: `typeof {name} !== "undefined"`.',
        }
    nothing = (
        f"Nothing of the name {name} is declared in this file, imported into it, or a global of Workers."
    )
    return {"nothing": nothing, "advice": _advice(values)}


def _node_global(values: Mapping[str, Any]) -> dict[str, str]:
    """Fact ``name``."""
    if values.get("name") in NODE_COMPAT_GLOBALS:
        flag = 'compatibility_flags = ["nodejs_compat"]'
        return {"absent": f"Workers have it only with {flag}, which cfw-emu does not offer yet"}
    return {"absent": "it is not there in Workers"}


def _advice(values: Mapping[str, Any]) -> str:
    name, similar = values.get("name"), values.get("similar")
    if values.get("binding"):
        return f"Bindings and variables are on `env`: write env.{name}"
    if values.get("parameter"):
        return "Name it among the handler's parameters:\n\nasync fetch(request, env, ctx) {"
    if similar:
        return f"Did you mean {similar}? Upper and lower case matter."
    return f"Declare it, import it (`import {{ {name} }} from ...`), or correct its spelling."


def _recursion(values: Mapping[str, Any]) -> dict[str, str]:
    """Fact ``function``: the name that the stack repeats."""
    name = values.get("function")
    return {"calls": f"{name} calls itself" if name else "A function calls itself"}


_TRAPS: Final[Mapping[str, str]] = {
    "unreachable": "The program gave up by itself: in Go, a panic (nil map, index out of range, an unhandled "
    "error); in Rust, panic!.",
    "memory access out of bounds": "It read or wrote outside of its memory: a wrong pointer or length.",
    "divide by zero": "An integer was divided by zero.",
    "float unrepresentable in integer range": "A float that is too large, or NaN, was made an integer.",
    "table index is out of bounds": "A function was called through an index that the table does not have.",
    "divide result unrepresentable": "The smallest integer was divided by -1.",
    "remainder by zero": "The remainder of a division by zero was asked for.",
    "function signature mismatch": "A function was called through a pointer of another type.",
    "null function": "A function was called through an empty entry of the table: in Go, a nil function.",
}


_LOOK: Final = (
    "Look at the innermost of the program's functions above. In Go, check lengths before you index, errors "
    "before you use a result, and maps and pointers for nil."
)


def _trap(values: Mapping[str, Any]) -> dict[str, str]:
    """Fact ``trap``: V8's text."""
    text = str(values.get("trap", ""))
    why = next((why for sign, why in _TRAPS.items() if sign in text), "")
    advice = "Check the divisor first." if "by zero" in text else _LOOK
    return {"meaning": why or "The program did something that WebAssembly forbids.", "advice": advice}


def _wasm_imports(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``target`` (of ``go_targets``), ``module`` (its variable), ``functions``: ``(module, name)``."""
    if values.get("target") != "host":
        return target_texts(values.get("target"))
    by_module: dict[str, list[str]] = {}
    for module, name in values.get("functions") or ():
        by_module.setdefault(module, []).append(name)
    lines = [
        f"  {_key(module)}: {{ {', '.join(f'{_key(name)}: (...values) => {{}}' for name in names)} }},"
        for module, names in by_module.items()
    ]
    call = f"const instance = await WebAssembly.instantiate({values.get('module')}, {{"
    return {
        "built": "",
        "rebuild": "Give it functions of these names:\n\n" + "\n".join([call, *lines, "});"]),
    }


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name, ensure_ascii=False)


def _wasm_export(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``name``, ``similar``, ``mistake`` (a kind of ``go_exports``), ``declared`` (the Go function's
    line), ``stale`` (the Go source exports it)."""
    name = values.get("name")
    line = str(values.get("declared") or f"func {name}() {{")
    if values.get("mistake"):
        return {"advice": f"{EXPORT_MISTAKES.get(str(values['mistake']), '')}\n\n//export {name}\n{line}"}
    if values.get("stale"):
        return {"advice": f"The Go source exports it: the .wasm is older. Build it again:\n\n{TINYGO_BUILD}"}
    if values.get("similar"):
        return {"advice": f"Did you mean {values['similar']}?"}
    return {"advice": f"Export it and build again; in Go:\n\n//export {name}\n{line}"}


JAVASCRIPT_MISTAKES: Final[Mapping[str, Known]] = {
    "js-uncaught": Known("Uncaught {exception}", "{hint}", ""),
    "js-syntax-error": Known("SyntaxError: {message}", "{hint}", ""),
    "js-wasm-instance": Known(
        "Uncaught {exception}",
        "A Worker imports a .wasm file as a WebAssembly.Module, and instantiate() of a Module gives the "
        "Instance itself, not {{ instance, module }}: there is no `{name}` in it.",
        "const instance = await WebAssembly.instantiate({module}, {{}});",
    ),
    "js-wasm-imports": Known(
        "Uncaught {exception}",
        "{file} imports {imports}, and instantiate() was not given all of that. {built}",
        "{rebuild}",
        derive=_wasm_imports,
    ),
    "js-wasm-export": Known(
        "Uncaught {exception}",
        "{file} has no export of the name {name}; it has: {present}.",
        "{advice}",
        derive=_wasm_export,
    ),
    "js-go-standard": Known(
        "Uncaught {exception}",
        "This project uses standard Go's WebAssembly (GOOS=js GOARCH=wasm, wasm_exec.js), which relies on "
        "Node.js and on a program that never returns. It does not run in Workers.",
        "Build with TinyGo, and do without wasm_exec.js:\n\n"
        "tinygo build -o worker.wasm -target wasm-unknown ./...",
    ),
    "js-recursion": Known(
        "Uncaught {exception}",
        "{calls} without an end.",
        "Give the recursion a condition that ends it, or use a loop.",
        derive=_recursion,
    ),
    "js-node-global": Known(
        "Uncaught {exception}",
        "{name} belongs to Node.js; {absent}.",
        "{instead}",
        derive=_node_global,
    ),
    "js-browser-global": Known(
        "Uncaught {exception}",
        "{name} belongs to web pages; a Worker runs on a server.",
        "{instead}",
    ),
    "js-not-defined": Known(
        "Uncaught {exception}",
        "{nothing}",
        "{advice}",
        derive=_undefined,
    ),
    "js-env-missing": Known(
        "Uncaught {exception}",
        "env.{name} does not exist. {has}",
        '{near} a binding or a variable of that name in the wrangler file:\n\n[vars]\n{name} = "..."',
        derive=_env_name,
    ),
    "js-env-not-emulated": Known(
        "Uncaught {exception}",
        "env.{name} is not emulated yet: the wrangler file configures it under {key}, which cfw-emu does "
        "not have. This is no mistake of yours.",
        "Let the code do without it where env lacks it, or run what needs it with `wrangler dev`.",
    ),
    "js-not-a-response": Known(
        "Incorrect type for Promise: the Promise did not resolve to 'Response'.",
        "{returned}{perhaps}",
        "{example}",
        derive=_returned,
    ),
    "js-body-used": Known(
        "Uncaught {exception}",
        "A body is a stream: after text(), json(), arrayBuffer() or forwarding it, nothing is left.",
        "Keep what you have read, or clone before the first read (a Response likewise):\n\n"
        "const copy = request.clone();\nconst text = await request.text();\n"
        "const again = await copy.text();\n\n"
        "What a handler returns must be a new Response for each request, and still unread.",
    ),
    "js-wasm-trap": Known(
        "Uncaught {exception}",
        "{meaning}",
        "{advice} The instance lives on, and its variables are as the trap left them.",
        derive=_trap,
    ),
}
