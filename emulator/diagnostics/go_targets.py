"""Which compiler and target made a WebAssembly module, as the names of its imports tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Target = Literal[
    "go-js", "tinygo-wasm", "wasip1", "wasip2", "wasm-bindgen", "emscripten", "assemblyscript", "host"
]
"""``go-js``: Go's own toolchain, ``GOOS=js GOARCH=wasm``. ``tinygo-wasm``: ``tinygo -target wasm``.
``wasip1``, ``wasip2``: a WASI target, of Go, TinyGo, Rust or C. ``host``: functions of a host of its own,
such as those that ``//go:wasmimport`` names."""

_GO_RUNTIME = ("runtime.wasmExit", "runtime.wasmWrite", "runtime.resetMemoryDataView", "runtime.nanotime1")


def build_target(imports: Iterable[tuple[str, str]]) -> Target | None:
    """The target of a module with these ``(module, name)`` imports; ``None`` without imports.

    For TinyGo's ``wasm-unknown``, which imports nothing of its own, that is ``None`` or ``host``.
    """
    found = set(imports)
    modules = {module for module, _ in found}
    names = {name for _, name in found}
    if "go" in modules or not names.isdisjoint(_GO_RUNTIME):
        return "go-js"
    if "gojs" in modules:
        return "tinygo-wasm"
    if any(module.startswith("wasi:") for module in modules):
        return "wasip2"
    if any("wbindgen" in part or "wbg" in part for part in modules | names):
        return "wasm-bindgen"
    if any("emscripten" in name for name in names):
        return "emscripten"
    if not modules.isdisjoint(("wasi_snapshot_preview1", "wasi_unstable")):
        return "wasip1"
    if ("env", "abort") in found:
        return "assemblyscript"
    return "host" if found else None
