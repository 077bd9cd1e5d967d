"""Every mistake in a project's files, told in full: the expected texts are written out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from emulator.diagnostics.render import render_text
from emulator.project import ProjectError, open_project, open_projects

NO_FLAG = """\
name = "w"
main = "src/entry.py"
compatibility_date = "2024-12-01"
"""
GOOD = NO_FLAG + 'compatibility_flags = ["python_workers"]\n'


class Case(NamedTuple):
    name: str
    files: dict[str, str]
    serve: list[str]
    expected: str


CASES: list[Case] = [
    Case(
        "no_wrangler_file",
        {"README.md": ""},
        ["."],
        """\
✘ No wrangler file in <project>
  --> <project>
  why: A Worker is a directory with wrangler.json, wrangler.jsonc or wrangler.toml. Wrangler 4 has no `--lang=python` any more: the project is made by hand.
  fix: Create these three files:

       wrangler.toml
           name = "demo"
           main = "src/entry.py"
           compatibility_date = "2024-12-01"
           compatibility_flags = ["python_workers"]

       src/entry.py
           from js import Response

           async def on_fetch(request, env):
               return Response.new("Hello from Python on Cloudflare Workers!")

       requirements.txt (optional, packages from PyPI, one a line)

       or let `cfw-emu new demo` create them (it comes with a later release).
  see: docs/errors.md#no-wrangler-file
""",
    ),
    Case(
        "no_wrangler_file_but_above",
        {"wrangler.toml": GOOD, "src/entry.py": ""},
        ["src"],
        """\
✘ No wrangler file in <project>/src
  --> src
  why: A Worker is a directory with wrangler.json, wrangler.jsonc or wrangler.toml. Wrangler 4 has no `--lang=python` any more: the project is made by hand.
  fix: Create these three files:

       wrangler.toml
           name = "src"
           main = "src/entry.py"
           compatibility_date = "2024-12-01"
           compatibility_flags = ["python_workers"]

       src/entry.py
           from js import Response

           async def on_fetch(request, env):
               return Response.new("Hello from Python on Cloudflare Workers!")

       requirements.txt (optional, packages from PyPI, one a line)

       or let `cfw-emu new src` create them (it comes with a later release).

       Or did you mean the project above? cfw-emu serve ..
  see: docs/errors.md#no-wrangler-file
""",
    ),
    Case(
        "no_such_path",
        {"my-worker/wrangler.toml": GOOD},
        ["my-wroker"],
        """\
✘ There is no <project>/my-wroker
  why: `cfw-emu serve` takes a project directory, a wrangler file, or a directory of projects.
  fix: Did you mean my-worker?

       cfw-emu serve <project>/my-worker
  see: docs/errors.md#no-such-path
""",
    ),
    Case(
        "not_a_wrangler_file",
        {"wrangler.toml": GOOD, "src/entry.py": ""},
        ["src/entry.py"],
        """\
✘ <project>/src/entry.py is not a wrangler file
  why: A wrangler file ends in .toml, .json or .jsonc.
  fix: Name the project's directory or its wrangler file:

       cfw-emu serve <project>
  see: docs/errors.md#not-a-wrangler-file
""",
    ),
    Case(
        "main_missing",
        {
            "wrangler.toml": 'name = "w"\ncompatibility_date = "2024-12-01"\n',
            "src/entry.py": "",
            "src/other.py": "",
        },
        ["."],
        """\
✘ The wrangler file has no "main"
  --> wrangler.toml:1:1
  1 | name = "w"
    | ^
  why: `main` names the file that holds the Worker's handlers; without it there is nothing to run.
  fix: Add this line to wrangler.toml:

       main = "src/entry.py"
  see: docs/errors.md#main-missing
""",
    ),
    Case(
        "main_missing_json",
        {"wrangler.json": '{\n  "name": "w",\n  "compatibility_date": "2024-12-01"\n}\n', "worker.py": ""},
        ["."],
        """\
✘ The wrangler file has no "main"
  --> wrangler.json:2:3
  2 |   "name": "w",
    |   ^
  why: `main` names the file that holds the Worker's handlers; without it there is nothing to run.
  fix: Add this line to wrangler.json:

       "main": "worker.py",
  see: docs/errors.md#main-missing
""",
    ),
    Case(
        "main_misspelled_and_warnings",
        {
            "wrangler.toml": 'nmae = "w"\nname = "w"\nmain = "src/enty.py"\ncompatibility_date = "2024-12-01"\ncompatibility_flags = ["python_workers"]\n',
            "src/entry.py": "",
            "src/util.py": "",
        },
        ["."],
        """\
