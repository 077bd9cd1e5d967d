"""Which handler gets an event, and how it is called: the platform's rules for fetch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from isolates import MODERN, Isolate

from emulator.diagnostics.report import Report

Load = Callable[..., Isolate]

CLASS = "from workers import WorkerEntrypoint, Response\n"

ARITIES = {
    "none": ("on_fetch()", "'0'"),
    "request": ("on_fetch(request)", "type(request).__name__"),
    "two": ("on_fetch(request, env)", "env.MY_VAR"),
    "three": ("on_fetch(request, env, ctx)", "str(hasattr(ctx, 'waitUntil'))"),
    "defaults": ("on_fetch(request, env=None, ctx=None, more=5)", "str(more)"),
    "any": ("on_fetch(*args)", "str(len(args))"),
    "keywords": ("on_fetch(request, *, option='o', **rest)", "option + str(rest)"),
    "positional only": ("on_fetch(request, env, /)", "env.MY_VAR"),
}
EXPECTED = {
    "none": "0",
    "request": "JsProxy",
    "two": "hello",
    "three": "True",
    "defaults": "5",
    "any": "3",
    "keywords": "o{}",
    "positional only": "hello",
}


@pytest.mark.parametrize("how", ["def", "async def"])
@pytest.mark.parametrize("case", ARITIES)
def test_on_fetch_takes_what_it_asks_for(load: Load, case: str, how: str) -> None:
    signature, value = ARITIES[case]
    isolate = load(
        f"from js import Response\n{how} {signature}:\n    return Response.new({value})\n",
        variables={"MY_VAR": "hello"},
    )
    assert EXPECTED[case] == isolate.fetch().text


def test_on_fetch_with_too_many_parameters(load: Load) -> None:
    isolate = load(
        "from js import Response\nasync def on_fetch(request, env, ctx, more): return Response.new('x')\n"
    )
    report = isolate.fetch().report
    assert report is not None
    assert report.exception == "TypeError: missing a required argument: 'more'"


METHODS = {
    "no request": ("fetch(self)", "'x'", "x"),
    "request": ("fetch(self, request)", "request.url", "http://localhost:8787/"),
    "three": ("fetch(self, request, env, ctx)", "str(env) + str(ctx)", "NoneNone"),
    "any": ("fetch(self, *args)", "str(len(args))", "3"),
    "vars": ("fetch(self)", "self.env.MY_VAR", "hello"),
    "ctx": ("fetch(self)", "str(hasattr(self.ctx, 'waitUntil'))", "True"),
}


@pytest.mark.parametrize("how", ["def", "async def"])
@pytest.mark.parametrize(("signature", "value", "text"), METHODS.values(), ids=METHODS.keys())
def test_default_fetch(load: Load, signature: str, value: str, text: str, how: str) -> None:
    isolate = load(
        f"{CLASS}class Default(WorkerEntrypoint):\n    {how} {signature}:\n        return Response({value})\n",
        flags=MODERN,
        variables={"MY_VAR": "hello"},
    )
    assert text == isolate.fetch().text


SHAPES = {
    "inherited": "class Base(WorkerEntrypoint):\n    async def fetch(self, r): return Response('base')\nclass Default(Base): pass\n",
    "mixin": "class Mixin:\n    async def fetch(self, r): return Response('base')\nclass Default(Mixin, WorkerEntrypoint): pass\n",
    "alias": "class Default(WorkerEntrypoint):\n    async def fetch(self, r): return Response('base')\nOther = Default\n",
    "in __all__": "class Default(WorkerEntrypoint):\n    async def fetch(self, r): return Response('base')\n__all__ = ['Default']\n",
    "under another name": "class Default(WorkerEntrypoint):\n    async def fetch(self, r): return Response('base')\nMain = Default\ndel Default\n",
    "init with super": "class Default(WorkerEntrypoint):\n    def __init__(self, ctx, env):\n        super().__init__(ctx, env)\n"
    "        self.x = 'base'\n    async def fetch(self, r): return Response(self.x if self.env is not None else '')\n",
    "init without super": "class Default(WorkerEntrypoint):\n    def __init__(self, *a): self.x = 'base'\n"
    "    async def fetch(self, r): return Response('base' if not hasattr(self, 'env') else 'has env')\n",
    "assigned": "class Default(WorkerEntrypoint): pass\nasync def f(self, r): return Response('base')\nDefault.fetch = f\n",
    "with on_fetch": "class Default(WorkerEntrypoint):\n    async def fetch(self, r): return Response('base')\n"
    "async def on_fetch(r): return Response('function')\n",
    "other entrypoints": "class Api(WorkerEntrypoint):\n    async def fetch(self, r): return Response('api')\n"
    "class Default(WorkerEntrypoint):\n    async def fetch(self, r): return Response('base')\n",
    "instances are fresh": "class Default(WorkerEntrypoint):\n    async def fetch(self, r):\n"
    "        fresh = not hasattr(self, 'seen')\n        self.seen = True\n        return Response('base' if fresh else 'stale')\n",
}


@pytest.mark.parametrize("source", SHAPES.values(), ids=SHAPES.keys())
def test_shapes_of_default(load: Load, source: str) -> None:
    isolate = load(CLASS + source, flags=MODERN)
    assert [isolate.fetch().text for _ in range(2)] == ["base", "base"]


def _report(isolate: Isolate) -> Report:
    report = isolate.fetch().report
    assert report is not None
    return report


MISSING: dict[str, tuple[str, dict[str, Any], str]] = {
    "nothing, modern": ("x = 1", {"flags": MODERN}, "Handler does not export a fetch() function."),
    "on_fetch, modern": (
        "async def on_fetch(r): pass",
        {"flags": MODERN},
        "Handler does not export a fetch() function.",
    ),
    "nothing, legacy": (
        "x = 1",
        {},
        'Python entrypoint "entry.py" does not export a handler named "on_fetch"',
    ),
    "class without fetch": (
        CLASS + "class Default(WorkerEntrypoint): pass",
        {"flags": MODERN},
        "Method fetch does not exist",
    ),
    "class, legacy": (
        CLASS
        + "class Default(WorkerEntrypoint):\n    def fetch(self): return Response('x')\ndef on_fetch(): return Response('y')",
        {},
        "Method on_fetch does not exist",
    ),
    "class not in __all__": (
        CLASS
        + "class Default(WorkerEntrypoint):\n    def fetch(self): return Response('x')\nOther = 5\n__all__ = ['Other']",
        {"flags": MODERN},
        "Handler does not export a fetch() function.",
    ),
}


@pytest.mark.parametrize(("source", "spec", "message"), MISSING.values(), ids=MISSING.keys())
def test_missing_handlers(load: Load, source: str, spec: dict[str, Any], message: str) -> None:
    assert message in _report(load(source, **spec)).exception


def test_the_date_decides(load: Load) -> None:
    source = "from js import Response\ndef on_fetch(): return Response.new('x')\n"
    assert load(source, date="2025-08-13", flags=MODERN).fetch().text == "x"
    assert load(source, date="2025-08-14", flags=MODERN).fetch().report is not None


WRONG = {
    "None": "None",
    "str": "'text'",
    "int": "5",
    "dict": "{'a': 1}",
    "list": "[]",
    "js object": "js.Object.new()",
}


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG.keys())
def test_results_that_are_no_response(load: Load, value: str) -> None:
    report = _report(load(f"import js\nasync def on_fetch(r): return {value}\n"))
    assert report.code == "not-a-response"
    assert "Incorrect type for Promise: the Promise did not resolve to 'Response'." in report.exception
    assert report.where is not None and report.where.line == 2


def test_handler_decorator(load: Load) -> None:
    isolate = load(
        "from workers import handler, Response\n@handler\nasync def on_fetch(request, env, ctx):\n"
        "    return Response(type(request).__module__.split('.')[0] + ' ' + request.method)\n"
    )
    assert isolate.fetch("POST", body=b"").text == "workers POST"


def test_sdk_response_from_on_fetch(load: Load) -> None:
    isolate = load(
        "from workers import Response\nasync def on_fetch(r): return Response('sdk', headers={'x-a': '1'})\n"
    )
    reply = isolate.fetch()
    assert reply.text == "sdk" and ("x-a", "1") in reply.headers


# ---- modules ------------------------------------------------------------------


def test_imports_within_the_project(load: Load) -> None:
    isolate = load(
        "from js import Response\nimport helper\nfrom pkg import name, sub\nfrom pkg.deep.leaf import value\nimport pkg.late\n"
        "def on_fetch():\n    import lazily\n    return Response.new(' '.join([helper.x, name, sub.y, value, pkg.late.z, lazily.w, __name__]))\n",
        {
            "src/helper.py": "x = 'helper'\n",
            "src/pkg/__init__.py": "from .names import name\n",
            "src/pkg/names.py": "name = 'named'\n",
            "src/pkg/sub.py": "from . import name\nfrom .deep import leaf\ny = name + leaf.value\n",
            "src/pkg/deep/__init__.py": "",
            "src/pkg/deep/leaf.py": "from ..names import name as n\nvalue = n.upper()\n",
            "src/pkg/late.py": "z = 'late'\n",
            "src/lazily.py": "w = 'lazily'\n",
        },
    )
    assert isolate.fetch().text == "helper named namedNAMED NAMED late lazily entry"


def test_packages_of_the_worker(load: Load, tmp_path: Any) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "vendored.py").write_text("text = 'vendored'\n", encoding="utf-8")
    isolate = load(
        "from js import Response\nimport vendored\ndef on_fetch(): return Response.new(vendored.text)\n",
        packages=[str(packages)],
    )
    assert isolate.fetch().text == "vendored"


ASGI = """
import asgi
from workers import WorkerEntrypoint
async def app(scope, receive, send):
    assert scope["type"] == "http", scope
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"text/plain"), (b"x-path", scope["path"].encode())]})
    for part in (scope["method"].encode(), b" ", scope["query_string"], b" ", body):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request.js_object, self.env)
