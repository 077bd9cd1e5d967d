"""Known mistakes in a project's files and in how it is served (texts of ``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.mistake import Known


def _next_port(values: Mapping[str, Any]) -> dict[str, int]:
    port = str(values.get("port", ""))
    return {"other_port": int(port) % 65535 + 1 if port.isdecimal() else 8788}


def _old_habit(values: Mapping[str, Any]) -> dict[str, str]:
    return {"used": str(values.get("used") or "--lang"), "name": str(values.get("name") or "my-worker")}


_THREE_FILES: Final = """Create these three files:

wrangler.toml
    name = "{name}"
    main = "src/entry.py"
    compatibility_date = "2024-12-01"
    compatibility_flags = ["python_workers"]

src/entry.py
    from js import Response

    async def on_fetch(request, env):
        return Response.new("Hello from Python on Cloudflare Workers!")

requirements.txt (optional, packages from PyPI, one a line)"""

_GO_FILES: Final = """Create wrangler.toml beside go.mod:

    name = "{name}"
    main = "{main}"
    compatibility_date = "2024-12-01"

{note}"""

_GO_NOTES: Final = {
    "go": "worker.wasm is what `tinygo build -o worker.wasm -target wasm-unknown ./...` makes; it is served "
    'without any JavaScript. With a worker.js as in `wrangler dev`, write main = "worker.js".',
    "go-bridge": "worker.js imports worker.wasm, which "
    "`tinygo build -o worker.wasm -target wasm-unknown ./...` makes.",
}

_JAVASCRIPT_FILE: Final = """Create wrangler.toml, with the path of your script as `main`:

    name = "{name}"
    main = "{main}"
    compatibility_date = "2024-12-01\""""

_OLD_LANG: Final = " Wrangler 4 has no `--lang=python` any more: the project is made by hand."


def _first_files(values: Mapping[str, Any]) -> dict[str, str]:
    """The files that make a directory a project, in the language that it is written in."""
    name = str(values.get("name") or "my-worker")
    language = str(values.get("language") or "python")
    if language in _GO_NOTES:
        main = "worker.js" if language == "go-bridge" else "worker.wasm"
        return {"files": _GO_FILES.format(name=name, main=main, note=_GO_NOTES[language])}
    if language == "javascript":
        return {"files": _JAVASCRIPT_FILE.format(name=name, main=values.get("script") or "src/index.js")}
    new = f"\n\nor let `cfw-emu new {name}` create them (it comes with a later release)."
    return {"files": _THREE_FILES.format(name=name) + new, "old": _OLD_LANG}