✘ The entry point "src/enty.py" does not exist
  --> wrangler.toml:3:8
  3 | main = "src/enty.py"
    |        ^
  why: `main` is looked up relative to the directory of the wrangler file.
  fix: Did you mean src/entry.py?

       main = "src/entry.py"
  see: docs/errors.md#main-not-found
▲ Unexpected key "nmae"
  --> wrangler.toml:1:1
  1 | nmae = "w"
    | ^
  why: Wrangler does not know it, so it has no effect.
  fix: Did you mean "name"?
  see: docs/errors.md#config-unknown-key
""",
    ),
    Case(
        "main_elsewhere",
        {"wrangler.toml": GOOD, "app/entry.py": "", "app/util.py": ""},
        ["."],
        """\
✘ The entry point "src/entry.py" does not exist
  --> wrangler.toml:2:8
  2 | main = "src/entry.py"
    |        ^
  why: `main` is looked up relative to the directory of the wrangler file.
  fix: Did you mean app/entry.py?

       main = "app/entry.py"
  see: docs/errors.md#main-not-found
""",
    ),
    Case(
        "main_not_found_among_many",
        {
            "wrangler.toml": GOOD,
            "lib/a.py": "",
            "lib/b.py": "",
            "lib/c.py": "",
            "lib/d.py": "",
            "lib/e.py": "",
            "lib/f.py": "",
            "lib/g.py": "",
            "lib/h.py": "",
            "lib/i.py": "",
            "lib/j.py": "",
            "node_modules/x.py": "",
        },
        ["."],
        """\
✘ The entry point "src/entry.py" does not exist
  --> wrangler.toml:2:8
  2 | main = "src/entry.py"
    |        ^
  why: `main` is looked up relative to the directory of the wrangler file.
  fix: Create it, or name one of the project's files: lib/a.py, lib/b.py, lib/c.py, lib/d.py, lib/e.py, lib/f.py, lib/g.py, lib/h.py and 2 more
  see: docs/errors.md#main-not-found
""",
    ),
    Case(
        "main_not_found_and_nothing_else",
        {"wrangler.toml": NO_FLAG},
        ["."],
        """\
✘ The entry point "src/entry.py" does not exist
  --> wrangler.toml:2:8
  2 | main = "src/entry.py"
    |        ^
  why: `main` is looked up relative to the directory of the wrangler file.
  fix: The project has no .py file yet. Create src/entry.py.
  see: docs/errors.md#main-not-found
✘ The python_workers compatibility flag is required to use Python.
  --> wrangler.toml:3:1
  3 | compatibility_date = "2024-12-01"
    | ^
  why: main is "src/entry.py", and without this flag the platform takes it for JavaScript: production answers nothing useful, `wrangler dev` seems to hang.
  fix: Add this line after line 3 of wrangler.toml:

       compatibility_flags = ["python_workers"]
  see: docs/errors.md#no-python-workers-flag
""",
    ),
    Case(
        "main_wrong_case",
        {"wrangler.toml": GOOD, "Src/Entry.py": ""},
        ["."],
        """\
✘ The entry point "src/entry.py" is spelled "Src/Entry.py" on disk
  --> wrangler.toml:2:8
  2 | main = "src/entry.py"
    |        ^
  why: Upper and lower case differ in production, even where the file system here ignores that.
  fix: main = "Src/Entry.py"
  see: docs/errors.md#main-wrong-case
""",
    ),
    Case(
        "main_is_a_directory",
        {
            "wrangler.toml": 'name = "w"\nmain = "src"\ncompatibility_date = "2024-12-01"\ncompatibility_flags = ["python_workers"]\n',
            "src/a.py": "",
            "b.py": "",
        },
        ["."],
        """\
✘ The entry point "src" is a directory
  --> wrangler.toml:2:8
  2 | main = "src"
    |        ^
  why: `main` must name one file.
  fix: Did you mean src/a.py?

       main = "src/a.py"
  see: docs/errors.md#main-is-directory
""",
    ),
    Case(
        "main_is_typescript",
        {
            "wrangler.toml": 'name = "w"\nmain = "src/index.ts"\ncompatibility_date = "2024-12-01"\n',
            "src/index.ts": "",
        },
        ["."],
        """\
