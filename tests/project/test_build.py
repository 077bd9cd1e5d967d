"""Which projects are built, by what command, and which files make them be built again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulator.project import Project, ProjectError, open_project
from emulator.project.cache import wasm_cache
from emulator.project.go import imported_wasm
from emulator.wire.frames import ModuleRule

HEAD = 'name = "w"\ncompatibility_date = "2024-12-01"\n'


def project(root: Path, head: str = "", *names: str, tail: str = "") -> Project:
    """A project with these (empty) files; ``head`` holds keys, ``tail`` tables."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    (root / "wrangler.toml").write_text(HEAD + head + "\n" + tail, encoding="utf-8")
    return open_project(root / "wrangler.toml", process_env={"HOME": "/home/u"})


@pytest.mark.parametrize(
    ("main", "kind"),
    [("worker.js", "javascript"), ("src/w.mjs", "javascript"), ("w.wasm", "wasm"), ("W.JS", "javascript")],
)
def test_kinds(tmp_path: Path, main: str, kind: str) -> None:
    spec = project(tmp_path, f'main = "{main}"', main).spec()
    assert (spec.kind, spec.main) == (kind, str(tmp_path / main))
    assert spec.cache.endswith("cfw-emu/wasm")


def test_a_javascript_worker_may_have_the_flag_of_python(tmp_path: Path) -> None:
    opened = project(tmp_path, 'main = "w.js"\ncompatibility_flags = ["python_workers"]', "w.js")
    assert (opened.kind, opened.warnings) == ("javascript", ())


def test_python_keeps_no_compiled_modules(tmp_path: Path) -> None:
    spec = project(tmp_path, 'main = "a.py"\ncompatibility_flags = ["python_workers"]', "a.py").spec()
    assert (spec.kind, spec.cache, spec.rules) == ("python", "", [])


def test_rules_are_in_the_spec_in_order(tmp_path: Path) -> None:
    rules = '[[rules]]\ntype = "Text"\nglobs = ["**/*.md"]\nfallthrough = true\n[[rules]]\ntype = "Data"\nglobs = ["a", "b"]\n'
    opened = project(tmp_path, 'main = "w.js"', "w.js", tail=rules)
    assert opened.spec().rules == [ModuleRule("Text", ["**/*.md"], True), ModuleRule("Data", ["a", "b"])]
    assert opened.matters(tmp_path / "docs" / "說明.md")
    assert opened.matters(tmp_path / "a")
    assert not opened.matters(tmp_path / "c")
    assert not opened.matters(tmp_path / "docs" / "x.md~")
    assert not opened.matters(tmp_path / "node_modules" / "x.md")


def test_rules_are_relative_to_main_too(tmp_path: Path) -> None:
    opened = project(
        tmp_path, 'main = "src/w.js"', "src/w.js", tail='[[rules]]\ntype = "Text"\nglobs = ["./*.tpl"]\n'
    )
    assert opened.matters(tmp_path / "src" / "a.tpl")
    assert opened.matters(tmp_path / "a.tpl")
    assert not opened.matters(tmp_path / "src" / "a.tpl.orig")


@pytest.mark.parametrize(
    ("names", "main"),
    [
        (("go.mod", "main.go", "worker.js"), "worker.js"),
        (("go.mod", "main.go"), "worker.wasm"),
        (("go.mod", "worker.wasm"), "worker.wasm"),
        (("go.mod", "server.go", "worker.wasm"), "worker.wasm"),
    ],
)
def test_a_go_project_needs_no_main(tmp_path: Path, names: tuple[str, ...], main: str) -> None:
    opened = project(tmp_path, "", *names)
    assert opened.main == tmp_path / main


