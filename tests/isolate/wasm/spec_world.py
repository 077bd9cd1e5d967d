"""A world for the tests of the specification's rules: modules as globals, and short names."""

from __future__ import annotations

from typing import Any

import wasmtime

from .world import World


def spec_world(**modules: str) -> World:
    """A world with these modules, loaded before anything else is made, as a Worker's are."""
    made = World()
    for name, wat in modules.items():
        data = made.engine.array_buffer(wasmtime.wat2wasm(wat))
        made.engine.global_.set(name, made.realm.platform.get("wasmModuleFrom")(data, f"{name}.wasm"))
    made.engine.eval(
        """globalThis.W = WebAssembly;
        globalThis.tagOf = (...parameters) => new W.Tag({ parameters });
        globalThis.wideMemory = (initial, maximum) => new W.Memory({ address: "i64", initial, maximum });
        globalThis.wideTableOf = (initial, maximum) =>
          new W.Table({ element: "externref", address: "i64", initial, maximum });
        globalThis.shown = (run) => {
          try {
            const value = run();
            return typeof value === "bigint" ? `${value}n` : String(value);
          } catch (error) {
            return `${error?.name}: ${error?.message}`;
          }
        };""",
        "setup.js",
    )
    return made


def shown(world: World, source: str) -> Any:
    """The value of an expression as text, or its error."""
    return world.engine.eval(f"shown(() => ({source}))", "test.js")
