"""Known mistakes that show while a Worker's code is loaded (texts of ``known.KNOWN``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.diagnostics.javascript_globals import PLATFORM_GLOBALS
from emulator.diagnostics.mistake import Known

_GLOBAL_HANDLERS_UNTIL: Final = "2025-08-14"
"""From this compatibility date on, module-level handlers are not called (python_no_global_handlers)."""

DISTRIBUTIONS: Final[Mapping[str, str]] = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "multipart": "python-multipart",
    "nacl": "PyNaCl",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "pkg_resources": "setuptools",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
"""Modules whose package on PyPI has another name."""

_MODULE_FORM: Final = """from js import Response

async def on_fetch(request, env, ctx):
    return Response.new("Hello")"""

_CLASS_FORM: Final = """from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("Hello")"""

_BROWSER: Final = frozenset(
    ("alert", "document", "history", "localStorage", "sessionStorage", "window", "XMLHttpRequest")
)

_NODE: Final = frozenset(("Buffer", "__dirname", "global", "module", "process", "require"))


def _js_name(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``name`` and ``similar``, the nearest global that exists."""
    name, similar = str(values.get("name", "")), values.get("similar")
    if name in PLATFORM_GLOBALS:
        return {
            "near": f" The platform has {name}; cfw-emu does not have it yet. This is no mistake of yours.",
            "advice": "Where the program can do without, import it in a `try` with `except ImportError`.",
        }
    home = "web pages" if name in _BROWSER else "Node.js" if name in _NODE else ""
    if home:
        return {"near": f" {name} belongs to {home}.", "advice": "Workers do without it."}
    if similar:
        return {"advice": f"Did you mean {similar}? Upper and lower case matter:\n\nfrom js import {similar}"}
    usual = "Response, Request, Headers, URL, fetch, console, Object, JSON"
    return {"advice": f"Check the spelling; upper and lower case matter. Often used: {usual}"}


