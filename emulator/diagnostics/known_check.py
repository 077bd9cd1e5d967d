"""Known mistakes that ``cfw-emu check`` finds in the source, before any of it runs (``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.known_direct import EXPORT_MISTAKES
from emulator.diagnostics.mistake import Known

_FETCH: Final = """from workers import fetch

response = await fetch("https://example.com/data")
data = await response.json()"""


def _package(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``installed`` (the Python that runs the check has the module) and ``package``."""
    here = (
        " It is installed in the Python that runs cfw-emu, so it works here; the platform gets only what is "
        "uploaded."
    )
    return {"here": here if values.get("installed") else ""}


def _native(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``package``, ``file``, and ``vendored``: the code lies in the project."""
    if values.get("vendored"):
        return {"why": f"{values.get('file')} is machine code of this computer; Workers run WebAssembly."}
    return {"why": "It has machine code, and Pyodide, the Python of Workers, has no build of it."}


def _standard(values: Mapping[str, Any]) -> dict[str, str]:
    """Fact ``since``: the version of Python that dropped the module; empty: Pyodide leaves it out."""
    since = values.get("since")
    if since:
        return {"reason": f"Python {since} dropped it, and the platform runs that version or a later one."}
    return {"reason": "It needs an operating system, and Workers have none."}


def _comment(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``name`` and ``mistake``, a kind of ``go_exports``."""
    return {"problem": EXPORT_MISTAKES.get(str(values.get("mistake")), "")}


CHECK_MISTAKES: Final[Mapping[str, Known]] = {
    "package-not-uploaded": Known(
        'The platform does not have the package of "{module}"',
        "It is neither in the project, nor vendored, nor listed, nor brought by the runtime.{here}",
        "List it in pyproject.toml, and deploy with pywrangler, which vendors it:\n\n[project]\n"
        'dependencies = ["{package}"]',
        derive=_package,
    ),
    "package-not-vendored": Known(
        'The package "{package}" is listed, but nothing will upload it',
        "The runtime does not bring it, and wrangler installs nothing from requirements.txt.",
        "Move it to pyproject.toml, and deploy with pywrangler, which vendors it:\n\n[project]\n"
        'dependencies = ["{package}"]',
    ),
    "package-not-listed": Known(
        'The package "{package}" is imported, but not listed',
        "The platform can bring it, but only when requirements.txt or pyproject.toml asks for it.",
        "Add a line to requirements.txt:\n\n{package}",
        "warning",
    ),
    "package-native": Known(
        'The package "{package}" cannot run on Workers',
        "{why}",
        "Use a package that is all Python, or one of those that Pyodide builds "
        "(https://pyodide.org/en/stable/usage/packages-in-pyodide.html), or call a service with fetch().",
        derive=_native,
    ),
    "sdk-not-vendored": Known(
        'From compatibility date 2026-04-21 on, "{module}" is part of the upload',
        "The runtime no longer brings the SDK (flag enable_python_external_sdk); cfw-emu does.",
        "Deploy with pywrangler, and list the SDK in pyproject.toml:\n\n[dependency-groups]\n"
        'dev = ["workers-py>=1.9", "workers-runtime-sdk"]\n\nor add the flag "disable_python_external_sdk".',
        "warning",
    ),
    "stdlib-module-missing": Known(
        'The platform\'s Python has no module "{module}"',
        "{reason}",
        "Do without it.",
        derive=_standard,
    ),
    "python-process": Known(
        "{call}() cannot start a process on Workers",
        "There is no operating system, so every such call raises.",
        "Do the work in Python, or call a service with fetch().",
    ),
    "python-thread": Known(
        "{call} cannot start a thread on Workers",
        'Workers have one thread: "RuntimeError: can\'t start new thread".',
        "Use asyncio: await several things with asyncio.gather(), start one with asyncio.create_task().",
    ),
    "python-socket": Known(
        "{call}() cannot connect: Workers have no raw sockets",
        "Whatever speaks its own protocol over TCP (databases, mail, FTP) does not reach its server.",
        "Use a service with an HTTP interface, and fetch(); for data, KV, D1 or R2.",
    ),
    "python-blocking-http": Known(
        "{call}() blocks, which HTTP on Workers cannot do",
        "Only asynchronous clients work: fetch(), pyodide.http.pyfetch(), httpx.AsyncClient, aiohttp.",
        _FETCH,
    ),
    "python-sleep": Known(
        "time.sleep() may hold up every request of the isolate",
        "Others go on only since compatibility date 2025-09-29, and not while JavaScript waits for it.",
        "Write `await asyncio.sleep(seconds)`.",
        "warning",
    ),
    "python-asyncio-run": Known(
        "{call}() works only in handlers, since compatibility date 2025-09-29",
        "The event loop runs already: at the module's top level, and in functions that JavaScript calls, it "
        "raises a RuntimeError.",
        "Make the function async, and await the coroutine.",
        "warning",
    ),
    "python-environ": Known(
        "os.environ does not have {name}",
        "Variables and secrets are on `env`, not in the environment of a process.",
        "Read it from env: `env.{name}` in on_fetch(request, env, ctx), `self.env.{name}` in a class, or "
        "anywhere\n\nfrom workers import env\nenv.{name}",
        "warning",
    ),
    "python-file-write": Known(
        "What is written to {path} does not last",
        "Each isolate has a file system of its own in memory, which ends with it; others never see the file. "
        "The project's own files are read-only.",
        "Keep data in KV, D1 or R2; for a moment, in /tmp.",
        "warning",
    ),
    "js-no-eval": Known(
        "Code generation from strings disallowed for this context",
        "eval() and new Function() do not exist in Workers: all code must be in the files that are deployed.",
        "Write the code out, or choose among functions that are there.",
    ),
    "go-export-comment": Known(
        "This comment does not export {name}",
        "{problem}",
        "//export {name}\nfunc {name}(",
        derive=_comment,
    ),
    "check-not-built": Known(
        '"{main}" is not built yet',
        "A check does not run the build, which would write into the project.",
        "Build it, then check again:\n\n{command}",
    ),
    "check-older-build": Known(
        '"{main}" is older than {source}',
        "What was checked is the program as it was when it was built: a check does not run the build.",
        "Build it, then check again:\n\n{command}",
        "warning",
    ),
}
