"""Writes data/fixtures.json: the fixtures/*.wat as wasm, in base64, so that Node needs no wat compiler.

Run it after a change of a fixture, then record_node.mjs.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import wasmtime

HERE = Path(__file__).parent


def main() -> None:
    """Compile every fixture."""
    fixtures = {
        path.stem: base64.b64encode(wasmtime.wat2wasm(path.read_text(encoding="utf-8"))).decode()
        for path in sorted((HERE / "fixtures").glob("*.wat"))
    }
    (HERE / "data" / "fixtures.json").write_text(json.dumps(fixtures, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
