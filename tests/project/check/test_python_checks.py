"""What the source of a Python Worker shows: mistakes that are found, and what is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emulator.project import Project, open_project
from emulator.project.check.static import look_at

HEAD = 'name = "w"\nmain = "src/entry.py"\ncompatibility_flags = ["python_workers"]\n'


def found(
    root: Path, files: dict[str, str], date: str = "2024-12-01", extra: str = ""
) -> list[tuple[str, int]]:
    """Code and line of each report; ``!`` in front of those that are errors."""
    reports = look_at(opened(root, files, date, extra)).reports
    signs = {"error": "!", "warning": ""}
    return sorted((signs[r.severity] + r.code, r.where.line if r.where else 0) for r in reports)


def opened(root: Path, files: dict[str, str], date: str = "2024-12-01", extra: str = "") -> Project:
    config = f'{HEAD}compatibility_date = "{date}"\n{extra}'
    for name, text in {"wrangler.toml": config, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return open_project(root / "wrangler.toml")


def in_handler(lines: str, imports: str = "") -> dict[str, str]:
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    source = f"{imports}\nasync def on_fetch(request, env, ctx):\n{body}    return await env.go()\n"
    return {"src/entry.py": source}


# ---- calls ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("imports", "line", "code"),
    [
        ("import subprocess", "subprocess.run([])", "!python-process"),
        ("import subprocess as sp", "sp.Popen([])", "!python-process"),
        ("from os import system", "system('ls')", "!python-process"),
        ("import asyncio", "await asyncio.create_subprocess_exec('ls')", "!python-process"),
        ("import threading", "threading.Thread(target=print).start()", "!python-thread"),
        ("from concurrent.futures import ThreadPoolExecutor as Pool", "Pool(2)", "!python-thread"),
        ("from urllib.request import urlopen", "urlopen('http://x')", "!python-blocking-http"),
        ("import urllib.request", "urllib.request.urlopen('http://x')", "!python-blocking-http"),
        ("import http.client", "http.client.HTTPSConnection('x')", "!python-blocking-http"),
        ("import socket", "socket.create_connection(('x', 1))", "!python-socket"),
        ("import time", "time.sleep(1)", "python-sleep"),
        ("import asyncio", "asyncio.run(f())", "python-asyncio-run"),
        ("import asyncio", "asyncio.get_event_loop().run_until_complete(f())", "python-asyncio-run"),
        ("import sys", "sys.exit()", "!exit-called"),
        ("", "exit(1)", "!exit-called"),
        ("", "open('a.txt', 'w')", "python-file-write"),
        ("", "open('a.txt', mode='ab')", "python-file-write"),
        ("import os", "os.environ['KEY']", "python-environ"),
        ("from os import environ", "environ.get('KEY')", "python-environ"),
        ("from os import getenv", "getenv('KEY', '')", "python-environ"),
    ],
)
def test_calls_that_workers_do_not_have(tmp_path: Path, imports: str, line: str, code: str) -> None:
    expected = [(code, imports.count("\n") + 3)]
    assert found(tmp_path, in_handler(line, imports), extra='vars = { KEY = "v" }\n') == expected


@pytest.mark.parametrize(
    ("imports", "line"),
    [
        ("import threading", "threading.Lock()"),
        ("import asyncio", "await asyncio.sleep(1)"),
        ("import os", "os.environ['HOME']"),
        ("", "open('/tmp/x', 'w')"),
        ("", "open('data.json')"),
        ("", "open(name, 'w')"),
        ("", "self.exit()"),
        ("import time\ntime = object()", "time.sleep(1)"),
        ("def exit(): pass", "exit()"),
        ("import subprocess\nif __name__ == '__main__':\n    subprocess.run([])", "pass"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas", "pass"),
    ],
)
def test_calls_that_are_fine(tmp_path: Path, imports: str, line: str) -> None:
    assert found(tmp_path, in_handler(line, imports), extra='vars = { KEY = "v" }\n') == []


def test_a_function_that_nothing_calls_is_a_warning(tmp_path: Path) -> None:
    source = "import sys\n\ndef main():\n    sys.exit(1)\n\ndef on_fetch(request):\n    return f(request)\n"
    source += "\nif __name__ == '__main__':\n    main()\n"
    assert found(tmp_path, {"src/entry.py": source}) == [("exit-called", 4)]
    called = source.replace("return f", "return main() or f")
    assert found(tmp_path, {"src/entry.py": called}) == [("!exit-called", 4)]


def test_only_modules_that_the_worker_imports_are_looked_at(tmp_path: Path) -> None:
    bad = "import os\n\ndef f():\n    os.system('ls')\n"
    files = {
        "src/entry.py": "from a import g\nimport b.c\n\ndef on_fetch(request):\n    return g(b.c.f)\n",
        "src/a.py": "from d import h as g\n",
        "src/b/__init__.py": "",
        "src/b/c.py": "from . import e\n" + bad,
        "src/b/e.py": bad,
        "src/d.py": "def h(x): return x\n",
        "src/tests/test_x.py": "import pytest\n" + bad,
    }
    assert found(tmp_path, files) == [("!python-process", 4), ("!python-process", 5)]


# ---- JavaScript objects and handlers ---------------------------------------------------


@pytest.mark.parametrize(
    ("imports", "line", "code"),
    [
        ("from js import Response", "Response('x')", "!new-missing"),
        ("import js", "js.Headers()", "!new-missing"),
        ("from js import Response as R", "R.new('x', headers={})", "!headers-plain-dict"),
        ("from js import Response", "h = {'a': 'b'}; Response.new('x', headers=h)", "!headers-plain-dict"),
        ("from js import Headers", "Headers.new({'a': 'b'})", "!headers-plain-dict"),
        ("from js import fetch", "await fetch('x', headers={'a': 'b'})", "!headers-plain-dict"),
        ("from js import setTimeout", "setTimeout(lambda: 1, 1)", "!borrowed-proxy"),
        ("from js import EventTarget", "t.addEventListener('x', on_fetch)", "!borrowed-proxy"),
        ("", "return 'text'", "!not-a-response"),
        ("", "return", "!not-a-response"),
        ("", "return f'{x}', 404", "!not-a-response"),
        ("import json", "return json.dumps({})", "!not-a-response"),
        ("async def later(): pass", "later()", "never-awaited"),
        ("", "env.MISSING", "env-missing"),
        ("", "a = await request.text()\nb = await request.json()", "!body-used"),
    ],
)
def test_mistakes_in_handlers(tmp_path: Path, imports: str, line: str, code: str) -> None:
    assert [name for name, _ in found(tmp_path, in_handler(line, imports))] == [code]


@pytest.mark.parametrize(
    ("imports", "line"),
    [
        ("from workers import Response", "Response('x', headers={'a': 'b'})"),
        ("from js import Headers", "Headers.new({'a': 'b'}.items())"),
        ("from js import Response, Headers", "Response.new('x', headers=Headers.new())"),
        ("from js import Response", "h = {'a': 'b'}\nh = wrap(h)\nResponse.new('x', headers=h)"),
        ("from pyodide.ffi import to_js\nfrom js import Response", "Response.new('', headers=to_js({}))"),
        ("from js import setTimeout", "setTimeout(create_once_callable(f), 1)"),
        ("async def later(): pass", "await later()"),
        ("", "def inner():\n    return 'text'\ninner()"),
        ("", "env.KEY + env.DB + env.SECRET + env.get"),
        ("", "if x: return other"),
        ("", "a = await request.clone().text()\nb = await request.json()"),
        ("", "if x:\n    a = await request.text()\nb = await request.json()"),
        ("", "a = await request.text()\nrequest = again(request)\nb = await request.text()"),
    ],
)
def test_handlers_that_are_fine(tmp_path: Path, imports: str, line: str) -> None:
    extra = (
        'vars = { KEY = "v" }\nd1_databases = [{ binding = "DB", database_name = "x", database_id = "y" }]\n'
        '[secrets]\nrequired = ["SECRET"]\n'
    )
    assert found(tmp_path, in_handler(line, imports), extra=extra) == []


def test_a_handler_that_never_returns_a_response(tmp_path: Path) -> None:
    assert found(tmp_path, {"src/entry.py": "def on_fetch(request):\n    print(1)\n"}) == [
        ("!not-a-response", 1)
    ]
    assert found(tmp_path, {"src/entry.py": "def on_fetch(request):\n    raise ValueError\n"}) == []


# ---- packages --------------------------------------------------------------------------

HANDLER = "\ndef on_fetch(request):\n    return x\n"


def packages(
    root: Path, imports: str, files: dict[str, str], date: str = "2024-12-01"
) -> list[tuple[str, str]]:
    project = opened(root, {"src/entry.py": imports + HANDLER, **files}, date)
    return [(package.module, package.source) for package in look_at(project).packages]


def test_where_packages_come_from(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "fastapi>=0.1\nlisted-one\n",
        "pyproject.toml": '[project]\ndependencies = ["declared-one>=2", "PyYAML"]\n',
        "python_modules/own/__init__.py": "",
        "python_modules/single.py": "",
        "src/local.py": "",
    }
    imports = "import fastapi, own, single, local, declared_one, listed_one, yaml, json, js, pyodide, attr"
    assert packages(tmp_path, imports, files) == [
        ("fastapi", "runtime"),
        ("own", "vendored"),
        ("single", "vendored"),
        ("declared_one", "declared"),
        ("listed_one", "listed"),
        ("yaml", "runtime"),
        ("attr", "missing"),
    ]


@pytest.mark.parametrize(
    ("imports", "files", "codes"),
    [
        ("import nowhere_at_all", {}, ["!package-not-uploaded"]),
        ("import nowhere_at_all.sub", {}, ["!package-not-uploaded"]),
        ("try:\n    import nowhere_at_all\nexcept ImportError:\n    pass", {}, []),
        ("import httpx", {}, ["package-not-listed"]),
        ("import httpx", {"requirements.txt": "httpx\n"}, []),
        ("import pytest", {"requirements.txt": "pytest\n"}, ["!package-not-vendored"]),
        ("import pytest", {"pyproject.toml": '[project]\ndependencies = ["pytest"]\n'}, []),
        (
            "import greenlet",
            {"pyproject.toml": '[project]\ndependencies = ["greenlet"]\n'},
            ["!package-native"],
        ),
        ("import fcntl", {}, ["!stdlib-module-missing"]),
        ("import tkinter", {}, ["!stdlib-module-missing"]),
        ("import distutils", {}, ["!stdlib-module-missing"]),
        ("import cgi", {}, []),
        ("from . import x", {}, []),
    ],
)
def test_packages_that_the_platform_lacks(
    tmp_path: Path, imports: str, files: dict[str, str], codes: list[str]
) -> None:
    assert [code for code, _ in found(tmp_path, {"src/entry.py": imports + HANDLER, **files})] == codes


def test_the_standard_library_is_that_of_the_date(tmp_path: Path) -> None:
    source = {"src/entry.py": "import cgi" + HANDLER}
    assert found(tmp_path, source, "2025-09-28") == []
    assert found(tmp_path, source, "2025-09-29") == [("!stdlib-module-missing", 1)]


def test_the_sdk_is_part_of_the_upload_from_a_date_on(tmp_path: Path) -> None:
    source = {"src/entry.py": "from workers import Response" + HANDLER}
    assert found(tmp_path, source, "2026-04-20") == []
    assert found(tmp_path, source, "2026-04-21") == [("sdk-not-vendored", 1)]
    listed = {**source, "pyproject.toml": "[dependency-groups]\ndev = ['workers-py']\n"}
    assert found(tmp_path, listed, "2026-04-21") == []


def test_vendored_machine_code_is_told_once_for_each_package(tmp_path: Path) -> None:
    files = {
        "src/entry.py": HANDLER,
        "python_modules/fast/a.so": "\x7fELF",
        "python_modules/fast/b.so": "\x7fELF",
        "python_modules/fine/a.so": "\0asm",
    }
    assert found(tmp_path, files) == [("!package-native", 0)]


# ---- what must not break it ------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "def on_fetch(request:\n",
        "x = 1 \0 2",
        "x = " + "(" * 5000,
        "x = " + "+".join(["1"] * 20_000),
        "x = " + "-" * 3000 + "1",
        "import a" + ".b" * 3000,
        "from " + "." * 200 + " import x",
        "import " + "a" * 5000,
        "from . import *\nfrom .. import y\n",
        "match x:\n    case {**rest}: pass\n",
        "\ufeffimport json\n",
        "變數 = env.變數\n",
    ],
)
def test_strange_source_is_survived(tmp_path: Path, source: str) -> None:
    found(tmp_path, {"src/entry.py": source})


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_package_that_links_to_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "python_modules" / "loop").mkdir(parents=True)
    (tmp_path / "python_modules" / "loop" / "again").symlink_to(tmp_path / "python_modules")
    assert found(tmp_path, {"src/entry.py": "import loop" + HANDLER}) == []