"""


def test_asgi(load: Load) -> None:
    reply = load(ASGI, flags=MODERN).fetch("POST", "/a/b?x=1", body="你好".encode())
    assert reply.status == 201 and reply.text == "POST x=1 你好"
    assert dict(reply.headers)["x-path"] == "/a/b"


def test_asgi_app_that_fails(load: Load) -> None:
    isolate = load(
        ASGI.replace('assert scope["type"] == "http", scope', 'raise ValueError("in the app")'), flags=MODERN
    )
    reply = isolate.fetch()
    assert reply.status == 500
    assert reply.report is None or "ValueError: in the app" in reply.report.exception


# ---- loading ------------------------------------------------------------------

BROKEN = {
    "syntax": ("def on_fetch(:\n", "syntax-error", 1),
    "indentation": ("def on_fetch():\nreturn 1\n", "syntax-error", 2),
    "raise": ("x = 1\nraise ValueError('top')\n", "uncaught-exception", 2),
    "js name": ("from js import Respons\n", "js-name-missing", 1),
    "package": ("import no_such_package_at_all\n", "package-not-installed", 1),
    "project module": ("\nfrom helper import nothing\n", "import-name-missing", 2),
    "src prefix": ("from src.helper import x\n", "src-prefix", 1),
    "timer at load": ("import js\njs.setTimeout(print, 10)\n", "global-scope", 2),
    "exit": ("import sys\nsys.exit(1)\n", "exit-called", 2),
}


@pytest.mark.parametrize(("source", "code", "line"), BROKEN.values(), ids=BROKEN.keys())
def test_what_does_not_load(load_failure: Callable[..., Report], source: str, code: str, line: int) -> None:
    report = load_failure(source, {"src/helper.py": "x = 1\n"})
    assert (report.code, report.where.line if report.where else 0) == (code, line), report
    assert report.where is not None and report.where.file.endswith("entry.py") and report.exception


def test_a_broken_module_of_the_project(load_failure: Callable[..., Report]) -> None:
    report = load_failure("import helper\n", {"src/helper.py": "def f():\n    1 / 0\n\nf()\n"})
    assert report.exception == "ZeroDivisionError: division by zero"
    assert [(frame.file.rsplit("/", 1)[-1], frame.line) for frame in report.frames] == [
        ("entry.py", 1),
        ("helper.py", 4),
        ("helper.py", 2),
    ]
    syntax = load_failure("import helper\n", {"src/helper.py": "x = = 1\n"})
    assert (
        syntax.code == "syntax-error" and syntax.where is not None and syntax.where.file.endswith("helper.py")
    )
