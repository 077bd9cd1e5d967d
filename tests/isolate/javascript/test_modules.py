"""Modules that load: what imports mean, what modules give."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from module_files import OK, Project

from emulator.wire.frames import ModuleRule


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_main_and_what_it_imports_are_evaluated_once_in_order(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import { log } from './log.js'; import './a.js'; import './lib/../a'; log.push('main');"
        "export const value = log;" + OK,
        "a.js": "import { log } from './log'; log.push('a');",
        "log.js": "export const log = [];",
    }
    assert project.value(files) == ["a", "main"]


@pytest.mark.parametrize(
    ("specifier", "file"),
    [
        ("./x", "x.js"),
        ("./x.js", "x.js"),
        ("./x.mjs", "x.mjs"),
        ("./x", "x.jsx"),
        ("./x", "x/index.js"),
        ("./x/", "x/index.js"),
        ("./x.y", "x.y.js"),
        ("./sub/../x.js", "x.js"),
        ("./x.js?v=1", "x.js"),
        ("./目錄/模組.js", "目錄/模組.js"),
        ("./with space.js", "with space.js"),
    ],
)
def test_relative_imports_resolve_as_esbuild_does(project: Project, specifier: str, file: str) -> None:
    main = f'import value from "{specifier}"; export {{ value }};' + OK
    assert project.value({"worker.js": main, file: "export default 1;"}) == 1


def test_a_directory_s_package_json_names_its_entry(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import value from './lib'; export { value };",
        "lib/package.json": '{"main": "./other"}',
        "lib/other.js": "export default 'other';",
        "lib/index.js": "export default 'index';",
    }
    assert project.value(files) == "other"


def test_an_import_may_leave_the_project(project: Project) -> None:
    (project.root / "shared.js").write_text("export default 'shared';")
    inner = Project(project.root / "app")
    assert inner.value({"worker.js": "import value from '../shared.js'; export { value };"}) == "shared"


@pytest.mark.parametrize("link", [False, True])
def test_one_file_is_one_module_by_whatever_path(project: Project, link: bool) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import * as a from './x.js'; import * as b from './y/../x'; import * as c from '@/x';"
        "export const value = a === b && b === c;".replace("'@/x'", "'./link.js'" if link else "'./x'"),
        "x.js": "export default {};",
    }
    project.write(files)
    if link:
        os.symlink(project.root / "x.js", project.root / "link.js")
    assert project.value({}) is True


def test_circular_imports_and_live_bindings(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import { a, add } from './a.js'; add(); export const value = a;",
        "a.js": "import { b } from './b.js'; export let a = 1; export function add() { a += b(); }",
        "b.js": "import { a } from './a.js'; export function b() { return a * 10; }",
    }
    assert project.value(files) == 11


def test_export_star_and_reexported_default(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import { x, y, d } from './all.js'; export const value = [x, y, d];",
        "all.js": "export * from './x.js'; export * from './y.js'; export { default as d } from './x.js';",
        "x.js": "export const x = 'x'; export default 'default';",
        "y.js": "export const y = 'y';",
    }
    assert project.value(files) == ["x", "y", "default"]


def test_top_level_await_works(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import { a } from './a.js'; export const value = a + await Promise.resolve(1);",
        "a.js": "await null; await null; export const a = 1;",
    }
    assert project.value(files) == 2


def test_import_meta_has_no_url_and_nothing_of_ours(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import './t.txt'; export const value = [Object.keys(import.meta), typeof import.meta.url];",
        "t.txt": "x",
    }
    assert project.value(files) == [[], "undefined"]


# ---- what is no JavaScript ---------------------------------------------------


def test_wasm_is_compiled_once(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import m from './a.wasm'; import n from './a.wasm?module';"
        "export const value = [m.size, m.path, m === n];",
        "a.wasm": b"\0asm\1\0\0\0",
    }
    assert project.value(files) == [8, str(project.root / "a.wasm"), True]


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.sql"])
def test_text_modules_are_strings(project: Project, name: str) -> None:
    main = f"import text from './{name}'; export const value = text;"
    text = "\ufeff第一行\r\n`${x}` \\ '\"\u2028\0"
    assert project.value({"worker.js": main, name: text}) == text


def test_text_that_is_not_utf8_gets_replacement_characters(project: Project) -> None:
    main = "import text from './a.txt'; export const value = text;"
    assert project.value({"worker.js": main, "a.txt": b"a\xffb\xe4\xbd"}) == "a\ufffdb\ufffd"


def test_data_modules_are_array_buffers(project: Project) -> None:
    main = "import d from './a.bin'; export const value = [d instanceof ArrayBuffer, [...new Uint8Array(d)]];"
    assert project.value({"worker.js": main, "a.bin": b"\0\xff\1"}) == [True, [0, 255, 1]]


def test_json_modules_have_a_default_export_and_their_keys(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import all, { version, 名 } from './package.json'; import * as ns from './package.json';"
        "export const value = [all, version, 名, Object.keys(ns).sort()];",
        "package.json": '\ufeff{"version": "1.2", "a b": 1, "名": "字", "default": 7, "__proto__": 5}',
    }
    data, version, name, keys = project.value(files)
    assert (version, name) == ("1.2", "字")
    assert data["default"] == 7 and data["a b"] == 1
    assert keys == ["__proto__", "default", "version", "名"]


@pytest.mark.parametrize(
    "text", ["null", "[1, 2]", '"x"', "12345678901", "1e3", "true", '{"a": {"b": [null]}}']
)
def test_json_of_any_kind(project: Project, text: str) -> None:
    import json

    main = "import d from './a.json' with { type: 'json' }; export const value = d;"
    assert project.value({"worker.js": main, "a.json": text}) == json.loads(text)


def test_values_do_not_depend_on_globals_that_a_worker_patches(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import './patch.js'; import t from './a.txt'; import j from './a.json';"
        "export const value = t + j.x;",
        "patch.js": "JSON.parse = Object.keys = Reflect.get = () => { throw new Error('patched'); };"
        "globalThis.Error = null;",
        "a.txt": "t",
        "a.json": '{"x": "j"}',
    }
    assert project.value(files) == "tj"


@pytest.mark.parametrize(
    ("rule", "specifier"),
    [
        (ModuleRule("Text", ["**/*.md"]), "./docs/a.md"),
        (ModuleRule("Text", ["*.md"]), "./docs/a.md"),
        (ModuleRule("Text", ["./docs/a.md"]), "./docs/a.md"),
        (ModuleRule("Text", ["**/*.js"]), "./docs/a.js"),
    ],
)
def test_custom_rules_match_the_specifier(project: Project, rule: ModuleRule, specifier: str) -> None:
    main = f"import t from '{specifier}'; export const value = t;"
    assert project.value({"worker.js": main, specifier: "export x"}, rules=[rule]) == "export x"


def test_a_rule_with_fallthrough_keeps_the_default_of_its_type(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import a from './a.md'; import b from './b.txt'; export const value = a + b;",
        "a.md": "a",
        "b.txt": "b",
    }
    assert project.value(files, rules=[ModuleRule("Text", ["**/*.md"], fallthrough=True)]) == "ab"


def test_a_file_may_be_a_module_and_a_text(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "import * as m from './x.js'; import t from './x.js?raw'; export const value = [m.a, t];",
        "x.js": "export const a = 1;",
    }
    assert project.value(files, rules=[ModuleRule("Text", ["*?raw"])]) == [1, "export const a = 1;"]


# ---- packages ------------------------------------------------------------------


def package(name: str, manifest: str, **files: str) -> dict[str, str | bytes]:
    base = f"node_modules/{name}/"
    return {
        base + "package.json": manifest,
        **{base + path.replace("__", "/"): t for path, t in files.items()},
    }


@pytest.mark.parametrize(
    ("manifest", "specifier"),
    [
        ('{"exports": "./right.js"}', "pkg"),
        ('{"exports": {"node": "./wrong.js", "import": "./right.js"}}', "pkg"),
        ('{"exports": {"require": "./wrong.js", "default": "./right.js"}}', "pkg"),
        ('{"exports": {".": {"workerd": {"import": "./right.js"}, "default": "./wrong.js"}}}', "pkg"),
        ('{"exports": {".": "./wrong.js", "./sub": "./right.js"}}', "pkg/sub"),
        ('{"exports": {"./*": "./wrong.js", "./lib/*": "./*.js"}}', "pkg/lib/right"),
        ('{"exports": {"./lib/*.js": "./*.js"}}', "pkg/lib/right.js"),
        ('{"exports": {".": [{"node": "./wrong.js"}, "./right.js"]}, "main": "wrong.js"}', "pkg"),
        ('{"module": "right.js", "main": "wrong.js"}', "pkg"),
        ('{"browser": "./right.js", "module": "wrong.js"}', "pkg"),
        ('{"browser": {"./node.js": "./right.js"}, "main": "node.js"}', "pkg"),
        ('{"main": "right"}', "pkg"),
        ('{"main": "gone.js"}', "pkg/right"),
        ("{}", "pkg/right.js"),
    ],
)
def test_entries_of_packages(project: Project, manifest: str, specifier: str) -> None:
    files = package("pkg", manifest)
    files["node_modules/pkg/right.js"] = "export default 'right';"
    files["node_modules/pkg/wrong.js"] = files["node_modules/pkg/node.js"] = "export default 'wrong';"
    files["worker.js"] = f"import value from '{specifier}'; export {{ value }};"
    assert project.value(files) == "right"


def test_scoped_nested_and_hoisted_packages(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "src/worker.js": "import { value } from '@scope/a'; export { value };",
        "node_modules/@scope/a/index.js": "import b from 'b'; import c from 'c'; export const value = [b, c];",
        "node_modules/@scope/a/node_modules/b/index.js": "export default 'nested';",
        "node_modules/b/index.js": "export default 'hoisted b';",
        "node_modules/c/index.js": "export default 'hoisted c';",
    }
    assert project.value(files, main="src/worker.js") == ["nested", "hoisted c"]


def test_private_imports_and_self_reference(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "package.json": '{"name": "me", "imports": {"#x/*": "./src/*.js", "#dep": "dep"},'
        '"exports": {"./own": "./src/own.js"}}',
        "worker.js": "import x from '#x/one'; import d from '#dep'; import o from 'me/own';"
        "export const value = [x, d, o];",
        "src/one.js": "export default 1;",
        "src/own.js": "export default 'own';",
        "node_modules/dep/index.js": "export default 'dep';",
    }
    assert project.value(files) == [1, "dep", "own"]


def test_a_wasm_file_of_a_package(project: Project) -> None:
    files = package("pkg", '{"exports": {"./x.wasm": "./dist/x.wasm"}}')
    files["node_modules/pkg/dist/x.wasm"] = b"\0asm"
    files["worker.js"] = "import m from 'pkg/x.wasm'; export const value = m.size;"
    assert project.value(files) == 4


def test_an_installed_package_wins_over_a_node_builtin_of_its_name(project: Project) -> None:
    files = package("events", '{"main": "e.js"}', **{"e.js": "export default 'package';"})
    files["worker.js"] = "import value from 'events'; export { value };"
    assert project.value(files) == "package"


def test_packages_that_are_linked_import_from_where_they_really_are(project: Project) -> None:
    store = "node_modules/.store/a@1/node_modules"
    files: dict[str, str | bytes] = {
        "worker.js": "import value from 'a'; export { value };",
        f"{store}/a/index.js": "export { default } from 'b';",
        f"{store}/b/index.js": "export default 'b of a';",
    }
    project.write(files)
    os.symlink(project.root / store / "a", project.root / "node_modules/a")
    assert project.value({}) == "b of a"


def test_the_main_module_may_be_imported_and_linked(project: Project) -> None:
    project.write(
        {
            "src/real.js": "import { twice } from './a.js'; export const one = {}; export const value = () => twice();"
        }
    )
    project.write({"src/a.js": "import * as m from './real.js'; export const twice = () => m.one === m.one;"})
    os.symlink(project.root / "src/real.js", project.root / "worker.js")
    namespace = project.load({})
    assert project.later(namespace, "value") == [True, True]


# ---- import() --------------------------------------------------------------------


def test_import_at_request_time(project: Project) -> None:
    files: dict[str, str | bytes] = {
        "worker.js": "const name = 'a'; export async function later() {"
        "const [a, b, t] = await Promise.all([import('./a.js'), import(`./${name}`), import('./t.txt')]);"
        "return [a === b, a.default, t.default]; }",
        "a.js": "export default 'a';",
        "t.txt": "t",
    }
    assert project.later(project.load(files)) == [True, [True, "a", "t"]]


def test_a_missing_module_at_request_time_has_the_platform_s_message(project: Project) -> None:
    main = "export async function later() { const x = './nope.js'; return import(x); }"
    fulfilled, text = project.later(project.load({"worker.js": main}))
    assert (fulfilled, text) == (False, 'Error: No such module "./nope.js".\n  imported from "worker.js"')
    report = project.modules.mistake_of(text.removeprefix("Error: "))
    assert report is not None and report.code == "module-not-found"


def test_a_computed_import_may_not_leave_the_project(project: Project) -> None:
    for name in ("outside.js", "hidden.js"):
        (project.root / name).write_text("export default 1;")
    inner = Project(project.root / "app")
    main = (
        "const up = '..'; export const later = () => import(`${up}/hidden.js`);"
        "export const written = () => import('../outside.js').then((m) => m.default);"
    )
    namespace = inner.load({"worker.js": main})
    assert inner.later(namespace)[0] is False
    assert inner.later(namespace, "written") == [True, 1]


def test_a_failed_import_can_be_caught_while_loading(project: Project) -> None:
    main = "let value = 'none'; try { await import('./nope.js'); } catch (e) { value = e.constructor === Error; }"
    assert project.value({"worker.js": main + "export { value };"}) is True


# ---- odd files -------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbfexport const value = 1;",
        b"#!/usr/bin/env node\r\nexport const value = 1;\r\n",
        b"// comment only\nexport const value = 1; // no newline",
        b"/* require('x') module.exports = 1 */ export const value = 1;",
        "export const value = '一'.length;".encode(),
        b"export const value = 1;\n" + b"// filler filler filler\n" * 100_000,
    ],
)
def test_source_files_of_all_sorts(project: Project, source: bytes) -> None:
    assert project.value({"worker.js": source}) == 1


def test_an_empty_module_has_no_exports(project: Project) -> None:
    assert (
        project.value({"worker.js": "import * as e from './e.js'; export const value = e;", "e.js": ""}) == {}
    )


def test_a_wrong_case_that_the_file_system_forgives_is_a_warning(project: Project) -> None:
    from emulator.isolate.javascript.spelling import spelled

    project.write({"Lib/a.js": ""})
    root = str(project.root)
    assert spelled(f"{root}/Lib/a.js", root) == ""
    assert spelled(f"{root}/lib/A.js", root) == f"{root}/Lib/a.js"
