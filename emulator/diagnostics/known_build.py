"""Known mistakes in building a Worker (texts of ``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.mistake import Known

_TINYGO: Final = """TinyGo: https://tinygo.org/getting-started/install/, for example on Linux

curl -fsSL "https://github.com/tinygo-org/tinygo/releases/download/v0.34.0/tinygo0.34.0.linux-amd64.tar.gz" \\
  -o /tmp/tinygo.tar.gz
sudo tar -xzf /tmp/tinygo.tar.gz -C /usr/local/
export PATH=$PATH:/usr/local/tinygo/bin

or on macOS

brew install tinygo-org/tools/tinygo

It also needs Go itself: https://go.dev/dl/"""

_PROGRAMS: Final[Mapping[str, str]] = {
    "tinygo": _TINYGO,
    "go": "Go: https://go.dev/dl/ (TinyGo, which compiles Workers, needs it too)",
    "npm": "Node.js brings npm: https://nodejs.org/",
    "npx": "Node.js brings npx: https://nodejs.org/",
    "node": "Node.js: https://nodejs.org/",
}


def _advice(values: Mapping[str, Any]) -> dict[str, str]:
    program = str(values.get("program", ""))
    advice = _PROGRAMS.get(program) or "Install it, or mend the name; a package of npm is run by `npx`."
    return {"advice": advice}


BUILD_MISTAKES: Final[Mapping[str, Known]] = {
    "build-failed": Known(
        "The build {status}: {command}",
        "Its output ends with\n\n{output}",
        "Mend {spot}; saving runs the build again.",
    ),
    "build-program-missing": Known(
        "The build needs {program}, which is not installed: {command}",
        "None of the directories that PATH lists has {program}. The output ends with\n\n{output}",
        "{advice}\n\nThen start cfw-emu again, in a shell whose PATH has it.",
        derive=_advice,
    ),
    "go-build-constraints": Known(
        "go build passes over the program: it is for TinyGo",
        "`//go:build tinygo.wasm` at the top of a file says that only TinyGo may compile it, for "
        "WebAssembly. The build command {status}: {command}",
        "tinygo build -o worker.wasm -target wasm-unknown ./...\n\n"
        "Write that as the build command, or leave `build` out: it is what cfw-emu runs for a Go project.",
    ),
    "tinygo-go-version": Known(
        "This TinyGo does not work with {got}",
        "It compiles the standard library of the Go that is installed, and knows Go {from} to {to} only.",
        "Install a newer TinyGo (https://tinygo.org/getting-started/install/), or a Go that it knows and put "
        "that first in PATH:\n\ngo install golang.org/dl/go{to}@latest && go{to} download",
    ),
    "build-made-nothing": Known(
        'The build ended well, but there is no "{main}"',
        "It ran in {cwd}: {command}",
        "Make the command write that file, or point `main` at what it writes.",
    ),
    "build-no-directory": Known(
        "The build's directory {cwd} does not exist",
        "`build.cwd` is taken from the directory of the wrangler file; the command {command} runs in it.",
        "Create the directory, or mend `cwd`.",
    ),
    "tinygo-missing": Known(
        '"{main}" is not built yet, and TinyGo is not installed',
        "This is a Go project, and Workers run it as WebAssembly. With `tinygo` on PATH, cfw-emu runs\n\n"
        "{command}\n\nat the start and whenever a Go source is saved.",
        "Install "
        + _TINYGO
        + "\n\nThen start cfw-emu again. Or put a {main} that was built elsewhere into {directory}: it is "
        "served at once.",
    ),
    "go-not-rebuilt": Known(
        '"{main}" is older than {source}, and TinyGo is not installed to build it again',
        "What is served is the program as it was when {main} was built.",
        "Build it where TinyGo is installed, in the project's directory:\n\n{command}",
        "warning",
    ),
}
