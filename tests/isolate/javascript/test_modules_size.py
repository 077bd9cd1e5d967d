"""The size of the modules of a JavaScript Worker, against its plan."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from module_files import Project

from emulator.diagnostics.report import Report
from emulator.isolate.javascript.modules import ModuleMistake, Modules
from emulator.isolate.program import LoadError
from emulator.isolate.realm.engine import Value
from emulator.isolate.realm.host import host_functions
from emulator.isolate.realm.realm import Realm
from emulator.wire.frames import Limits, WorkerSpec

LIMIT = 10_000


class Limited(Project):
    """A project under a plan of ``LIMIT`` bytes."""

    def load(self, files: dict[str, str | bytes], limit: int = LIMIT, **_: object) -> Value:  # type: ignore[override]
        self.write(files)
        self.compiled: list[str] = []
        self.realm = Realm(host_functions(lambda: None))
        spec = WorkerSpec(
            name="w",
            root=str(self.root),
            main=str(self.root / "worker.js"),
            compatibility_date="2025-09-01",
            compatibility_flags=[],
            vars={},
            kind="javascript",
        )
        limits = Limits(plan="free", size_bytes=limit)
        spec = msgspec.structs.replace(spec, limits=limits)
        self.modules = Modules(self.realm, spec, self._compile)
        return self.modules.load()

    def _compile(self, data: bytes, path: str) -> Value:
        self.compiled.append(path)
        return super()._compile(data, path)

    def refused(self, files: dict[str, str | bytes], limit: int = LIMIT) -> Report:
        with pytest.raises(LoadError) as caught:
            self.load(files, limit)
        return caught.value.report


@pytest.fixture
def limited(tmp_path: Path) -> Limited:
    return Limited(tmp_path)


def ran(project: Project) -> object:
    return project.realm.engine.eval("globalThis.ran ?? null", "test.js")


def leb(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + leb(rest) if rest else bytes([low])


def section(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + leb(len(body)) + body


def text(name: str) -> bytes:
    return leb(len(name)) + name.encode()


def custom(name: str, size: int) -> bytes:
    return section(0, text(name) + bytes(size))


HEADER = b"\0asm\1\0\0\0"
TYPES = section(1, b"\1\x60\0\0")
GO = HEADER + TYPES + section(2, b"\1" + text("gojs") + text("runtime.wasmExit") + b"\0\0")


def test_what_fits_runs_as_without_a_limit(limited: Limited) -> None:
    main = "import './a.js'; import t from './t.txt'; export const value = t; export default { fetch() {} };"
    files: dict[str, str | bytes] = {"worker.js": main, "a.js": "globalThis.ran = 1;", "t.txt": "好"}
    namespace = limited.load(files)
    assert namespace.keys() == ["default", "value"]
    assert limited.value(files) == "好"
    assert limited.modules.default_export_mistake(namespace) is None


def test_to_the_byte(limited: Limited) -> None:
    main = "import './t.txt'; export default { fetch() {} };"
    files: dict[str, str | bytes] = {"worker.js": main, "t.txt": "x" * (LIMIT - len(main))}
    limited.load(files)
    report = limited.refused(files, LIMIT - 1)
    assert report.what == "The Worker is too big: 9.77 KiB, and the plan free allows 9.76 KiB"


def test_nothing_runs_when_it_is_too_big(limited: Limited) -> None:
    report = limited.refused(
        {
            "worker.js": "import './a.js'; import m from './m.wasm'; import './b.js'; await null; export default {};",
            "a.js": "globalThis.ran = 1;",
            "m.wasm": HEADER + custom("x", LIMIT),
            "b.js": "globalThis.ran = 2;",
        }
    )
    assert report.code == "worker-too-big"
    assert [line.split()[2] for line in report.why.splitlines()[2:]] == [
        "m.wasm",
        "worker.js",
        "a.js",
        "b.js",
    ]
    assert ran(limited) is None
    assert limited.compiled == []


def test_each_file_counts_once(limited: Limited) -> None:
    limited.load(
        {
            "worker.js": "import a from './t.txt'; import b from '././t.txt'; import './x.js'; export default {};",
            "x.js": "import c from './t.txt';",
            "t.txt": "x" * 9000,
        }
    )
    assert sum(limited.modules._contents.sizes.values()) < LIMIT


def test_a_broken_module_is_told_first(limited: Limited) -> None:
    with pytest.raises(Exception, match="broken"):
        limited.load({"worker.js": "import './broken.js'; import './t.txt';", "broken.js": "let let;"})
    with pytest.raises(ModuleMistake) as caught:
        limited.load({"worker.js": "import './t.txt'; import './nowhere.js';", "t.txt": "x" * LIMIT})
    assert caught.value.report.code == "module-not-found"


def test_a_top_level_that_throws_or_waits(limited: Limited) -> None:
    with pytest.raises(Exception, match="a module threw"):
        limited.load({"worker.js": "throw new Error('boom');"})
    assert limited.refused({"worker.js": "await new Promise(() => {});"}).code == "top-level-await-unsettled"


def test_go_is_told_of_tinygo(limited: Limited) -> None:
    report = limited.refused(
        {"worker.js": "import m from './go.wasm'; export default {};", "go.wasm": GO + custom("x", LIMIT)}
    )
    assert "go.wasm was made by Go's own compiler (GOOS=js GOARCH=wasm)" in report.fix
    assert "tinygo build -o go.wasm -target wasm-unknown ./..." in report.fix


def test_debug_information_is_told(limited: Limited) -> None:
    wasm = HEADER + custom(".debug_info", LIMIT) + custom(".debug_line", 1024) + custom("name", 1024)
    report = limited.refused({"worker.js": "import m from './m.wasm'; export default {};", "m.wasm": wasm})
    assert "m.wasm holds 11.77 KiB of debug information and names" in report.fix
    assert "without them it fits" in report.fix and "-no-debug" in report.fix


@pytest.mark.parametrize(
    "data", [b"", b"x" * 20_000, HEADER + b"\x80" * 20_000, HEADER + b"\2\xff\xff\xff\x7f" * 5000]
)
def test_what_is_no_wasm_at_all(limited: Limited, data: bytes) -> None:
    report = limited.refused(
        {"worker.js": "import m from './m.wasm'; export default {};", "m.wasm": data + bytes(LIMIT)}
    )
    assert report.code == "worker-too-big" and "m.wasm is most of it." in report.fix


def test_the_biggest_package_is_named(limited: Limited) -> None:
    report = limited.refused(
        {
            "worker.js": "import 'big'; import '@a/small'; export default {};",
            "node_modules/big/package.json": '{"main": "index.js"}',
            "node_modules/big/index.js": "//" + "x" * LIMIT,
            "node_modules/@a/small/package.json": '{"main": "index.js"}',
            "node_modules/@a/small/index.js": "//" + "x" * 100,
        }
    )
    assert "is the package big of node_modules" in report.fix
    assert "--dry-run" in report.fix


def test_what_is_imported_later_does_not_count(limited: Limited) -> None:
    limited.load({"worker.js": "export const later = () => import('./m.js');", "m.js": "//" + "x" * LIMIT})
    namespace = limited.load({"worker.js": "export const later = () => import('./m.js');"})
    namespace.get("later")()
    limited.realm.engine.run_jobs()
    assert str(limited.root / "m.js") in limited.modules._contents.sizes
