"""Known mistakes in the imports of JavaScript Workers and in the files found (texts of ``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.known_direct import TINYGO_BUILD, not_wasm_texts
from emulator.diagnostics.known_exports import DEFAULT_EXPORT
from emulator.diagnostics.mistake import Known

_NO_DISK: Final = (
    "A Worker has no disk. Import the file as a module (Text, Data, JSON), or keep it in KV or R2."
)
_NO_PORT: Final = "A Worker does not listen on a port: export a fetch handler. For requests, call fetch()."
_NODE_ADVICE: Final[Mapping[str, str]] = {
    "buffer": "Uint8Array, TextEncoder and TextDecoder do the same without an import.",
    "crypto": "The global `crypto` (Web Crypto) does the same without an import: crypto.subtle, "
    "crypto.randomUUID().",
    "events": "The globals EventTarget and Event do the same without an import.",
    "fs": _NO_DISK,
    "fs/promises": _NO_DISK,
    "http": _NO_PORT,
    "https": _NO_PORT,
    "process": "Variables are on `env`, the second argument of fetch(request, env).",
    "stream": "The globals ReadableStream, WritableStream and TransformStream do the same without an import.",
    "timers": "setTimeout and setInterval are globals.",
    "url": "URL and URLSearchParams are globals.",
    "util": "TextEncoder, TextDecoder and structuredClone are globals.",
}


def _not_found(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``specifier``, ``path``, ``similar`` (as a specifier) and ``go`` (a Go project)."""
    if values.get("go"):
        return {
            "advice": "Compile the Go program first:\n\n"
            "tinygo build -o worker.wasm -target wasm-unknown ./..."
        }
    if values.get("similar"):
        return {"advice": f'Did you mean "{values["similar"]}"?'}
    return {
        "advice": "Check the spelling. The path starts at the importing file, and names without an extension "
        "are tried with .js and .json, but not with .mjs."
    }