✘ "src/index.ts" is TypeScript, which is not compiled here
  --> wrangler.toml:2:8
  2 | main = "src/index.ts"
    |        ^
  why: `wrangler` compiles it with esbuild before it is run; cfw-emu serves the JavaScript that comes out.
  fix: Compile it to .js, and point main to that; a build section does it on every save:

       main = "dist/index.js"

       [build]
       command = "npx esbuild src/index.ts --bundle --format=esm --external:cloudflare:* --outfile=dist/index.js"
  see: docs/errors.md#main-not-compiled
""",
    ),
    Case(
        "main_is_jsx_in_json",
        {
            "wrangler.json": '{"name": "w", "main": "app.jsx", "compatibility_date": "2024-12-01"}',
            "app.jsx": "",
        },
        ["."],
        """\
✘ "app.jsx" is JavaScript with JSX, which is not compiled here
  --> wrangler.json:1:23
  1 | {"name": "w", "main": "app.jsx", "compatibility_date": "2024-12-01"}
    |                       ^
  why: `wrangler` compiles it with esbuild before it is run; cfw-emu serves the JavaScript that comes out.
  fix: Compile it to .js, and point main to that; a build section does it on every save:

       "main": "dist/app.js",

       "build": { "command": "npx esbuild app.jsx --bundle --format=esm --external:cloudflare:* --outfile=dist/app.js" }
  see: docs/errors.md#main-not-compiled
""",
    ),
    Case(
        "main_is_go_source",
        {
            "wrangler.toml": 'name = "w"\nmain = "main.go"\ncompatibility_date = "2024-12-01"\n',
            "main.go": "package main",
            "go.mod": "module w",
        },
        ["."],
        """\
✘ "main.go" is Go source: Workers run it as WebAssembly
  --> wrangler.toml:2:8
  2 | main = "main.go"
    |        ^
  why: TinyGo compiles the program to a .wasm file, and `main` names what is run: that file itself, or the worker.js that imports it.
  fix: main = "worker.wasm"

       It is built by `tinygo build -o worker.wasm -target wasm-unknown ./...` on every save. With JavaScript around it, as in `wrangler dev`, write main = "worker.js" instead.
  see: docs/errors.md#main-go-source
""",
    ),
    Case(
        "main_is_commonjs",
        {
            "wrangler.toml": 'name = "w"\nmain = "worker.cjs"\ncompatibility_date = "2024-12-01"\n',
            "worker.cjs": "",
        },
        ["."],
        """\
✘ "worker.cjs" is a CommonJS module: Workers are ES modules
  --> wrangler.toml:2:8
  2 | main = "worker.cjs"
    |        ^
  why: `require` and `module.exports` do not exist in a Worker's entry point.
  fix: Write `export default { fetch(request, env, ctx) { ... } }` in a .js or .mjs file.
  see: docs/errors.md#main-commonjs
""",
    ),
    Case(
        "main_is_something_else",
        {
            "wrangler.toml": 'name = "w"\nmain = "notes.md"\ncompatibility_date = "2024-12-01"\n',
            "notes.md": "",
        },
        ["."],
        """\
✘ "notes.md" cannot be an entry point (.md)
  --> wrangler.toml:2:8
  2 | main = "notes.md"
    |        ^
  why: `main` names a Python (.py), JavaScript (.js, .mjs) or WebAssembly (.wasm) file.
  fix: Point main to one of those.
  see: docs/errors.md#main-unknown-language
""",
    ),
    Case(
        "main_is_a_missing_bridge",
        {
            "wrangler.toml": 'name = "w"\nmain = "worker.js"\ncompatibility_date = "2024-12-01"\n',
            "main.go": "package main",
            "go.mod": "module w",
        },
        ["."],
        """\
✘ The entry point "worker.js" does not exist
  --> wrangler.toml:2:8
  2 | main = "worker.js"
    |        ^
  why: This is a Go project: its WebAssembly is called by a JavaScript module, or served by itself.
  fix: Without JavaScript, through the exported functions handle, responsePtr and responseLen (docs/go-abi.md):

       main = "worker.wasm"

       Or write worker.js, which imports the WebAssembly and answers with it (docs/getting-started.md).
  see: docs/errors.md#main-go-no-bridge
""",
    ),
    Case(
        "main_is_a_missing_script",
        {
            "wrangler.toml": 'name = "w"\nmain = "worker.js"\ncompatibility_date = "2024-12-01"\n',
            "src/worker.js": "",
            "entry.py": "",
        },
        ["."],
        """\
✘ The entry point "worker.js" does not exist
  --> wrangler.toml:2:8
  2 | main = "worker.js"
    |        ^
  why: `main` is looked up relative to the directory of the wrangler file.
  fix: Did you mean src/worker.js?

       main = "src/worker.js"
  see: docs/errors.md#main-not-found
