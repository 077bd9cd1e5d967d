"""The bundle of a JavaScript Worker: what esbuild is asked, what it is told about imports, what is counted.

The last test asks a real esbuild, where there is one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from fake_esbuild import ROOT, fake_esbuild, told

from emulator.config import Config, load_config
from emulator.project.bundle import Bundle, EsbuildFailed, bundle
from emulator.project.bundle import esbuild as esbuild_module
from emulator.project.bundle.esbuild import build

NAME = 'name = "w"\nmain = "src/index.js"\ncompatibility_date = "2025-01-01"\n'


def project(root: Path, settings: str = "", **files: str) -> Config:
    (root / "src").mkdir(parents=True, exist_ok=True)
    (root / "wrangler.toml").write_text(NAME + settings, encoding="utf-8")
    for name, text in {"index.js": "export default {};", **files}.items():
        (root / "src" / name).write_text(text, encoding="utf-8")
    return load_config(root / "wrangler.toml", process_env={})


def bundled(config: Config, program: Path | None = None, **environment: str) -> Bundle | None:
    assert config.main is not None
    given = {"ESBUILD_BINARY_PATH": str(program)} if program else {}
    return bundle(config, config.main, {**given, **environment})


def test_without_esbuild_there_is_no_bundle(tmp_path: Path) -> None:
    assert bundled(project(tmp_path)) is None


def test_no_bundle_needs_none(tmp_path: Path) -> None:
    rule = 'no_bundle = true\n[[rules]]\ntype = "ESModule"\nglobs = ["**/*.mjs"]\n'
    files = {"a.mjs": "export {}", "t.txt": "你", "b.js": "not a module of a rule"}
    found = bundled(project(tmp_path, rule, **files))
    assert found is not None
    assert [(os.path.basename(path), len(data)) for path, data in found.modules] == [
        ("a.mjs", 9),
        ("t.txt", 3),
    ]
    assert (found.main, found.bytes) == (b"export default {};", 18 + 9 + 3)


def test_wranglers_options(tmp_path: Path) -> None:
    program = fake_esbuild(tmp_path / "esbuild")
    settings = 'minify = true\nkeep_names = false\njsx_factory = "h"\n[define]\nA = "1"\n'
    bundled(project(tmp_path / "p", settings), program, WRANGLER_BUILD_CONDITIONS="x", NODE_ENV="test")
    request = told(program)["request"]
    flags = request["flags"]
    assert request["entries"] == [["", str(tmp_path / "p/src/index.js")]]
    assert request["absWorkingDir"] == str(tmp_path / "p") and request["write"] is False
    for flag in ("--minify", "--jsx-factory=h", "--conditions=x", "--define:A=1", "--target=es2024"):
        assert flag in flags
    assert '--define:process.env.NODE_ENV="test"' in flags
    assert '--define:navigator.userAgent="Cloudflare-Workers"' in flags
    assert "--keep-names" not in flags

    older = fake_esbuild(tmp_path / "older", version="0.17.19")
    bundled(project(tmp_path / "q"), older)
    flags = told(older)["request"]["flags"]
    assert "--keep-names" in flags and "--target=es2022" in flags and "--minify" not in flags
    assert '--define:process.env.NODE_ENV="production"' in flags


def test_the_environment_has_its_own_options(tmp_path: Path) -> None:
    config = project(tmp_path, 'minify = true\n[define]\nA = "1"\n[env.s]\nkeep_names = false\n')
    own = load_config(config.path, "s", process_env={})
    values = [
        (each.effective("minify"), each.effective("keep_names"), each.effective("define"))
        for each in (config, own)
    ]
    assert values == [(True, None, {"A": "1"}), (True, False, None)]


def answers(root: Path, config: Config, *imports: str, kind: str = "import-statement") -> list[Any]:
    program = fake_esbuild(
        root / "esbuild", imports=[[path, str(config.root / "src"), kind] for path in imports]
    )
    bundled(config, program)
    found: list[Any] = told(program)["answers"]
    return found


def test_modules_beside_the_bundle_are_named_after_their_content(tmp_path: Path) -> None:
    config = project(tmp_path / "p", **{"a.txt": "你好", "same.txt": "你好", "b.bin": "b"})
    digest = hashlib.sha1("你好".encode()).hexdigest()
    found = answers(
        tmp_path, config, "./a.txt", "./same.txt", "a.txt", "cloudflare:workers", "node:fs", "./x.js"
    )
    beside = {"id": 0, "path": f"./{digest}-a.txt", "external": True}
    assert found == [
        beside,
        {"id": 0, "path": f"./{digest}-same.txt", "external": True},
        beside,  # as wrangler 1 allowed
        {"id": 0, "external": True},
        {"id": 0, "external": True},
        {},
    ]


def test_what_is_imported_twice_is_uploaded_once(tmp_path: Path) -> None:
    config = project(tmp_path / "p", **{"a.txt": "你好"})
    imports = [[path, str(config.root / "src"), "import-statement"] for path in ("./a.txt", "../src/a.txt")]
    parts = {"src/index.js": 60, "node_modules/x/x.js": 30}
    found = bundled(config, fake_esbuild(tmp_path / "esbuild", imports=imports, size=100, parts=parts))
    assert found is not None
    root = str(config.root)
    assert found.modules == [(f"{root}/src/a.txt", "你好".encode())]
    assert found.bytes == 106
    assert found.files == {
        f"{root}/src/index.js": 60,
        f"{root}/node_modules/x/x.js": 30,
        f"{root}/src/a.txt": 6,
    }


def test_aliases_and_additional_modules(tmp_path: Path) -> None:
    settings = 'find_additional_modules = true\n[alias]\n"old" = "./src/new.js"\n'
    rule = '[[rules]]\ntype = "ESModule"\nglobs = ["**/*.mjs"]\n'
    files = {"new.js": "", "a.mjs": "export {}", "t.txt": "text"}
    config = project(tmp_path / "p", settings + rule, **files)
    assert answers(tmp_path, config, "old", "./a.mjs", "./t.txt", "./b.mjs") == [
        {"id": 0, "path": str(config.root / "src/new.js")},
        {"id": 0, "path": "./a.mjs", "external": True},
        {"id": 0, "path": "./t.txt", "external": True},
        {},
    ]


def test_a_module_that_is_not_there_fails_the_import(tmp_path: Path) -> None:
    (answer,) = answers(tmp_path, project(tmp_path / "p"), "./gone.wasm")
    assert "gone.wasm: No such file or directory" in answer["errors"][0]["text"]


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ({"error": 'Could not resolve "x"'}, 'src/index.js:3: Could not resolve "x"'),
        ({"refusal": "Invalid target"}, "Invalid target"),
        ({"die": True}, "esbuild ended"),
        ({"status": 1}, "does not tell its version"),
        ({"version": "usage: something else"}, "does not tell its version"),
        ({"output": "dist/x.js", "garbage": True}, "unknown kind of value"),
    ],
)
def test_an_esbuild_that_fails(tmp_path: Path, script: dict[str, Any], problem: str) -> None:
    config = project(tmp_path / "p")
    with pytest.raises(EsbuildFailed) as caught:
        bundled(config, fake_esbuild(tmp_path / "esbuild", **script))
    if "garbage" not in script:
        assert problem in str(caught.value)


def test_what_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "esbuild").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "esbuild").chmod(0o755)
    with pytest.raises(EsbuildFailed, match="esbuild"):
        bundled(project(tmp_path / "p"), tmp_path / "esbuild")


def test_one_that_hangs_is_ended(tmp_path: Path) -> None:
    program = fake_esbuild(tmp_path / "esbuild", hang=True)
    with pytest.raises(EsbuildFailed, match="it took too long"):
        build(
            program, "0.99.1", {"entries": [], "flags": [], "absWorkingDir": "/"}, "x", lambda _: iter(()), 3
        )  # type: ignore[arg-type,return-value]
    pid = int(Path(f"{program}.pid").read_text())
    deadline = time.monotonic() + 20
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}")


def test_polyfills_of_nodejs_are_told(tmp_path: Path) -> None:
    for flags, date, polyfilled in [
        ('["nodejs_compat"]', "2024-09-23", True),
        ('["nodejs_compat"]', "2024-09-22", False),
        ('["nodejs_compat", "no_nodejs_compat_v2"]', "2025-01-01", False),
        ("[]", "2025-01-01", False),
        ('["nodejs_compat_v2"]', "2023-01-01", True),
    ]:
        program = fake_esbuild(tmp_path / "esbuild", size=10)
        root = tmp_path / "p"
        project(root)
        text = NAME.replace("2025-01-01", date) + f"compatibility_flags = {flags}\n"
        (root / "wrangler.toml").write_text(text)
        found = bundled(load_config(root / "wrangler.toml", process_env={}), program)
        assert found is not None and found.polyfilled is polyfilled


def real_esbuild() -> Path | None:
    named = os.environ.get("ESBUILD_BINARY_PATH") or shutil.which("esbuild")
    peers = esbuild_module.find_esbuild(ROOT / "benchmarks" / ".cache" / "peers", {})
    return Path(named) if named else peers


@pytest.mark.skipif(real_esbuild() is None, reason="there is no esbuild on this machine")
def test_a_real_esbuild(tmp_path: Path) -> None:
    index = 'import { used } from "pkg"; import text from "./t.txt"; import { x } from "./x.js";\n'
    index += "export default { fetch() { return new Response(used + text + x + navigator.userAgent); } };\n"
    config = project(
        tmp_path, **{"index.js": index, "t.txt": "你好", "x.js": "// comment\nexport const x = 1;"}
    )
    package = tmp_path / "node_modules" / "pkg"
    package.mkdir(parents=True)
    (package / "package.json").write_text(
        '{"name": "pkg", "type": "module", "exports": {"workerd": "./w.js"}}'
    )
    unused = "\n".join(f"export const unused{number} = 'a text that nobody uses';" for number in range(1000))
    (package / "w.js").write_text(f"export const used = 5;\n{unused}")
    found = bundled(config, real_esbuild())
    assert found is not None
    text = found.main.decode()
    digest = hashlib.sha1("你好".encode()).hexdigest()
    assert f'import text from "./{digest}-t.txt";' in text
    assert "var used = 5;" in text and "unused" not in text and "comment" not in text
    assert '"Cloudflare-Workers"' in text
    assert text.endswith("//# sourceMappingURL=index.js.map\n")
    assert found.bytes == len(found.main) + 6 < 1000
    assert set(found.files) == {
        str(tmp_path / name) for name in ("src/index.js", "src/x.js", "src/t.txt", "node_modules/pkg/w.js")
    }
    assert not (tmp_path / "dist").exists()