@pytest.mark.parametrize(
    "names", [("go.mod",), ("main.go",), ("go.mod", "main_test.go"), ("go.mod", "cmd/main.go")]
)
def test_what_is_no_go_project(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(ProjectError) as caught:
        project(tmp_path, "", *names)
    assert [report.code for report in caught.value.reports] == ["main-missing"]


@pytest.mark.parametrize(
    ("main", "script", "product", "required"),
    [
        ("worker.js", 'import m from "./worker.wasm";', "worker.wasm", True),
        ("worker.js", "import m from './app.wasm?module'", "app.wasm", True),
        ("src/w.js", 'import {\n x\n} from "../out dir/a.wasm"', "out dir/a.wasm", True),
        ("worker.js", "import './a.wasm'\nimport './b.wasm'", "worker.wasm", False),
        ("worker.js", "export default {}", "worker.wasm", False),
        ("worker.js", '// import m from "./no.wasm";', "worker.wasm", False),
        ("app.wasm", "", "app.wasm", True),
    ],
)
def test_what_tinygo_makes(tmp_path: Path, main: str, script: str, product: str, required: bool) -> None:
    names = ["go.mod", "main.go"] if main.endswith(".wasm") else ["go.mod", "main.go", main]
    project(tmp_path, f'main = "{main}"', *names)
    if script:
        (tmp_path / main).write_text(script)
    build = open_project(tmp_path / "wrangler.toml", process_env={}).build
    assert build is not None
    assert (build.product, build.required, build.custom) == (tmp_path / product, required, False)
    quoted = f"'{product}'" if " " in product else product
    assert build.command == f"tinygo build -o {quoted} -target wasm-unknown ./..."


@pytest.mark.parametrize(
    ("names", "main"),
    [
        (("w.js",), "w.js"),
        (("go.mod", "main.go", "a.py"), "a.py"),
        (("go.mod", "worker.wasm"), "worker.wasm"),
    ],
)
def test_what_is_not_built(tmp_path: Path, names: tuple[str, ...], main: str) -> None:
    head = f'main = "{main}"\ncompatibility_flags = ["python_workers"]'
    assert project(tmp_path, head, *names).build is None


def test_go_sources_want_a_build(tmp_path: Path) -> None:
    build = project(tmp_path, "", "go.mod", "main.go", "worker.js").build
    assert build is not None
    wanted = ["main.go", "go.mod", "go.sum", "pkg/deep/路由.go"]
    unwanted = [
        "worker.js",
        "worker.wasm",
        "main_test.go",
        "main.go~",
        ".git/x.go",
        "node_modules/a.go",
        "../x.go",
    ]
    assert [name for name in [*wanted, *unwanted] if build.wants(tmp_path / name)] == wanted


@pytest.mark.parametrize(
    ("watch", "wanted", "unwanted"),
    [
        ("", ["src/a.ts", "src/deep/b.rs"], ["a.ts", "srcs/a"]),
        ('watch_dir = "lib"', ["lib/a"], ["src/a.ts"]),
        ('watch_dir = ["lib", "./src", "../shared"]', ["lib/a", "src/a", "../shared/x"], ["x"]),
        ('watch_dir = "src/**/*.rs"', ["src/a.rs"], ["lib/a"]),
        ('watch_dir = "."', ["a", "src/b"], [".git/HEAD", "node_modules/x/y.js", ".wrangler/tmp/x", "a.tmp"]),
    ],
)
def test_watched_directories(tmp_path: Path, watch: str, wanted: list[str], unwanted: list[str]) -> None:
    root = tmp_path / "w"
    (tmp_path / "shared").mkdir()
    root.mkdir()
    opened = project(root, 'main = "w.js"', tail=f'[build]\ncommand = "make"\n{watch}\n')
    build = opened.build
    assert build is not None and build.cwd == root
    assert [name for name in [*wanted, *unwanted] if build.wants(root / name)] == wanted
    assert (tmp_path / "shared" in opened.watch_roots) == ("shared" in watch)


def test_a_build_may_make_main(tmp_path: Path) -> None:
    opened = project(tmp_path, 'main = "dist/w.js"', tail='[build]\ncommand = "make"\ncwd = "tools"\n')
    assert opened.build is not None
    assert (opened.build.cwd, opened.build.product) == (tmp_path / "tools", tmp_path / "dist" / "w.js")
    assert opened.watch_roots == (tmp_path,)


def test_when_a_go_project_is_due(tmp_path: Path) -> None:
    build = project(tmp_path, "", "go.mod", "main.go", "pkg/a.go").build
    assert build is not None and build.is_due()
    (tmp_path / "worker.wasm").write_text("")
    for name, time in {"go.mod": 10, "main.go": 20, "pkg/a.go": 30, "worker.wasm": 40}.items():
        os.utime(tmp_path / name, (time, time))
    assert not build.is_due() and build.stale_by() == -10
    os.utime(tmp_path / "pkg" / "a.go", (50, 50))
    assert build.is_due() and build.stale_by() == 10


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"HOME": "/home/u"}, "linux", "/home/u/.cache/cfw-emu/wasm"),
        ({"HOME": "/Users/u"}, "darwin", "/Users/u/Library/Caches/cfw-emu/wasm"),
        ({"HOME": "/home/u", "XDG_CACHE_HOME": "/c"}, "linux", "/c/cfw-emu/wasm"),
        ({"HOME": "/home/u", "XDG_CACHE_HOME": "c"}, "linux", "/home/u/.cache/cfw-emu/wasm"),
        ({}, "linux", ""),
        ({"HOME": ""}, "linux", ""),
    ],
)
def test_the_cache(environment: dict[str, str], platform: str, expected: str) -> None:
    assert wasm_cache(environment, platform) == expected


def test_a_script_that_is_not_there_imports_nothing(tmp_path: Path) -> None:
    assert imported_wasm(tmp_path / "none.js") is None