""",
    ),
    Case(
        "main_is_a_missing_wasm",
        {"wrangler.toml": 'name = "w"\nmain = "worker.wasm"\ncompatibility_date = "2024-12-01"\n'},
        ["."],
        """\
✘ The entry point "worker.wasm" does not exist
  --> wrangler.toml:2:8
  2 | main = "worker.wasm"
    |        ^
  why: `main` is looked up relative to the directory of the wrangler file.
  fix: Build it, for example with TinyGo:

       tinygo build -o worker.wasm -target wasm-unknown ./...
  see: docs/errors.md#main-not-found
""",
    ),
    Case(
        "no_main_but_javascript",
        {
            "wrangler.toml": 'name = "w"\ncompatibility_date = "2024-12-01"\n',
            "src/index.js": "",
            "src/util.js": "",
        },
        ["."],
        """\
✘ The wrangler file has no "main"
  --> wrangler.toml:1:1
  1 | name = "w"
    | ^
  why: `main` names the file that holds the Worker's handlers; without it there is nothing to run.
  fix: Add this line to wrangler.toml:

       main = "src/index.js"
  see: docs/errors.md#main-missing
""",
    ),
    Case(
        "no_wrangler_file_in_a_go_project",
        {"go.mod": "module w", "main.go": "package main"},
        ["."],
        """\
✘ No wrangler file in <project>
  --> <project>
  why: A Worker is a directory with wrangler.json, wrangler.jsonc or wrangler.toml.
  fix: Create wrangler.toml beside go.mod:

           name = "demo"
           main = "worker.wasm"
           compatibility_date = "2024-12-01"

       worker.wasm is what `tinygo build -o worker.wasm -target wasm-unknown ./...` makes; it is served without any JavaScript. With a worker.js as in `wrangler dev`, write main = "worker.js".
  see: docs/errors.md#no-wrangler-file
""",
    ),
    Case(
        "no_wrangler_file_beside_a_bridge",
        {"go.mod": "module w", "main.go": "package main", "worker.js": ""},
        ["."],
        """\
✘ No wrangler file in <project>
  --> <project>
  why: A Worker is a directory with wrangler.json, wrangler.jsonc or wrangler.toml.
  fix: Create wrangler.toml beside go.mod:

           name = "demo"
           main = "worker.js"
           compatibility_date = "2024-12-01"

       worker.js imports worker.wasm, which `tinygo build -o worker.wasm -target wasm-unknown ./...` makes.
  see: docs/errors.md#no-wrangler-file
""",
    ),
    Case(
        "no_wrangler_file_beside_javascript",
        {"src/index.js": "", "package.json": "{}"},
        ["."],
        """\
✘ No wrangler file in <project>
  --> <project>
  why: A Worker is a directory with wrangler.json, wrangler.jsonc or wrangler.toml.
  fix: Create wrangler.toml, with the path of your script as `main`:

           name = "demo"
           main = "src/index.js"
           compatibility_date = "2024-12-01"
  see: docs/errors.md#no-wrangler-file
""",
    ),
    Case(
        "no_python_workers_flag",
        {"wrangler.toml": NO_FLAG, "src/entry.py": ""},
        ["."],
        """\
✘ The python_workers compatibility flag is required to use Python.
  --> wrangler.toml:3:1
  3 | compatibility_date = "2024-12-01"
    | ^
  why: main is "src/entry.py", and without this flag the platform takes it for JavaScript: production answers nothing useful, `wrangler dev` seems to hang.
  fix: Add this line after line 3 of wrangler.toml:

       compatibility_flags = ["python_workers"]
  see: docs/errors.md#no-python-workers-flag
""",
    ),
    Case(
        "no_python_workers_flag_among_others",
        {
            "wrangler.toml": 'name = "w"\nmain = "src/entry.py"\ncompatibility_date = "2024-12-01"\ncompatibility_flags = ["nodejs_compat"]\n',
            "src/entry.py": "",
        },
        ["."],
        """\
✘ The python_workers compatibility flag is required to use Python.
  --> wrangler.toml:4:23
  4 | compatibility_flags = ["nodejs_compat"]
    |                       ^
  why: main is "src/entry.py", and without this flag the platform takes it for JavaScript: production answers nothing useful, `wrangler dev` seems to hang.
  fix: Change compatibility_flags (line 4 of wrangler.toml) to:

       compatibility_flags = ["python_workers", "nodejs_compat"]
  see: docs/errors.md#no-python-workers-flag