def _module_name(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``module`` and ``similar``, the nearest module that exists."""
    if values.get("similar"):
        return {"advice": f"Did you mean {values['similar']}?"}
    return {
        "advice": "Check the spelling and that the file exists. Imports start at the directory of `main`: "
        "for src/helpers.py write `import helpers`, not `import src.helpers`."
    }


def _module_member(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``module``, ``name``, ``similar``, and ``known``, the names of a module of the project."""
    module, similar, known = (str(values.get(name, "")) for name in ("module", "similar", "known"))
    if similar:
        return {"advice": f"Did you mean {similar}?\n\nfrom {module} import {similar}"}
    return {"advice": f"It has: {known}" if known else "Check the spelling, and the version of the package."}


def _not_passed(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``handler`` and ``missing``, the parameter that gets nothing."""
    in_class = "." in str(values.get("handler", ""))
    signature = _signature(values)["signature"]
    if in_class:
        return {"signature": signature, "passed": "A method `fetch` is called with (request)"}
    return {"signature": signature, "passed": "A module-level handler is called with (request, env, ctx)"}


def _kind(values: Mapping[str, Any]) -> dict[str, str]:
    """Fact ``kind``: SyntaxError or one of its subclasses."""
    return {"kind": str(values.get("kind") or "SyntaxError")}


def _distribution(values: Mapping[str, Any]) -> dict[str, str]:
    top = str(values.get("module", "")).split(".")[0]
    return {"package": DISTRIBUTIONS.get(top, top)}


def _handler_form(values: Mapping[str, Any]) -> dict[str, str]:
    """Facts ``date`` and ``similar``; ``legacy`` where a flag overrides the date."""
    old = bool(values.get("legacy", str(values.get("date", "")) < _GLOBAL_HANDLERS_UNTIL))
    advice = "With it, write a function" if old else "With it, write a class"
    similar, wanted = values.get("similar"), "on_fetch" if old else "Default"
    near = values.get("near") or ""
    if similar and not near:
        near = f' The file has "{similar}", which is not one of them.'
    fix = (
        f"Rename {similar} to {wanted}."
        if similar
        else f"Which of the two applies follows from the compatibility date ({values.get('date', '')}). "
        f"{advice}:\n\n{_MODULE_FORM if old else _CLASS_FORM}"
    )
    return {"advice": values.get("advice") or fix, "near": near}


def _signature(values: Mapping[str, Any]) -> dict[str, str]:
    """Fact ``handler``: ``on_fetch`` or ``Default.fetch``."""
    owner, _, name = str(values.get("handler", "")).rpartition(".")
    if not owner:
        return {"signature": f"async def {name}(request, env, ctx):"}
    return {"signature": f"async def {name}(self, request):    # env and ctx are self.env and self.ctx"}


LOAD_MISTAKES: Final[Mapping[str, Known]] = {
    "emulator-error": Known(
        "cfw-emu itself failed while it loaded this Worker.",
        "{problem}",
        "This is no mistake of yours. Please report it, with the traceback on standard error.",
    ),
    "syntax-error": Known(
        "{kind}: {message}",
        "Python cannot parse the file, so nothing of it runs.",
        "Mend the line and save: the Worker reloads by itself.",
        derive=_kind,
    ),
    "import-error-project": Known(
        'Cannot import "{module}" from this project',
        "The project has no module of that name where Python looks: beside the entry point and in the "
        "project's packages.",
        "{advice}",
        derive=_module_name,
    ),
    "import-name-missing": Known(
        'Cannot import "{name}" from "{module}"',
        "The module {module} exists, but it has no such name.",
        "{advice}",
        derive=_module_member,
    ),
    "circular-import": Known(
        'Cannot import "{name}" from "{module}": the two modules import each other',
        "{module} imports, directly or not, the module that now imports it; at that moment {module} has not "
        "got as far as defining {name}.",
        """Move what both need into a third module, or import late, where it is used:

def use_it():
    from {module} import {name}""",
    ),
    "relative-import": Known(
        "attempted relative import with no known parent package",
        "The platform loads `main` and the modules beside it as top-level modules, so there is no package "
        "that the dot could stand for. Inside a package of the project relative imports work.",
        "Leave out the dot:\n\n{line}",
    ),
    "package-not-installed": Known(
        'The package "{module}" is not installed',
        "Neither the project nor the Python that runs it has a module of that name.",
        "Add it to requirements.txt and install it beside the emulator:\n\npip install {package}",
        derive=_distribution,
    ),
    "js-name-missing": Known(
        'cannot import name "{name}" from "js": the realm has no such global',
        "`from js import X` reads the JavaScript global X, and there is none.{near}",
        "{advice}",
        derive=_js_name,
    ),
    "no-handler": Known(
        "{main} has no handler",
        "A Worker needs `on_fetch(request, env, ctx)` at module level, or a class "
        "`Default(WorkerEntrypoint)`. Their names are fixed.{near}",
        "{advice}",
        derive=_handler_form,
    ),
    "handler-ignored-by-date": Known(
        "{handler} is ignored with compatibility_date {date}",
        "From 2025-08-14 on (flag python_no_global_handlers) only the methods of a class "
        "`Default(WorkerEntrypoint)` are called.",
        """Write the class form:

from workers import WorkerEntrypoint, Response

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("Hello")

or keep module-level handlers:

compatibility_flags = ["python_workers", "disable_python_no_global_handlers"]""",
    ),
    "class-ignored-by-date": Known(
        "{handler} is not called with compatibility_date {date}",
        "Before 2025-08-14 (flag python_no_global_handlers) the platform looks for handlers that begin with "
        "on_, also in classes.",
        """Set a later date (or add the flag "python_no_global_handlers"):

compatibility_date = "2025-08-14"

or write a module-level `async def on_fetch(request, env, ctx)`.""",
    ),
    "load-timeout": Known(
        "{worker} did not finish loading within {seconds} s",
        "Code at the top level of a module does not end: a loop, or a wait for what never comes.",
        "Move the work into a handler; production allows 1 s of CPU time at start-up.",
    ),
    "handler-arity": Known(
        '{handler} requires "{missing}", which the platform does not pass',
        "{passed}; it may take fewer parameters, but no others without a default.",
        "{signature}",
        derive=_not_passed,
    ),
    "missing-self": Known(
        '{handler} has no parameter "self"',
        "It is a method: its first parameter receives the object, whatever it is called, and the request "
        "comes second.",
        "{signature}",
        derive=_signature,
    ),
    "init-arity": Known(
        "Default.__init__ cannot be called with (ctx, env)",
        "The platform makes a new Default for each request and gives it these two.",
        """def __init__(self, ctx, env):
    super().__init__(ctx, env)""",
    ),
    "method-missing": Known(
        "{handler} does not exist",
        "The class Default is called for each request, but it has no such method.{near}",
        "{signature}",
        derive=_signature,
    ),
    "exit-called": Known(
        "The code called exit()",
        "A Worker is no program of its own that could end: it serves one request after the other.",
        "Return a Response instead, or raise an exception; to leave a module early, use if and else.",
    ),
    "never-awaited": Known(
        "coroutine '{name}' was never awaited",
        "Calling an async function only makes a coroutine: its code runs when something awaits it.",
        "Put `await` in front of the call, inside an async function.",
        severity="warning",
    ),
    "src-prefix": Known(
        'No module named "src"',
        "If your main module is inside the 'src' directory then your import statement shouldn't include a "
        "'src.' prefix.",
        "Write `import helpers` or `from helpers import x` for src/helpers.py.",
    ),
    "global-scope": Known(
        "Disallowed operation called within global scope",
        "While the module is imported there is no request, so the platform forbids I/O, timers, bodies of "
        "requests and responses, and random values there.",
        "Move the call into the handler.",
    ),
    "python-version": Known(
        "Runs on Python {actual}; production uses Python {expected} for compatibility_date {date}",
        "The emulator runs your code on the Python that it is installed in.",
        "To be exact, install cfw-emu in a Python {expected}.",
    ),
    "editor-js-import": Known(
        'Import "js" could not be resolved',
        "Your editor looks for a Python package; `js` exists only inside the Workers runtime.",
        "Ignore it: neither running here nor deploying is affected. To silence Pyright for one line:\n\n"
        "from js import Response  # pyright: ignore[reportMissingImports]",
    ),
}
