"""Modules that do not load: each mistake has its code, its place and its advice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from module_files import OK, Project

from emulator.diagnostics.render import render_text
from emulator.isolate.javascript.modules import ModuleSyntaxError, TopLevelError
from emulator.isolate.realm.engine import Value
from emulator.wire.frames import ModuleRule


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def importing(specifier: str) -> str:
    return f"// an import\nimport x from '{specifier}';\n{OK}"


@pytest.mark.parametrize(
    ("specifier", "files", "code", "advice"),
    [
        ("./helpr.js", {"helper.js": ""}, "module-not-found", 'Did you mean "./helper.js"?'),
        ("./x", {"x.mjs": ""}, "module-not-found", 'Did you mean "./x.mjs"?'),
        ("./Lib.js", {"lib.js": ""}, "module-not-found", 'Did you mean "./lib.js"?'),
        ("./nope.js", {"other.js": ""}, "module-not-found", "Check the spelling."),
        ("./helper.js", {"helpr.mjs": ""}, "module-not-found", 'Did you mean "./helpr.mjs"?'),
        ("./lib/", {"lib/a.js": ""}, "module-not-found", ""),
        ("./lib", {"lib/a.js": ""}, "module-not-found", ""),
        ("/lib.js", {"lib.js": ""}, "module-not-found", 'Did you mean "./lib.js"?'),
        (".", {"a.js": ""}, "module-not-found", ""),
        ("", {}, "module-not-found", ""),
        ("./x.wasm", {"go.mod": ""}, "module-not-found", "tinygo build -o worker.wasm"),
        ("./x.wasm", {"y.wasm": ""}, "module-not-found", 'Did you mean "./y.wasm"?'),
        ("helper.js", {"helper.js": ""}, "import-without-dot", 'Write "./helper.js".'),
        ("helper", {"helper.js": ""}, "import-without-dot", 'Write "./helper".'),
        ("./u", {"u.ts": ""}, "import-typescript", "[build]"),
        ("./u.ts", {"u.ts": ""}, "import-typescript", "esbuild"),
        ("./u.js", {"u.ts": ""}, "import-typescript", "esbuild"),
        ("./u", {"u/index.tsx": ""}, "import-typescript", "esbuild"),
        ("./a.md", {"a.md": ""}, "module-no-rule", 'globs = ["**/*.md"]'),
        ("./a.css", {"a.css": ""}, "module-no-rule", "[[rules]]"),
        ("./LICENSE", {"LICENSE": ""}, "module-no-rule", "[[rules]]"),
        ("https://esm.sh/hono", {}, "import-url", "npm"),
        ("data:text/javascript,1", {}, "import-url", ""),
        ("node:fs", {}, "node-builtin", "A Worker has no disk."),
        ("fs/promises", {}, "node-builtin", "A Worker has no disk."),
        ("crypto", {}, "node-builtin", "crypto.subtle"),
        ("node:nonsense", {}, "node-builtin", "Web APIs"),
        ("cloudflare:sockets", {}, "cloudflare-module", "wrangler dev"),
        ("cloudflare:worker", {}, "cloudflare-module", 'Did you mean "cloudflare:workers"?'),
        ("hono", {}, "npm-package-missing", "npm install hono"),
        ("@scope/pkg/sub", {}, "npm-package-missing", "npm install @scope/pkg"),
        ("lodahs", {"node_modules/lodash/x": ""}, "npm-package-missing", 'Did you mean "lodash"?'),
        ("#own", {"package.json": "{}"}, "package-import", '"#own": "./src/file.js"'),
        ("#own", {}, "package-import", ""),
        ("p", {"node_modules/p/package.json": "{"}, "package-json-invalid", "reinstall"),
        ("p", {"node_modules/p/package.json": "[]"}, "package-json-invalid", "reinstall"),
        ("p", {"node_modules/p/package.json": "{}"}, "npm-package-no-entry", "npm install p"),
        ("p", {"node_modules/p/package.json": '{"exports": "./gone.js"}'}, "npm-package-no-entry", ""),
        (
            "p/x",
            {"node_modules/p/package.json": '{"exports": {"./y": "./y.js"}}'},
            "npm-package-subpath",
            "p/y",
        ),
        ("p/x", {"node_modules/p/package.json": '{"exports": {"./*": null}}'}, "npm-package-subpath", ""),
        ("p", {"node_modules/p/package.json": '{"exports": {"node": "./a.js"}}'}, "npm-package-subpath", ""),
        ("p", {"node_modules/p/package.json": '{"exports": "../../worker.js"}'}, "npm-package-subpath", ""),
        ("./d.js", {"d.js/x": ""}, "module-not-found", ""),
        ("./a\nb", {}, "module-not-found", ""),
    ],
)
def test_an_import_that_means_nothing(
    project: Project, specifier: str, files: dict[str, str | bytes], code: str, advice: str
) -> None:
    main = importing(specifier.replace("\n", "\\n"))
    report = project.mistake({"worker.js": main, **files})
    assert report.code == code
    assert advice in report.fix
    assert report.where is not None
    if "\n" not in specifier:
        assert project.place(report) == "worker.js:2:15"
        assert report.where.source == main.split("\n")[1]


def test_golden_text(project: Project) -> None:
    report = project.mistake(
        {"src/worker.js": "import h from '../lib/helpr.js';", "lib/helper.js": ""}, main="src/worker.js"
    )
    assert (
        render_text(report, str(project.root))
        == """\