PROJECT_MISTAKES: Final[Mapping[str, Known]] = {
    "no-wrangler-file": Known(
        "No wrangler file in {directory}",
        "A Worker is a directory with wrangler.json, wrangler.jsonc or wrangler.toml.{old}",
        "{files}{elsewhere}",
        derive=_first_files,
    ),
    "lang-option": Known(
        "{used} is from wrangler 3",
        "`wrangler init --lang=python` made a project; wrangler 4 removed it, so it is not here either. "
        "The language follows from `main` in the wrangler file.",
        _THREE_FILES
        + """

then, in that directory: cfw-emu serve""",
        derive=_old_habit,
    ),
    "no-such-path": Known(
        "There is no {path}",
        "`cfw-emu serve` takes a project directory, a wrangler file, or a directory of projects.",
        "{suggestion}",
    ),
    "not-a-wrangler-file": Known(
        "{path} is not a wrangler file",
        "A wrangler file ends in .toml, .json or .jsonc.",
        "Name the project's directory or its wrangler file:\n\ncfw-emu serve {directory}",
    ),
    "limits-file-as-project": Known(
        "{path} is a file of limits, not a project",
        "It has keys of a plan, and none of a wrangler file.",
        "Name the project, and the file with --limits:\n\ncfw-emu serve --limits {quoted}\n\n"
        "`cfw-emu limits {quoted}` shows its numbers.",
    ),
    "main-missing": Known(
        'The wrangler file has no "main"',
        "`main` names the file that holds the Worker's handlers; without it there is nothing to run.",
        "Add this line to {config}:\n\n{line}",
    ),
    "main-not-found": Known(
        'The entry point "{main}" does not exist',
        "`main` is looked up relative to the directory of the wrangler file.",
        "{suggestion}",
    ),
    "main-wrong-case": Known(
        'The entry point "{main}" is spelled "{actual}" on disk',
        "Upper and lower case differ in production, even where the file system here ignores that.",
        "{line}",
    ),
    "main-is-directory": Known(
        'The entry point "{main}" is a directory',
        "`main` must name one file.",
        "{suggestion}",
    ),
    "main-not-compiled": Known(
        '"{main}" is {language}, which is not compiled here',
        "`wrangler` compiles it with esbuild before it is run; cfw-emu serves the JavaScript that comes out.",
        "Compile it to .js, and point main to that; a build section does it on every save:\n\n"
        "{line}\n\n{build}",
    ),
    "main-go-source": Known(
        '"{main}" is Go source: Workers run it as WebAssembly',
        "TinyGo compiles the program to a .wasm file, and `main` names what is run: that file itself, or the "
        "worker.js that imports it.",
        "{line}\n\nIt is built by `tinygo build -o worker.wasm -target wasm-unknown ./...` on every save. "
        'With JavaScript around it, as in `wrangler dev`, write main = "worker.js" instead.',
    ),
    "main-commonjs": Known(
        '"{main}" is a CommonJS module: Workers are ES modules',
        "`require` and `module.exports` do not exist in a Worker's entry point.",
        "Write `export default {{ fetch(request, env, ctx) {{ ... }} }}` in a .js or .mjs file.",
    ),
    "main-unknown-language": Known(
        '"{main}" cannot be an entry point ({suffix})',
        "`main` names a Python (.py), JavaScript (.js, .mjs) or WebAssembly (.wasm) file.",
        "Point main to one of those.",
    ),
    "main-go-no-bridge": Known(
        'The entry point "{main}" does not exist',
        "This is a Go project: its WebAssembly is called by a JavaScript module, or served by itself.",
        "Without JavaScript, through the exported functions handle, responsePtr and responseLen "
        "(docs/go-abi.md):\n\n{line}\n\n"
        "Or write {main}, which imports the WebAssembly and answers with it (docs/getting-started.md).",
    ),
    "no-python-workers-flag": Known(
        "The python_workers compatibility flag is required to use Python.",
        'main is "{main}", and without this flag the platform takes it for JavaScript: production answers '
        "nothing useful, `wrangler dev` seems to hang.",
        "{where_to}:\n\n{line}",
    ),
    "duplicate-worker-name": Known(
        'Two projects are named "{name}"',
        "Each Worker answers http://<name>.localhost, so names must differ. The other one is {other}.",
        "Give one of them another `name` in its wrangler file.",
    ),
    "file-unreadable": Known(
        "{path} cannot be read: {reason}",
        "The file exists, but the operating system does not let this process read it.",
        "Check its permissions: ls -l {path}",
    ),
    "file-not-utf8": Known(
        "{path} is not UTF-8 text",
        "Byte {byte} at offset {offset} does not belong to UTF-8. Some editors save as UTF-16, GBK or Big5.",
        "Save the file as UTF-8.",
    ),
    "port-in-use": Known(
        "Port {port} on {host} is in use",
        "Another program (perhaps another `cfw-emu` or `wrangler dev`) listens there.",
        "Stop it, or choose another port: cfw-emu serve --port {other_port}",
        derive=_next_port,
    ),
    "cf-json-invalid": Known(
        "cf.json is not a JSON object: {message}",
        "cf.json in the project overrides the placeholder values of request.cf.",
        'Write an object, for example {{"country": "TW", "colo": "TPE"}}',
    ),
}