def _node(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``module`` and ``compat``, whether the project has the flag ``nodejs_compat``."""
    production = (
        'On the platform your flag "nodejs_compat" makes it available.'
        if values.get("compat")
        else 'On the platform it needs compatibility_flags = ["nodejs_compat"].'
    )
    module = str(values.get("module", "")).removeprefix("node:")
    advice = _NODE_ADVICE.get(module, "Use the Web APIs instead, or a package that does without Node.js.")
    return {"production": production, "advice": advice}


def _cloudflare(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``known`` (the platform has it) and ``similar``."""
    if values.get("known"):
        return {
            "reason": "The platform has this module; cfw-emu does not offer it yet.",
            "advice": "Keep the code that needs it behind `await import(...)` in a try block, or test it "
            "with `wrangler dev`.",
        }
    similar = values.get("similar") or "cloudflare:workers"
    return {"reason": "The platform has no module of this name.", "advice": f'Did you mean "{similar}"?'}


def _package(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``package`` and ``similar``."""
    if values.get("similar"):
        return {"advice": f'Did you mean "{values["similar"]}"?'}
    package, specifier = values.get("package", ""), values.get("specifier", "")
    return {"advice": f'npm install {package}\n\nA file of your own needs a path: "./{specifier}"'}


def _subpath(values: Mapping[str, Any]) -> dict[str, str]:
    offered = values.get("offered")
    return {"advice": f"It exports: {offered}" if offered else "See the package's documentation."}


def _commonjs(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``file`` and ``package``; the package is empty for the project's own files."""
    package = values.get("package")
    if package:
        return {
            "advice": "Bundle it into an ES module once, and import that:\n\n"
            f"npx esbuild --bundle --format=esm --outfile=vendor/{str(package).replace('/', '-')}.js "
            f"{values.get('file', '')}"
        }
    return {
        "advice": "Write it as an ES module:\n\n"
        'import helper from "./helper.js";   // instead of require("./helper.js")\n'
        "export function f() {}              // instead of exports.f = ...\n"
        f"{DEFAULT_EXPORT.split(chr(10))[0]} ... }};           // instead of module.exports = ..."
    }


def _commonjs_name(values: Mapping[str, Any]) -> dict[str, str]:
    name = values.get("name")
    if name == "require":
        return {"advice": 'import helper from "./helper.js";'}
    if name in ("__dirname", "__filename"):
        return {"advice": "A Worker has no files at run time: import the file as a module instead."}
    return {"advice": DEFAULT_EXPORT}


MODULE_MISTAKES: Final[Mapping[str, Known]] = {
    "module-not-found": Known(
        'Could not resolve "{specifier}"',
        "There is no file {path}.",
        "{advice}",
        derive=_not_found,
    ),
    "module-wrong-case": Known(
        'The file of "{specifier}" is spelled "{right}" on disk',
        "Some systems ignore the difference between upper and lower case, others do not find the file.",
        'Import {path} with the spelling "{right}".',
        severity="warning",
    ),
    "module-outside": Known(
        'import("{specifier}") leaves the project',
        "wrangler bundles what it can see in the source; a path made at run time can only name files that "
        "are part of the project.",
        "Move the file into the project, or write its path out in the import.",
    ),
    "module-chain": Known(
        "More than {depth} modules import one another in a chain",
        "cfw-emu loads a module while it loads the one that imports it, and stops at this depth; production "
        "runs one bundled file.",
        "Bundle the project first, for example in the [build] step with esbuild.",
    ),
    "module-unreadable": Known(
        "{path} cannot be read: {problem}",
        'The import "{specifier}" needs it.',
        "Check what it is and who may read it.",
    ),
    "module-not-utf8": Known(
        "{path} is not UTF-8: byte {byte} at offset {offset}",
        "Source code is read as UTF-8.",
        'Save the file as UTF-8, or, if it is no code, give it a rule: type = "Data" in [[rules]].',
    ),
    "module-json-invalid": Known(
        "{path} is not JSON: {problem}",
        "A .json module is parsed when the Worker is built; comments and trailing commas are not JSON.",
        "Correct the file at the place shown.",
    ),
    "module-not-wasm": Known(
        "{path} is not WebAssembly",
        "A module begins with the bytes 00 61 73 6d 01 00 00 00; this file does not. {looks}",
        "{advice}",
        derive=not_wasm_texts,
    ),
    "module-wasm-invalid": Known(
        "{path} is not a valid WebAssembly module: {problem}",
        "The file begins like a module, but it does not compile: perhaps it was cut short, or it needs a "
        "feature of WebAssembly that Workers do not have.",
        "Build it again. For a Go program:\n\n" + TINYGO_BUILD,
    ),
    "module-no-rule": Known(
        'No loader is configured for "{extension}" files: {path}',
        "wrangler knows .js, .mjs and .json, and by its default rules .wasm, .txt, .html, .sql and .bin.",
        "Add a rule to the wrangler file:\n\n"
        '[[rules]]\ntype = "Text"      # or "Data", "CompiledWasm"\nglobs = ["**/*{extension}"]\n'
        "fallthrough = true",
    ),
    "module-rule-ignored": Known(
        "The file {specifier} matched a module rule that was ignored",
        "Its rule {ignored} comes after another rule of the same type, {kept}, which is not marked as "
        "`fallthrough = true`.",
        "Set fallthrough = true on the earlier rule, or add the files to its globs.",
    ),
    "import-typescript": Known(
        'The import "{specifier}" is TypeScript: {path}',
        "cfw-emu runs JavaScript as it is and does not compile TypeScript; wrangler does that with esbuild.",
        "Compile it in the [build] step and import the result:\n\n"
        '[build]\ncommand = "npx esbuild src/index.ts --bundle --format=esm --outfile=dist/index.js"',
    ),
    "import-url": Known(
        'Cannot import "{specifier}"',
        "Workers import files and packages; the platform loads no code from a {scheme}: address.",
        "Install the package with npm, or download the file into the project.",
    ),
    "import-without-dot": Known(
        'Could not resolve "{specifier}"',
        "A name without a path is a package; the file beside the importing one needs a path.",
        'Write "./{specifier}".',
    ),
    "node-builtin": Known(
        'Could not resolve "{specifier}", a module of Node.js',
        "{production} cfw-emu does not offer Node.js modules yet.",
        "{advice}",
        derive=_node,
    ),
    "cloudflare-module": Known(
        'No such module "{specifier}"',
        "{reason}",
        "{advice}",
        derive=_cloudflare,
    ),
    "npm-package-missing": Known(
        'Could not resolve "{specifier}"',
        "The package {package} is in no node_modules directory of the project or above it.",
        "{advice}",
        derive=_package,
    ),
    "npm-package-subpath": Known(
        'The package {package} does not export "{subpath}"',
        '{path} has "exports", which hides all other files; wrangler takes the conditions {conditions}.',
        "{advice}",
        derive=_subpath,
    ),
    "npm-package-no-entry": Known(
        'The package {package} has no file for "{specifier}"',
        "Its package.json names a file that is not there, or none, and there is no index.js.",
        "Reinstall the package, or build it if it is your own: npm install {package}",
    ),
    "package-json-invalid": Known(
        "{path} is not valid JSON: {problem}",
        'The import "{specifier}" needs what it says.',
        "Correct the file, or reinstall the package.",
    ),
    "package-import": Known(
        'Could not resolve "{specifier}"',
        'Names that begin with "#" come from "imports" in the package.json of the importing file: {package}',
        'Add it there:\n\n"imports": {{ "{specifier}": "./src/file.js" }}',
    ),
    "commonjs-module": Known(
        "{file} is a CommonJS module",
        "It uses require or exports. Workers are ES modules; wrangler converts such files with esbuild, "
        "cfw-emu runs them as they are.",
        "{advice}",
        derive=_commonjs,
    ),
    "commonjs-name": Known(
        "{name} is not defined",
        "{name} belongs to CommonJS modules of Node.js; a Worker is an ES module.",
        "{advice}",
        derive=_commonjs_name,
    ),
    "top-level-await-unsettled": Known(
        "Top-level await in module is unsettled.",
        "Loading waits for a promise that nothing settles: there is no I/O and no timer before the first "
        "request.",
        "Await it in the handler, or settle it at once.",
    ),
}