✘ Could not resolve "../lib/helpr.js"
  --> src/worker.js:1:15
  1 | import h from '../lib/helpr.js';
    |               ^
  Error: No such module "../lib/helpr.js".
  why: There is no file lib/helpr.js.
  fix: Did you mean "../lib/helper.js"?
  see: docs/errors.md#module-not-found
"""
    )


def test_the_place_is_in_the_importing_module_not_in_a_comment(project: Project) -> None:
    report = project.mistake(
        {
            "worker.js": "import './a.js';",
            "a.js": "// import './b.js'\nconst s = './b.js';\nexport {\n  x,\n} from './b.js';",
        }
    )
    assert project.place(report) == "a.js:5:8"


@pytest.mark.parametrize("flags", [[], ["nodejs_compat"]])
def test_node_modules_say_what_the_platform_needs(project: Project, flags: list[str]) -> None:
    report = project.mistake({"worker.js": importing("node:util")}, flags=flags)
    assert ('your flag "nodejs_compat" makes it available' in report.why) == bool(flags)


def test_a_missing_main_module(project: Project) -> None:
    assert project.mistake({}).code == "module-not-found"


# ---- rules ---------------------------------------------------------------------


def test_a_default_rule_is_ignored_after_a_custom_one_of_its_type(project: Project) -> None:
    rule = ModuleRule("Text", ["**/*.md"])
    report = project.mistake({"worker.js": importing("./a.txt"), "a.txt": "x"}, rules=[rule])
    assert report.code == "module-rule-ignored"
    assert "Text **/*.txt" in report.why and "Text **/*.md" in report.why


# ---- contents --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "code", "place"),
    [
        ("a.json", "{\n  // no\n}", "module-json-invalid", "a.json:2:3"),
        ("a.json", '{"a" 1}', "module-json-invalid", "a.json:1:6"),
        ("a.json", "", "module-json-invalid", "a.json:1:1"),
        ("a.json", '1}, "x": {"y": 2', "module-json-invalid", "a.json:1:2"),
        ("a.json", "[NaN]", "module-json-invalid", "a.json:1:2"),
        ("a.json", "[" * 100_000, "module-json-invalid", "a.json:1:1"),
        ("a.json", b'{"a": "\xff"}', "module-not-utf8", "a.json:1:8"),
        ("a.js", b"let x;\nlet \xe9 = 1;", "module-not-utf8", "a.js:2:5"),
        ("a.js", "let x = 1;".encode("utf-16"), "module-not-utf8", "a.js:1:1"),
        ("a.cjs", "let x = 1;", "commonjs-module", "worker.js:2:15"),
        ("a.js", "const y = require('y');", "commonjs-module", "a.js:1:11"),
        ("a.js", "'use strict';\nexports.x = 1;", "commonjs-module", "a.js:2:1"),
        ("a.js", "Object.defineProperty(exports, '__esModule', {});", "commonjs-module", "a.js:1:8"),
    ],
)
def test_a_file_that_is_no_such_module(
    project: Project, name: str, content: str | bytes, code: str, place: str
) -> None:
    report = project.mistake({"worker.js": importing(f"./{name}"), name: content})
    assert (report.code, project.place(report)) == (code, place)


def test_a_commonjs_package_is_told_to_be_bundled(project: Project) -> None:
    report = project.mistake(
        {"worker.js": importing("@a/b"), "node_modules/@a/b/index.js": "module.exports = 1;"}
    )
    assert report.code == "commonjs-module"
    assert "--outfile=vendor/@a-b.js node_modules/@a/b/index.js" in report.fix


def test_a_commonjs_main(project: Project) -> None:
    report = project.mistake({"worker.js": "module.exports = { fetch() {} };"})
    assert report.code == "commonjs-module"
    assert "export default" in report.fix


@pytest.mark.parametrize("name", ["require", "module", "exports", "__dirname"])
def test_commonjs_names_in_an_es_module(project: Project, name: str) -> None:
    report = project.mistake({"worker.js": f"{OK}\nconst x = {name};"})
    assert (report.code, project.place(report)) == ("commonjs-name", "worker.js:2:11")
    assert report.exception == f"ReferenceError: {name} is not defined"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(project: Project) -> None:
    project.write({"a.js": ""})
    (project.root / "a.js").chmod(0)
    assert project.mistake({"worker.js": importing("./a.js")}).code == "module-unreadable"


def test_a_chain_of_modules_has_an_end(project: Project) -> None:
    chain: dict[str, str | bytes] = {f"m{i}.js": f"import './m{i + 1}.js';" for i in range(400)}
    assert project.mistake({"worker.js": "import './m0.js';", **chain}).code == "module-chain"
    many: dict[str, str | bytes] = {f"n{i}.js": "" for i in range(400)}
    assert project.load({"worker.js": "".join(f"import './{name}';" for name in many), **many})


# ---- exports ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("main", "other", "place", "advice"),
    [
        ("import {\n  nme } from './o.js';", "export const name = 1;", "worker.js:2:3", "Did you mean name?"),
        ("import x from './o.js';", "export const a = 1;", "worker.js:1:8", "import { a } from"),
        ("import { x } from './o.js';", "export default 1;", "worker.js:1:10", "import x from"),
        ("import { x } from './o.js';", "", "worker.js:1:10", "It exports nothing."),
        ("export { x as y } from './o.js';", "export { q as z }; let q;", "worker.js:1:10", "It exports: z"),
        ("import { y } from './p.js';", "export { q as z }; let q;", "p.js:1:10", "It exports: z"),
    ],
)
def test_an_import_of_a_name_that_is_not_exported(
    project: Project, main: str, other: str, place: str, advice: str
) -> None:
    passing = "export { x as y } from './o.js';"
    report = project.mistake({"worker.js": main, "o.js": other, "p.js": passing})
    assert (report.code, project.place(report)) == ("export-missing", place)
    assert advice in report.fix
    assert "The requested module './o.js' does not provide an export named" in report.exception


def test_missing_exports_of_modules_that_are_no_javascript(project: Project) -> None:
    report = project.mistake({"worker.js": "import { go } from './a.wasm';", "a.wasm": b"\0asm"})
    assert report.what == 'No matching export in "a.wasm" for import "go"'
    assert 'import go from "./a.wasm";' in report.fix
    report = project.mistake({"worker.js": "import { versoin } from './a.json';", "a.json": '{"version": 1}'})
    assert report.fix == "Did you mean version?"
    report = project.mistake({"worker.js": "import { DurableObjects } from 'cloudflare:workers';"})
    assert report.fix == "Did you mean DurableObject?"


@pytest.mark.parametrize(
    ("source", "code", "place"),
    [
        ("addEventListener('fetch', (e) => {});", "service-worker-syntax", "worker.js:1:1"),
        ('\n self.addEventListener( "fetch", f); function f() {}', "service-worker-syntax", "worker.js:2:2"),
        ("export const a = 1;", "no-default-export", "worker.js:0:0"),
        ("", "no-default-export", "worker.js:0:0"),
        ("export async function fetch() {}", "named-fetch-export", "worker.js:1:23"),
        ("export default 5;", "default-export-type", "worker.js:1:1"),
        ("export default null;", "default-export-type", "worker.js:1:1"),
        ("export default async (request) => {};", "default-export-function", "worker.js:1:1"),
        ("export default function () {}", "default-export-function", "worker.js:1:1"),
        ("class A { fetch() {} }\nexport { A as default };", "default-export-class", "worker.js:2:12"),
        ("export default { scheduled() {} };", "default-without-fetch", "worker.js:1:1"),
        ("export default { fetch: 5 };", "default-without-fetch", "worker.js:1:1"),
        (
            "import { WorkerEntrypoint } from 'cloudflare:workers';\n"
            "export default class extends WorkerEntrypoint { hi() {} }",
            "default-without-fetch",
            "worker.js:2:1",
        ),
    ],
)
def test_exports_of_the_main_module(project: Project, source: str, code: str, place: str) -> None:
    report = project.exports_mistake({"worker.js": source})
    assert report is not None
    assert (report.code, project.place(report)) == (code, place)


@pytest.mark.parametrize(
    "source",
    [
        OK,
        "class A { fetch() {} } export default new A();",
        "export { d as default }; const d = Object.create({ fetch() {} });",
        "import { WorkerEntrypoint } from 'cloudflare:workers';"
        "export default class extends WorkerEntrypoint { fetch() {} }",
        "import { WorkerEntrypoint } from 'cloudflare:workers';"
        "class Base extends WorkerEntrypoint { fetch() {} } export default class extends Base {}",
    ],
)
def test_default_exports_that_serve(project: Project, source: str) -> None:
    assert project.exports_mistake({"worker.js": source}) is None


def test_a_worker_without_fetch_loads_when_it_has_another_handler(project: Project) -> None:
    scheduled = "export default { scheduled() {} };"
    assert project.exports_mistake({"worker.js": scheduled}, for_request=False) is None
    none = project.exports_mistake({"worker.js": "export default { onRequest() {} };"}, for_request=False)
    assert none is not None and none.code == "default-without-fetch" and "It has: onRequest." in none.why


# ---- code that fails while it is loaded --------------------------------------------


def test_a_promise_that_never_settles(project: Project) -> None:
    report = project.mistake(
        {
            "worker.js": "import './a.js';" + OK,
            "a.js": "(() => { let await_; });\nawait new Promise(() => {});",
        }
    )
    assert report.code == "top-level-await-unsettled"
    assert report.what == "Top-level await in module is unsettled."
    assert project.place(report) == "a.js:2:1"


def test_a_top_level_throw_carries_the_value(project: Project) -> None:
    with pytest.raises(TopLevelError) as failure:
        project.load({"worker.js": "import './a.js';", "a.js": "\n\nthrow new RangeError('no');"})
    assert isinstance(failure.value.thrown, Value)
    assert str(failure.value.thrown.get("message")) == "no"
    assert "a.js:3" in str(failure.value.thrown.get("stack"))


@pytest.mark.parametrize("thrown", ["5", "'text'", "null", "undefined"])
def test_a_top_level_throw_of_a_primitive(project: Project, thrown: str) -> None:
    with pytest.raises(TopLevelError) as failure:
        project.load({"worker.js": f"throw {thrown};"})
    assert not isinstance(failure.value.thrown, Value)


def test_a_syntax_error_names_its_file(project: Project) -> None:
    with pytest.raises(ModuleSyntaxError) as failure:
        project.load({"worker.js": "import './a.js';", "a.js": "import './b.js';", "b.js": "let x = ;"})
    assert failure.value.path == str(project.root / "b.js")
    assert str(failure.value.thrown.get("name")) == "SyntaxError"


def test_a_syntax_error_of_the_program_s_own_is_a_throw(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "try { await import('./bad.js'); } catch {} JSON.parse('{');",
        "bad.js": "let let;",
    }
    with pytest.raises(TopLevelError):
        project.load(files)


def test_errors_of_the_wasm_compiler_come_out_as_they_are(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(data: bytes, path: str) -> Value:
        raise LookupError(path)

    monkeypatch.setattr(project, "_compile", refuse)
    with pytest.raises(LookupError):
        project.load({"worker.js": importing("./a.wasm"), "a.wasm": b"x"})