""",
    ),
    Case(
        "no_python_workers_flag_in_json",
        {
            "wrangler.jsonc": '{\n  "name": "w",\n  "main": "src/entry.py",\n  "compatibility_date": "2024-12-01"\n}\n',
            "src/entry.py": "",
        },
        ["."],
        """\
✘ The python_workers compatibility flag is required to use Python.
  --> wrangler.jsonc:4:3
  4 |   "compatibility_date": "2024-12-01"
    |   ^
  why: main is "src/entry.py", and without this flag the platform takes it for JavaScript: production answers nothing useful, `wrangler dev` seems to hang.
  fix: Add this line before line 4 of wrangler.jsonc:

       "compatibility_flags": ["python_workers"],
  see: docs/errors.md#no-python-workers-flag
""",
    ),
    Case(
        "no_python_workers_flag_in_json_of_one_line",
        {"wrangler.json": '{"name": "w", "main": "e.py", "compatibility_date": "2024-12-01"}\n', "e.py": ""},
        ["."],
        """\
✘ The python_workers compatibility flag is required to use Python.
  --> wrangler.json:1:31
  1 | {"name": "w", "main": "e.py", "compatibility_date": "2024-12-01"}
    |                               ^
  why: main is "e.py", and without this flag the platform takes it for JavaScript: production answers nothing useful, `wrangler dev` seems to hang.
  fix: Add this key to wrangler.json:

       "compatibility_flags": ["python_workers"],
  see: docs/errors.md#no-python-workers-flag
""",
    ),
    Case(
        "two_projects_of_one_name",
        {"a/wrangler.toml": GOOD, "a/src/entry.py": "", "b/wrangler.toml": GOOD, "b/src/entry.py": ""},
        ["."],
        """\
✘ Two projects are named "w"
  --> b/wrangler.toml:1:8
  1 | name = "w"
    |        ^
  why: Each Worker answers http://<name>.localhost, so names must differ. The other one is <project>/a/wrangler.toml:1.
  fix: Give one of them another `name` in its wrangler file.
  see: docs/errors.md#duplicate-worker-name
""",
    ),
    Case(
        "mistakes_of_several_projects",
        {
            "a/wrangler.toml": "name = 1\n",
            "b/wrangler.toml": NO_FLAG,
            "b/src/entry.py": "",
            "c/wrangler.toml": GOOD,
            "c/src/entry.py": "",
        },
        ["a", "b", "c", "zz"],
        """\
✘ There is no <project>/zz
  why: `cfw-emu serve` takes a project directory, a wrangler file, or a directory of projects.
  fix: Check the path; without one, the current directory is served.
  see: docs/errors.md#no-such-path
""",
    ),
    Case(
        "mistakes_of_several_projects_opened",
        {
            "a/wrangler.toml": "name = 1\n",
            "b/wrangler.toml": NO_FLAG,
            "b/src/entry.py": "",
            "c/wrangler.toml": GOOD,
            "c/src/entry.py": "",
        },
        ["."],
        """\
✘ Expected "name" to be text, but got 1
  --> a/wrangler.toml:1:8
  1 | name = 1
    |        ^
  fix: name = "1"
  see: docs/errors.md#config-wrong-type
✘ The python_workers compatibility flag is required to use Python.
  --> b/wrangler.toml:3:1
  3 | compatibility_date = "2024-12-01"
    | ^
  why: main is "src/entry.py", and without this flag the platform takes it for JavaScript: production answers nothing useful, `wrangler dev` seems to hang.
  fix: Add this line after line 3 of wrangler.toml:

       compatibility_flags = ["python_workers"]
  see: docs/errors.md#no-python-workers-flag
""",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_the_user_reads(tmp_path: Path, case: Case) -> None:
    root = tmp_path / "demo"
    root.mkdir()
    for name, text in case.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    with pytest.raises(ProjectError) as caught:
        open_projects([root / path for path in case.serve], process_env={})
    actual = "".join(render_text(report, str(root)) for report in caught.value.reports)
    assert actual.replace(str(root), "<project>") == case.expected


def test_a_name_that_is_too_long_for_the_system_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text(
        f'name = "w"\nmain = "{"a" * 300}.js"\ncompatibility_date = "2026-01-01"\n'
    )
    with pytest.raises(ProjectError, match="cannot be read"):
        open_project(tmp_path / "wrangler.toml")


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text('name = "w"\nmain = "w.js"\ncompatibility_date = "2026-01-01"\n')
    os.mkfifo(tmp_path / "w.js")
    with pytest.raises(ProjectError, match="cannot be read"):
        open_project(tmp_path / "wrangler.toml")
