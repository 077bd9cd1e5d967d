"""Known mistakes around the limits of a plan (texts of ``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.mistake import Known

_TINYGO: Final = (
    "{file} was made by Go's own compiler (GOOS=js GOARCH=wasm), which puts Go's whole run time into it."
    "{debugged} TinyGo makes tens of kilobytes of the same kind of program:\n\n"
    "tinygo build -o {name} -target wasm-unknown ./...\n\n"
    "The program then exports functions instead of using syscall/js (docs/getting-started.md)."
)

_STRIP: Final = (
    "{file} holds {debug} of debug information and names, which nothing needs to run{enough}. Leave them "
    "out:\n\ntinygo build -no-debug -o {name} -target wasm-unknown ./...\n\n"
    "or, for what another compiler made: wasm-strip {name}"
)

_WASM: Final = (
    "{file} is most of it.{debugged} Build it for size (TinyGo's `-opt=z -no-debug`, Rust's "
    '`opt-level = "z"`), or run `wasm-opt -Oz` on it.'
)

_PACKAGE: Final = (
    "{package_size} of it is the package {package} of node_modules. Import only the part that is needed "
    "(many packages have entry points of their own for that), or a smaller package."
)

_SCRIPTS: Final = (
    "Modules count as they are written. With wrangler in node_modules (npm install --save-dev wrangler), "
    "the bundle counts that its esbuild makes, without what nothing uses, as `npx wrangler deploy --dry-run` "
    "tells it; minify = true in the wrangler file makes it smaller still."
)

_BUNDLED: Final = (
    "What counts is the bundle that wrangler's esbuild makes of it, without what nothing uses. minify = true "
    "in the wrangler file makes it smaller, usually by half."
)

_PYTHON: Final = (
    "Every module below {directory} is uploaded: move tests, scripts and data out of it. Data belongs in KV, "
    "R2 or static assets."
)

_VENDORED: Final = (
    "{vendored} of it are packages in {vendored_in}: drop those that are not needed, with their dependencies."
)

_LIFT: Final = (
    "Or serve it under a plan with room for it: cfw-emu serve --limits free-2026 (64 MiB, as the platform's "
    "pages have the free plan now), --limits paid (64 MiB), or --limits off."
)
_LIFT_ALL: Final = "Or serve it without limits: cfw-emu serve --limits off"

_FACTS: Final = (
    *("file", "name", "debug", "debugged", "enough", "package", "package_size", "directory"),
    *("vendored", "vendored_in"),
)


def _advice(values: Mapping[str, Any]) -> dict[str, str]:
    """What to do about a big upload, the most promising first."""
    parts = []
    if values.get("go"):
        parts.append(_TINYGO)
    elif values.get("debug"):
        parts.append(_STRIP)
    elif values.get("file"):
        parts.append(_WASM)
    if values.get("package"):
        parts.append(_PACKAGE)
    if values.get("scripts"):
        parts.append(_BUNDLED if values.get("bundled") else _SCRIPTS)
    if values.get("vendored"):
        parts.append(_VENDORED)
    if values.get("directory"):
        parts.append(_PYTHON)
    parts.append(_LIFT if str(values.get("plan")) == "free" else _LIFT_ALL)
    known = {name: str(values.get(name, "")) for name in _FACTS}
    gzip, beside = values.get("gzip"), values.get("beside")
    return {
        "advice": "\n\n".join(part.format_map(known) for part in parts),
        "packed": f"; {gzip} after gzip" if gzip else "",
        "provided": f"\n\nNot counted, because the platform has them: {beside}" if beside else "",
    }


def _doubt(values: Mapping[str, Any]) -> dict[str, str]:
    """Why no bundle was measured, and what to do about it."""
    if problem := values.get("problem"):
        return {
            "reason": f"but it failed: {problem}",
            "advice": "Mend it, or look at `npx wrangler deploy --dry-run`.",
        }
    return {
        "reason": "but there is none in node_modules",
        "advice": "Install wrangler, which brings esbuild; Node.js is not needed to run that:\n\n"
        "npm install --save-dev wrangler\n\n"
        "Or name an esbuild with the environment variable ESBUILD_BINARY_PATH.",
    }


LIMIT_MISTAKES: Final[Mapping[str, Known]] = {
    "worker-too-big": Known(
        "The Worker is too big: {total}, and the plan {plan} allows {limit}",
        "It is not served, because such an upload is refused. The size is that of all its modules, "
        "uncompressed{packed}. The biggest files:\n\n{files}{provided}",
        "{advice}",
        derive=_advice,
    ),
    "size-not-exact": Known(
        "The Worker may be too big: {total} as it is written, and the plan {plan} allows {limit}",
        "{certain} of it are uploaded in any case. The rest is JavaScript of node_modules, of which the "
        "bundle that wrangler makes has only what is used. The project's own esbuild can tell how much that "
        "is, {reason}. So the Worker is served, and a deploy may still be refused.",
        "{advice}",
        "warning",
        derive=_doubt,
    ),
    "bundle-failed": Known(
        "esbuild cannot bundle the Worker: {problem}",
        "It was asked with wrangler's options, so `wrangler deploy` would probably fail in the same way. The "
        "size is that of the modules as they are written.",
        "Mend it; `npx wrangler deploy --dry-run` tells what wrangler itself says.",
        "warning",
    ),
    "limits-unknown-plan": Known(
        'There is no plan "{plan}"',
        "The plans are free, free-2026, paid and off. Any other text is the path of a TOML file, and there "
        "is no file {path}.",
        "{suggestion}\n\n{line}\n\n`cfw-emu limits --limits PLAN` shows a plan's numbers.",
    ),
    "limits-bad-file": Known(
        "{file} is not a file of limits: {problem}",
        "Limits are read from a TOML file: a line `plan = ...` and the numbers that differ from that plan.",
        'Rename it, and write for example\n\nplan = "free"\ncpu_ms = 50\nsize_mib = 3',
    ),
    "limits-unknown-base": Known(
        "{file} changes the plan {plan}, which does not exist",
        "`plan` names the plan whose numbers hold where the file gives none: free, free-2026, paid or off.",
        '{suggestion}\n\nplan = "free"',
    ),
    "limits-unknown-key": Known(
        'There is no limit "{key}"',
        "A file of limits has `plan` and the names that `cfw-emu limits` lists; a misspelled one would limit "
        "nothing.",
        "{suggestion}",
    ),
    "limits-bad-value": Known(
        'Expected "{key}" to be a number above 0{unit}, but got {value}',
        'The unit is part of the name. In a file of limits, the text "off" takes a limit away.',
        "{line}",
    ),
    "settings-unknown-key": Known(
        'Unexpected key "{key}" in cfw-emu.toml',
        "This file holds the emulator's own settings; it does not know this one, so it has no effect.",
        "{suggestion}",
        "warning",
    ),
}
